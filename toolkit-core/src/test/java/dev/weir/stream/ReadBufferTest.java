package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReadBufferTest {
  private final ReadBuffer buffer = new ReadBuffer();

  @Test
  void feed_thenTake_returnsWhatWasFedInOrder() {
    feed("abc");
    feed("def");

    assertThat(take(4)).isEqualTo("abcd");
    assertThat(take(2)).isEqualTo("ef");
    assertThat(buffer.size()).isZero();
  }

  @Test
  void feed_consumesTheDataAndKeepsNoReferenceToIt() {
    byte[] array = "abc".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer data = ByteBuffer.wrap(array);
    buffer.feed(data);
    array[0] = 'X';

    assertThat(data.hasRemaining()).isFalse();
    assertThat(take(3)).isEqualTo("abc");
  }

  @Test
  void take_ofAllThatArrivedAtOnce_isTheCallersOwn() {
    feed("abc");
    byte[] taken = buffer.take(3);
    feed("def");
    taken[0] = 'X';

    assertThat(buffer.size()).isEqualTo(3);
    assertThat(take(3)).isEqualTo("def");
    assertThat(taken).isEqualTo("Xbc".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void feed_afterTheEnd_isIgnored() {
    feed("abc");
    buffer.end();
    feed("late");

    assertThat(buffer.size()).isEqualTo(3);
  }

  @Test
  void end_leavesWhatArrivedReadable() {
    feed("abc");
    buffer.end();

    assertThat(buffer.ended()).isTrue();
    assertThat(buffer.failure()).isNull();
    assertThat(take(3)).isEqualTo("abc");
  }

  @Test
  void fail_leavesWhatArrivedReadableAndKeepsTheFirstFailure() {
    IOException first = new IOException("first");
    feed("abc");
    buffer.fail(first);
    buffer.fail(new IOException("second"));

    assertThat(buffer.ended()).isTrue();
    assertThat(buffer.failure()).isSameAs(first);
    assertThat(take(3)).isEqualTo("abc");
  }

  @Test
  void fail_afterTheEnd_counts() {
    buffer.end();
    buffer.fail(new IOException("reset"));

    assertThat(buffer.failure()).hasMessage("reset");
  }

  @Test
  void indexOf_countsFromTheFirstUnreadByte() {
    feed("xxabcabc");
    buffer.drop(2);

    assertThat(buffer.indexOf((byte) 'a', 0)).isZero();
    assertThat(buffer.indexOf((byte) 'a', 1)).isEqualTo(3);
    assertThat(buffer.indexOf((byte) 'z', 0)).isEqualTo(-1);
    assertThat(buffer.indexOf((byte) 'x', 0)).as("taken already").isEqualTo(-1);
  }

  @Test
  void indexOf_aLongerSeparator_findsTheFirstWholeOne() {
    feed("a\r\r\nb\r\n");
    byte[] separator = {'\r', '\n'};

    assertThat(buffer.indexOf(separator, 0)).isEqualTo(2);
    assertThat(buffer.indexOf(separator, 3)).isEqualTo(5);
    assertThat(buffer.indexOf(separator, 6)).isEqualTo(-1);
  }

  @Test
  void indexOf_aSeparatorCutOff_isNotFound() {
    feed("ab\r");

    assertThat(buffer.indexOf(new byte[] {'\r', '\n'}, 0)).isEqualTo(-1);
  }

  @Test
  void manyFeedsAndTakesOfAnySizeKeepEveryByteInOrder() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      ReadBuffer fed = new ReadBuffer();
      ByteArrayOutputStream in = new ByteArrayOutputStream();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (int i = 0; i < 100; i++) {
        byte[] data = new byte[random.nextInt(3_000)];
        random.nextBytes(data);
        fed.feed(ByteBuffer.wrap(data));
        in.writeBytes(data);
        out.writeBytes(fed.take(random.nextInt(fed.size() + 1)));
      }
      out.writeBytes(fed.take(fed.size()));

      assertThat(out.toByteArray()).as("seed %d", seed).isEqualTo(in.toByteArray());
    }
  }

  private void feed(String text) {
    buffer.feed(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private String take(int length) {
    return new String(buffer.take(length), StandardCharsets.US_ASCII);
  }
}
