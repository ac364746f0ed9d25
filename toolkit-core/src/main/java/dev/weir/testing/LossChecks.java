package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The other end of a connection: what had arrived stays readable, then every call says so. */
final class LossChecks {
  private LossChecks() {}

  /** {@return the checks of what every transport does} */
  static List<Check> all() {
    return List.of(
        new Check(
            "An abort ends writes and drains of the peer's that wait", LossChecks::peersWritesWait),
        new Check("An abort ends the calls of its own end that wait", LossChecks::ownCallsWait));
  }

  /** {@return the checks of a transport whose aborts reset} */
  static List<Check> ofResets() {
    return List.of(
        new Check(
            "After an abort the peer reads what had arrived, then every call says reset",
            LossChecks::arrivedThenReset),
        new Check(
            "What was sent before an abort arrives before the reset", LossChecks::sentThenReset),
        new Check(
            "A read that a reset leaves unsatisfied throws, and leaves the bytes to read()",
            LossChecks::unsatisfiedReads),
        new Check("An abort ends a read of the peer's that waits", LossChecks::peersReadWaits),
        new Check(
            "An abort drops what is unsent, and the peer does not take the rest for the whole",
            LossChecks::cutOffIsNoEnd),
        new Check("An abort after close() cuts the close short", LossChecks::abortCutsACloseShort));
  }

  /** {@return what {@code call} threw, which must tell of an abort} */
  static IOException expectReset(Trial trial, String what, Expect.Call call) {
    IOException told = trial.expectTold(what, call);
    Expect.that(told.getCause() != null, what + " tells what the transport reported as the cause");
    return told;
  }

  static void expectResetBy(Trial trial, String what, Expect.VoidCall call) {
    expectReset(
        trial,
        what,
        () -> {
          call.run();
          return "normally";
        });
  }

