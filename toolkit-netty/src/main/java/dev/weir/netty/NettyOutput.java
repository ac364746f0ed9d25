package dev.weir.netty;

import dev.weir.spi.Forwarding;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.TransportProtocol;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundInvoker;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The sending half of a connection: collects what tasks write, gives it to the kernel once a round,
 * and says when writers are to wait. It knows nothing of opening and closing.
 *
 * <p>A base class and not a part, since every idle connection would hold one object more.
 */
abstract class NettyOutput extends ChannelInboundHandlerAdapter {
  /** So much at most is held for what tasks write in answer to the rest of a large message. */
  private static final int HELD_BYTES_MAX = 128 * 1024;

  final NettyIoDriver driver;
  final DuplexChannel channel;
  final TransportProtocol protocol;

  // On the loop only.

  /** The socket itself, if the transport lets us write to it; else all goes through the channel. */
  private @Nullable FileDescriptor socket;

  /** Whether handlers of the channel change what goes through it. */
  private boolean throughHandlers;

  /** The user's handlers; null as a rule. */
  @Nullable UserHandlers handlers;

  /** What was written since the last flush; null if nothing was. */
  private @Nullable ByteBuf staged;

  /** What was written before it was to go through handlers, or through more; null as a rule. */
  private @Nullable ByteBuf stagedBefore;

  /** Files to be sent, each behind what was written before it; null if there are none. */
  private @Nullable ArrayDeque<PendingFile> files;

  /** Whether Netty may hold bytes that the kernel did not take. */
  private boolean backlogged;

  private boolean writingPaused;

  /** Whether we hear from Netty when all it holds was sent. */
  private boolean drainAwaited;

  private int highWater = 64 * 1024;
  private int lowWater = 16 * 1024;

  /** Why the socket refused bytes; the channel, to which they go then, meets only what follows. */
  private @Nullable IOException refusal;

  /** A file to be sent, and what was written before it in the same round. */
  private record PendingFile(@Nullable ByteBuf before, SentFile region, Completion<Long> outcome) {}

  NettyOutput(NettyIoDriver driver, DuplexChannel channel, TransportProtocol protocol) {
    this.driver = driver;
    this.channel = channel;
    this.protocol = protocol;
    this.socket = driver.directSocket(channel);
  }

  /** Has the I/O fiber flush this connection when it next polls. */
  abstract void markDirty();

  /** {@return what writes to the socket and closes it, past whatever encrypts} */
  abstract ChannelOutboundInvoker beneath();

  /**
   * Encrypts what was written, if anything does, and sends it as far as that goes.
   *
   * @return whether the channel's handlers have to flush, behind what this leaves of it
   */
  abstract boolean sendEncrypted(ByteBuf written);

  /** {@return whether the channel has reported a failure} */
  abstract boolean hasFailed();

  /** The buffer went down to low water, after it had been above high water. */
  abstract void roomAgain();

  // --- From tasks

  final void stage(byte[] bytes, int offset, int length) {
    if (staged == null) {
      staged = driver.chunks().take(length);
    }
    staged.writeBytes(bytes, offset, length);
    markDirty();
    pauseWritingIfFull();
  }

  public final @Nullable Forwarding sendFile(
      FileChannel file, long offset, long count, Completion<Long> outcome) {
    if (throughHandlers || driver.io().isAsynchronous()) {
      return null; // The kernel cannot do what they do; or it would go on after a cancellation.
    }
    SentFile sent = new SentFile(file, offset, count);
    if (files == null) {
      files = new ArrayDeque<>(1);
    }
    files.add(new PendingFile(staged, sent, outcome));
    staged = null;
    markDirty();
    return sent;
  }

  /**
   * From now on nothing is sent past the channel, where handlers are to be. What was written before
   * is kept apart from what comes behind it.
   */
  final void sendThroughHandlers() {
    throughHandlers = true;
    socket = null;
    stagedBefore = staged;
    staged = null;
  }

  final boolean isSentThroughHandlers() {
    return throughHandlers;
  }

