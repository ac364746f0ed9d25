package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Lends every read of a loop the same buffer. The streams copy what was read before the read ends,
 * so one is enough, and no read allocates. Who keeps the buffer for longer, as a connection does
 * that hands it on, is left with it, and the next read gets another, which is the shared one then.
 */
final class ReadBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
  /** As much as Netty reads at once at most by itself. */
  private static final int BYTES = 64 * 1024;

  /**
   * How much is handed on at once, so that a large message leaves by one system call. What a task
   * reads comes one by one: it takes over whole what was read at once, where it need not grow.
   */
  private static final int READS_HANDED_ON_AT_ONCE_MAX = 4;

  private ByteBuf shared = Unpooled.directBuffer(BYTES, BYTES);
  private boolean handedOn;

  ReadBuffers() {
    super(READS_HANDED_ON_AT_ONCE_MAX);
  }

  @Override
  public MaxMessageHandle newHandle() {
    return new SharingHandle();
  }

  /** What was just read is handed on, so reading goes on. */
  void handedOn() {
    handedOn = true;
  }

  void close() {
    shared.release();
  }

  private final class SharingHandle extends MaxMessageHandle {
    @Override
    public int guess() {
      return BYTES;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator alloc) {
      if (shared.refCnt() > 1) {
        ByteBuf kept = shared;
        shared = alloc.directBuffer(BYTES, BYTES); // If there is no memory, all is as it was.
        kept.release();
      }
      return shared.retain().clear();
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
      boolean goesOn = handedOn;
      handedOn = false;
      return goesOn && super.continueReading(maybeMore);
    }
  }

  @Override
  public String toString() {
    return "ReadBuffers[" + shared + "]";
  }
}
