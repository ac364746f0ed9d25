package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.stream.WriteBufferFullException;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** What a write takes, and that it takes it whole. */
final class WritingChecks {
  private static final int CAP = 1 << 20;
  private static final byte[] CHUNK = new byte[64 * 1024];
  private static final StreamOptions CAPPED = StreamOptions.defaults().withHardCap(CAP);
  private static final StreamOptions NO_BUFFER = StreamOptions.defaults().withWriteLimits(0, 0);

  private WritingChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "An array may be reused as soon as the write returns", WritingChecks::arrayIsReused),
        new Check("An empty write writes nothing and ends nothing", WritingChecks::emptyWrite),
        new Check(
            "Several pieces are one message, which no other task's gets into",
            WritingChecks::piecesStayTogether),
        new Check(
            "A message far above high water is taken whole", WritingChecks::messageAboveHighWater),
        new Check(
            "With water marks of zero every write still gets through",
            WritingChecks::waterMarksOfZero),
        new Check(
            "In a callback a write does not wait, and fails at the hard cap",
            WritingChecks::callbackFailsAtTheCap),
        new Check(
            "A message above the hard cap alone is refused to those who may not wait",
            WritingChecks::messageAboveTheCap));
  }

  private static void arrayIsReused(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    byte[] message = Expect.bytes("12345");
    writer.write(message);
    Arrays.fill(message, (byte) 'a');
    writer.write(message, 1, 3);
    Arrays.fill(message, (byte) 'b');
    writer.tryWrite(message);
    Arrays.fill(message, (byte) 'c');
    writer.write(message, message);
    Arrays.fill(message, (byte) 'd');
    trial.<@Nullable Void>inCallback(() -> {
      writer.write(message);
      return null;
    });
    Arrays.fill(message, (byte) '?');
    trial.endOutput(writer);

    Expect.text(
        "what arrived", "12345aaabbbbbccccccccccddddd", pair.right().reader().readAll(1000));
  }

  private static void emptyWrite(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    writer.write(new byte[0]);
    writer.write("");
    writer.write(new byte[0], new byte[0]);
    writer.write(new byte[3], 3, 0);
    Expect.equal("tryWrite() of nothing", true, writer.tryWrite(new byte[0]));
    writer.drain();
    writer.write("x");

    Expect.text("the first read", "x", pair.right().reader().read(100));
    Expect.equal("atEof()", false, pair.right().reader().atEof());
  }

  private static void piecesStayTogether(Trial trial) throws Exception {
    StreamPair pair = trial.open(NO_BUFFER); // So that each message waits for the one before.
    int messages = 50;
    for (String author : List.of("a", "b", "c")) {
      byte[] piece = Expect.bytes(author.repeat(200));
      trial.start(
          "writer " + author,
          () -> {
            for (int i = 0; i < messages; i++) {
              pair.left().writer().write(piece, piece, Expect.bytes("\n"));
            }
          });
    }

    int[] ofAuthor = new int[3];
    for (int i = 0; i < 3 * messages; i++) {
      byte[] line = pair.right().reader().readLine();
      String author = new String(line, 0, Math.min(1, line.length), UTF_8);
      Expect.text("message " + i, author.repeat(400) + "\n", line);
      ofAuthor["abc".indexOf(author)]++;
    }
    Expect.equal(
        "messages of each task",
        List.of(messages, messages, messages),
        Arrays.stream(ofAuthor).boxed().toList());
  }

  private static void messageAboveHighWater(Trial trial) throws Exception {
    StreamPair pair = trial.open(StreamOptions.defaults().withWriteLimits(1024, 256));
    byte[] message = new byte[3 << 20];
    new Random(6).nextBytes(message);
    Task<byte[]> reading =
        trial.start("reader", () -> pair.right().reader().readExactly(message.length));

    pair.left().writer().write(message);

    Expect.bytes("what arrived", message, reading.await(IOException.class));
  }

  private static void waterMarksOfZero(Trial trial) throws Exception {
    StreamPair pair = trial.open(NO_BUFFER);
    byte[] message = new byte[100_000];
    Task<@Nullable Void> writing =
        trial.start(
            "writer",
            () -> {
              for (int i = 0; i < 20; i++) {
                pair.left().writer().write(message);
              }
              pair.left().writer().drain();
              trial.endOutput(pair.left().writer());
            });

    int expected = 20 * message.length;
    Expect.bytes("what arrived", new byte[expected], pair.right().reader().readAll());
    writing.await(IOException.class);
  }

  private static void callbackFailsAtTheCap(Trial trial) throws Exception {
    StreamPair pair = trial.open(CAPPED);
    StreamWriter writer = pair.left().writer();
    int filled = trial.fill(writer);
    int[] inCallback = {0};
    Expect.thrown(
        "a callback that writes and writes",
        WriteBufferFullException.class,
        () ->
            trial.inCallback(() -> {
              while (inCallback[0] < 2 * CAP) {
                writer.write(CHUNK);
                inCallback[0] += CHUNK.length;
              }
              return inCallback[0] + " bytes were taken";
            }));
    Expect.atMost("bytes that a callback left unsent", CAP, inCallback[0]);
    Expect.that(inCallback[0] > 0, "a callback may write although tasks must wait");

    int taken = filled + inCallback[0];
    Expect.bytes("what was taken", new byte[taken], pair.right().reader().readExactly(taken));
    writer.write("end");
    Expect.text("what comes next", "end", pair.right().reader().readExactly(3));
  }

  private static void messageAboveTheCap(Trial trial) throws Exception {
    StreamPair pair = trial.open(CAPPED);
    StreamWriter writer = pair.left().writer();
    byte[] message = new byte[CAP + 1];
    Expect.thrown(
        "a write of more than the cap in a callback",
        WriteBufferFullException.class,
        () ->
            trial.<@Nullable Void>inCallback(() -> {
              writer.write(message);
              return null;
            }));
    Expect.thrown(
        "a tryWrite() of more than the cap",
        WriteBufferFullException.class,
        () -> writer.tryWrite(message));
    writer.writeLine("nothing of it");

    Expect.text("what arrived", "nothing of it\n", pair.right().reader().readLine());
  }
}