  static void expectEveryCallSaysReset(Trial trial, StreamEnd end) throws Exception {
    StreamReader reader = end.reader();
    StreamWriter writer = end.writer();
    Set<IOException> thrown = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < 2; i++) {
      thrown.add(expectReset(trial, "read(1)", () -> reader.read(1)));
      expectReset(trial, "readLine()", reader::readLine);
      expectReset(trial, "readLine(UTF_8)", () -> reader.readLine(UTF_8));
      expectReset(trial, "readExactly(1)", () -> reader.readExactly(1));
      expectReset(trial, "readUntil()", () -> reader.readUntil(Expect.bytes(";")));
      expectReset(trial, "readAll()", reader::readAll);
      UncheckedIOException unchecked =
          Expect.thrown("iterating", UncheckedIOException.class, () -> reader.iterator().hasNext());
      Expect.that(
          trial.tellsOfAbort(unchecked.getCause()),
          "iterating says reset, but it says " + unchecked.getCause());
      expectResetBy(trial, "write()", () -> writer.write("x"));
      expectResetBy(trial, "write() of nothing", () -> writer.write(new byte[0]));
      expectReset(trial, "tryWrite()", () -> writer.tryWrite(Expect.bytes("x")));
      expectReset(
          trial,
          "tryWrite() in a callback",
          () -> trial.inCallback(() -> writer.tryWrite(Expect.bytes("x"))));
      expectResetBy(trial, "drain()", writer::drain);
      expectResetBy(trial, "writeEof()", writer::writeEof);
      expectResetBy(trial, "waitClosed()", writer::waitClosed);
    }
    Expect.equal("exceptions of two reads, each with a stack of its own", 2, thrown.size());
    Expect.equal("atEof()", false, reader.atEof());
    Expect.equal("isClosing()", true, writer.isClosing());
  }

  private static void arrivedThenReset(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("line\nrest");
    Trial.awaitArrived(reader, 9);
    pair.left().writer().abort();

    Expect.text("the line that had arrived", "line\n", reader.readLine());
    Expect.text("a part of the rest", "re", reader.read(2));
    Expect.text("all of the rest", "st", reader.read(100));
    expectReset(trial, "the read after that", () -> reader.read(1));
    expectEveryCallSaysReset(trial, pair.right());
  }

  private static void sentThenReset(Trial trial) throws Exception {
    // With water marks of zero, drain() returns when the transport has sent everything.
    StreamPair pair = trial.open(StreamOptions.defaults().withWriteLimits(0, 0));
    pair.left().writer().write("last words");
    pair.left().writer().drain();
    pair.left().writer().abort();

    Expect.text("what was sent", "last words", pair.right().reader().readExactly(10));
    expectReset(trial, "the read after that", () -> pair.right().reader().read(1));
    expectEveryCallSaysReset(trial, pair.right());
  }

  private static void unsatisfiedReads(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("rest");
    Trial.awaitArrived(reader, 4);
    pair.left().writer().abort();

    expectReset(trial, "readLine()", reader::readLine);
    expectReset(trial, "readUntil()", () -> reader.readUntil(Expect.bytes(";")));
    expectReset(trial, "readExactly(5)", () -> reader.readExactly(5));
    expectReset(trial, "readAll()", reader::readAll);
    Expect.text("readExactly(1)", "r", reader.readExactly(1));
    Expect.text("readUntil(\"s\")", "es", reader.readUntil(Expect.bytes("s")));
    Expect.text("read(100)", "t", reader.read(100));
    expectReset(trial, "read(100) after that", () -> reader.read(100));
  }

  private static void peersReadWaits(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamReader reader = pair.right().reader();
    pair.left().writer().write("partial");
    Trial.awaitArrived(reader, 7);
    Task<byte[]> reading = trial.start("reader", () -> reader.readExactly(100));
    trial.untilWaiting(reading);

    pair.left().writer().abort();

    expectReset(trial, "the read that waited", () -> reading.await(IOException.class));
    Expect.text("what had arrived", "partial", reader.read(100));
    expectEveryCallSaysReset(trial, pair.right());
  }

  private static void peersWritesWait(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamWriter writer = pair.right().writer();
    trial.fill(writer);
    List<Task<?>> waiting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      waiting.add(trial.start("writer " + i, () -> Trial.writeOn(writer)));
    }
    waiting.add(
        trial.start(
            "drainer",
            () -> {
              writer.drain();
              return Trial.writeOn(writer); // The transport may have taken some more.
            }));
    trial.settle();

    pair.left().writer().abort();

    for (Task<?> task : waiting) {
      expectReset(trial, task.name(), () -> task.await(IOException.class));
    }
    expectEveryCallSaysReset(trial, pair.right());
  }

  private static void cutOffIsNoEnd(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    trial.fill(pair.left().writer());
    pair.left().writer().abort();

    expectReset(trial, "reading to the end", () -> readToTheEnd(pair.right().reader()));
  }

  private static void abortCutsACloseShort(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    trial.fill(pair.left().writer());
    pair.left().writer().close();
    pair.left().writer().abort();

    expectReset(trial, "reading to the end", () -> readToTheEnd(pair.right().reader()));
    expectResetBy(
        trial, "waitClosed() of the aborted end", () -> pair.left().writer().waitClosed());
  }

  private static String readToTheEnd(StreamReader reader) throws IOException {
    long received = 0;
    while (true) {
      int length = reader.read(1 << 20).length;
      if (length == 0) {
        return "an end of the stream after " + received + " bytes";
      }
      received += length;
    }
  }

  private static void ownCallsWait(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    StreamEnd own = pair.left();
    Task<byte[]> reading = trial.start("reader", () -> own.reader().readLine());
    trial.fill(own.writer());
    Task<String> writing = trial.start("writer", () -> Trial.writeOn(own.writer()));
    Task<@Nullable Void> closing = trial.start("waitClosed", () -> own.writer().waitClosed());
    trial.untilWaiting(closing);

    own.writer().abort();

    expectReset(trial, "the read that waited", () -> reading.await(IOException.class));
    Expect.thrown(
        "the write that waited", SocketException.class, () -> writing.await(IOException.class));
    expectReset(trial, "the waitClosed() that waited", () -> closing.await(IOException.class));
    expectResetBy(trial, "drain()", () -> own.writer().drain());
    Expect.thrownBy("write()", SocketException.class, () -> own.writer().write("x"));
    own.writer().abort();
    own.writer().close();
  }
}
