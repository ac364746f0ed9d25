package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.bytes;
import static dev.weir.stream.MemoryPeer.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.weir.Asyncio;
import dev.weir.task.Task;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

/**
 * The reads that look for a separator: readLine, readUntil, iteration, and the limit of all three.
 */
class StreamReaderSeparatorTest {
  private static final StreamOptions LIMIT_8 = StreamOptions.defaults().withLimit(8);

  // --- Lines

  @Test
  void readLineKeepsTheNewlineAndReturnsAnUnfinishedLineAtTheEnd() {
    MemoryPeer.run(peer -> {
      peer.send("one\n\nthree");
      peer.sendEof();

      assertThat(text(peer.reader().readLine())).isEqualTo("one\n");
      assertThat(text(peer.reader().readLine())).isEqualTo("\n");
      assertThat(text(peer.reader().readLine())).isEqualTo("three");
      assertThat(peer.reader().readLine()).isEmpty();
    });
  }

  @Test
  void iterationYieldsEveryLine() {
    MemoryPeer.run(peer -> {
      peer.send("one\ntwo\nthree");
      peer.sendEof();

      List<String> lines = new ArrayList<>();
      for (byte[] line : peer.reader()) {
        lines.add(text(line));
      }

      assertThat(lines).containsExactly("one\n", "two\n", "three");
      assertThat(peer.reader().iterator().hasNext()).isFalse();
      assertThatThrownBy(() -> peer.reader().iterator().next())
          .isInstanceOf(NoSuchElementException.class);
    });
  }

  @Test
  void askingTwiceForTheNextLineTakesOneLineOnly() {
    MemoryPeer.run(peer -> {
      peer.send("one\ntwo\n");
      Iterator<byte[]> lines = peer.reader().iterator();

      assertThat(lines.hasNext()).isTrue();
      assertThat(lines.hasNext()).isTrue();
      assertThat(text(lines.next())).isEqualTo("one\n");
      assertThat(text(lines.next())).isEqualTo("two\n");
    });
  }

  @Test
  void iterationThrowsTheUncheckedFormOfWhatReadLineThrows() {
    MemoryPeer.run(
        LIMIT_8,
        peer -> {
          peer.send("123456789\n");

          assertThatThrownBy(() -> peer.reader().iterator().next())
              .isInstanceOf(UncheckedIOException.class)
              .hasCauseInstanceOf(LimitOverrunException.class);
          assertThatThrownBy(() -> peer.reader().lines(UTF_8).iterator().next())
              .isInstanceOf(UncheckedIOException.class)
              .hasCauseInstanceOf(LimitOverrunException.class);
        });
  }

  @Test
  void textLinesLoseTheirTerminatorAndOnlyThat() {
    MemoryPeer.run(peer -> {
      peer.send("plain\ncrlf\r\nr\rr\n\r\r\n\nlast\r");
      peer.sendEof();

      assertThat(peer.reader().lines(UTF_8))
          .containsExactly("plain", "crlf", "r\rr", "\r", "", "last\r");
      assertThat(peer.reader().readLine(UTF_8)).isNull();
    });
  }

  @Test
  void textIsDecodedOnceTheLineIsWhole() {
    MemoryPeer.run(peer -> {
      byte[] line = bytes("h\u00e9\u4e16\ud83c\udf0d\n");
      Task<String> reading = Asyncio.createTask(() -> peer.reader().readLine(UTF_8));
      for (int i = 0; i < line.length; i++) {
        peer.send(new byte[] {line[i]});
        Rounds.settle();
      }

      assertThat(reading.await()).isEqualTo("h\u00e9\u4e16\ud83c\udf0d");
    });
  }

  // --- Separators

