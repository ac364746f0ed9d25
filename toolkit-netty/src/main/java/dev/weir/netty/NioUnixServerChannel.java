package dev.weir.netty;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.ServerChannel;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.nio.AbstractNioMessageChannel;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Accepts on a Unix socket that listens already, on NIO. Netty 4.2.18's own channel deletes
 * whatever is at its path when it closes, and accepts channels that have no half-close.
 */
final class NioUnixServerChannel extends AbstractNioMessageChannel implements ServerChannel {
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  private final ServerSocketChannel socket;
  private final ChannelConfig config =
      new DefaultChannelConfig(this, new ServerChannelRecvByteBufAllocator()) {
        @Override
        protected void autoReadCleared() {
          clearReadPending(); // Else it would go on accepting.
        }
      };

  NioUnixServerChannel(ServerSocketChannel socket) {
    super(null, socket, SelectionKey.OP_ACCEPT);
    this.socket = socket;
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  @Override
  public boolean isActive() {
    return socket.isOpen();
  }

  @Override
  protected int doReadMessages(List<Object> accepted) throws IOException {
    SocketChannel child = socket.accept();
    if (child == null) {
      return 0;
    }
    accepted.add(new NioUnixChannel(this, child));
    return 1;
  }

  @Override
  protected void doClose() throws IOException {
    socket.close();
  }

  @Override
  protected @Nullable SocketAddress localAddress0() {
    try {
      return socket.getLocalAddress();
    } catch (IOException e) {
      return null; // Closed.
    }
  }

  @Override
  protected @Nullable SocketAddress remoteAddress0() {
    return null;
  }

  // --- What a listening socket does not do

  @Override
  protected void doBind(SocketAddress local) {
    throw new UnsupportedOperationException("bound already");
  }

  @Override
  protected boolean doConnect(SocketAddress remote, SocketAddress local) {
    throw new UnsupportedOperationException("a server");
  }

  @Override
  protected void doFinishConnect() {
    throw new UnsupportedOperationException("a server");
  }

  @Override
  protected void doDisconnect() {
    throw new UnsupportedOperationException("a server");
  }

  @Override
  protected boolean doWriteMessage(Object message, ChannelOutboundBuffer outbound) {
    throw new UnsupportedOperationException("a server");
  }
}
