package dev.weir.netty;

import dev.weir.spi.Forwarding;
import io.netty.buffer.ByteBuf;

/**
 * Hands the buffers that one connection reads on to another, which may be the same: no task wakes
 * for them, and nothing is copied.
 *
 * <p>Tasks begin and stop it, which touches nothing of Netty's: between two rounds of the I/O fiber
 * nothing that was handed on waits to be flushed.
 */
final class NettyForwarding implements Forwarding {
  /** So much may be read before any of it is sent, which then takes one system call. */
  private static final int UNFLUSHED_BYTES_MAX = 256 * 1024;

  private final NettyTransport source;
  private final NettyTransport target;
  private final Runnable ended;
  private long left;
  private long handedOn;
  private int unflushed;

  /** Whether the source's bytes are held back, because the target has too much unsent. */
  private boolean holdsBack;

  NettyForwarding(NettyTransport source, NettyTransport target, long bytesMax, Runnable ended) {
    this.source = source;
    this.target = target;
    this.left = bytesMax;
    this.ended = ended;
  }

  @Override
  public long bytesHandedOn() {
    return handedOn;
  }

  boolean holdsBack() {
    return holdsBack;
  }

  // --- The I/O fiber

  /**
   * Takes over a buffer that the source has read.
   *
   * @return whether all of it was for the target; else the rest is the caller's, with the buffer
   */
  boolean handOn(ByteBuf buffer) {
    if (!target.takesMore()) {
      end();
      return false;
    }
    int length = buffer.readableBytes();
    if (length <= left) {
      queue(buffer, length);
      if (left == 0) {
        end();
      } else if (unflushed >= UNFLUSHED_BYTES_MAX) {
        flushAndHoldBackIfFull(); // Else the reads of one round would go on for longer.
        source.readingChanged();
      }
      return true;
    }
    int part = (int) left;
    queue(buffer.readRetainedSlice(part), part);
    end();
    return false;
  }

  /** The source has read what there was for now. */
  void readComplete() {
    if (unflushed > 0) {
      flushAndHoldBackIfFull();
    }
  }

  private void queue(ByteBuf buffer, int length) {
    left -= length;
    handedOn += length;
    unflushed += length;
    target.queue(buffer);
  }

  private void flushAndHoldBackIfFull() {
    flush();
    holdsBack = target.isFull();
  }

  private void flush() {
    if (unflushed > 0) {
      unflushed = 0;
      target.flushQueued();
    }
  }

  /** The target has room again. */
  void drained() {
    holdsBack = false;
    source.readingChanged();
  }

  // --- Either

  /** Stops, and tells who began it. */
  void end() {
    flush(); // With TLS the source's end comes within a read; a close of the target drops the rest.
    stop();
    ended.run();
  }

  @Override
  public void stop() {
    source.forgetForwarding(this);
    target.forgetSource(this);
    if (holdsBack) {
      drained();
    }
  }

  @Override
  public String toString() {
    return "NettyForwarding[" + handedOn + " bytes" + (holdsBack ? ", held back]" : "]");
  }
}
