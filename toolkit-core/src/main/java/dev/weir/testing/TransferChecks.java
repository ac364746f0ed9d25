package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Check;
import java.io.EOFException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** What looks at, drops, or hands on what arrived, and what sends a file. */
final class TransferChecks {
  private static final int PART_BYTES = 64 * 1024;

  /** More than any transport swallows while nobody reads; most of it is never sent. */
  private static final int LARGE_BYTES = 32 << 20;

  private TransferChecks() {}

  static List<Check> all() {
    return List.of(
        new Check("peek(n) leaves in the stream what it returns", TransferChecks::peekLeaves),
        new Check(
            "read(buffer) fills what is there and says -1 at the end",
            TransferChecks::readIntoBuffer),
        new Check(
            "skip(n) drops n bytes, however many, and fails where the stream ends before",
            TransferChecks::skipDrops),
        new Check(
            "skip(consumed) goes past a line that was too long, and nothing after it is lost",
            TransferChecks::skipPastALongLine),
        new Check("A limit for one call counts for that call only", TransferChecks::limitOfOneCall),
        new Check(
            "transferTo hands on everything up to the end, in order",
            TransferChecks::transferToTheEnd),
        new Check(
            "transferTo with a maximum leaves what comes behind it",
            TransferChecks::transferAtMost),
        new Check(
            "transferTo holds its source back while the target takes nothing",
            TransferChecks::transferHoldsBack),
        new Check("A cancelled transferTo loses nothing", TransferChecks::cancelledTransfer),
        new Check(
            "transferTo fails when its target is closed", TransferChecks::transferToAClosedTarget),
        new Check("A stream can be handed on to its own peer", TransferChecks::transferToItself),
        new Check(
            "sendFile sends a part of a file, and what is written later comes behind it",
            TransferChecks::sendsAFile),
        new Check(
            "A cancelled sendFile leaves a stream that goes on", TransferChecks::cancelledFile),
        new Check("awaitPeerGone returns when the peer ends its stream", TransferChecks::peerGone),
        new Check(
            "The JDK's streams on top read and write the same bytes", TransferChecks::jdkStreams));
  }

  private static void peekLeaves(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("abc");

    byte[] first = pair.right().reader().peek(1);
    byte[] again = pair.right().reader().peek(1);

    Expect.text("the byte at the first look", "a", first);
    Expect.text("the byte at the second look", "a", again);
    Expect.text("what is read then", "abc", pair.right().reader().readExactly(3));
  }

  private static void readIntoBuffer(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    pair.left().writer().write("abcdef");
    pair.right().reader().peek(1);
    ByteBuffer target = ByteBuffer.allocate(4);

    int read = 0;
    while (target.hasRemaining()) {
      read += pair.right().reader().read(target);
    }
    int withoutRoom = pair.right().reader().read(target);
    trial.endOutput(pair.left().writer());
    byte[] rest = pair.right().reader().readAll();
    int atEnd = pair.right().reader().read(ByteBuffer.allocate(1));

    Expect.equal("how many bytes were read", 4, read);
    Expect.text("the bytes", "abcd", target.array());
    Expect.equal("how many without room", 0, withoutRoom);
    Expect.text("the rest", "ef", rest);
    Expect.equal("the count at the end", -1, atEnd);
  }

  private static void skipDrops(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    trial.start(
        "left writes",
        () -> {
          pair.left().writer().write(new byte[4 * PART_BYTES]);
          pair.left().writer().write("rest");
          trial.endOutput(pair.left().writer());
        });

    pair.right().reader().skip(4 * PART_BYTES);
    byte[] rest = pair.right().reader().readExactly(3);
    Expect.thrownBy("skip beyond the end", EOFException.class, () -> pair.right().reader().skip(2));

    Expect.text("what came behind", "res", rest);
  }

  private static void skipPastALongLine(Trial trial) throws Exception {
    StreamPair pair = trial.open(StreamOptions.defaults().withLimit(16));
    trial.start("left writes", () -> pair.left().writer().write("x".repeat(1000) + "\nnext\n"));

    while (true) {
      try {
        Expect.text("the line that fits", "\n", pair.right().reader().readLine());
        break;
      } catch (LimitOverrunException e) {
        pair.right().reader().skip(e.consumed());
      }
    }

    Expect.text("the line behind", "next\n", pair.right().reader().readLine());
  }

