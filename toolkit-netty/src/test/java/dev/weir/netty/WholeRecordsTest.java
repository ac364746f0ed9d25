package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As if every read came in one buffer, which the next read overwrites. */
class WholeRecordsTest {
  private static final int HANDSHAKE = 22;
  private static final int APPLICATION_DATA = 23;

  private final ReadBuffers readBuffers = new ReadBuffers(true);
  private final ByteBuf array = readBuffers.takeArray(1);
  private final Memory alloc = new Memory();
  private final WholeRecords records = new WholeRecords(readBuffers);
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final ByteBuf shared = Unpooled.directBuffer(64 * 1024);
  private final List<byte[]> handedOn = new ArrayList<>();
  private final List<ByteBuf> kept = new ArrayList<>();
  private boolean agreed = true;
  private boolean keeps;

  /** There is none when a test says so. */
  private static final class Memory extends AbstractByteBufAllocator {
    private final List<ByteBuf> given = new ArrayList<>();
    private boolean none;

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      if (none) {
        throw new OutOfMemoryError("no memory, for this test");
      }
      ByteBuf buffer = Unpooled.buffer(initialCapacity, maxCapacity);
      given.add(buffer);
      return buffer;
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      return newHeapBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }

  WholeRecordsTest() {
    array.release();
    channel.config().setAllocator(alloc);
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object message) {
                if (agreed) {
                  records.take(context, (ByteBuf) message);
                } else {
                  records.pass(context, (ByteBuf) message);
                }
              }
            },
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object message) {
                ByteBuf buffer = (ByteBuf) message;
                if (keeps) {
                  kept.add(buffer);
                  return;
                }
                byte[] bytes = new byte[buffer.readableBytes()];
                buffer.readBytes(bytes).release();
                handedOn.add(bytes);
              }
            });
  }

  @AfterEach
  void nothingIsLeft() {
    records.close();
    kept.forEach(ByteBuf::release);
    assertThat(array.refCnt()).as("the loop has it, and nobody else").isEqualTo(1);
    readBuffers.close();
    assertThat(shared.refCnt()).isEqualTo(1);
    shared.release();
    assertThat(alloc.given).allSatisfy(buffer -> assertThat(buffer.refCnt()).isZero());
  }

  private void read(byte[] bytes) {
    channel.pipeline().fireChannelRead(shared.retain().clear().writeBytes(bytes));
    shared.setZero(0, bytes.length); // As if the next read overwrote it.
  }

  private void read(byte[] bytes, int from, int to) {
    read(Arrays.copyOfRange(bytes, from, to));
  }

  private static byte[] record(int type, int length) {
    byte[] record = new byte[5 + length];
    Arrays.fill(record, (byte) (length + 1));
    record[0] = (byte) type;
    record[1] = 3;
    record[2] = 3;
    record[3] = (byte) (length >> 8);
    record[4] = (byte) length;
    return record;
  }

  private static byte[] joined(byte[]... parts) {
    return joined(List.of(parts));
  }

  private static byte[] joined(List<byte[]> parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    parts.forEach(joined::writeBytes);
    return joined.toByteArray();
  }

  private static void ensureWholeRecords(byte[] bytes) {
    int at = 0;
    while (at < bytes.length) {
      assertThat(bytes.length - at).as("from %d on", at).isGreaterThanOrEqualTo(5);
      at += 5 + (((bytes[at + 3] & 0xFF) << 8) | (bytes[at + 4] & 0xFF));
    }
    assertThat(at).isEqualTo(bytes.length);
  }

  @Test
  void whatIsWholeIsHandedOnAtOnce() {
    byte[] two = joined(record(APPLICATION_DATA, 300), record(APPLICATION_DATA, 0));
    read(two);

    assertThat(handedOn).containsExactly(two);
  }

  @Test
  void cutAnywhereItIsHandedOnInWholeRecords() {
    byte[] all =
        joined(record(APPLICATION_DATA, 3), record(APPLICATION_DATA, 0), record(HANDSHAKE, 30));
    for (int first = 1; first < all.length; first++) {
      for (int second = first; second < all.length; second++) {
        handedOn.clear();
        read(all, 0, first);
        if (second > first) {
          read(all, first, second);
        }
        read(all, second, all.length);

        assertThat(joined(handedOn)).as("cut at %d and %d", first, second).isEqualTo(all);
        handedOn.forEach(WholeRecordsTest::ensureWholeRecords);
      }
    }
  }

  @Test
  void aByteAtATimeItIsHandedOnWhenItsLastHasCome() {
    byte[] record = record(APPLICATION_DATA, 1_500);
    for (int at = 0; at < record.length; at++) {
      assertThat(handedOn).isEmpty();
      read(record, at, at + 1);
    }

    assertThat(handedOn).containsExactly(record);
  }

  @Test
  void whatABeginningLacksDoesNotWaitForWhatFollows() {
    byte[] first = record(APPLICATION_DATA, 100);
    byte[] second = record(APPLICATION_DATA, 50);
    read(joined(first, second), 0, 40);
    read(joined(first, second), 40, first.length + 20);
    assertThat(joined(handedOn)).isEqualTo(first);

    read(second, 20, second.length);
    assertThat(joined(handedOn)).isEqualTo(joined(first, second));
  }

  // --- The handshake

  @Test
  void untilThePeersHaveAgreedAllPassesAsItComes() {
    agreed = false;
    byte[] record = record(HANDSHAKE, 100);
    read(record, 0, 3);
    read(record, 3, 70);

    assertThat(handedOn)
        .containsExactly(Arrays.copyOfRange(record, 0, 3), Arrays.copyOfRange(record, 3, 70));
  }

  @Test
  void aRecordThatBeganBeforePassesToItsEnd() {
    byte[] all = joined(record(HANDSHAKE, 7), record(HANDSHAKE, 20), record(APPLICATION_DATA, 40));
    int lastBegins = all.length - 45;
    for (int cut = 1; cut < lastBegins; cut++) {
      handedOn.clear();
      agreed = false;
      read(all, 0, cut);
      agreed = true;
      read(all, cut, all.length - 1);
      assertThat(joined(handedOn)).as("cut at %d", cut).isEqualTo(Arrays.copyOf(all, lastBegins));

      read(all, all.length - 1, all.length);
      assertThat(joined(handedOn)).as("cut at %d", cut).isEqualTo(all);
    }
  }

  // --- What is no record

  @ParameterizedTest
  @ValueSource(strings = {"GET / HTTP/1.1", "\u0017GET", "\u0017\u0003\u0003\u00ff\u00ff too long"})
  void whatIsNoRecordPassesAndAllBehindIt(String sent) {
    byte[] bad = sent.getBytes(StandardCharsets.ISO_8859_1);
    byte[] first = record(APPLICATION_DATA, 10);
    byte[] behind = record(APPLICATION_DATA, 10);
    for (int cut = 1; cut < first.length + bad.length; cut++) {
      WholeRecordsTest fresh = new WholeRecordsTest();
      fresh.read(joined(first, bad), 0, cut);
      fresh.read(joined(first, bad), cut, first.length + bad.length);
      fresh.read(behind, 0, 3);

      assertThat(joined(fresh.handedOn))
          .as("cut at %d", cut)
          .isEqualTo(joined(first, bad, Arrays.copyOf(behind, 3)));
      fresh.nothingIsLeft();
    }
  }

  @Test
  void whoKeepsWhatIsNoRecordDoesNotKeepAllThatWasThereFor() {
    keeps = true;
    byte[] tooLong = {23, 3, 3, -1, -1};
    read(joined(record(APPLICATION_DATA, 10), tooLong));
    read(record(APPLICATION_DATA, 10));

    assertThat(kept).extracting(ByteBuf::capacity).containsExactly(20, 15);
    assertThat(readBuffers.takeArray(1)).isSameAs(array);
    array.release();
  }

  // --- Without memory

  @Test
  void aBeginningThatCannotBeKeptLeavesNothingBehind() {
    alloc.none = true;
    read(joined(record(APPLICATION_DATA, 10), record(APPLICATION_DATA, 30)), 0, 25);

    assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(channel::checkException);
    assertThat(readBuffers.takeArray(1)).isSameAs(array);
    array.release();
  }

  // --- The end

  @Test
  void whatIsNotWholeIsGivenBack() {
    read(record(APPLICATION_DATA, 100), 0, 50);
    // The rest is seen in nothingIsLeft().
    assertThat(handedOn).isEmpty();
  }
}