  @Test
  void aSeparatorSplitAnywhereIsFound() {
    MemoryPeer.run(peer -> {
      String message = "left<-SEP->right";
      for (int split = 1; split < message.length(); split++) {
        Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readUntil(bytes("<-SEP->")));
        peer.send(message.substring(0, split));
        Rounds.settle(); // The waiting reader has looked at the first part by now.
        peer.send(message.substring(split));

        assertThat(text(reading.await())).as("split at %d", split).isEqualTo("left<-SEP->");
        assertThat(text(peer.reader().readExactly(5))).isEqualTo("right");
      }
    });
  }

  @Test
  void aSeparatorInSingleBytesIsFound() {
    MemoryPeer.run(peer -> {
      byte[] message = bytes("--a---ab");
      Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readUntil(bytes("---a")));
      for (int i = 0; i < message.length - 1; i++) {
        peer.send(new byte[] {message[i]});
        Rounds.settle();
      }

      assertThat(text(reading.await())).isEqualTo("--a---a");
    });
  }

  @Test
  void ofSeveralSeparatorsTheMatchThatEndsFirstWins() {
    MemoryPeer.run(peer -> {
      peer.send("a-bc--d");
      assertThat(text(peer.reader().readUntil(bytes("--"), bytes("b")))).isEqualTo("a-b");
      assertThat(text(peer.reader().readUntil(bytes("b"), bytes("--")))).isEqualTo("c--");
      assertThat(text(peer.reader().readExactly(1))).isEqualTo("d");
    });
  }

  /**
   * "cd" ends before "bcde" does, although it begins later: asyncio's rule, whichever comes first
   * in the call.
   */
  @Test
  void ofOverlappingSeparatorsTheMatchThatEndsFirstWins() {
    MemoryPeer.run(peer -> {
      peer.send("abcdef.abcdef.\r\n.\n");

      assertThat(text(peer.reader().readUntil(bytes("bcde"), bytes("cd")))).isEqualTo("abcd");
      assertThat(text(peer.reader().readUntil(bytes(".")))).isEqualTo("ef.");
      assertThat(text(peer.reader().readUntil(bytes("cd"), bytes("bcde")))).isEqualTo("abcd");
      assertThat(text(peer.reader().readUntil(bytes(".")))).isEqualTo("ef.");
      assertThat(text(peer.reader().readUntil(bytes("\n"), bytes("\r\n")))).isEqualTo("\r\n");
      assertThat(text(peer.reader().readUntil(bytes("\r\n"), bytes("\n")))).isEqualTo(".\n");
    });
  }

  @Test
  void severalSeparatorsSplitAnywhereAreFound() {
    MemoryPeer.run(peer -> {
      String message = "x\r\n\ry\r\r\nz";
      for (int split = 1; split < message.length() - 1; split++) {
        Task<byte[]> reading =
            Asyncio.createTask(() -> peer.reader().readUntil(bytes("\r\r\n"), bytes("\ny")));
        peer.send(message.substring(0, split));
        Rounds.settle();
        peer.send(message.substring(split));

        assertThat(text(reading.await())).as("split at %d", split).isEqualTo("x\r\n\ry\r\r\n");
        peer.reader().readExactly(1);
      }
    });
  }

  @Test
  void noSeparatorAndAnEmptySeparatorAreRefused() {
    MemoryPeer.run(peer -> {
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().readUntil());
      assertThatIllegalArgumentException()
          .isThrownBy(() -> peer.reader().readUntil(bytes("a"), new byte[0]));
    });
  }

  @Test
  void readUntilThatMeetsTheEndHandsOverWhatWasLeft() {
    MemoryPeer.run(peer -> {
      peer.send("done;rest");
      peer.sendEof();

      assertThat(text(peer.reader().readUntil(bytes(";")))).isEqualTo("done;");
      assertThatThrownBy(() -> peer.reader().readUntil(bytes(";")))
          .asInstanceOf(type(IncompleteReadException.class))
          .satisfies(e -> assertThat(text(e.partial())).isEqualTo("rest"))
          .satisfies(e -> assertThat(e.expected()).isEqualTo(IncompleteReadException.UNKNOWN));
      assertThat(peer.reader().atEof()).isTrue();
    });
  }

  // --- The limit

  @Test
  void aLineOfExactlyTheLimitAndItsNewlineIsFine() {
    MemoryPeer.run(
        LIMIT_8,
        peer -> {
          peer.send("12345678\n12345678; ");

          assertThat(text(peer.reader().readLine())).isEqualTo("12345678\n");
          assertThat(text(peer.reader().readUntil(bytes("; ")))).isEqualTo("12345678; ");
        });
  }

  @Test
  void aLineOfExactlyTheDefaultLimitArrivesWholeAndOneByteMoreDoesNot() {
    MemoryPeer.run(peer -> {
      int limit = StreamOptions.defaults().limit();
      peer.sendInBackground(bytes("x".repeat(limit) + "\n" + "y".repeat(limit + 1) + "\n"));

      assertThat(peer.reader().readLine()).hasSize(limit + 1);
      assertThatThrownBy(() -> peer.reader().readLine()).isInstanceOf(LimitOverrunException.class);
    });
  }

  @Test
  void aLineLongerThanTheLimitStaysAndIsSkippedByHand() {
    MemoryPeer.run(
        LIMIT_8,
        peer -> {
          peer.send("123456789\nnext\n");
          Rounds.settle();

          for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> peer.reader().readLine())
                .asInstanceOf(type(LimitOverrunException.class))
                .satisfies(e -> assertThat(e.consumed()).isEqualTo(9));
          }
          assertThat(text(peer.reader().readExactly(9))).isEqualTo("123456789");
          assertThat(text(peer.reader().readLine())).isEqualTo("\n");
          assertThat(text(peer.reader().readLine())).isEqualTo("next\n");
        });
  }

  /** Skipping must not eat the first half of a separator whose second half is still to come. */
  @Test
  void whatIsSkippedOfALineWithoutEndLeavesTheBeginningOfASeparator() {
    MemoryPeer.run(
        LIMIT_8,
        peer -> {
          peer.send("1234567890E");
          Rounds.settle();
          LimitOverrunException[] overrun = new LimitOverrunException[1];
          assertThatThrownBy(() -> peer.reader().readUntil(bytes("END")))
              .isInstanceOfSatisfying(LimitOverrunException.class, e -> overrun[0] = e);

          assertThat(overrun[0].consumed()).isLessThanOrEqualTo(10);
          peer.reader().readExactly(overrun[0].consumed());
          peer.send("NDnext;");
          assertThat(text(peer.reader().readUntil(bytes("END")))).endsWith("END");
          assertThat(text(peer.reader().readUntil(bytes(";")))).isEqualTo("next;");
        });
  }

  @Test
  void theLimitCountsAlsoWhenTheEndOfTheStreamIsNear() {
    MemoryPeer.run(
        LIMIT_8,
        peer -> {
          StreamReader reader = peer.reader();
          peer.send("123456789");
          peer.sendEof();
          Rounds.settle();

          assertThatThrownBy(reader::readLine).isInstanceOf(LimitOverrunException.class);
          assertThat(text(reader.read(100))).isEqualTo("123456789");
        });
  }
}
