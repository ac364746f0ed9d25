package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Who waits for a peer that does not read, and in which order they go on. */
final class BackPressureChecks {
  private static final int CHUNK_BYTES = 64 * 1024;
  private static final StreamOptions SMALL =
      StreamOptions.defaults().withLimit(1024).withWriteLimits(4096, 1024);

  private static final int LOWERED = 4000;

  private BackPressureChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "A peer that does not read holds the writer back, and gets everything once it reads",
            trial -> heldBackWithinBounds(trial, StreamOptions.defaults())),
        new Check(
            "A peer with small buffers that does not read holds the writer back as well",
            trial -> heldBackWithinBounds(trial, SMALL)),
        new Check(
            "Two peers that both write before they read do not lose a byte",
            BackPressureChecks::bothWriteFirst),
        new Check(
            "Writers that wait go on in the order of their calls, and nobody overtakes them",
            BackPressureChecks::inTheOrderOfCalls),
        new Check(
            "tryWrite() is refused and writes nothing while too much is unsent",
            BackPressureChecks::tryWriteIsRefused),
        new Check(
            "drain() returns at once while writers need not wait",
            BackPressureChecks::drainReturnsAtOnce),
        new Check(
            "Writers that wait because the water marks were lowered go on as well",
            BackPressureChecks::loweredWaterMarks),
        new Check(
            "A write that is cancelled while it waits wrote nothing",
            BackPressureChecks::cancelledWrite),
        new Check("A drain() that is cancelled loses nothing", BackPressureChecks::cancelledDrain));
  }

  private static void heldBackWithinBounds(Trial trial, StreamOptions options) throws Exception {
    StreamPair pair = trial.open(options);
    Random random = new Random(7);
    byte[] chunk = new byte[CHUNK_BYTES];
    random.nextBytes(chunk);
    long[] taken = {0};
    boolean[] enough = {false};
    Task<@Nullable Void> writing =
        trial.start(
            "writer",
            () -> {
              while (!enough[0]) {
                pair.left().writer().write(chunk);
                taken[0] += chunk.length;
                Expect.atMost(
                    "what was taken while nobody reads, in bytes",
                    Trial.SWALLOWED_BYTES_MAX,
                    taken[0]);
              }
              trial.endOutput(pair.left().writer());
            });
    trial.untilHeldBack(writing, () -> taken[0]);
    if (writing.done()) {
      writing.await(IOException.class); // It throws: too much was taken.
    }
    enough[0] = true;

    StreamReader reader = pair.right().reader();
    long received = 0;
    while (true) {
      byte[] read = reader.read(CHUNK_BYTES);
      if (read.length == 0) {
        break;
      }
      for (byte each : read) {
        if (each != chunk[(int) (received % chunk.length)]) {
          throw new AssertionError(
              "what arrived: the first difference to what was written is at offset " + received);
        }
        received++;
      }
    }
    Expect.equal("bytes that arrived", taken[0], received);
    writing.await(IOException.class);
  }

  private static void bothWriteFirst(Trial trial) throws Exception {
    StreamPair pair = trial.open(SMALL);
    byte[] message = new byte[100_000];
    new Random(8).nextBytes(message);
    List<Task<@Nullable Void>> tasks = new ArrayList<>();
    for (StreamEnd end : List.of(pair.left(), pair.right())) {
      tasks.add(
          trial.start(
              "writes, then reads",
              () -> {
                for (int i = 0; i < 3; i++) {
                  end.writer().write(message); // The second waits for bytes that may be unread.
                  Expect.bytes("message " + i, message, end.reader().readExactly(message.length));
                }
              }));
    }

    for (Task<@Nullable Void> task : tasks) {
      task.await(IOException.class);
    }
  }

  private static void inTheOrderOfCalls(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    int filled = trial.fill(pair.left().writer());
    StringBuilder expected = new StringBuilder();
    for (int i = 0; i < 10; i++) {
      // Every other message fills the buffer again, so that the next needs a drain of its own.
      String message = i + "-".repeat(i % 2 == 0 ? 1 : 100_000) + "\n";
      expected.append(message);
      trial.start("writer " + i, () -> pair.left().writer().write(message));
      trial.settle(); // The loop need not begin tasks in the order of their making.
    }
    expected.append("newcomer\n");
    trial.start("newcomer", () -> trial.writeAsSoonAsPossible(pair.left().writer(), "newcomer\n"));

    pair.right().reader().readExactly(filled);
    byte[] arrived = pair.right().reader().readExactly(expected.length());

    Expect.equal(
        "the order of the messages",
        "0123456789newcomer",
        new String(arrived, UTF_8).replaceAll("[-\n]", ""));
    Expect.text("what arrived", expected.toString(), arrived);
  }

  private static void tryWriteIsRefused(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    Expect.equal("tryWrite() into an empty buffer", true, writer.tryWrite(Expect.bytes("!")));
    int filled = trial.fill(writer);
    Task<byte[]> reading =
        trial.start("reader", () -> pair.right().reader().readExactly(filled + 2));
    trial.start(
        "drainer",
        () -> {
          writer.drain();
          Expect.equal("tryWrite() after drain()", true, writer.tryWrite(Expect.bytes(".")));
        });

    byte[] arrived = reading.await(IOException.class);
    Expect.equal("the first byte", (byte) '!', arrived[0]);
    Expect.equal("the last byte", (byte) '.', arrived[filled + 1]);
  }

  private static void drainReturnsAtOnce(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("a little");
    long before = Objects.requireNonNull(Loop.currentTask()).suspensions();

    pair.left().writer().drain();

    long after = Objects.requireNonNull(Loop.currentTask()).suspensions();
    Expect.equal("suspensions in drain()", 0L, after - before);
  }

  private static void loweredWaterMarks(Trial trial) throws Exception {
    StreamPair pair = trial.open(StreamOptions.defaults().withWriteLimits(1 << 20, 1 << 19));
    StreamWriter writer = pair.left().writer();
    long taken = 0;
    while (writer.writeBufferSize() <= LOWERED) { // Until the transport takes no more.
      writer.write(new byte[LOWERED]);
      taken += LOWERED;
      Expect.atMost("what was taken while nobody reads", Trial.SWALLOWED_BYTES_MAX, taken);
      trial.settle();
    }
    writer.setWriteBufferLimits(LOWERED, LOWERED / 2);
    Task<@Nullable Void> writing = trial.start("writer", () -> writer.write("behind"));
    trial.untilWaiting(writing);

    pair.right().reader().skip(taken);
    byte[] behind = pair.right().reader().readExactly(6);

    writing.await(IOException.class);
    Expect.text("what the writer that had to wait wrote", "behind", behind);
  }

  private static void cancelledWrite(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    int filled = trial.fill(pair.left().writer());
    List<Task<@Nullable Void>> writers = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      String message = i + "\n";
      writers.add(trial.start("writer " + i, () -> pair.left().writer().write(message)));
      trial.settle(); // The loop need not begin tasks in the order of their making.
    }
    List.of(0, 2, 4).forEach(cancelled -> writers.get(cancelled).cancel());
    trial.settle();

    pair.right().reader().readExactly(filled);
    StringBuilder expected = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      if (awaitEnd(writers.get(i))) {
        expected.append(i + 1).append('\n');
      }
    }
    trial.endOutput(pair.left().writer());
    Expect.text(
        "what arrives of five writes, three of them cancelled",
        expected.toString(),
        pair.right().reader().readAll(1000));
  }

  /** {@return whether the task ended well, and was not cancelled} */
  private static boolean awaitEnd(Task<@Nullable Void> task) throws IOException {
    try {
      task.await(IOException.class);
      return true;
    } catch (CancelledError e) {
      return false;
    }
  }

  private static void cancelledDrain(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    int filled = trial.fill(writer);
    Task<@Nullable Void> first = trial.start("first drain", () -> writer.drain());
    Task<@Nullable Void> second = trial.start("second drain", () -> writer.drain());
    trial.settle();
    first.cancel();
    trial.settle();

    Expect.bytes("what was taken", new byte[filled], pair.right().reader().readExactly(filled));
    second.await(IOException.class);
    writer.write("end");
    Expect.text("what comes next", "end", pair.right().reader().readExactly(3));
  }
}
