package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What one peer can make this side hold, and for how long writers wait for it. */
class BackPressureTest {
  private static final Pattern UNSENT = Pattern.compile("(\\d+) bytes unsent");

  @Test
  void aWriterToAPeerThatNeverReadsHoldsNoMoreThanHighWaterAndAMessage() {
    byte[] message = new byte[256 * 1024];
    MemoryPeer.run(peer -> {
      int[] written = {0};
      Task<?> writing =
          Asyncio.createTask(() -> {
            while (written[0] < 400) {
              peer.writer().write(message);
              written[0]++;
            }
          });
      Rounds.settle();

      assertThat(writing.done()).isFalse();
      int room = StreamOptions.defaults().highWater() + message.length;
      assertThat(unsent(peer)).isPositive().isLessThanOrEqualTo(room);

      writing.cancel();
      assertThatExceptionOfType(CancelledError.class).isThrownBy(writing::await);
    });
  }

  private static int unsent(MemoryPeer peer) {
    Matcher matcher = UNSENT.matcher(peer.writer().toString());
    if (!matcher.find()) {
      throw new AssertionError("no count of bytes in " + peer.writer());
    }
    return Integer.parseInt(matcher.group(1));
  }

  /** As asyncio's {@code set_write_buffer_limits(high=0)}: every write waits for the one before. */
  @Test
  void withWaterMarksOfZeroEveryWriteStillGetsThrough() {
    MemoryPeer.run(
        StreamOptions.defaults().withWriteLimits(0, 0),
        peer -> {
          byte[] message = new byte[256 * 1024];
          Task<?> writing =
              Asyncio.createTask(() -> {
                for (int i = 0; i < 20; i++) {
                  peer.writer().write(message);
                }
                peer.writer().writeEof();
              });

          assertThat(peer.receiveAll()).hasSize(20 * message.length);
          writing.await();
        });
  }

  @Test
  void aPeerThatSendsALineWithoutEndIsHeldBackAtTwiceTheLimit() {
    int limit = 64 * 1024;
    byte[] endless = new byte[64 * 1024];
    Arrays.fill(endless, (byte) 'a');
    MemoryPeer.run(peer -> {
      Task<?> sending =
          Asyncio.createTask(() -> {
            while (true) {
              peer.send(endless);
            }
          });
      Rounds.settle();

      int piece = 64 * 1024; // What the network hands over at once.
      assertThat(peer.arrived()).isGreaterThan(2 * limit).isLessThanOrEqualTo(2 * limit + piece);
      assertThat(sending.done()).isFalse();
      for (int i = 0; i < 2; i++) {
        assertThatExceptionOfType(LimitOverrunException.class)
            .isThrownBy(() -> peer.reader().readLine())
            .satisfies(overrun -> assertThat(overrun.consumed()).isGreaterThan(limit));
      }
      sending.cancel();
    });
  }

  @Test
  void aPausedPeerIsReadFromAgainOnceThereIsRoom() {
    byte[] sent = new byte[2 << 20];
    MemoryPeer.run(peer -> {
      Task<?> sending = peer.sendInBackground(sent);
      Rounds.settle();

      int received = 0;
      while (received < sent.length) {
        received += peer.reader().read(10_000).length;
      }

      assertThat(received).isEqualTo(sent.length);
      sending.await();
    });
  }
}
