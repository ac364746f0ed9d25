package dev.weir.netty;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueDatagramChannel;
import io.netty.channel.kqueue.KQueueDomainSocketChannel;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerDomainSocketChannel;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.Socket;
import org.jspecify.annotations.Nullable;

/**
 * Netty's kqueue. Its jars are optional, so no other class names one of its classes, and this one
 * is loaded only where nothing better was found.
 */
final class KQueueChannels {
  private KQueueChannels() {}

  static @Nullable Throwable unavailability() {
    return KQueue.unavailabilityCause();
  }

  static IoHandlerFactory newHandlerFactory() {
    return KQueueIoHandler.newFactory();
  }

  static SocketChannel newSocketChannel() {
    return new KQueueSocketChannel();
  }

  static ServerSocketChannel newServerSocketChannel() {
    return new KQueueServerSocketChannel();
  }

  static Class<? extends ServerSocketChannel> serverSocketChannelType() {
    return KQueueServerSocketChannel.class;
  }

  static Class<? extends SocketChannel> socketChannelType() {
    return KQueueSocketChannel.class;
  }

  static DatagramSocketChannel newDatagramChannel(SocketProtocolFamily family) {
    KQueueDatagramChannel channel = new KQueueDatagramChannel(family);
    return DatagramSocketChannel.ofNative(channel, (Socket) channel.fd());
  }

  static ServerChannel newServerDomainSocketChannel() {
    return new KQueueServerDomainSocketChannel();
  }

  /** {@return a channel of a socket that is connected} */
  static DuplexChannel newDomainSocketChannel(int descriptor) {
    return new KQueueDomainSocketChannel(descriptor);
  }
}
