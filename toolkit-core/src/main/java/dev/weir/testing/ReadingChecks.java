package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** What arrives, and how much of it each read takes. */
final class ReadingChecks {
  private ReadingChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "Bytes arrive whole and in order, both ways at once", ReadingChecks::bothWaysAtOnce),
        new Check(
            "read(n) returns at least one byte and at most n", ReadingChecks::readTakesAtMostN),
        new Check(
            "readExactly(n) waits for n bytes, in however many pieces they arrive",
            ReadingChecks::readExactlyOverPieces),
        new Check(
            "readExactly(n) is not bound by the limit", ReadingChecks::readExactlyAboveTheLimit),
        new Check(
            "readExactly(n) at the end of the stream fails and hands over what was left",
            ReadingChecks::readExactlyAtTheEnd),
        new Check(
            "readAll(max) returns everything up to the end, or fails and leaves all of it",
            ReadingChecks::readAllWithinMax),
        new Check(
            "The end of the stream is seen again and again", ReadingChecks::theEndAgainAndAgain),
        new Check(
            "A second task that reads at the same time is refused", ReadingChecks::secondReader),
        new Check(
            "In a callback, which cannot wait, reads are refused and consume nothing",
            ReadingChecks::readInACallback),
        new Check(
            "A reader that finds all its bytes at once lets other tasks run",
            ReadingChecks::busyReader));
  }

  private static void bothWaysAtOnce(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] toRight = random(1 << 20, 1);
    byte[] toLeft = random(1 << 20, 2);
    trial.start("left writes", () -> writeInPieces(pair.left().writer(), toRight));
    trial.start("right writes", () -> writeInPieces(pair.right().writer(), toLeft));
    Task<byte[]> atLeft = trial.start("left reads", () -> readUpTo(pair.left().reader(), toLeft));

    Expect.bytes("what right read", toRight, readUpTo(pair.right().reader(), toRight));
    Expect.bytes("what left read", toLeft, atLeft.await(IOException.class));
  }

  /**
   * Reads until the last bytes of {@code expected} have arrived, or the stream ends. Where nothing
   * may end before both ways are done, this still shows what is too much and what is missing.
   */
  private static byte[] readUpTo(StreamReader reader, byte[] expected) throws IOException {
    ByteArrayOutputStream received = new ByteArrayOutputStream(expected.length);
    byte[] last = Arrays.copyOfRange(expected, expected.length - 16, expected.length);
    byte[] tail = {};
    while (!Arrays.equals(tail, last)) {
      byte[] read = reader.read(64 * 1024);
      if (read.length == 0) {
        break;
      }
      received.writeBytes(read);
      byte[] joined = Arrays.copyOf(tail, tail.length + read.length);
      System.arraycopy(read, 0, joined, tail.length, read.length);
      tail = Arrays.copyOfRange(joined, Math.max(0, joined.length - last.length), joined.length);
    }
    return received.toByteArray();
  }

  private static void writeInPieces(StreamWriter writer, byte[] bytes) throws IOException {
    Random random = new Random(bytes[0]);
    int written = 0;
    while (written < bytes.length) {
      int piece = Math.min(bytes.length - written, 1 + random.nextInt(10_000));
      writer.write(bytes, written, piece);
      written += piece;
    }
  }

  private static byte[] random(int length, int seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void readTakesAtMostN(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] sent = random(20_000, 3);
    pair.left().writer().write(sent);
    ByteArrayOutputStream received = new ByteArrayOutputStream();
    int[] sizes = {1, 7, 1000, 100_000};
    for (int i = 0; received.size() < sent.length; i++) {
      int most = sizes[i % sizes.length];
      byte[] read = pair.right().reader().read(most);
      Expect.that(read.length >= 1, "read(" + most + ") returns at least one byte");
      Expect.atMost("bytes that read(" + most + ") returned", most, read.length);
      received.writeBytes(read);
    }

    Expect.bytes("all reads together", sent, received.toByteArray());
    Expect.bytes("read(0)", new byte[0], pair.right().reader().read(0));
  }

  private static void readExactlyOverPieces(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] sent = random(300, 4);
    trial.start(
        "writer",
        () -> {
          for (byte each : sent) {
            pair.left().writer().write(new byte[] {each});
            Loop.running().yieldNow();
          }
        });

    Expect.bytes("readExactly(300)", sent, pair.right().reader().readExactly(sent.length));
    Expect.bytes("readExactly(0)", new byte[0], pair.right().reader().readExactly(0));
  }

  private static void readExactlyAboveTheLimit(Trial trial) throws Exception {
    StreamPair pair = trial.open(StreamOptions.defaults().withLimit(1024));
    byte[] sent = random(300_000, 5);
    trial.start("writer", () -> pair.left().writer().write(sent));

    Expect.bytes("readExactly(300000)", sent, pair.right().reader().readExactly(sent.length));
  }

  private static void readExactlyAtTheEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("partial");
    trial.endOutput(pair.left().writer());

    IncompleteReadException incomplete =
        Expect.thrown(
            "readExactly(100) of 7 bytes",
            IncompleteReadException.class,
            () -> pair.right().reader().readExactly(100));
    Expect.text("partial()", "partial", incomplete.partial());
    Expect.equal("expected()", 100, incomplete.expected());
    Expect.bytes("the read after that", new byte[0], pair.right().reader().read(1));
  }

  private static void readAllWithinMax(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("0123456789");
    trial.endOutput(pair.left().writer());

    Expect.thrown(
        "readAll(9) of 10 bytes",
        LimitOverrunException.class,
        () -> pair.right().reader().readAll(9));
    Expect.text("readAll(10)", "0123456789", pair.right().reader().readAll(10));
    Expect.bytes("readAll(0)", new byte[0], pair.right().reader().readAll(0));
  }

  private static void theEndAgainAndAgain(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("xy");
    trial.endOutput(pair.left().writer());

    Expect.text("the first byte", "x", reader.read(1));
    Expect.equal("atEof() before the last byte was read", false, reader.atEof());
    Expect.text("the last byte", "y", reader.read(1));
    byte[] nothing = {};
    for (int i = 0; i < 3; i++) {
      Expect.bytes("read(1) at the end", nothing, reader.read(1));
      Expect.bytes("readLine() at the end", nothing, reader.readLine());
      Expect.bytes("readAll() at the end", nothing, reader.readAll());
      Expect.equal("readLine(UTF_8) at the end", null, reader.readLine(UTF_8));
      Expect.equal("whether iteration goes on", false, reader.iterator().hasNext());
      Expect.thrown(
          "readExactly(1) at the end", IncompleteReadException.class, () -> reader.readExactly(1));
      Expect.equal("atEof()", true, reader.atEof());
    }
  }

  private static void secondReader(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    Task<byte[]> first = trial.start("first reader", () -> reader.readLine());
    trial.untilWaiting(first);

    IllegalStateException refusal =
        Expect.thrown("a read beside another", IllegalStateException.class, () -> reader.read(1));
    Expect.that(
        String.valueOf(refusal.getMessage()).contains("another task"),
        "the refusal tells of another task, but it says: " + refusal.getMessage());
    pair.left().writer().writeLine("for the first");
    Expect.text("what the first reader got", "for the first\n", first.await(IOException.class));
  }

  private static void readInACallback(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().writeLine("line");
    Trial.awaitArrived(reader, 5);

    Expect.thrown(
        "readLine() in a callback",
        IllegalStateException.class,
        () -> trial.inCallback(() -> reader.readLine()));
    Expect.thrown(
        "read(1) in a callback",
        IllegalStateException.class,
        () -> trial.inCallback(() -> reader.read(1)));
    Expect.text("the line", "line\n", reader.readLine());
  }

  private static void busyReader(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    int lines = 1000;
    byte[] sent = new byte[2 * lines];
    Arrays.fill(sent, (byte) '\n');
    pair.left().writer().write(sent);
    Trial.awaitArrived(pair.right().reader(), sent.length);
    int[] rounds = {0};
    Task<@Nullable Void> other =
        trial.start(
            "other",
            () -> {
              while (true) {
                Loop.running().yieldNow();
                rounds[0]++;
              }
            });
    trial.settle();
    int before = rounds[0];
    for (int i = 0; i < lines; i++) {
      pair.right().reader().readLine();
    }

    Expect.that(
        rounds[0] > before,
        "another task runs while one reads " + lines + " lines that are there, but none did");
    other.cancel();
  }
}