  private static void limitOfOneCall(Trial trial) throws Exception {
    StreamPair pair = trial.open(StreamOptions.defaults().withLimit(100));
    pair.left().writer().write("twelve bytes\n" + "x".repeat(200) + "\n");

    Expect.thrown(
        "readLine(4)", LimitOverrunException.class, () -> pair.right().reader().readLine(4));
    byte[] line = pair.right().reader().readLine();
    byte[] longLine = pair.right().reader().readLine(200);

    Expect.text("the line", "twelve bytes\n", line);
    Expect.equal("the length of the long one", 201, longLine.length);
  }

  private static void transferToTheEnd(Trial trial) throws Exception {
    StreamPair in = trial.open();
    StreamPair out = trial.open();
    byte[] sent = random(4 * PART_BYTES);
    trial.start(
        "writer",
        () -> {
          in.left().writer().write(sent);
          trial.endOutput(in.left().writer());
        });
    Task<Long> transferring =
        trial.start(
            "transfer",
            () -> {
              long moved = in.right().reader().transferTo(out.left().writer());
              trial.endOutput(out.left().writer());
              return moved;
            });

    byte[] arrived = out.right().reader().readAll();

    Expect.equal("how many bytes were moved", (long) sent.length, transferring.await());
    Expect.bytes("what arrived", sent, arrived);
  }

  private static void transferAtMost(Trial trial) throws Exception {
    StreamPair in = trial.open();
    StreamPair out = trial.open();
    trial.start("writer", () -> in.left().writer().write("12345678rest"));

    long moved = in.right().reader().transferTo(out.left().writer(), 8);
    byte[] rest = in.right().reader().readExactly(4);

    Expect.equal("how many bytes were moved", 8L, moved);
    Expect.text("the bytes", "12345678", out.right().reader().readExactly(8));
    Expect.text("what is left", "rest", rest);
  }

  private static void transferHoldsBack(Trial trial) throws Exception {
    StreamPair in = trial.open();
    StreamPair out = trial.open();
    byte[] chunk = random(PART_BYTES);
    boolean[] enough = {false};
    long[] taken = {0};
    Task<?> writing =
        trial.start(
            "writer",
            () -> {
              while (!enough[0]) {
                in.left().writer().write(chunk);
                taken[0] += chunk.length;
                Expect.atMost(
                    "what two connections took while nobody reads, in bytes",
                    2L * Trial.SWALLOWED_BYTES_MAX,
                    taken[0]);
              }
              trial.endOutput(in.left().writer());
            });
    trial.start(
        "transfer",
        () -> {
          in.right().reader().transferTo(out.left().writer());
          trial.endOutput(out.left().writer());
        });
    trial.untilHeldBack(writing, () -> taken[0]);
    long unsent = out.left().writer().writeBufferSize();
    enough[0] = true;

    long received = 0;
    while (true) {
      byte[] read = out.right().reader().read(PART_BYTES);
      if (read.length == 0) {
        break;
      }
      received += read.length;
    }

    Expect.atMost("what the target held unsent, in bytes", 512 * 1024, unsent);
    Expect.equal("bytes that arrived in the end", taken[0], received);
  }

  private static void cancelledTransfer(Trial trial) throws Exception {
    StreamPair in = trial.open();
    StreamPair out = trial.open();
    Task<?> transferring =
        trial.start("transfer", () -> in.right().reader().transferTo(out.left().writer()));
    in.left().writer().write("before");
    byte[] before = out.right().reader().readExactly(6);

    transferring.cancel();
    Asyncio.wait(List.of(transferring));
    in.left().writer().write("after");
    byte[] after = in.right().reader().readExactly(5);

    Expect.text("what was handed on", "before", before);
    Expect.text("what stayed", "after", after);
    Expect.that(transferring.cancelled(), "the transfer was cancelled");
  }

  private static void transferToAClosedTarget(Trial trial) throws Exception {
    StreamPair in = trial.open();
    StreamPair out = trial.open();
    Task<?> transferring =
        trial.start(
            "transfer",
            () ->
                Expect.thrown(
                    "transferTo",
                    SocketException.class,
                    () -> in.right().reader().transferTo(out.left().writer())));
    in.left().writer().write("x");
    out.right().reader().readExactly(1);

    out.left().writer().close();
    in.left().writer().write("y");

    transferring.await();
    Expect.text("what nobody took", "y", in.right().reader().readExactly(1));
  }

