package dev.weir.netty;

import dev.weir.spi.Forwarding;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.spi.UnixAddresses;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One connection, by TCP or by a Unix socket: the last handler of its channel's pipeline, and the
 * transport of its protocol.
 *
 * <p>The methods of {@link Transport} run on tasks and touch nothing of Netty's; they note what is
 * wanted and mark the transport dirty. {@link #flush} and the handler's methods run on the I/O
 * fiber.
 */
final class NettyTransport extends ChannelInboundHandlerAdapter implements Transport {
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

  private final NettyIoDriver driver;
  private final DuplexChannel channel;

  /** The socket itself, if the transport lets us write to it; else all goes through the channel. */
  private final @Nullable FileDescriptor socket;

  private final TransportProtocol protocol;

  // On the loop only.

  private State state = State.CONNECTING;
  private boolean dirty;

  /** What was written since the last flush; null if nothing was. */
  private @Nullable ByteBuf staged;

  /** Files to be sent, each behind what was written before it; null if there are none. */
  private @Nullable ArrayDeque<PendingFile> files;

  /** Whether Netty may hold bytes that the kernel did not take. */
  private boolean backlogged;

  private boolean writingPaused;

  /** Whether we hear from Netty when all it holds was sent. */
  private boolean drainAwaited;

  private int highWater = 64 * 1024;
  private int lowWater = 16 * 1024;
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

  /** Why the socket refused bytes; the channel, to which they go then, meets only what follows. */
  private @Nullable IOException refusal;

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
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.driver = driver;
    this.channel = channel;
    this.socket = channel instanceof UnixChannel unix ? unix.fd() : null;
    this.protocol = protocol;
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
    if (staged == null) {
      staged = driver.chunks().take(length);
    }
    staged.writeBytes(bytes, offset, length);
    markDirty();
    pauseWritingIfFull();
  }

  private void pauseWritingIfFull() {
    if (!writingPaused && isFull()) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  boolean isFull() {
    return writeBufferSize() > highWater;
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
  public long writeBufferSize() {
    long size = (staged == null ? 0 : staged.readableBytes()) + (backlogged ? unsentByNetty() : 0);
    if (files != null) {
      for (PendingFile file : files) {
        size += file.before == null ? 0 : file.before.readableBytes();
      }
    }
    return size;
  }

  private long unsentByNetty() {
    ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    return outbound == null ? 0 : outbound.totalPendingWriteBytes();
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    highWater = high;
    lowWater = low;
    // Netty only has to say when it is down to low water, and says so below its mark, not at it.
    int mark = low == Integer.MAX_VALUE ? low : low + 1;
    channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(mark, mark));
    pauseWritingIfFull();
    if (writingPaused) {
      markDirty(); // The mark may be above what is unsent now.
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
  public Forwarding sendFile(FileChannel file, long offset, long count, Completion<Long> outcome) {
    SentFile sent = new SentFile(file, offset, count);
    if (files == null) {
      files = new ArrayDeque<>(1);
    }
    files.add(new PendingFile(staged, sent, outcome));
    staged = null;
    markDirty();
    return sent;
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

  private void markDirty() {
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

  private void sendStaged() {
    while (files != null) {
      PendingFile file = files.remove();
      if (files.isEmpty()) {
        files = null;
      }
      send(file.before);
      sendRegion(file);
    }
    ByteBuf sent = staged;
    staged = null;
    send(sent);
    resumeWritingIfDrained();
    awaitDrainIfPaused();
  }

  /**
   * Sees to it that writers go on in the end. Netty tells of low water only if its buffer was above
   * the mark while something was added, and with the mark of that time.
   */
  private void awaitDrainIfPaused() {
    if (writingPaused && backlogged && !drainAwaited) {
      drainAwaited = true;
      channel
          .writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(sent -> {
            drainAwaited = false;
            backlogged = unsentByNetty() > 0;
            resumeWritingIfDrained();
          });
    }
  }

  private void send(@Nullable ByteBuf sent) {
    if (sent != null) {
      try {
        backlogged = backlogged && unsentByNetty() > 0;
        // A descriptor that was closed may be another connection's by now.
        if (!backlogged && socket != null && refusal == null && channel.isOpen()) {
          sendNow(sent, socket);
        }
        if (sent.isReadable()) {
          sendByChannel(sent);
        }
      } finally {
        driver.chunks().giveBack(sent);
      }
    }
  }

  /**
   * Gives the kernel what it takes at once, as a rule all. That spares a buffer, a promise and a
   * way through the channel's queue for each round.
   */
  private void sendNow(ByteBuf sent, FileDescriptor to) {
    int start = sent.readerIndex();
    int end = sent.writerIndex();
    try {
      int taken =
          sent.hasMemoryAddress()
              ? to.writeAddress(sent.memoryAddress(), start, end)
              : to.write(sent.internalNioBuffer(start, end - start), start, end);
      sent.readerIndex(start + Math.max(0, taken));
    } catch (IOException e) {
      refusal = NettyErrors.ofConnection(e);
    }
  }

  /** Queues in the channel what the kernel did not take. */
  private void sendByChannel(ByteBuf unsent) {
    ByteBuf buffer = channel.alloc().directBuffer(unsent.readableBytes());
    buffer.writeBytes(unsent);
    backlogged = true; // Before the write: Netty reports a change of writability from within.
    channel.write(buffer, channel.voidPromise());
    channel.flush();
    backlogged = unsentByNetty() > 0;
    if (failure == null) {
      refusal = null; // The socket refused for a moment only.
    }
  }

  private void dropStaged() {
    while (files != null) {
      PendingFile file = files.remove();
      if (files.isEmpty()) {
        files = null;
      }
      drop(file.before);
      file.outcome.failed(new IOException("Connection closed"));
    }
    drop(staged);
    staged = null;
  }

  private void drop(@Nullable ByteBuf dropped) {
    if (dropped != null) {
      driver.chunks().giveBack(dropped);
    }
  }

  /** Acts once everything written before is with the kernel, or cannot be. */
  private void whenFlushed(Runnable action) {
    if (backlogged && unsentByNetty() > 0) {
      channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(flushed -> action.run());
    } else {
      action.run();
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

  private void resumeWritingIfDrained() {
    if (writingPaused && writeBufferSize() <= lowWater) {
      writingPaused = false;
      protocol.resumeWriting();
      if (incoming != null) {
        incoming.drained();
      }
    }
  }

  /** A file to be sent, and what was written before it in the same round. */
  private record PendingFile(@Nullable ByteBuf before, SentFile region, Completion<Long> outcome) {}

  private void sendRegion(PendingFile file) {
    SentFile region = file.region;
    Completion<Long> outcome = file.outcome;
    backlogged = true; // Before the write: Netty reports a change of writability from within.
    channel
        .writeAndFlush(region)
        .addListener(written -> {
          if (written.isSuccess()) {
            outcome.succeeded(region.bytesHandedOn());
          } else {
            if (!(written.cause() instanceof ClosedChannelException)) {
              // Netty tells the pipeline of a failed write only where nobody holds its promise.
              channel.pipeline().fireExceptionCaught(written.cause());
            }
            outcome.failed(NettyErrors.ofConnection(written.cause()));
          }
        });
    backlogged = unsentByNetty() > 0;
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

  /** Queues a buffer behind what tasks wrote; takes it over. */
  void queue(ByteBuf buffer) {
    sendStaged();
    ByteBuf queued = backlogged ? fitted(buffer) : buffer;
    backlogged = true; // Before the write: Netty reports a change of writability from within.
    channel.write(queued, channel.voidPromise());
  }

  /**
   * {@return the buffer, or a copy if it is mostly empty} What has to wait is counted by its bytes,
   * so it must not hold much more memory than that.
   */
  private ByteBuf fitted(ByteBuf buffer) {
    int length = buffer.readableBytes();
    if (length >= buffer.capacity() / 4) {
      return buffer;
    }
    try {
      return channel.alloc().directBuffer(length).writeBytes(buffer);
    } finally {
      buffer.release();
    }
  }

  void flushQueued() {
    channel.flush();
    backlogged = unsentByNetty() > 0;
    pauseWritingIfFull();
    awaitDrainIfPaused();
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
      failure = refusal != null ? refusal : NettyErrors.ofConnection(cause);
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
