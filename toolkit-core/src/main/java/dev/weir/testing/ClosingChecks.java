package dev.weir.testing;

import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.net.SocketException;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The orderly end of a connection: close, and waiting for it. */
final class ClosingChecks {
  private ClosingChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "close() does not wait; everything written arrives, then the end",
            ClosingChecks::closeDelivers),
        new Check(
            "close() with input that nobody has read delivers everything as well",
            ClosingChecks::closeWithUnreadInput),
        new Check("close() ends a read that waits", ClosingChecks::closeDuringARead),
        new Check(
            "close() ends a write that waits; what was taken before still arrives",
            ClosingChecks::closeDuringAWrite),
        new Check(
            "After close() writes fail, reads see the end, and a second close() does nothing",
            ClosingChecks::afterClose),
        new Check(
            "waitClosed() waits for the end, however often it is called",
            ClosingChecks::waitClosed),
        new Check(
            "Writing to a peer that has closed fails in the end, rather than never",
            ClosingChecks::writeToAClosedPeer),
        new Check(
            "The local address of one end is the remote address of the other, also after close()",
            ClosingChecks::addresses));
  }

  private static void closeDelivers(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] message = new byte[1 << 20];
    new Random(11).nextBytes(message);
    pair.left().writer().write(message);
    long before = Objects.requireNonNull(Loop.currentTask()).suspensions();
    pair.left().writer().close();
    long after = Objects.requireNonNull(Loop.currentTask()).suspensions();

    Expect.equal("suspensions in close()", 0L, after - before);
    Expect.equal("isClosing()", true, pair.left().writer().isClosing());
    Expect.bytes("what arrived", message, pair.right().reader().readAll());
    pair.right().writer().close();
    pair.left().writer().waitClosed();
  }

  private static void closeWithUnreadInput(Trial trial) throws Exception {
    StreamPair pair = trial.open(StreamOptions.defaults().withLimit(1024));
    pair.right().writer().write(new byte[50_000]);
    Trial.awaitArrived(pair.left().reader(), 2 * 1024 + 1);
    byte[] message = new byte[100_000];
    new Random(12).nextBytes(message);
    pair.left().writer().write(message);
    pair.left().writer().close();

    Expect.bytes("what arrived", message, pair.right().reader().readAll());
  }

  private static void closeDuringARead(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    Task<byte[]> reading = trial.start("reader", () -> pair.left().reader().readLine());
    trial.untilWaiting(reading);

    pair.left().writer().close();

    Expect.text("the read that waited", "", reading.await(IOException.class));
  }

  private static void closeDuringAWrite(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    int[] taken = {0};
    byte[] chunk = new byte[64 * 1024];
    Task<@Nullable Void> writing =
        trial.start(
            "writer",
            () -> {
              while (taken[0] <= Trial.SWALLOWED_BYTES_MAX) {
                pair.left().writer().write(chunk);
                taken[0] += chunk.length;
              }
            });
    trial.untilHeldBack(writing, () -> taken[0]);
    pair.left().writer().close();

    Expect.thrownBy(
        "the write that waited", SocketException.class, () -> writing.await(IOException.class));
    Expect.bytes(
        "what arrived",
        new byte[taken[0]],
        pair.right().reader().readAll(2 * Trial.SWALLOWED_BYTES_MAX));
  }

  private static void afterClose(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    StreamReader reader = pair.left().reader();
    pair.right().writer().write("unread");
    Trial.awaitArrived(reader, 6);
    writer.close();

    for (int i = 0; i < 2; i++) {
      Expect.thrownBy("write()", SocketException.class, () -> writer.write("x"));
      Expect.thrown("tryWrite()", SocketException.class, () -> writer.tryWrite(Expect.bytes("x")));
      writer.drain();
      if (trial.canHalfClose()) {
        writer.writeEof();
      }
      writer.close();
      Trial.discardRest(reader);
      Expect.text("a read", "", reader.read(1));
      Expect.equal("isClosing()", true, writer.isClosing());
    }
    Expect.text("what arrived", "", pair.right().reader().readAll());
  }

  private static void waitClosed(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    Task<@Nullable Void> first = trial.start("first", () -> writer.waitClosed());
    Task<@Nullable Void> second = trial.start("second", () -> writer.waitClosed());
    Task<@Nullable Void> cancelled = trial.start("cancelled", () -> writer.waitClosed());
    trial.untilWaiting(cancelled);
    cancelled.cancel();
    trial.settle();
    Expect.equal("whether waitClosed() returned before close()", false, first.done());
    writer.writeLine("alive");
    Expect.text("what arrived", "alive\n", pair.right().reader().readLine());

    writer.close();

    first.await(IOException.class);
    second.await(IOException.class);
    writer.waitClosed();
  }

  private static void writeToAClosedPeer(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.right().writer().close();
    Expect.text("what arrived", "", pair.left().reader().read(1));

    Expect.thrown(
        "writing on and on",
        ConnectionResetException.class,
        () -> Trial.writeOn(pair.left().writer()));
    Expect.thrownBy(
        "the drain() after that",
        ConnectionResetException.class,
        () -> pair.left().writer().drain());
  }

  private static void addresses(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    for (int i = 0; i < 2; i++) {
      StreamWriter left = pair.left().writer();
      StreamWriter right = pair.right().writer();
      Expect.equal("the remote address of right", left.localAddress(), right.remoteAddress());
      Expect.equal("the remote address of left", right.localAddress(), left.remoteAddress());
      pair.close();
      left.waitClosed();
      right.waitClosed();
    }
  }
}
