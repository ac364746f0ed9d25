package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.bytes;
import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Writing: what arrives, who waits, and in which order they go on. */
class StreamWriterTest {
  private static final byte[] CHUNK = new byte[64 * 1024];

  /** More than the network and the peer take while the peer does not read. */
  private static final int LARGE = 512 * 1024;

  // --- What arrives

  @Test
  void whatIsWrittenArrivesInOrder() {
    MemoryPeer.run(peer -> {
      peer.writer().write("text \u4e16 ");
      peer.writer().writeLine("line");
      peer.writer().write(bytes("bytes "));
      peer.writer().write(bytes("[piece]"), 1, 5);
      peer.writer().write(bytes(" a"), bytes(""), bytes("b"), bytes("c"));
      peer.writer().write(new byte[0]);
      assertThat(peer.writer().tryWrite(bytes("!"))).isTrue();
      peer.writer().close();

      assertThat(text(peer.receiveAll())).isEqualTo("text \u4e16 line\nbytes piece abc!");
    });
  }

  @Test
  void anArrayMayBeReusedAsSoonAsTheCallReturns() {
    MemoryPeer.run(peer -> {
      byte[] message = bytes("first");
      peer.writer().write(message);
      Arrays.fill(message, (byte) '?');
      peer.writer().tryWrite(message);
      Arrays.fill(message, (byte) '-');

      assertThat(text(peer.receive(10))).isEqualTo("first?????");
    });
  }

  @Test
  void aMessageFarAboveHighWaterIsTakenWhole() {
    MemoryPeer.run(peer -> {
      byte[] message = new byte[2 << 20];
      new Random(3).nextBytes(message);
      Task<byte[]> receiving = peer.receiving(message.length);

      peer.writer().write(message);

      assertThat(receiving.await()).isEqualTo(message);
    });
  }

  @Test
  void rangesOutsideTheArrayAreRefused() {
    MemoryPeer.run(peer ->
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
            .isThrownBy(() -> peer.writer().write(new byte[4], 2, 3)));
  }

  // --- Who waits

  @Test
  void tryWriteIsRefusedWhileTooMuchIsUnsentAndNotAfterDrain() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      assertThat(peer.writer().tryWrite(bytes("x"))).isFalse();

      Task<byte[]> receiving = peer.receiving(taken);
      peer.writer().drain();

