package dev.weir.pipe;

import dev.weir.spi.TransportProtocol;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/**
 * A pipe's end for writing. What is written waits here; its thread has one chunk of it at a time,
 * and gets the next when that is with the operating system. On the loop only, unless it is said.
 */
final class PipeWriting extends PipeTransport<WritableByteChannel> {
  /** Ends the thread behind what it has been given. */
  private static final byte[] LAST = {};

  /** What was not given to the thread; in the first piece from {@link #firstOffset} on. */
  private final ArrayDeque<byte[]> pending = new ArrayDeque<>();

  private int firstOffset;

  private long pendingBytes;

  /** How much is pending, or with the thread and not written. */
  private long unsent;

  private boolean threadBusy;
  private boolean endWanted;

  /** Whether a write would fail, as one to a pipe that nobody reads does. */
  private boolean readerEnded;

  private int highWater = 64 * 1024;
  private int lowWater = 16 * 1024;
  private boolean writingPaused;

  /** What the thread is to write. Put in on the loop, taken by the thread. */
  private final ConcurrentLinkedQueue<byte[]> given = new ConcurrentLinkedQueue<>();

  PipeWriting(Loop loop, String name, TransportProtocol protocol) {
    super(loop, name, "pipe-writer", protocol);
  }

  // --- The thread

  @Override
  void use(WritableByteChannel channel) {
    for (byte[] chunk = take(); chunk != LAST; chunk = take()) {
      ByteBuffer rest = ByteBuffer.wrap(chunk);
      try {
        while (rest.hasRemaining()) {
          channel.write(rest);
        }
      } catch (Throwable e) { // Unless this side closed it, whoever writes is to know.
        attachment.submit(() -> endInStep(failure(e)));
        return;
      }
      attachment.submit(() -> written(rest.limit()));
    }
  }

  private byte[] take() {
    byte[] chunk = given.poll();
    while (chunk == null) {
      if (stopped()) {
        return LAST;
      }
      LockSupport.park(this);
      chunk = given.poll();
    }
    return chunk;
  }

  private void give(byte[] chunk) {
    given.add(chunk);
    wakeThread();
  }

  // --- On the loop

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (endWanted) {
      throw new IllegalStateException("write() after writeEof()");
    }
    if (state != State.OPEN || length == 0) {
      return;
    }
    if (readerEnded && unsent == 0) {
      IOException failure = new IOException("Broken pipe");
      protocol.writingFailed(failure); // Now, as the end is told in a step of its own.
      end(failure);
      return;
    }
    pending.add(Arrays.copyOfRange(bytes, offset, offset + length));
    pendingBytes += length;
    unsent += length;
    giveNext();
    pauseWritingIfFull();
  }

  private void giveNext() {
    if (!threadBusy && !pending.isEmpty()) {
      threadBusy = true;
      give(takePending());
    }
  }

  /** Takes a chunk at most out of what is pending, several small pieces together. */
  private byte[] takePending() {
    int length = (int) Math.min(CHUNK_BYTES, pendingBytes);
    pendingBytes -= length;
    byte[] chunk = new byte[length];
    int filled = 0;
    while (filled < length) {
      byte[] first = pending.element();
      int taken = Math.min(first.length - firstOffset, length - filled);
      System.arraycopy(first, firstOffset, chunk, filled, taken);
      filled += taken;
      firstOffset += taken;
      if (firstOffset == first.length) {
        pending.remove();
        firstOffset = 0;
      }
    }
    return chunk;
  }

  private void written(int length) {
    threadBusy = false;
    unsent -= length;
    if (state == State.CLOSED) {
      return;
    }
    giveNext();
    resumeWritingIfDrained();
    endIfFlushed();
  }

  private void pauseWritingIfFull() {
    if (!writingPaused && unsent > highWater) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  private void resumeWritingIfDrained() {
    if (writingPaused && unsent <= lowWater) {
      writingPaused = false;
      protocol.resumeWriting();
    }
  }

  private void endIfFlushed() {
    if (unsent != 0) {
      return;
    }
    if (endWanted || state == State.CLOSING) {
      end(null);
    } else if (readerEnded) {
      release();
    }
  }

  /**
   * Notes that whoever reads has ended, of which a pipe that nothing is written to does not tell.
   * What is unsent goes out yet if another reads it; then neither thread nor channel is held any
   * more. The protocol is told when it comes to write, or ends the pipe.
   */
  void readerEnded() {
    if (state == State.OPEN) {
      readerEnded = true;
      endIfFlushed();
    }
  }

  @Override
  public void writeEof() {
    // There is no other direction, so the end of the stream is that of the pipe.
    if (state == State.OPEN) {
      endWanted = true;
      endIfFlushed();
    }
  }

  @Override
  public void close() {
    if (state == State.OPEN) {
      state = State.CLOSING;
      endIfFlushed();
    }
  }

  @Override
  public void abort() {
    pending.clear();
    end(aborted());
  }

  @Override
  boolean flushForEnd() {
    if (unsent == 0) {
      return false;
    }
    while (!pending.isEmpty()) {
      give(takePending());
    }
    give(LAST);
    return true;
  }

  @Override
  public long writeBufferSize() {
    return state == State.CLOSED ? 0 : unsent;
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    highWater = high;
    lowWater = low;
    pauseWritingIfFull();
    resumeWritingIfDrained();
  }

  @Override
  public void pauseReading() {}

  @Override
  public void resumeReading() {}
}
