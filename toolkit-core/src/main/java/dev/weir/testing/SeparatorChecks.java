package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Lines and other separators, the limit of both, text, and iteration. */
final class SeparatorChecks {
  private static final int LIMIT = 16;
  private static final StreamOptions SMALL = StreamOptions.defaults().withLimit(LIMIT);

  private SeparatorChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "readLine() keeps the newline, and returns what is left of a line at the end",
            SeparatorChecks::lines),
        new Check(
            "readUntil() finds a separator wherever it is cut in two",
            SeparatorChecks::separatorCutInTwo),
        new Check(
            "Of several separators the match that ends first counts",
            SeparatorChecks::severalSeparators),
        new Check(
            "readUntil() at the end of the stream fails and hands over what was left",
            SeparatorChecks::readUntilAtTheEnd),
        new Check("A line as long as the limit is read", SeparatorChecks::lineOfTheLimit),
        new Check(
            "A line over the limit throws again and again, and readExactly(consumed()) takes it",
            SeparatorChecks::lineOverTheLimit),
        new Check(
            "Text goes out in UTF-8 and comes in as lines without their end",
            SeparatorChecks::text),
        new Check(
            "Iterating yields each line once, and throws the unchecked form of what readLine()"
                + " throws",
            SeparatorChecks::iteration));
  }

  private static void lines(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("one\n\nthree");
    trial.endOutput(pair.left().writer());

    Expect.text("the first line", "one\n", reader.readLine());
    Expect.text("the second line", "\n", reader.readLine());
    Expect.text("the last line", "three", reader.readLine());
    Expect.text("the line after the last", "", reader.readLine());
  }

  private static void separatorCutInTwo(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    byte[] separator = Expect.bytes("<-SEP->");
    String message = "left<<-SEP->";
    for (int cut = 1; cut < message.length(); cut++) {
      pair.left().writer().write(message.substring(0, cut));
      Trial.awaitArrived(reader, cut);
      Task<byte[]> reading = trial.start("readUntil", () -> reader.readUntil(separator));
      trial.untilWaiting(reading);
      pair.left().writer().write(message.substring(cut) + "right");

      Expect.text("cut at " + cut, message, reading.await(IOException.class));
      Expect.text("behind the separator", "right", reader.readExactly(5));
    }
  }

  private static void severalSeparators(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("a\r\nb\nxabcy;");

    byte[][] lineEnds = {Expect.bytes("\n"), Expect.bytes("\r\n")};
    Expect.text("up to \\r\\n", "a\r\n", reader.readUntil(lineEnds));
    Expect.text("up to \\n", "b\n", reader.readUntil(lineEnds));
    Expect.text(
        "\"b\" ends before \"abc\"",
        "xab",
        reader.readUntil(Expect.bytes("abc"), Expect.bytes("b")));
    Expect.text("the rest", "cy;", reader.readUntil(Expect.bytes("||"), Expect.bytes(";")));
  }

  private static void readUntilAtTheEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("no semicolon");
    trial.endOutput(pair.left().writer());

    IncompleteReadException incomplete =
        Expect.thrown(
            "readUntil(\";\")",
            IncompleteReadException.class,
            () -> pair.right().reader().readUntil(Expect.bytes(";")));
    Expect.text("partial()", "no semicolon", incomplete.partial());
    Expect.equal("expected()", IncompleteReadException.UNKNOWN, incomplete.expected());
    Expect.text("the read after that", "", pair.right().reader().read(1));
  }

  private static void lineOfTheLimit(Trial trial) throws Exception {
    StreamPair pair = trial.open(SMALL);
    String line = "x".repeat(LIMIT) + "\n";
    pair.left().writer().write(line + line);

    Expect.text("the first line", line, pair.right().reader().readLine());
    Expect.text("the second line", line, pair.right().reader().readLine());
  }

  private static void lineOverTheLimit(Trial trial) throws Exception {
    StreamPair pair = trial.open(SMALL);
    StreamReader reader = pair.right().reader();
    String overlong = "x".repeat(5 * LIMIT);
    trial.start("writer", () -> pair.left().writer().write(overlong + "\nnext\n"));

    StringBuilder taken = new StringBuilder();
    Expect.thrown("an overlong line", LimitOverrunException.class, reader::readLine);
    while (taken.length() < overlong.length() - LIMIT) {
      LimitOverrunException again =
          Expect.thrown(
              "an overlong line, after " + taken.length() + " bytes of it were taken",
              LimitOverrunException.class,
              reader::readLine);
      Expect.that(again.consumed() > 0, "consumed() is positive");
      taken.append(new String(reader.readExactly(again.consumed()), UTF_8));
    }
    taken.append(new String(reader.readLine(), UTF_8));

    Expect.equal("what was taken of it in the end", overlong + "\n", taken.toString());
    Expect.text("the next line", "next\n", reader.readLine());
  }

  private static void text(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    String foreign = "h\u00e9\u4e16\ud83c\udf0d";
    trial.start(
        "writer",
        () -> {
          for (byte each : Expect.bytes(foreign + "\n")) { // No cut may spoil a character.
            pair.left().writer().write(new byte[] {each});
            Loop.running().yieldNow();
          }
          pair.left().writer().writeLine(foreign + "\r");
          pair.left().writer().write("plain\n\nr\rr\n");
          pair.left().writer().write("last\r");
          trial.endOutput(pair.left().writer());
        });

    Expect.equal("readLine(UTF_8)", foreign, pair.right().reader().readLine(UTF_8));
    List<String> lines = new ArrayList<>();
    pair.right().reader().lines(UTF_8).forEach(lines::add);
    Expect.equal("lines(UTF_8)", List.of(foreign, "plain", "", "r\rr", "last\r"), lines);
  }

  private static void iteration(Trial trial) throws Exception {
    StreamPair pair = trial.open(SMALL);
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("one\ntwo\nthree");
    trial.endOutput(pair.left().writer());

    Iterator<byte[]> iterator = reader.iterator();
    Expect.equal("hasNext()", true, iterator.hasNext());
    Expect.equal("hasNext() again", true, iterator.hasNext());
    Expect.text("the first line", "one\n", iterator.next());
    List<String> rest = new ArrayList<>();
    for (byte[] line : reader) {
      rest.add(new String(line, UTF_8));
    }
    Expect.equal("the other lines", List.of("two\n", "three"), rest);
    Expect.thrown("next() after the last", NoSuchElementException.class, iterator::next);

    StreamPair other = trial.open(SMALL);
    other.right().writer().write("x".repeat(2 * LIMIT));
    UncheckedIOException unchecked =
        Expect.thrown(
            "iterating over an overlong line",
            UncheckedIOException.class,
            () -> other.left().reader().iterator().next());
    Expect.that(
        unchecked.getCause() instanceof LimitOverrunException,
        "its cause is a LimitOverrunException, but that is " + unchecked.getCause());
  }
}
