package dev.weir.netty;

import dev.weir.spi.Forwarding;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.spi.UnixAddresses;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * One connection, by TCP or by a Unix socket: the last handler of its channel's pipeline, and the
 * transport of its protocol. Its sending half is {@link NettyOutput}.
 *
 * <p>The methods of {@link Transport} run on tasks and touch nothing of Netty's; they note what is
 * wanted and mark the transport dirty. {@link #flush} and the handler's methods run on the I/O
 * fiber.
 */
final class NettyTransport extends NettyOutput implements Transport {
  /*
   *   CONNECTING ---> OPEN ---> CLOSING ---> CLOSED
   *                     |                      ^
   *                     '----------------------'  lost, or aborted
   */
  private enum State {
    CONNECTING,
    OPEN,
    CLOSING,
    CLOSED
  }

  // On the loop only.

  private State state = State.CONNECTING;
  private boolean dirty;

  private boolean readingWanted = true;
  private boolean eofWanted;
  private boolean eofWritten;
  private boolean closeStarted;

  /**
   * Whether the peer's bytes were held back when the connection was closed. To close a socket with
   * bytes unread resets it, and the reset would overtake what we sent; so they are read and dropped
   * up to the peer's end of stream.
   */
  private boolean lingering;

  private boolean aborted;
  private boolean eofReceived;
  private @Nullable IOException failure;

  /** What hands on to another connection what arrives here, if anything does. */
  private @Nullable NettyForwarding forwarding;

  /** What hands on to this connection. */
  private @Nullable NettyForwarding incoming;

  private @Nullable SocketAddress localAddress;
  private @Nullable SocketAddress remoteAddress;

  NettyTransport(NettyIoDriver driver, DuplexChannel channel, TransportProtocol protocol) {
    this(driver, channel, protocol, null, null);
  }

  /**
   * Makes the transport of a Unix socket, which does not know the names that users know it by.
   *
   * @param localAddress null if the channel is to be asked, as for the next
   */
  NettyTransport(
      NettyIoDriver driver,
      DuplexChannel channel,
      TransportProtocol protocol,
      @Nullable SocketAddress localAddress,
      @Nullable SocketAddress remoteAddress) {
    super(driver, channel, protocol);
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    ChannelConfig config = channel.config();
    config.setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    if (channel instanceof SocketChannel tcp) {
      tcp.config().setTcpNoDelay(true);
    }
    config.setRecvByteBufAllocator(driver.readBuffers());
    keepOpenOnWriteFailure(config);
    channel.pipeline().addLast(this);
  }

  /**
   * A failed write must not close the channel: what the peer sent before it went away is still to
   * be read.
   */
  @SuppressWarnings("deprecation") // Netty discourages the option, but has no other for this.
  private static void keepOpenOnWriteFailure(ChannelConfig config) {
    config.setOption(ChannelOption.AUTO_CLOSE, false);
  }

  // --- Transport: from tasks

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (eofWanted) {
      throw new IllegalStateException("write() after writeEof()");
    }
    if (state != State.OPEN || length == 0) {
      return;
    }
    stage(bytes, offset, length);
  }

  @Override
  public void writeEof() {
    if (state == State.OPEN && !eofWanted) {
      eofWanted = true;
      endIncoming();
      markDirty();
    }
  }

  @Override
  public void close() {
    if (state == State.OPEN) {
      state = State.CLOSING;
      lingering = !readingAllowed() && !eofReceived;
      readingWanted = true;
      endForwardings();
      markDirty();
    }
  }

  @Override
  public void abort() {
    if (state != State.CLOSED && !aborted) {
      aborted = true;
      state = State.CLOSING;
      endForwardings();
      markDirty();
    }
  }

  @Override
  public boolean isClosing() {
    return state == State.CLOSING || state == State.CLOSED;
  }

  @Override
  public void pauseReading() {
    wantReading(false);
  }

  @Override
  public void resumeReading() {
    wantReading(true);
  }

  private void wantReading(boolean wanted) {
    if (readingWanted == wanted || state == State.CLOSED) {
      return;
    }
    readingWanted = wanted;
    readingChanged();
  }

  private boolean readingAllowed() {
    return readingWanted && (forwarding == null || !forwarding.holdsBack());
  }

  void readingChanged() {
    if (channel.eventLoop().inEventLoop()) {
      applyReading(); // Within a read: only now does it keep the next one from happening.
    } else {
      markDirty();
    }
  }

  @Override
  public @Nullable Forwarding startForwarding(Transport to, long bytesMax, Runnable ended) {
    if (!(to instanceof NettyTransport target)
        || target.driver != driver
        || target.incoming != null
        || !target.takesMore()) {
      return null;
    }
    NettyForwarding starting = new NettyForwarding(this, target, bytesMax, ended);
    forwarding = starting;
    target.incoming = starting;
    return starting;
  }

  @Override
  public SocketAddress localAddress() {
    return known(localAddress);
  }

  @Override
  public SocketAddress remoteAddress() {
    return known(remoteAddress);
  }

  private static SocketAddress known(@Nullable SocketAddress address) {
    if (address == null) {
      throw new IllegalStateException("not connected yet");
    }
    return address;
  }

  @Override
  void markDirty() {
    if (!dirty) {
      dirty = true;
      driver.markDirty(this);
    }
  }

  // --- The I/O fiber

  /** {@return whether it was closed and is not done with sending} */
  boolean isFlushing() {
    return state == State.CLOSING && !aborted && writeBufferSize() > 0;
  }

  /** Ends a connection whose loop ends: by a reset if that cuts something off. */
  void endWithLoop() {
    if (writeBufferSize() > 0) {
      aborted = true;
      resetAndClose();
    }
  }

  /** Does what tasks asked for since the last round. */
  void flush() {
    dirty = false;
    if (state == State.CLOSED) {
      return;
    }
    if (aborted) {
      dropStaged();
      resetAndClose();
      return;
    }
    applyReading();
    sendStaged();
    if (eofWanted && !eofWritten) {
      eofWritten = true;
      whenFlushed(channel::shutdownOutput);
    }
    if (state == State.CLOSING && !closeStarted) {
      closeStarted = true;
      whenFlushed(lingering ? channel::shutdownOutput : channel::close);
    }
  }

  private void resetAndClose() {
    if (channel instanceof SocketChannel tcp) { // Unix sockets have no reset.
      try {
        tcp.config().setSoLinger(0); // The peer must not take what was cut off for the whole.
      } catch (RuntimeException e) {
        // The socket is gone already.
      }
    }
    channel.close();
  }

  private void applyReading() {
    boolean allowed = readingAllowed();
    if (channel.config().isAutoRead() != allowed) {
      channel.config().setAutoRead(allowed);
    }
  }

  @Override
  boolean hasFailed() {
    return failure != null;
  }

  @Override
  void roomAgain() {
    if (incoming != null) {
      incoming.drained();
    }
  }

  // --- Forwarding

  /** {@return whether what is handed on here can still be sent} */
  boolean takesMore() {
    return state == State.OPEN && !eofWanted && failure == null;
  }

  void forgetForwarding(NettyForwarding one) {
    if (forwarding == one) {
      forwarding = null;
    }
  }

  void forgetSource(NettyForwarding one) {
    if (incoming == one) {
      incoming = null;
    }
  }

  private void endIncoming() {
    if (incoming != null) {
      incoming.end();
    }
  }

  private void endForwardings() {
    endIncoming();
    if (forwarding != null) {
      forwarding.end();
    }
  }

  // --- ChannelInboundHandler: from Netty

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (localAddress == null) {
      localAddress = channel.localAddress();
      remoteAddress = channel.remoteAddress();
    }
    state = State.OPEN;
    driver.opened(this);
    protocol.connectionMade(this);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf buffer = (ByteBuf) message;
    if (state == State.OPEN && forwarding != null && forwarding.handOn(buffer)) {
      driver.readBuffers().handedOn();
      return;
    }
    try {
      if (state == State.OPEN) {
        protocol.dataReceived(
            buffer.internalNioBuffer(buffer.readerIndex(), buffer.readableBytes()));
      }
    } finally {
      buffer.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (forwarding != null) {
      forwarding.readComplete();
      applyReading();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      eofReceived = true;
      if (failure != null) {
        channel.close(); // Nothing is left to read, and writing has failed.
      } else if (state == State.OPEN) {
        protocol.eofReceived();
      } else if (lingering) {
        lingering = false;
        if (closeStarted) {
          whenFlushed(channel::close);
        }
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    resumeWritingIfDrained();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    boolean writing =
        failure == null
            && NettyErrors.peerIsGone(cause)
            && channel.isOutputShutdown()
            && !eofWritten
            && !eofReceived;
    if (failure == null) {
      failure = asFailure(cause);
    }
    if (!(cause instanceof IOException)) {
      driver.report(
          "Error on the connection with " + describe(remoteAddress),
          cause); // No doing of the peer's.
    }
    if (writing) {
      // Reading goes on, to the end that is near as a rule: what the peer had sent before it went
      // away counts. Paused it stays paused: a peer may have closed its ears only, and go on
      // sending.
      endIncoming();
      protocol.writingFailed(failure);
    } else {
      channel.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (state == State.CONNECTING || state == State.CLOSED) {
      state = State.CLOSED;
      return;
    }
    state = State.CLOSED;
    driver.closed(this);
    dropStaged();
    endForwardings();
    IOException cause = failure;
    if (cause == null && aborted) {
      cause = new IOException("Connection aborted on this side");
    }
    protocol.connectionLost(cause);
  }

  /** {@return which connection it is and what it has not sent, for a report} */
  String describe() {
    return "connection "
        + describe(localAddress)
        + " -> "
        + describe(remoteAddress)
        + ", "
        + writeBufferSize()
        + " bytes unsent";
  }

  private static String describe(@Nullable SocketAddress address) {
    return address == null ? "not connected" : UnixAddresses.describe(address);
  }

  @Override
  public String toString() {
    return "NettyTransport["
        + describe(remoteAddress)
        + ", "
        + state
        + ", "
        + writeBufferSize()
        + " bytes unsent]";
  }
}