  private static void transferToItself(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] sent = random(4 * PART_BYTES);
    Task<Long> echoing =
        trial.start(
            "echo",
            () -> {
              long moved = pair.right().reader().transferTo(pair.right().writer());
              trial.endOutput(pair.right().writer());
              return moved;
            });
    trial.start("writer", () -> pair.left().writer().write(sent));

    byte[] back = pair.left().reader().readExactly(sent.length);
    trial.endOutput(pair.left().writer());
    byte[] rest = pair.left().reader().readAll();

    Expect.bytes("what came back", sent, back);
    Expect.text("what came behind it", "", rest);
    Expect.equal("how many bytes were handed on", (long) sent.length, echoing.await());
  }

  private static void sendsAFile(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    byte[] content = random(2 * PART_BYTES);
    Path file = Files.createTempFile("weir", ".bin");
    try {
      Files.write(file, content);
      Task<Long> sending =
          trial.start(
              "send",
              () -> {
                pair.left().writer().write("head");
                long sent;
                try (FileChannel open = FileChannel.open(file, StandardOpenOption.READ)) {
                  sent = pair.left().writer().sendFile(open, 1, PART_BYTES);
                }
                sent += pair.left().writer().sendFile(file);
                pair.left().writer().write("tail");
                trial.endOutput(pair.left().writer());
                return sent;
              });

      byte[] head = pair.right().reader().readExactly(4);
      byte[] part = pair.right().reader().readExactly(PART_BYTES);
      byte[] whole = pair.right().reader().readExactly(content.length);
      byte[] tail = pair.right().reader().readAll();

      Expect.text("what came first", "head", head);
      Expect.bytes("the part", Arrays.copyOfRange(content, 1, 1 + PART_BYTES), part);
      Expect.bytes("the file", content, whole);
      Expect.text("what came last", "tail", tail);
      Expect.equal("how many bytes were sent", (long) PART_BYTES + content.length, sending.await());
    } finally {
      Files.delete(file);
    }
  }

  private static void cancelledFile(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    Path file = Files.createTempFile("weir", ".bin");
    try (FileChannel open = FileChannel.open(file, StandardOpenOption.WRITE)) {
      open.write(ByteBuffer.wrap(new byte[] {1}), LARGE_BYTES - 1); // All before it are zeros.
      Task<?> sending = trial.start("send", () -> pair.left().writer().sendFile(file));
      pair.right().reader().skip(1);

      sending.cancel();
      Asyncio.wait(List.of(sending));
      trial.start(
          "end",
          () -> {
            pair.left().writer().write("end");
            trial.endOutput(pair.left().writer());
          });
      byte[] rest = pair.right().reader().readAll(LARGE_BYTES);

      Expect.that(sending.cancelled(), "the sending was cancelled");
      int zeros = 0;
      while (zeros < rest.length && rest[zeros] == 0) {
        zeros++;
      }
      Expect.text(
          "what comes behind a part of the file",
          "end",
          Arrays.copyOfRange(rest, zeros, rest.length));
    } finally {
      Files.delete(file);
    }
  }

  private static void peerGone(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    Task<?> waiting = trial.start("wait", () -> pair.right().writer().awaitPeerGone());
    pair.left().writer().write("still there");
    pair.right().reader().readExactly(11);
    Expect.that(!waiting.done(), "awaitPeerGone waits while the peer is there");

    trial.endOutput(pair.left().writer());

    waiting.await();
  }

  private static void jdkStreams(Trial trial) throws Exception {
    StreamPair pair = trial.open();
    trial.start(
        "left writes",
        () -> {
          var out = pair.left().writer().asOutputStream();
          out.write('a');
          out.write("bcd".getBytes(UTF_8));
          trial.endOutput(pair.left().writer());
        });

    var in = pair.right().reader().asInputStream();
    int first = in.read();
    byte[] rest = in.readAllBytes();
    int end = in.read();

    Expect.equal("the first byte", (int) 'a', first);
    Expect.text("the rest", "bcd", rest);
    Expect.equal("the end", -1, end);
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