  public final long writeBufferSize() {
    long size = length(staged) + length(stagedBefore) + (backlogged ? unsentByNetty() : 0);
    if (handlers != null) {
      size += handlers.staged();
    }
    if (files != null) {
      for (PendingFile file : files) {
        size += length(file.before);
      }
    }
    return size;
  }

  private static int length(@Nullable ByteBuf staged) {
    return staged == null ? 0 : staged.readableBytes();
  }

  /** {@return how many bytes the channel has that the kernel did not take yet} */
  final long unsentByNetty() {
    ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    long queued = outbound == null ? 0 : outbound.totalPendingWriteBytes();
    // Handlers may keep what was written, to shape the traffic say, and then it is in no queue yet.
    return handlers == null ? queued : Math.max(queued, handlers.unsent());
  }

  public final void setWriteBufferLimits(int high, int low) {
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

  /** {@return whether writers wait} */
  final boolean isWritingPaused() {
    return writingPaused;
  }

  final boolean isFull() {
    return writeBufferSize() > highWater;
  }

  /** Takes over a message that handlers are to encode. */
  final void stage(Object message) {
    UserHandlers encoding = handlers;
    if (encoding == null) {
      throw new IllegalStateException("no handlers");
    }
    encoding.stage(message);
    protocol.messageWritten();
    markDirty();
    pauseWritingIfFull();
  }

  /** What went through the user's handlers was sent, or was not. */
  final void sentByHandlers() {
    backlogged = unsentByNetty() > 0;
    resumeWritingIfDrained();
  }

  private void pauseWritingIfFull() {
    if (!writingPaused && isFull()) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  // --- The I/O fiber

  /** Sends what tasks wrote, and the files between. */
  final void sendStaged() {
    sendFiles();
    ByteBuf sent = staged;
    staged = null;
    send(sent);
    if (handlers != null && handlers.staged() > 0) {
      backlogged = true; // As for bytes.
      handlers.sendStaged();
      channel.flush();
      backlogged = unsentByNetty() > 0;
    }
    resumeWritingIfDrained();
    awaitDrainIfPaused();
  }

  /** Sends what tasks wrote before {@link #sendThroughHandlers}; they are not there yet. */
  final void sendStagedBefore() {
    sendFiles();
    ByteBuf sent = stagedBefore;
    stagedBefore = null;
    send(sent);
  }

  /**
   * {@return whether nothing keeps what tasks wrote from being held until the next poll} What comes
   * behind it makes it one system call then, and larger packets.
   */
  final boolean mayHoldStaged() {
    return staged != null
        && staged.readableBytes() < HELD_BYTES_MAX
        && !writingPaused
        && !backlogged
        && files == null
        && stagedBefore == null
        && handlers == null
        && driver.willPoll();
  }

  private void sendFiles() {
    for (PendingFile file = takeFile(); file != null; file = takeFile()) {
      try {
        send(file.before);
      } catch (RuntimeException | Error e) {
        file.outcome.failed(new IOException("What was written before a file cannot be sent", e));
        throw e;
      }
      send(file);
    }
  }

  private @Nullable PendingFile takeFile() {
    if (files == null) {
      return null;
    }
    PendingFile file = files.remove();
    if (files.isEmpty()) {
      files = null;
    }
    return file;
  }

  private void send(@Nullable ByteBuf sent) {
    if (sent != null) {
      try {
        backlogged = backlogged && unsentByNetty() > 0;
        // A descriptor that was closed may be another connection's by now.
        if (!backlogged && socket != null && refusal == null && channel.isOpen()) {
          sendNow(sent, socket);
        }
        if (throughHandlers) {
          sendByHandlers(sent);
        } else if (sent.isReadable()) {
          sendByChannel(sent);
        }
      } finally {
        if (sent.refCnt() > 1) {
          sent.release(); // Somebody still reads it.
        } else {
          driver.chunks().giveBack(sent);
        }
      }
    }
  }

  /**
   * Has handlers change it, encrypt it say, which needs no copy: as a rule that is done when this
   * returns.
   */
  private void sendByHandlers(ByteBuf sent) {
    backlogged = true; // Before the write: Netty reports a change of writability from within.
    if (handlers != null) {
      handlers.write(sent.retain());
      channel.flush();
    } else if (sendEncrypted(sent)) {
      if (sent.isReadable()) {
        channel.write(sent.retain(), channel.voidPromise());
      }
      channel.flush();
    }
    backlogged = unsentByNetty() > 0;
    forgetRefusal();
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
      refused(e);
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
    forgetRefusal();
  }

  /** The socket refused bytes that went past the channel; they are on their way to it. */
  final void refused(IOException reason) {
    refusal = NettyErrors.ofConnection(reason);
  }

  private void forgetRefusal() {
    if (!hasFailed()) {
      refusal = null; // The socket refused for a moment only.
    }
  }

  private void send(PendingFile file) {
    backlogged = true; // Before the write: Netty reports a change of writability from within.
    channel
        .writeAndFlush(file.region)
        .addListener(written -> {
          if (written.isSuccess()) {
            file.outcome.succeeded(file.region.bytesHandedOn());
          } else {
            if (!(written.cause() instanceof ClosedChannelException)) {
              // Netty tells the pipeline of a failed write only where nobody holds its promise.
              channel.pipeline().fireExceptionCaught(written.cause());
            }
            file.outcome.failed(NettyErrors.ofConnection(written.cause()));
          }
        });
    backlogged = unsentByNetty() > 0;
  }

  final void dropStaged() {
    for (PendingFile file = takeFile(); file != null; file = takeFile()) {
      drop(file.before);
      file.outcome.failed(new IOException("Connection closed"));
    }
    drop(stagedBefore);
    stagedBefore = null;
    if (handlers != null) {
      handlers.dropStaged();
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
  final void whenFlushed(Runnable action) {
    if (handlers != null && handlers.unsent() > 0) {
      handlers.whenSent(() -> whenFlushed(action));
    } else if (unsentByNetty() > 0) { // Be it the end of a TLS session, which is no output of ours.
      // Never through the user's handlers, to which an empty buffer may be a message.
      ChannelOutboundInvoker below = handlers == null ? beneath() : handlers.beneath();
      below.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(flushed -> action.run());
    } else {
      action.run();
    }
  }

  final void resumeWritingIfDrained() {
    if (writingPaused && writeBufferSize() <= lowWater) {
      writingPaused = false;
      protocol.resumeWriting();
      roomAgain();
    }
  }

  /**
   * Sees to it that writers go on in the end. Netty tells of low water only if its buffer was above
   * the mark while something was added, and with the mark of that time.
   */
  private void awaitDrainIfPaused() {
    // Handlers tell of each message.
    if (handlers == null && writingPaused && backlogged && !drainAwaited) {
      drainAwaited = true;
      beneath()
          .writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(sent -> {
            drainAwaited = false;
            backlogged = unsentByNetty() > 0;
            resumeWritingIfDrained();
          });
    }
  }

  /** {@return what the connection fails with, from what the channel reports} */
  final IOException asFailure(Throwable reported) {
    return refusal != null ? refusal : NettyErrors.ofConnection(reported);
  }

  // --- What another connection hands on

  /** Queues a buffer behind what tasks wrote; takes it over. */
  final void queue(ByteBuf buffer) {
    ByteBuf queued;
    try {
      sendStaged();
      queued = backlogged ? fitted(buffer) : buffer.retain();
    } finally {
      buffer.release();
    }
    backlogged = true; // Before the write: Netty reports a change of writability from within.
    channel.write(queued, channel.voidPromise());
  }

  /**
   * {@return the buffer, or a copy if it is mostly empty} What has to wait is counted by its bytes,
   * so it must not hold much more memory than that.
   */
  private ByteBuf fitted(ByteBuf buffer) {
    int length = buffer.readableBytes();
    return length < buffer.capacity() / 4
        ? channel.alloc().directBuffer(length).writeBytes(buffer)
        : buffer.retain();
  }

  final void flushQueued() {
    channel.flush();
    backlogged = unsentByNetty() > 0;
    pauseWritingIfFull();
    awaitDrainIfPaused();
  }
}
