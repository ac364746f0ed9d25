package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * Lends every read of a loop the same buffer. The streams copy what was read before the read ends,
 * so one is enough, and no read allocates. A handler in the pipeline that keeps the buffer for
 * longer is left with it, and the next read gets one of its own.
 */
final class ReadBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
  /** As much as Netty reads at once at most by itself. */
  private static final int BYTES = 64 * 1024;

  private final ByteBuf shared = Unpooled.directBuffer(BYTES, BYTES);

  @Override
  public MaxMessageHandle newHandle() {
    return new SharingHandle();
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
      return shared.refCnt() == 1 ? shared.retain().clear() : alloc.directBuffer(BYTES);
    }
  }

  @Override
  public String toString() {
    return "ReadBuffers[" + shared + "]";
  }
}