      assertThat(peer.writer().tryWrite(bytes("y"))).isTrue();
      assertThat(receiving.await()).hasSize(taken);
      assertThat(text(peer.receive(1))).isEqualTo("y");
    });
  }

  @Test
  void drainReturnsAtOnceWhileWritersNeedNotWait() {
    MemoryPeer.run(peer -> {
      peer.writer().write("a little");
      Task<Void> other = Asyncio.createTask(() -> {});

      peer.writer().drain();

      assertThat(other.done()).as("another task ran meanwhile").isFalse();
    });
  }

  @Test
  void writersThatWaitGoOnInTheOrderOfTheirCalls() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      List<Task<Void>> writers = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        String message = i + "\n";
        writers.add(Asyncio.createTask(() -> peer.writer().write(message)));
      }
      Rounds.settle();
      assertThat(writers).noneMatch(Task::done);
      assertThat(peer.writer().tryWrite(bytes("never"))).isFalse();

      assertThat(peer.receive(taken)).hasSize(taken);

      assertThat(text(peer.receive(20))).isEqualTo("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
      writers.forEach(Task::await);
    });
  }

  /**
   * Each message fills the buffer again, so each writer has to be woken by one drain of its own.
   */
  @Test
  void writersOfLargeMessagesGoOnInTheOrderOfTheirCalls() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      List<Task<Void>> writers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        byte[] message = new byte[LARGE];
        Arrays.fill(message, (byte) i);
        writers.add(Asyncio.createTask(() -> peer.writer().write(message)));
      }
      Rounds.settle();

      peer.receive(taken);

      for (int i = 0; i < 8; i++) {
        byte[] expected = new byte[LARGE];
        Arrays.fill(expected, (byte) i);
        assertThat(peer.receive(LARGE)).as("message %d", i).isEqualTo(expected);
      }
      writers.forEach(Task::await);
    });
  }

  @Test
  void aWaitingWriteThatIsCancelledWroteNothingAndTheNextGoesOn() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      List<Task<Void>> writers = new ArrayList<>();
      for (String message : List.of("1", "2", "3", "4")) {
        writers.add(Asyncio.createTask(() -> peer.writer().write(message)));
      }
      Rounds.settle();

      writers.get(0).cancel();
      writers.get(2).cancel();

      assertThatThrownBy(writers.get(0)::await).isInstanceOf(CancelledError.class);
      assertThatThrownBy(writers.get(2)::await).isInstanceOf(CancelledError.class);
      peer.receive(taken);
      assertThat(text(peer.receive(2))).isEqualTo("24");
    });
  }

  /** The first writer was woken and did not run yet: its turn must pass to the second. */
  @Test
  void aWriteCancelledInTheRoundOfItsWakeUpLetsTheNextGoOn() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      Task<Void> first = Asyncio.createTask(() -> peer.writer().write("1"));
      Task<Void> second = Asyncio.createTask(() -> peer.writer().write("2"));
      Rounds.settle();
      Task<byte[]> receiving = peer.receiving(taken);
      Rounds.until(() -> !peer.writer().toString().contains("FULL"));

      first.cancel();

      assertThatThrownBy(first::await).isInstanceOf(CancelledError.class);
      second.await();
      receiving.await();
      assertThat(text(peer.receive(1))).isEqualTo("2");
    });
  }

  @Test
  void aCancelledDrainLosesNothing() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      Task<Void> draining = Asyncio.createTask(() -> peer.writer().drain());
      Task<Void> alsoDraining = Asyncio.createTask(() -> peer.writer().drain());
      Rounds.settle();

      draining.cancel();

      assertThatThrownBy(draining::await).isInstanceOf(CancelledError.class);
      assertThat(peer.receive(taken)).hasSize(taken);
      alsoDraining.await();
    });
  }

  /** Asyncio's {@code set_write_buffer_limits(0)}: wait until everything is out of our hands. */
  @Test
  void waterMarksOfZeroLetAWriterGoOnOnceEverythingIsSent() {
    MemoryPeer.run(
        StreamOptions.defaults().withWriteLimits(0, 0),
        peer -> {
          Task<byte[]> receiving = peer.receiving((1 << 20) + 4);

          peer.writer().write(new byte[1 << 20]);
          peer.writer().drain();
          peer.writer().write("more");

          assertThat(receiving.await()).endsWith(bytes("more"));
        });
  }

  // --- Callbacks

  @Test
  void aCallbackWritesWithoutWaitingUpToTheCap() {
    MemoryPeer.run(
        StreamOptions.defaults().withHardCap(1 << 20),
        peer -> {
          int taken = peer.fill();
          int[] inCallback = {0};
          assertThatExceptionOfType(WriteBufferFullException.class)
              .isThrownBy(() ->
                  Rounds.inCallback(() -> {
                    while (true) {
                      peer.writer().write(CHUNK);
                      inCallback[0] += CHUNK.length;
                    }
                  }));

          assertThat(inCallback[0]).isPositive().isLessThanOrEqualTo(1 << 20);
          int total = taken + inCallback[0];
          assertThat(peer.receive(total)).hasSize(total);
          peer.writer().write("end");
          assertThat(text(peer.receive(3))).isEqualTo("end");
        });
  }

  @Test
  void aSingleMessageAboveTheCapIsRefusedInACallback() {
    MemoryPeer.run(
        StreamOptions.defaults().withHardCap(1 << 20),
        peer -> {
          assertThatExceptionOfType(WriteBufferFullException.class)
              .isThrownBy(() ->
                  Rounds.inCallback(() -> {
                    peer.writer().write(new byte[(1 << 20) + 1]);
                    return null;
                  }));

          peer.writer().write("nothing of it");
          assertThat(text(peer.receive(13))).isEqualTo("nothing of it");
        });
  }

  @Test
  void drainInACallbackIsRefused() {
    MemoryPeer.run(peer ->
        assertThatIllegalStateException()
            .isThrownBy(() ->
                Rounds.inCallback(() -> {
                  peer.writer().drain();
                  return null;
                })));
  }

  @Test
  void writesOffTheLoopAreRefused() {
    MemoryPeer.run(peer ->
        assertThatIllegalStateException()
            .isThrownBy(() ->
                Asyncio.toThread(() -> {
                  peer.writer().write("x");
                  return null;
                }))
            .withMessageContaining("callSoonThreadsafe"));
  }
}
