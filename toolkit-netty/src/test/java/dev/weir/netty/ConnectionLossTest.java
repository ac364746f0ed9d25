package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.task.Task;
import io.netty.channel.Channel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.extension.ExtendWith;

/** A peer that goes away in the middle: what arrived stays readable, then every call says so. */
@ExtendWith(LeakCheck.class)
class ConnectionLossTest {

  private static void assertReset(ThrowingCallable call) {
    assertThatExceptionOfType(ConnectionResetException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.getCause()).as("what the transport reported").isNotNull());
  }

  private static void assertEveryCallSaysReset(StreamReader reader, StreamWriter writer) {
    for (int i = 0; i < 2; i++) {
      assertReset(() -> reader.read(1));
      assertReset(reader::readLine);
      assertReset(() -> reader.readLine(UTF_8));
      assertReset(() -> reader.readExactly(1));
      assertReset(() -> reader.readUntil(bytes(";")));
      assertReset(reader::readAll);
      assertThatThrownBy(() -> reader.iterator().next())
          .isInstanceOf(UncheckedIOException.class)
          .hasCauseInstanceOf(ConnectionResetException.class);
      assertReset(() -> writer.write("x"));
      assertReset(() -> writer.write(bytes("x"), bytes("y")));
      assertReset(() -> writer.tryWrite(bytes("x")));
      assertReset(() -> OnLoop.inCallback(() -> writer.tryWrite(bytes("x"))));
      assertReset(writer::drain);
      assertReset(writer::writeEof);
      assertReset(writer::waitClosed);
    }
    assertThat(reader.atEof()).as("a reset is not an end of stream").isFalse();
    assertThat(writer.isClosing()).isTrue();
  }

  // --- Reading

  @EachTransportAndIoUring
  void whatArrivedBeforeAResetStaysReadableThenEveryCallSaysReset(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("line\nrest");
          peer.reset();

          assertThat(text(peer.reader().readLine())).isEqualTo("line\n");
          assertThat(text(peer.reader().read(2))).isEqualTo("re");
          assertThat(text(peer.reader().read(100))).isEqualTo("st");
          assertReset(() -> peer.reader().read(1));
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  @EachTransportAndIoUring
  void aReadThatAResetLeavesUnsatisfiedThrowsAndLeavesTheBytes(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("rest");
          peer.reset();

          assertReset(peer.reader()::readLine);
          assertReset(() -> peer.reader().readUntil(bytes(";")));
          assertReset(() -> peer.reader().readExactly(5));
          assertReset(() -> peer.reader().readAll());
          assertThat(text(peer.reader().readExactly(1))).isEqualTo("r");
          assertThat(text(peer.reader().readUntil(bytes("s")))).isEqualTo("es");
          assertThat(text(peer.reader().read(100))).isEqualTo("t");
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  @EachTransportAndIoUring
  void aResetEndsAReadThatWaits(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("partial");
          Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readExactly(100));
          peer.awaitArrived(7);
          OnLoop.passRounds(1);

          peer.reset();

          assertReset(reading::await);
          assertThat(text(peer.reader().read(100))).isEqualTo("partial");
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  @EachTransportAndIoUring
  void everyThrowIsAnExceptionOfItsOwn(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.reset();
          List<Throwable> thrown = new ArrayList<>();
          for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> peer.reader().read(1)).satisfies(thrown::add);
          }

          assertThat(thrown.get(0)).isNotSameAs(thrown.get(1));
          assertThat(thrown.get(0).getCause()).isSameAs(thrown.get(1).getCause());
        });
  }

  /**
   * The transport is paused when the reset comes: what our reader and the kernel hold is still
   * handed out.
   */
  @EachTransportAndIoUring
  void aResetBehindAFullBufferIsSeenAfterTheBytes(String transport) {
    OnLoop.withPeer(
        transport,
        StreamOptions.defaults().withLimit(1024),
        peer -> {
          byte[] sent = new byte[100_000];
          new Random(4).nextBytes(sent);
          peer.send(sent);
          peer.awaitArrived(2049);
          peer.reset();

          int received = 0;
          try {
            while (true) {
              byte[] read = peer.reader().read(700);
              assertThat(read)
                  .isEqualTo(Arrays.copyOfRange(sent, received, received + read.length));
              received += read.length;
            }
          } catch (ConnectionResetException e) {
            assertThat(received).isEqualTo(sent.length);
          }
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  @EachTransportAndIoUring
  void anEndOfStreamFollowedByAResetIsAReset(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("all");
          peer.sendEof();
          assertThat(text(peer.reader().readAll())).isEqualTo("all");

          peer.reset();
          OnLoop.passRounds(5);

          assertReset(() -> {
            while (true) {
              peer.writer().write("is anybody there?");
              OnLoop.passRounds(1);
            }
          });
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  // --- Writing

  @EachTransportAndIoUring
  void aResetEndsWritesAndDrainsThatWait(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.fill();
          List<Task<Void>> waiting = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            waiting.add(Asyncio.createTask(() -> peer.writer().write("never taken")));
          }
          waiting.add(Asyncio.createTask(() -> peer.writer().drain()));
          OnLoop.passRounds(3);
          assertThat(waiting).noneMatch(Task::done);

          peer.reset();

          for (Task<Void> task : waiting) {
            assertReset(task::await);
          }
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  /**
   * A failed write is noticed first here; what the peer had sent before it went counts all the
   * same.
   */
  @EachTransportAndIoUring
  void whatArrivedBeforeAResetStaysReadableAlsoWhenAWriteNoticesIt(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.send("last words");
          peer.reset();
          peer.writer().write("hello?");
          peer.writer().write("hello?");

          assertThat(text(peer.reader().read(4))).isEqualTo("last");
          assertThat(text(peer.reader().read(100))).isEqualTo(" words");
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  @EachTransportAndIoUring
  void whatArrivedStaysReadableWhenAWriteFailsBehindAFullBuffer(String transport) {
    OnLoop.withPeer(
        transport,
        StreamOptions.defaults().withLimit(1024),
        peer -> {
          byte[] sent = new byte[50_000];
          peer.send(sent);
          peer.awaitArrived(2049);
          peer.reset();
          for (int i = 0; i < 5; i++) {
            try {
              peer.writer().write("hello?");
            } catch (ConnectionResetException e) {
              break;
            }
            OnLoop.passRounds(2);
          }

          assertThat(peer.reader().readExactly(sent.length)).isEqualTo(sent);
          assertEveryCallSaysReset(peer.reader(), peer.writer());
        });
  }

  @EachTransportAndIoUring
  void writingToAPeerThatClosedFailsSoonRatherThanNever(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.socket().close();
          assertThat(peer.reader().read(1)).isEmpty();

          assertReset(() -> {
            while (true) {
              peer.writer().write("is anybody there?");
              OnLoop.passRounds(1);
            }
          });
        });
  }

  /**
   * The socket's close sends its end of stream first, and the reset only because of what it left
   * unread.
   */
  @EachTransportAndIoUring
  void aPeerThatEndsItsStreamAndThenResetsLosesNoneOfItsOwn(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.writer().write("unread");
          OnLoop.passRounds(3);
          peer.send("reply");
          peer.socket().close();

          assertThat(text(peer.reader().read(100))).isEqualTo("reply");
          assertReset(() -> {
            while (true) {
              peer.writer().write("is anybody there?");
              OnLoop.passRounds(1);
            }
          });
        });
  }

  @EachTransportAndIoUring
  void aPeerThatResetsDuringTheFlushIsReportedByWaitClosed(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.fill();
          peer.writer().close();
          OnLoop.passRounds(3);

          peer.reset();

          assertThatExceptionOfType(ConnectionResetException.class)
              .isThrownBy(() -> peer.writer().waitClosed());
        });
  }

  // --- Our own abort

  @EachTransportAndIoUring
  void abortResetsThePeerAndEndsOurOwnCalls(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readLine());
          OnLoop.passRounds(2);

          peer.writer().abort();

          assertReset(reading::await);
          assertThatThrownBy(() -> peer.receive(1)).hasMessageContaining("reset");
          assertReset(() -> peer.writer().waitClosed());
          assertReset(() -> peer.writer().drain());
          assertThatThrownBy(() -> peer.writer().write("x"))
              .isInstanceOf(java.net.SocketException.class);
        });
  }

  // --- Many

  @EachTransportAndIoUring
  void hundredsOfResetsDuringWritesLeaveNoDescriptorAndNoTask(String transport) {
    OnLoop.run(
        transport,
        () -> {
          long before = 0;
          for (int round = 0; round < 300; round++) {
            if (round == 10) {
              before = Descriptors.open();
            }
            try (RawPeer peer = RawPeer.connect(StreamOptions.defaults())) {
              Task<Void> writing =
                  Asyncio.createTask(() -> {
                    while (true) {
                      peer.writer().write(new byte[1 << 20]);
                    }
                  });
              Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readLine());
              Future<byte[]> receiving = peer.receiving(round * 1000);
              receiving.await();
              peer.reset();
              assertReset(writing::await);
              assertReset(reading::await);
              assertReset(peer.writer()::waitClosed);
            }
          }
          assertThat(Descriptors.open()).isLessThanOrEqualTo(before + 2);
        });
  }

  @EachTransportAndIoUring
  void aConnectionAbortedWhileItWaitsForRoomIsNotKeptByItsLoop(String transport) {
    OnLoop.run(
        transport,
        () -> {
          List<WeakReference<Channel>> aborted = new ArrayList<>();
          for (int rounds = 1; rounds <= 20; rounds++) {
            aborted.add(abortWhileNothingIsTaken(rounds));
          }

          OnLoop.passRoundsUntil(() -> {
            System.gc();
            return aborted.stream().allMatch(channel -> channel.refersTo(null));
          });
        });
  }

  /** Of a peer that has ended its own stream: of others there is nothing to wait for but room. */
  private static WeakReference<Channel> abortWhileNothingIsTaken(int rounds) throws IOException {
    try (RawPeer peer = RawPeer.connect(StreamOptions.defaults())) {
      peer.sendEof();
      assertThat(peer.reader().readAll()).isEmpty();
      peer.writer().tryWrite(new byte[8 << 20]);
      OnLoop.passRounds(10 * rounds);
      peer.writer().abort();
      OnLoop.passRounds(10);
      return new WeakReference<>(NettyStreams.channel(peer.writer()));
    }
  }
}
