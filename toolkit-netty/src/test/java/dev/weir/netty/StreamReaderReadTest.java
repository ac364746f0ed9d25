package dev.weir.netty;

import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.weir.Asyncio;
import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.task.Future;
import dev.weir.task.Task;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtendWith;

/** The reads that count bytes: read, readExactly, readAll, and who may read. */
@ExtendWith(LeakCheck.class)
class StreamReaderReadTest {

  @EachTransport
  void readReturnsAtMostWhatWasAskedForAndLeavesTheRest(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("hello world");
          peer.awaitArrived(11);

          assertThat(text(peer.reader().read(5))).isEqualTo("hello");
          assertThat(text(peer.reader().read(100))).isEqualTo(" world");
        });
  }

  @EachTransport
  void readWaitsForTheFirstByteOnly(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().read(100));
          OnLoop.passRounds(3);
          assertThat(reading.done()).isFalse();

          peer.send("x");

          assertThat(text(reading.await())).isEqualTo("x");
        });
  }

  @EachTransport
  void readOfNothingDoesNotWaitNotEvenAtTheEnd(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          assertThat(peer.reader().read(0)).isEmpty();

          peer.sendEof();
          assertThat(peer.reader().read(1)).isEmpty();
          assertThat(peer.reader().read(0)).isEmpty();
        });
  }

  @EachTransport
  void negativeLengthsAreRefused(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().read(-1));
          assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().readExactly(-1));
          assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().readAll(-1));
        });
  }

  @EachTransport
  void afterTheEndEveryByteReadSaysSoAgainAndAgain(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          StreamReader reader = peer.reader();
          peer.send("last");
          peer.sendEof();

          assertThat(text(reader.read(100))).isEqualTo("last");
          for (int i = 0; i < 2; i++) {
            assertThat(reader.read(100)).isEmpty();
            assertThat(reader.readLine()).isEmpty();
            assertThat(reader.readAll()).isEmpty();
            assertThat(reader.readExactly(0)).isEmpty();
          }
        });
  }

  @EachTransport
  void atEofOnlyOnceEverythingWasRead(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          StreamReader reader = peer.reader();
          assertThat(reader.atEof()).isFalse();
          peer.send("ab");
          peer.sendEof();

          Future<Void> ended =
              Asyncio.createTask(
                  () -> OnLoop.passRoundsUntil(() -> reader.toString().contains("ended")));
          ended.await();
          assertThat(reader.atEof()).isFalse();

          reader.read(1);
          assertThat(reader.atEof()).isFalse();
          reader.read(1);
          assertThat(reader.atEof()).isTrue();
        });
  }

  @EachTransport
  void readExactlyPutsPiecesTogether(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readExactly(6));
          for (String piece : new String[] {"ab", "cd", "efgh"}) {
            peer.send(piece);
            OnLoop.passRoundsUntil(() -> peer.arrived() % 2 == 0);
          }

          assertThat(text(reading.await())).isEqualTo("abcdef");
          assertThat(text(peer.reader().readExactly(2))).isEqualTo("gh");
          assertThat(peer.reader().readExactly(0)).isEmpty();
        });
  }

  @EachTransport
  void readExactlyIsNotBoundByTheLimit(String transport) {
    OnLoop.withPeer(
        transport,
        StreamOptions.defaults().withLimit(16),
        peer -> {
          byte[] sent = new byte[1 << 20];
          new Random(1).nextBytes(sent);
          Future<Void> sending = peer.sendInBackground(sent);

          assertThat(peer.reader().readExactly(sent.length)).isEqualTo(sent);
          sending.await();
        });
  }

  @EachTransport
  void readExactlyOfMoreThanTheStreamHasHandsOverTheRest(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("abc");
          peer.sendEof();

          assertThatThrownBy(() -> peer.reader().readExactly(10))
              .asInstanceOf(type(IncompleteReadException.class))
              .satisfies(e -> assertThat(text(e.partial())).isEqualTo("abc"))
              .satisfies(e -> assertThat(e.expected()).isEqualTo(10));
          assertThat(peer.reader().atEof()).isTrue();
        });
  }

  /** A length that a peer made up must cost nothing until the bytes are there. */
  @EachTransport
  void readExactlyOfAHugeLengthAllocatesWithWhatArrives(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("abc");
          peer.sendEof();

          assertThatThrownBy(() -> peer.reader().readExactly(Integer.MAX_VALUE))
              .asInstanceOf(type(IncompleteReadException.class))
              .satisfies(e -> assertThat(text(e.partial())).isEqualTo("abc"));
        });
  }

  @EachTransport
  void readAllReturnsEverythingWhateverTheLimit(String transport) {
    OnLoop.withPeer(
        transport,
        StreamOptions.defaults().withLimit(16),
        peer -> {
          byte[] sent = new byte[3 << 20];
          new Random(2).nextBytes(sent);
          Future<Void> sending = peer.sendInBackground(sent);
          sending.addDoneCallback(done -> OnLoop.onWorker(() -> shutdownOutput(peer)));

          assertThat(peer.reader().readAll()).isEqualTo(sent);
        });
  }

  private static Void shutdownOutput(RawPeer peer) throws Exception {
    peer.sendEof();
    return null;
  }

  @EachTransport
  void readAllOfMoreThanAllowedThrowsAndLeavesItInTheStream(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("0123456789");
          peer.sendEof();

          assertThatThrownBy(() -> peer.reader().readAll(9))
              .asInstanceOf(type(LimitOverrunException.class))
              .satisfies(e -> assertThat(e.consumed()).isEqualTo(9));
          assertThat(text(peer.reader().readAll(10))).isEqualTo("0123456789");
        });
  }

  @EachTransport
  void readAllOfTooMuchThrowsWithoutWaitingForTheEnd(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("0123456789");

          assertThatThrownBy(() -> peer.reader().readAll(9))
              .isInstanceOf(LimitOverrunException.class);
        });
  }

  @EachTransport
  void aSecondReaderIsAnErrorAndTheFirstGoesOn(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<byte[]> first = Asyncio.createTask(() -> peer.reader().readLine());
          OnLoop.passRounds(1);

          assertThatIllegalStateException()
              .isThrownBy(() -> peer.reader().readExactly(3))
              .withMessageContaining("another task");

          peer.send("abc\n");
          assertThat(text(first.await())).isEqualTo("abc\n");
        });
  }

  /**
   * The 65th read in a row that need not wait yields first; who reads meanwhile must not be
   * forgotten.
   */
  @EachTransport
  void aSecondReaderIsAnErrorAlsoWhenTheFirstCameDuringItsYield(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          StreamReader reader = peer.reader();
          peer.send("x".repeat(65));
          peer.awaitArrived(65);
          Task<byte[]> patient =
              Asyncio.createTask(() -> {
                OnLoop.passRoundsUntil(() -> peer.arrived() == 1);
                reader.read(1);
                return reader.read(1);
              });
          Task<byte[]> yielding =
              Asyncio.createTask(() -> {
                for (int i = 0; i < 64; i++) {
                  reader.read(1);
                }
                return reader.read(1);
              });
          OnLoop.passRounds(5);

          peer.send("y");

          assertThat(text(patient.await())).isEqualTo("y");
          assertThatIllegalStateException().isThrownBy(yielding::await);
        });
  }

  @EachTransport
  void aTaskWhoseReadsNeverWaitLetsOthersRun(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("x".repeat(2_000));
          peer.awaitArrived(2_000);
          AtomicInteger roundsOfOther = new AtomicInteger();
          Task<Void> other =
              Asyncio.createTask(() -> {
                while (true) {
                  OnLoop.passRounds(1);
                  roundsOfOther.incrementAndGet();
                }
              });
          OnLoop.passRounds(2);
          roundsOfOther.set(0);

          for (int i = 0; i < 2_000; i++) {
            peer.reader().read(1);
          }

          assertThat(roundsOfOther.get()).isGreaterThan(20);
          other.cancel();
        });
  }

  @EachTransport
  void readsOutsideATaskAreRefused(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("x");
          peer.awaitArrived(1);

          assertThatIllegalStateException()
              .isThrownBy(() -> OnLoop.inCallback(() -> peer.reader().read(1)))
              .withMessageContaining("task");
          assertThatIllegalStateException()
              .isThrownBy(() -> OnLoop.onWorker(() -> peer.reader().read(1)).await());
          assertThat(text(peer.reader().read(1))).isEqualTo("x");
        });
  }
}
