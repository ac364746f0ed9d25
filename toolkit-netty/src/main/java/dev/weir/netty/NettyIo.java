package dev.weir.netty;

import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.StandardSocketOptions;
import java.util.Locale;
import java.util.function.Supplier;

/** The kinds of I/O that Netty offers, each with the classes that belong together. */
@SuppressWarnings("ImmutableEnumChecker") // The suppliers are method references without state.
enum NettyIo {
  EPOLL(
      HalfCloseSafeEpollHandler::newFactory,
      EpollSocketChannel::new,
      EpollServerSocketChannel::new,
      EpollChannelOption.SO_REUSEPORT,
      UnixSockets.EPOLL),
  NIO(
      NioIoHandler::newFactory,
      NioSocketChannel::new,
      NioListenerChannel::new,
      NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT),
      UnixSockets.NIO);

  private static final int ACCEPTS_MAX = 16;

  private final Supplier<IoHandlerFactory> handlers;
  private final Supplier<SocketChannel> sockets;
  private final Supplier<ServerSocketChannel> serverSockets;
  private final ChannelOption<Boolean> reusePort;
  private final UnixSockets unixSockets;

  NettyIo(
      Supplier<IoHandlerFactory> handlers,
      Supplier<SocketChannel> sockets,
      Supplier<ServerSocketChannel> serverSockets,
      ChannelOption<Boolean> reusePort,
      UnixSockets unixSockets) {
    this.handlers = handlers;
    this.sockets = sockets;
    this.serverSockets = serverSockets;
    this.reusePort = reusePort;
    this.unixSockets = unixSockets;
  }

  /** {@return the kind of that name, or the best that works here for {@code auto}} */
  static NettyIo of(String transport) {
    return switch (transport.toLowerCase(Locale.ROOT)) {
      case "auto" -> Epoll.isAvailable() ? EPOLL : NIO;
      case "nio" -> NIO;
      case "epoll" -> {
        if (!Epoll.isAvailable()) {
          throw new IllegalStateException(
              "The transport epoll does not work here, use auto or nio: "
                  + Epoll.unavailabilityCause(),
              Epoll.unavailabilityCause());
        }
        yield EPOLL;
      }
      default ->
          throw new IllegalArgumentException(
              "Unknown transport '" + transport + "': write auto, nio or epoll");
    };
  }

  String transportName() {
    return name().toLowerCase(Locale.ROOT);
  }

  IoHandlerFactory newHandlerFactory() {
    return handlers.get();
  }

  /** {@return what others may listen with on this kind of I/O} */
  Class<? extends ServerSocketChannel> serverSocketChannelType() {
    return this == EPOLL ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  Class<? extends SocketChannel> socketChannelType() {
    return this == EPOLL ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  SocketChannel newSocketChannel() {
    return sockets.get();
  }

  ServerSocketChannel newServerSocketChannel() {
    return serverSockets.get();
  }

  /** {@return what lets several listeners share a port} */
  ChannelOption<Boolean> reusePort() {
    return reusePort;
  }

  UnixSockets unixSockets() {
    return unixSockets;
  }

  /**
   * Lets a listener accept what waits, up to a number, whenever it is its turn. By itself Netty's
   * epoll accepts one: beside some hundreds of busy connections a listener's turn comes seldom. On
   * NIO it has to be one; see {@link NioListenerChannel}.
   */
  void acceptInBatches(ServerSocketChannel channel) {
    if (this == EPOLL) {
      ServerChannelRecvByteBufAllocator accepts = new ServerChannelRecvByteBufAllocator();
      accepts.respectMaybeMoreData(false).maxMessagesPerRead(ACCEPTS_MAX);
      channel.config().setRecvByteBufAllocator(accepts);
    }
  }
}
