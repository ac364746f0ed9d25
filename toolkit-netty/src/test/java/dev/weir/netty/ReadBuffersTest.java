package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import org.junit.jupiter.api.Test;

/** Who has the buffer that a loop's reads share. */
class ReadBuffersTest {
  private static final ByteBufAllocator MEMORY = UnpooledByteBufAllocator.DEFAULT;

  private static final ByteBufAllocator NO_MEMORY =
      new AbstractByteBufAllocator(true) {
        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
          throw new OutOfMemoryError("no memory, for this test");
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
          throw new OutOfMemoryError("no memory, for this test");
        }

        @Override
        public boolean isDirectBufferPooled() {
          return false;
        }
      };

  @Test
  void readsShareABufferThatNobodyKeeps() {
    ReadBuffers buffers = new ReadBuffers(true);
    var handle = buffers.newHandle();
    ByteBuf first = handle.allocate(NO_MEMORY);
    first.release();

    ByteBuf second = handle.allocate(NO_MEMORY);

    assertThat(second).isSameAs(first);
    second.release();
    buffers.close();
    assertThat(first.refCnt()).isZero();
  }

  @Test
  void whoKeepsABufferIsLeftWithIt() {
    ReadBuffers buffers = new ReadBuffers(true);
    var handle = buffers.newHandle();
    ByteBuf kept = handle.allocate(MEMORY).writeInt(42);

    ByteBuf next = handle.allocate(MEMORY).writeInt(7);

    assertThat(next).isNotSameAs(kept);
    assertThat(kept.readInt()).isEqualTo(42);
    kept.release();
    assertThat(kept.refCnt()).isZero();
    next.release();
    buffers.close();
    assertThat(next.refCnt()).isZero();
  }

  @Test
  void aReadForWhichThereIsNoMemoryTakesNobodysBufferAway() {
    ReadBuffers buffers = new ReadBuffers(true);
    var handle = buffers.newHandle();
    ByteBuf kept = handle.allocate(MEMORY).writeInt(42);

    assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> handle.allocate(NO_MEMORY));
    ByteBuf next = handle.allocate(MEMORY).writeInt(7);

    assertThat(kept.readInt()).isEqualTo(42);
    assertThat(next).isNotSameAs(kept);
    kept.release();
    next.release();
    buffers.close();
    assertThat(kept.refCnt()).isZero();
    assertThat(next.refCnt()).isZero();
  }
}
