package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Task;
import java.net.SocketException;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.ExtendWith;

/** What one peer can make this side hold, and for how long writers wait for it. */
@ExtendWith(LeakCheck.class)
class BackPressureTest {
  private static final Pattern UNSENT = Pattern.compile("(\\d+) bytes unsent");

  @EachTransportAndIoUring
  void aWriterToAPeerThatNeverReadsHoldsNoMoreThanHighWaterAndAMessage(String transport) {
    byte[] message = new byte[256 * 1024];
    OnLoop.withPeer(
        transport,
        peer -> {
          int[] written = {0};
          Task<?> writing =
              Asyncio.createTask(() -> {
                while (written[0] < 400) {
                  peer.writer().write(message);
                  written[0]++;
                }
              });
          int before = -1;
          while (written[0] != before) { // Until it gets no further.
            before = written[0];
            OnLoop.passRounds(50);
          }

          assertThat(writing.done()).isFalse();
          int room = StreamOptions.defaults().highWater() + message.length;
          // Netty counts a little overhead for every buffer.
          assertThat(unsent(peer)).isPositive().isLessThanOrEqualTo(room + 1024);

          writing.cancel();
          assertThatExceptionOfType(CancelledError.class).isThrownBy(writing::await);
        });
  }

  private static int unsent(RawPeer peer) {
    Matcher matcher = UNSENT.matcher(peer.writer().toString());
    if (!matcher.find()) {
      throw new AssertionError("no count of bytes in " + peer.writer());
    }
    return Integer.parseInt(matcher.group(1));
  }

  @EachTransportAndIoUring
  void aPeerThatSendsALineWithoutEndIsHeldBackAtTwiceTheLimit(String transport) {
    int limit = 64 * 1024;
    byte[] endless = new byte[64 << 20];
    Arrays.fill(endless, (byte) 'a');
    OnLoop.withPeer(
        transport,
        peer -> {
          Future<Void> sending = peer.sendInBackground(endless);
          peer.awaitArrived(2 * limit);
          OnLoop.passRounds(200);

          // What one read brings: Netty's receive buffer is 64 KiB at most.
          assertThat(peer.arrived()).isLessThanOrEqualTo(2 * limit + 2 * 64 * 1024);
          assertThat(sending.done()).isFalse();
          for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(LimitOverrunException.class)
                .isThrownBy(() -> peer.reader().readLine())
                .satisfies(overrun -> assertThat(overrun.consumed()).isGreaterThan(limit));
          }
          peer.reset();
          assertThatExceptionOfType(SocketException.class).isThrownBy(sending::await);
        });
  }

  /**
   * Each write is more than the kernel takes at once, and between them the channel wants nothing of
   * the kernel.
   */
  @EachTransportAndIoUring
  void afterThePeersEndOfStreamLargeWritesGetThroughOneAfterAnother(String transport) {
    byte[] message = new byte[32 << 20];
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.sendEof();
          assertThat(peer.reader().read(1)).isEmpty();
          for (int i = 0; i < 3; i++) {
            OnLoop.passRounds(20);
            peer.writer().write(message);
            assertThat(peer.receive(message.length)).hasSize(message.length);
          }
        });
  }
}
