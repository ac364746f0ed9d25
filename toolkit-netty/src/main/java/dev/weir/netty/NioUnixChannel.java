package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.FileRegion;
import io.netty.channel.nio.AbstractNioByteChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A Unix socket on NIO that is connected already. Its two directions end independently of each
 * other; Netty 4.2.18's own channel closes both at the peer's end of stream, whatever its options
 * say, because only a TCP channel's option is looked at there.
 */
final class NioUnixChannel extends AbstractNioByteChannel implements DuplexChannel {
  private final SocketChannel socket;
  private final ChannelConfig config =
      new DefaultChannelConfig(this) {
        @Override
        protected void autoReadCleared() {
          clearReadPending(); // Else one more read would come.
        }
      };

  private boolean endSeen;
  private boolean inputShutdown;
  private boolean outputShutdown;

  NioUnixChannel(@Nullable Channel parent, SocketChannel socket) {
    super(parent, socket);
    this.socket = socket;
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public boolean isActive() {
    return socket.isOpen() && socket.isConnected();
  }

  // --- Reading

  @Override
  protected int doReadBytes(ByteBuf buffer) throws IOException {
    unsafe().recvBufAllocHandle().attemptedBytesRead(buffer.writableBytes());
    int length = buffer.writeBytes(socket, buffer.writableBytes());
    if (length < 0) {
      endSeen = true;
      clearReadPending();
      return 0; // To tell the end here would close the channel.
    }
    return length;
  }

  /** Called once what was read is handed over; the end comes behind it. */
  @Override
  protected void doBeginRead() throws Exception {
    if (!endSeen) {
      super.doBeginRead();
    } else if (!inputShutdown) {
      inputShutdown = true;
      pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
  }

  @Override
  protected boolean isInputShutdown0() {
    return inputShutdown;
  }

  @Override
  public boolean isInputShutdown() {
    return inputShutdown || !isActive();
  }

  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    try {
      socket.shutdownInput();
      inputShutdown = true;
      return promise.setSuccess();
    } catch (IOException e) {
      return promise.setFailure(e);
    }
  }

  // --- Writing

  @Override
  protected int doWriteBytes(ByteBuf buffer) throws IOException {
    return buffer.readBytes(socket, buffer.readableBytes());
  }

  @Override
  protected long doWriteFileRegion(FileRegion region) throws IOException {
    return region.transferTo(socket, region.transferred());
  }

  @Override
  protected void doShutdownOutput() throws IOException {
    socket.shutdownOutput();
    outputShutdown = true;
  }

  @Override
  public boolean isOutputShutdown() {
    return outputShutdown || !isActive();
  }

  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    ((AbstractUnsafe) unsafe()).shutdownOutput(promise);
    return promise;
  }

  // --- Both

  @Override
  public boolean isShutdown() {
    return isInputShutdown() && isOutputShutdown();
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    shutdownOutput();
    return shutdownInput(promise);
  }

  @Override
  protected void doClose() throws Exception {
    super.doClose();
    socket.close();
  }

  @Override
  protected void doDisconnect() throws Exception {
    doClose();
  }

  // --- Connecting, which has happened

  @Override
  protected boolean doConnect(SocketAddress remote, SocketAddress local) {
    throw new UnsupportedOperationException("connected already");
  }

  @Override
  protected void doFinishConnect() {
    throw new UnsupportedOperationException("connected already");
  }

  @Override
  protected void doBind(SocketAddress local) {
    throw new UnsupportedOperationException("connected already");
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
    try {
      return socket.getRemoteAddress();
    } catch (IOException e) {
      return null; // Closed.
    }
  }
}
