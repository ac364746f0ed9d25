package dev.weir.netty;

import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;

/** Netty's listener on NIO, made to accept one client at a time and able to turn one away. */
final class NioListenerChannel extends NioServerSocketChannel {
  NioListenerChannel() {
    // Netty would accept 16 before it hands out the first, whatever that one brings about: a pause,
    // say.
    config().setRecvByteBufAllocator(new ServerChannelRecvByteBufAllocator().maxMessagesPerRead(1));
  }

  /** Resets the connection that waits longest. Returns whether one did wait. */
  boolean refuse() throws IOException {
    try (SocketChannel refused = javaChannel().accept()) {
      if (refused != null) {
        refused.setOption(StandardSocketOptions.SO_LINGER, 0);
      }
      return refused != null;
    }
  }
}
