package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.weir.Asyncio;
import dev.weir.task.Task;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The reads that count bytes: read, readExactly, readAll, and who may read. */
class StreamReaderReadTest {

  @Test
  void readReturnsAtMostWhatWasAskedForAndLeavesTheRest() {
    MemoryPeer.run(peer -> {
      peer.send("hello world");
      Rounds.settle();

      assertThat(text(peer.reader().read(5))).isEqualTo("hello");
      assertThat(text(peer.reader().read(100))).isEqualTo(" world");
    });
  }

  @Test
  void readWaitsForTheFirstByteOnly() {
    MemoryPeer.run(peer -> {
      Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().read(100));
      Rounds.settle();
      assertThat(reading.done()).isFalse();

      peer.send("x");

      assertThat(text(reading.await())).isEqualTo("x");
    });
  }

  @Test
  void readOfNothingDoesNotWaitNotEvenAtTheEnd() {
    MemoryPeer.run(peer -> {
      assertThat(peer.reader().read(0)).isEmpty();

      peer.sendEof();
      assertThat(peer.reader().read(1)).isEmpty();
      assertThat(peer.reader().read(0)).isEmpty();
    });
  }

  @Test
  void negativeLengthsAreRefused() {
    MemoryPeer.run(peer -> {
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().read(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().readExactly(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().readAll(-1));
    });
  }

  @Test
  void afterTheEndEveryByteReadSaysSoAgainAndAgain() {
    MemoryPeer.run(peer -> {
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

  @Test
  void atEofOnlyOnceEverythingWasRead() {
    MemoryPeer.run(peer -> {
      StreamReader reader = peer.reader();
      assertThat(reader.atEof()).isFalse();
      peer.send("ab");
      peer.sendEof();

      Rounds.settle();
      assertThat(reader.atEof()).isFalse();

      reader.read(1);
      assertThat(reader.atEof()).isFalse();
      reader.read(1);
      assertThat(reader.atEof()).isTrue();
    });
  }

  @Test
  void readExactlyPutsPiecesTogether() {
    MemoryPeer.run(peer -> {
      Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readExactly(6));
      for (String piece : new String[] {"ab", "cd", "efgh"}) {
        peer.send(piece);
        Rounds.settle();
      }

      assertThat(text(reading.await())).isEqualTo("abcdef");
      assertThat(text(peer.reader().readExactly(2))).isEqualTo("gh");
      assertThat(peer.reader().readExactly(0)).isEmpty();
    });
  }

  @Test
  void readExactlyIsNotBoundByTheLimit() {
    MemoryPeer.run(
        StreamOptions.defaults().withLimit(16),
        peer -> {
          byte[] sent = new byte[1 << 20];
          new Random(1).nextBytes(sent);
          Task<?> sending = peer.sendInBackground(sent);

          assertThat(peer.reader().readExactly(sent.length)).isEqualTo(sent);
          sending.await();
        });
  }

  @Test
  void readExactlyOfMoreThanTheStreamHasHandsOverTheRest() {
    MemoryPeer.run(peer -> {
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
  @Test
  void readExactlyOfAHugeLengthAllocatesWithWhatArrives() {
    MemoryPeer.run(peer -> {
      peer.send("abc");
      peer.sendEof();

      assertThatThrownBy(() -> peer.reader().readExactly(Integer.MAX_VALUE))
          .asInstanceOf(type(IncompleteReadException.class))
          .satisfies(e -> assertThat(text(e.partial())).isEqualTo("abc"));
    });
  }

  @Test
  void readAllReturnsEverythingWhateverTheLimit() {
    MemoryPeer.run(
        StreamOptions.defaults().withLimit(16),
        peer -> {
          byte[] sent = new byte[1 << 20];
          new Random(2).nextBytes(sent);
          Asyncio.createTask(() -> {
            peer.send(sent);
            peer.sendEof();
          });

          assertThat(peer.reader().readAll()).isEqualTo(sent);
        });
  }

  @Test
  void readAllOfMoreThanAllowedThrowsAndLeavesItInTheStream() {
    MemoryPeer.run(peer -> {
      peer.send("0123456789");
      peer.sendEof();

      assertThatThrownBy(() -> peer.reader().readAll(9))
          .asInstanceOf(type(LimitOverrunException.class))
          .satisfies(e -> assertThat(e.consumed()).isEqualTo(9));
      assertThat(text(peer.reader().readAll(10))).isEqualTo("0123456789");
    });
  }

  @Test
  void readAllOfTooMuchThrowsWithoutWaitingForTheEnd() {
    MemoryPeer.run(peer -> {
      peer.send("0123456789");

      assertThatThrownBy(() -> peer.reader().readAll(9)).isInstanceOf(LimitOverrunException.class);
    });
  }

  @Test
  void aSecondReaderIsAnErrorAndTheFirstGoesOn() {
    MemoryPeer.run(peer -> {
      Task<byte[]> first = Asyncio.createTask(() -> peer.reader().readLine());
      Rounds.settle();

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
  @Test
  void aSecondReaderIsAnErrorAlsoWhenTheFirstCameDuringItsYield() {
    MemoryPeer.run(peer -> {
      StreamReader reader = peer.reader();
      peer.send("x".repeat(65));
      Rounds.settle();
      Task<byte[]> patient =
          Asyncio.createTask(() -> {
            Rounds.until(() -> peer.arrived() == 1);
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
      Rounds.settle();

      peer.send("y");

      assertThat(text(patient.await())).isEqualTo("y");
      assertThatIllegalStateException().isThrownBy(yielding::await);
    });
  }

  @Test
  void aTaskWhoseReadsNeverWaitLetsOthersRun() {
    MemoryPeer.run(peer -> {
      peer.send("x".repeat(2_000));
      Rounds.settle();
      AtomicInteger roundsOfOther = new AtomicInteger();
      Task<Void> other =
          Asyncio.createTask(() -> {
            while (true) {
              Asyncio.yieldNow();
              roundsOfOther.incrementAndGet();
            }
          });
      Asyncio.yieldNow();
      roundsOfOther.set(0);

      for (int i = 0; i < 2_000; i++) {
        peer.reader().read(1);
      }

      assertThat(roundsOfOther.get()).isGreaterThan(20);
      other.cancel();
    });
  }

  @Test
  void readsOutsideATaskAreRefused() {
    MemoryPeer.run(peer -> {
      peer.send("x");
      Rounds.settle();

      assertThatIllegalStateException()
          .isThrownBy(() -> Rounds.inCallback(() -> peer.reader().read(1)))
          .withMessageContaining("task");
      assertThatIllegalStateException()
          .isThrownBy(() -> Asyncio.toThread(() -> peer.reader().read(1)));
      assertThat(text(peer.reader().read(1))).isEqualTo("x");
    });
  }
}
