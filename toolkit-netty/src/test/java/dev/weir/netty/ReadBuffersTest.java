package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.embedded.EmbeddedChannel;
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

  // --- Who reads how much

  /** As a channel asks before a poll. */
  private static int readable(Channel channel) {
    var handle = channel.unsafe().recvBufAllocHandle();
    handle.reset(channel.config());
    ByteBuf buffer = handle.allocate(MEMORY);
    int room = buffer.writableBytes();
    buffer.release();
    return room;
  }

  private static Channel channelOf(ReadBuffers buffers) {
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.config().setRecvByteBufAllocator(buffers);
    return channel;
  }

  @Test
  void aReadIsNoLongerThanWhatATaskTakesWhole() {
    ReadBuffers buffers = new ReadBuffers(true);

    assertThat(readable(channelOf(buffers))).isEqualTo(65_536);
    buffers.close();
  }

  @Test
  void aReadOfRecordsIsLongerByWhatTlsAddsToThem() {
    ReadBuffers buffers = new ReadBuffers(true);
    Channel channel = channelOf(buffers);
    readable(channel);
    buffers.shareEncrypted(channel);

    assertThat(readable(channel)).isBetween(4 * 16_413, 4 * 16_640);
    buffers.close();
  }

  @Test
  void whoWasApartSharesAgain() {
    ReadBuffers buffers = new ReadBuffers(true);
    Channel channel = channelOf(buffers);
    buffers.keepApart(channel);
    assertThat(readable(channel)).as("of its own").isLessThan(65_536);

    buffers.shareEncrypted(channel);
    assertThat(readable(channel)).isGreaterThan(65_536);
    buffers.keepApart(channel);
    assertThat(readable(channel)).isLessThan(65_536);
    buffers.close();
  }

  @Test
  void anArrayIsSharedUntilSomebodyKeepsItOrItIsTooSmall() {
    ReadBuffers buffers = new ReadBuffers(true);
    ByteBuf first = buffers.takeArray(100).writeInt(42);
    first.release();

    ByteBuf second = buffers.takeArray(100).writeInt(7);
    assertThat(second).isSameAs(first);
    ByteBuf third = buffers.takeArray(100);
    assertThat(third).isNotSameAs(second);
    assertThat(second.readInt()).isEqualTo(7);
    second.release();
    third.release();
    ByteBuf large = buffers.takeArray(1 << 20);
    assertThat(large.capacity()).isGreaterThanOrEqualTo(1 << 20);
    large.release();
    assertThat(large.refCnt()).as("it is not kept").isZero();
    ByteBuf fourth = buffers.takeArray(100);
    assertThat(fourth).isSameAs(third);
    fourth.release();
    buffers.close();
    assertThat(fourth.refCnt()).isZero();
    assertThat(second.refCnt()).isZero();
  }
}
