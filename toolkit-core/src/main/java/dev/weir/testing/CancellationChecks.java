package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** A read or write that is cancelled, wherever it was, has done nothing. */
final class CancellationChecks {
  private static final StreamOptions NO_BUFFER = StreamOptions.defaults().withWriteLimits(0, 0);
  private static final List<String> LINES =
      List.of("line 0\n", "line 1\n", "line 2\n", "line 3\n", "line 4\n");

  private CancellationChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "A read that is cancelled consumes nothing, whichever call it is",
            CancellationChecks::cancelledReads),
        new Check(
            "Whatever read is cancelled at whatever moment, each byte is read once",
            CancellationChecks::readsCancelledEverywhere),
        new Check(
            "Whatever write is cancelled at whatever moment, what was written arrives once",
            CancellationChecks::writesCancelledEverywhere));
  }

  /** One of the reading calls. */
  private interface Read {
    Object from(StreamReader reader) throws IOException;
  }

  /**
   * A reading call.
   *
   * @param before what may arrive without satisfying it
   */
  private record Kind(String name, String before, Read read) {}

  private static void cancelledReads(Trial trial) throws Exception {
    List<Kind> kinds =
        List.of(
            new Kind("read(100)", "", reader -> reader.read(100)),
            new Kind("readLine()", "par", StreamReader::readLine),
            new Kind(
                "readLine(UTF_8)",
                "par",
                reader -> Objects.requireNonNullElse(reader.readLine(UTF_8), "the end")),
            new Kind("readExactly(8)", "par", reader -> reader.readExactly(8)),
            new Kind("readUntil()", "par", reader -> reader.readUntil(Expect.bytes("l\n"))),
            new Kind("readAll()", "par", StreamReader::readAll),
            new Kind("iterating", "par", reader -> reader.iterator().next()));
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    for (Kind kind : kinds) {
      pair.left().writer().write(kind.before);
      if (!kind.before.isEmpty()) {
        Trial.awaitArrived(reader, kind.before.length());
      }
      Task<Object> reading = trial.start(kind.name, () -> kind.read.from(reader));
      trial.untilWaiting(reading);
      reading.cancel();
      Expect.thrown(
          kind.name + ", cancelled", CancelledError.class, () -> reading.await(IOException.class));
      pair.left().writer().write("partial\n".substring(kind.before.length()));
      Expect.text("what is there after " + kind.name, "partial\n", reader.readLine());
    }
  }

  /** What one run of a scenario works on. */
  private record Exchange(StreamPair pair, StringBuilder log, Task<?> peer) {}

  private static void readsCancelledEverywhere(Trial trial) {
    CancelEverywhere.run(
        () -> {
          StreamPair pair = trial.open();
          Task<?> sending = trial.start("sender", () -> sendInPieces(trial, pair.left()));
          return new Exchange(pair, new StringBuilder(), sending);
        },
        exchange -> {
          StreamReader reader = exchange.pair.right().reader();
          exchange.log.append(text(reader.readLine()));
          exchange.log.append(text(reader.readExactly(5)));
          exchange.log.append(text(reader.read(2)));
          exchange.log.append(text(reader.readUntil(Expect.bytes("ne"), Expect.bytes("\n"))));
          exchange.log.append(text(reader.iterator().next()));
        },
        exchange -> {
          exchange.log.append(text(exchange.pair.right().reader().readAll()));
          Expect.equal("what was read in the end", String.join("", LINES), exchange.log.toString());
          exchange.peer.await(IOException.class);
          trial.discard(exchange.pair);
        });
  }

  private static void sendInPieces(Trial trial, StreamEnd end) throws IOException {
    for (String line : LINES) {
      end.writer().write(line.substring(0, 3));
      Loop.running().yieldNow();
      end.writer().write(line.substring(3));
      Loop.running().yieldNow();
    }
    trial.endOutput(end.writer());
  }

  private static void writesCancelledEverywhere(Trial trial) {
    CancelEverywhere.run(
        () -> {
          StreamPair pair = trial.open(NO_BUFFER); // Each write waits for the one before.
          Task<String> receiving =
              trial.start("receiver", () -> text(pair.right().reader().readAll()));
          return new Exchange(pair, new StringBuilder(), receiving);
        },
        exchange -> {
          for (String line : LINES) {
            exchange.pair.left().writer().write(line);
            exchange.log.append(line);
          }
          exchange.pair.left().writer().drain();
        },
        exchange -> {
          exchange.pair.left().writer().write("the end");
          trial.endOutput(exchange.pair.left().writer());
          Expect.equal(
              "what arrived", exchange.log + "the end", exchange.peer.await(IOException.class));
          trial.discard(exchange.pair);
        });
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }
}
