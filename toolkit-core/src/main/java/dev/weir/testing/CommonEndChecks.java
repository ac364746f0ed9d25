package dev.weir.testing;

import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A transport whose directions end together: whoever closes ends what both ends write. */
final class CommonEndChecks {
  private CommonEndChecks() {}

  static List<Check> all() {
    return List.of(
        new Check(
            "canWriteEof() says no, and writeEof() is refused without harm",
            CommonEndChecks::writeEofIsRefused),
        new Check(
            "After the peer's close a reader has everything, then the end, and writes fail",
            CommonEndChecks::everythingThenTheEnd),
        new Check(
            "When one end is closed the other one closes, too, and neither is lost",
            CommonEndChecks::bothEndsClose),
        new Check(
            "A peer's close ends writes and drains that wait", CommonEndChecks::waitingWritesEnd));
  }

  private static void writeEofIsRefused(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.left().writer();
    writer.write("before, ");
    for (int i = 0; i < 2; i++) {
      Expect.equal("canWriteEof()", false, writer.canWriteEof());
      Expect.thrownBy("writeEof()", UnsupportedOperationException.class, writer::writeEof);
    }
    writer.write("behind");
    Expect.text("what arrived", "before, behind", pair.right().reader().readExactly(14));
    pair.right().writer().write("answer");
    Expect.text("the answer", "answer", pair.left().reader().readExactly(6));
    Expect.equal("isClosing()", false, writer.isClosing());

    writer.close();
    Expect.equal("canWriteEof() after close()", false, writer.canWriteEof());
    Expect.text("what comes last", "", pair.right().reader().readAll());
  }

  private static void everythingThenTheEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] message = new byte[300_000]; // More than a reader takes before it is read from.
    new Random(13).nextBytes(message);
    pair.left().writer().write(message);
    pair.left().writer().close();

    Expect.bytes("what arrived", message, pair.right().reader().readAll());
    Expect.equal("atEof()", true, pair.right().reader().atEof());
    StreamWriter writer = pair.right().writer();
    Expect.thrown("writing on and on", ConnectionResetException.class, () -> Trial.writeOn(writer));
    Expect.thrownBy("the drain() after that", ConnectionResetException.class, writer::drain);
    Expect.equal("isClosing()", true, writer.isClosing());
    Expect.text("a read after that", "", pair.right().reader().read(1));
  }

  private static void bothEndsClose(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("unread");
    pair.left().writer().close();

    pair.right().writer().waitClosed();
    pair.left().writer().waitClosed();
    Expect.text("what had arrived", "unread", pair.right().reader().readAll());
  }

  private static void waitingWritesEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.right().writer();
    trial.fill(writer);
    Task<String> writing = trial.start("writer", () -> Trial.writeOn(writer));
    Task<@Nullable Void> closing = trial.start("waitClosed", () -> writer.waitClosed());
    trial.untilWaiting(closing);

    pair.left().writer().close();

    Expect.thrown(
        "the write that waited",
        ConnectionResetException.class,
        () -> writing.await(IOException.class));
    closing.await(IOException.class);
  }
}
