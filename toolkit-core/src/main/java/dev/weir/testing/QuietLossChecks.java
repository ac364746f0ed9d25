package dev.weir.testing;

import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.util.List;

/**
 * The other end of a connection whose transport has no reset: it reads what had arrived and then
 * the end, and learns of the loss when it writes.
 */
final class QuietLossChecks {
  private QuietLossChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "After an abort the peer reads what had arrived, then the end; once a write has failed,"
                + " every call says reset",
            QuietLossChecks::arrivedThenEnd),
        new Check(
            "What was sent before an abort arrives before the end", QuietLossChecks::sentThenEnd),
        new Check(
            "A read that an abort leaves unsatisfied has what had arrived",
            QuietLossChecks::unsatisfiedReads),
        new Check("An abort ends a read of the peer's that waits", QuietLossChecks::peersReadWaits),
        new Check("An abort drops what is unsent", QuietLossChecks::unsentIsDropped),
        new Check(
            "An abort after close() cuts the close short", QuietLossChecks::abortCutsACloseShort));
  }

  private static void expectResetOnceAWriteHasFailed(Trial trial, StreamEnd end) throws Exception {
    Expect.thrown(
        "writing on and on", ConnectionResetException.class, () -> Trial.writeOn(end.writer()));
    LossChecks.expectEveryCallSaysReset(trial, end);
  }

  private static void arrivedThenEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("line\nrest");
    Trial.awaitArrived(reader, 9);
    pair.left().writer().abort();

    Expect.text("the line that had arrived", "line\n", reader.readLine());
    Expect.text("a part of the rest", "re", reader.read(2));
    Expect.text("all of the rest", "st", reader.readAll());
    Expect.equal("atEof()", true, reader.atEof());
    expectResetOnceAWriteHasFailed(trial, pair.right());
  }

  private static void sentThenEnd(Trial trial) throws Exception {
    // With water marks of zero, drain() returns when the transport has sent everything.
    StreamPair pair = trial.open(StreamOptions.defaults().withWriteLimits(0, 0));
    pair.left().writer().write("last words");
    pair.left().writer().drain();
    pair.left().writer().abort();

    Expect.text("what was sent", "last words", pair.right().reader().readAll());
    expectResetOnceAWriteHasFailed(trial, pair.right());
  }

  private static void unsatisfiedReads(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("rest");
    Trial.awaitArrived(reader, 4);
    pair.left().writer().abort();

    IncompleteReadException incomplete =
        Expect.thrown("readExactly(5)", IncompleteReadException.class, () -> reader.readExactly(5));
    Expect.text("what it has", "rest", incomplete.partial());
  }

  private static void peersReadWaits(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("partial");
    Trial.awaitArrived(reader, 7);
    Task<byte[]> reading = trial.start("reader", () -> reader.readExactly(100));
    trial.untilWaiting(reading);

    pair.left().writer().abort();

    IncompleteReadException incomplete =
        Expect.thrown(
            "the read that waited",
            IncompleteReadException.class,
            () -> reading.await(IOException.class));
    Expect.text("what it has", "partial", incomplete.partial());
    expectResetOnceAWriteHasFailed(trial, pair.right());
  }

  private static void unsentIsDropped(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    long written = trial.fill(pair.left().writer());
    pair.left().writer().abort();

    expectFewerThan(written, pair.right().reader());
  }

  private static void abortCutsACloseShort(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    long written = trial.fill(pair.left().writer());
    pair.left().writer().close();
    pair.left().writer().abort();

    expectFewerThan(written, pair.right().reader());
    LossChecks.expectResetBy(
        trial, "waitClosed() of the aborted end", () -> pair.left().writer().waitClosed());
  }

  private static void expectFewerThan(long written, StreamReader reader) throws IOException {
    long received = reader.readAll(2 * Trial.SWALLOWED_BYTES_MAX).length;
    Expect.that(
        received < written,
        "of " + written + " bytes those are dropped that were unsent, but all of them arrived");
  }
}
