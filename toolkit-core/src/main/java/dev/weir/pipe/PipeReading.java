package dev.weir.pipe;

import dev.weir.spi.TransportProtocol;
import dev.weir.task.Loop;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.concurrent.locks.LockSupport;

/**
 * A pipe's end for reading. Its thread reads a chunk, hands it to the loop, and reads on when the
 * loop took it and more is wanted: it is never ahead by more than one chunk. On the loop only,
 * unless it is said.
 */
final class PipeReading extends PipeTransport<ReadableByteChannel> {
  private boolean paused;

  /** Whether the thread has handed over a chunk and waits, until reading is wanted again. */
  private boolean threadWaits;

  /** Whether the thread may read the next chunk. */
  private volatile boolean released;

  PipeReading(Loop loop, String name, TransportProtocol protocol) {
    super(loop, name, "pipe-reader", protocol);
  }

  @Override
  void use(ReadableByteChannel channel) {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    while (!stopped()) {
      int length;
      try {
        length = channel.read(chunk);
      } catch (Throwable e) { // Unless this side closed it, whoever reads is to know.
        attachment.submit(() -> endInStep(failure(e)));
        return;
      }
      if (length < 0) {
        attachment.submit(this::ended);
        return;
      }
      attachment.submit(() -> arrived(chunk));
      while (!released && !stopped()) {
        LockSupport.park(this);
      }
      released = false;
      chunk.clear();
    }
  }

  private void arrived(ByteBuffer chunk) {
    if (state == State.OPEN) {
      protocol.dataReceived(chunk.flip());
    }
    threadWaits = true; // Not before: who resumes reading within the call still has the chunk.
    releaseIfWanted();
  }

  private void releaseIfWanted() {
    if (threadWaits && !paused && state == State.OPEN) {
      threadWaits = false;
      released = true;
      wakeThread();
    }
  }

  private void ended() {
    if (state == State.OPEN) {
      protocol.eofReceived();
      endInStep(null);
    }
  }

  @Override
  public void pauseReading() {
    paused = true;
  }

  @Override
  public void resumeReading() {
    paused = false;
    releaseIfWanted();
  }

  @Override
  public void close() {
    end(null);
  }

  @Override
  public void abort() {
    end(aborted());
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    throw new UnsupportedOperationException("write() to " + this + ", which is for reading");
  }

  @Override
  public void writeEof() {
    throw new UnsupportedOperationException("writeEof() to " + this + ", which is for reading");
  }

  @Override
  public boolean canWriteEof() {
    return false;
  }

  @Override
  public long writeBufferSize() {
    return 0;
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {}
}
