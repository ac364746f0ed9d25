package dev.weir.testing;

import dev.weir.stream.StreamWriter;
import dev.weir.testing.StreamContract.Check;
import java.util.List;
import java.util.Random;

/** A transport whose directions end one by one: what one end still does when the other is done. */
final class HalfCloseChecks {
  private HalfCloseChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "After writeEof() the peer sees everything, then the end, and its answer arrives",
            HalfCloseChecks::halfClose),
        new Check("A write after writeEof() is refused", HalfCloseChecks::writeAfterEof),
        new Check(
            "An end of the stream that is followed by a reset is a reset",
            HalfCloseChecks::resetAfterTheEnd));
  }

  private static void halfClose(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    Expect.equal("canWriteEof()", true, pair.left().writer().canWriteEof());
    byte[] request = new byte[300_000];
    new Random(9).nextBytes(request);
    byte[] answer = new byte[200_000];
    new Random(10).nextBytes(answer);
    trial.start(
        "asks",
        () -> {
          pair.left().writer().write(request);
          pair.left().writer().writeEof();
          pair.left().writer().writeEof();
        });

    Expect.bytes("the request", request, pair.right().reader().readAll());
    Expect.equal(
        "isClosing() of the end that has only read to the end",
        false,
        pair.right().writer().isClosing());
    trial.start(
        "answers",
        () -> {
          pair.right().writer().write(answer);
          pair.right().writer().writeEof();
        });
    Expect.bytes("the answer", answer, pair.left().reader().readAll());

    pair.close();
    pair.left().writer().waitClosed();
    pair.right().writer().waitClosed();
  }

  private static void writeAfterEof(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    writer.writeEof();

    Expect.thrownBy("write()", IllegalStateException.class, () -> writer.write("x"));
    Expect.thrown(
        "tryWrite()", IllegalStateException.class, () -> writer.tryWrite(Expect.bytes("x")));
    Expect.text("what arrived", "", pair.right().reader().readAll());
  }

  private static void resetAfterTheEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("all");
    pair.left().writer().writeEof();
    Expect.text("what arrived", "all", pair.right().reader().readAll());

    pair.left().writer().abort();

    LossChecks.expectReset(trial, "writing on and on", () -> Trial.writeOn(pair.right().writer()));
    LossChecks.expectEveryCallSaysReset(trial, pair.right());
  }
}
