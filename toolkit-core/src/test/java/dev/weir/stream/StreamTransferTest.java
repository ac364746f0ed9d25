package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.bytes;
import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.io.EOFException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Looking ahead, skipping, handing on, sending files, and the JDK's streams on top: what the stream
 * contract does not say already.
 */
class StreamTransferTest {

  // --- Looking and skipping

  @Test
  void peekWaitsForAByteAndSaysWhenThereIsNone() {
    MemoryPeer.run(peer -> {
      Task<byte[]> peeking = Asyncio.createTask(() -> peer.reader().peek(10));
      Rounds.settle();
      assertThat(peeking.done()).isFalse();

      peer.send("x");
      assertThat(text(peeking.await())).isEqualTo("x");

      peer.sendEof();
      peer.reader().skip(1);
      assertThat(peer.reader().peek(10)).isEmpty();
      assertThat(peer.reader().peek(0)).isEmpty();
    });
  }

  @Test
  void aSkipThatIsCancelledHasDroppedWhatWasThere() {
    MemoryPeer.run(peer -> {
      Task<?> skipping = Asyncio.createTask(() -> peer.reader().skip(10));
      peer.send("1234");
      Rounds.settle();

      skipping.cancel();
      assertThatExceptionOfType(CancelledError.class).isThrownBy(skipping::await);
      peer.send("next");

      assertThat(text(peer.reader().readExactly(4))).isEqualTo("next");
    });
  }

  @Test
  void skippingAlotHoldsNoMoreThanReadingAheadDoes() {
    MemoryPeer.run(
        StreamOptions.defaults().withLimit(1000),
        peer -> {
          Task<?> sending = peer.sendInBackground(new byte[1 << 20]);
          Task<?> skipping = Asyncio.createTask(() -> peer.reader().skip(1 << 20));
          int most = 0;
          while (!skipping.done()) {
            most = Math.max(most, peer.arrived());
            Rounds.settle();
          }

          assertThat(most).isLessThanOrEqualTo(2000 + 64 * 1024);
          sending.await();
          skipping.await();
        });
  }

  @Test
  void skippingBeyondTheEndSaysHowMuchIsMissing() {
    MemoryPeer.run(peer -> {
      peer.send("1234");
      peer.sendEof();

      assertThatExceptionOfType(EOFException.class)
          .isThrownBy(() -> peer.reader().skip(10))
          .withMessage("The stream ended 6 bytes before the 10 to be skipped did");
    });
  }

  @Test
  void negativeNumbersAreRefused() {
    MemoryPeer.run(peer -> {
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().peek(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().skip(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> peer.reader().readLine(-1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> peer.reader().readUntil(-1, bytes("\n")));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> peer.reader().transferTo(peer.writer(), -1));
    });
  }

  @Test
  void aBufferIsFilledWithWhatIsThereAndNoMore() {
    MemoryPeer.run(peer -> {
      peer.send("abc");
      ByteBuffer target = ByteBuffer.allocateDirect(8).position(2);

      assertThat(peer.reader().read(target)).isEqualTo(3);

      assertThat(target.position()).isEqualTo(5);
    });
  }

  // --- Handing on

  @Test
  void nobodyElseMayReadWhileAStreamIsHandedOn() {
    MemoryPeer.run(peer -> {
      Task<?> transferring = Asyncio.createTask(() -> peer.reader().transferTo(peer.writer()));
      Rounds.settle();

      assertThatIllegalStateException().isThrownBy(() -> peer.reader().read(1));

      transferring.cancel();
      assertThatExceptionOfType(CancelledError.class).isThrownBy(transferring::await);
      peer.send("x");
      assertThat(text(peer.reader().read(1))).isEqualTo("x");
    });
  }

  @Test
  void whatArrivedBeforeIsHandedOnFirst() {
    MemoryPeer.run(peer -> {
      peer.send("buffered ");
      Rounds.settle();
      Task<Long> transferring =
          Asyncio.createTask(() -> peer.reader().transferTo(peer.writer(), 12));
      Rounds.settle();
      peer.send("andmore");

      assertThat(text(peer.receive(12))).isEqualTo("buffered and");
      assertThat(transferring.await()).isEqualTo(12);
      assertThat(text(peer.reader().readExactly(4))).isEqualTo("more");
    });
  }

  @Test
  void nothingIsHandedOnToAWriterThatIsClosed() {
    MemoryPeer.run(peer -> {
      peer.send("kept");
      Rounds.settle();
      try (MemoryPeer target = MemoryPeer.connect(StreamOptions.defaults())) {
        target.writer().close();

        assertThatExceptionOfType(SocketException.class)
            .isThrownBy(() -> peer.reader().transferTo(target.writer()));
      }
      assertThat(text(peer.reader().readExactly(4))).isEqualTo("kept");
    });
  }

  @Test
  void handingOnWaitsForTheTargetEvenWhereWritesDoNot() {
    StreamOptions options = StreamOptions.defaults().withAsyncioWrites(true).withHardCap(1 << 20);
    MemoryPeer.run(
        options,
        peer -> {
          Task<?> sending = peer.sendInBackground(new byte[4 << 20]);
          Task<Long> transferring =
              Asyncio.createTask(() -> peer.reader().transferTo(peer.writer(), 4 << 20));
          Rounds.settle();
          assertThat(transferring.done()).isFalse();

          peer.receive(4 << 20);

          sending.await();
          assertThat(transferring.await()).isEqualTo(4 << 20);
        });
  }

  // --- Files

  @Test
  void aFileThatDoesNotExistIsNamedAndNothingIsSent(@TempDir Path folder) {
    MemoryPeer.run(peer -> {
      Path missing = folder.resolve("missing.txt");

      assertThatExceptionOfType(NoSuchFileException.class)
          .isThrownBy(() -> peer.writer().sendFile(missing))
          .withMessageContaining("missing.txt");

      peer.writer().write("next");
      assertThat(text(peer.receive(4))).isEqualTo("next");
    });
  }

  @Test
  void aPartOfAFileEndsWithTheFile(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "0123456789");
    MemoryPeer.run(peer -> {
      try (FileChannel open = FileChannel.open(file)) {
        assertThat(peer.writer().sendFile(open, 8, 100)).isEqualTo(2);
        assertThat(peer.writer().sendFile(open, 10, 100)).isZero();
        assertThat(peer.writer().sendFile(open, 100, 100)).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> peer.writer().sendFile(open, -1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> peer.writer().sendFile(open, 0, -1));
        assertThat(open.position()).isZero();
      }
      peer.writer().writeEof();
      assertThat(text(peer.receiveAll())).isEqualTo("89");
    });
  }

  // --- Back-pressure, said otherwise

  @Test
  void withAsyncioWritesAWriteNeverWaitsAndFailsAtTheCap() {
    StreamOptions options = StreamOptions.defaults().withAsyncioWrites(true).withHardCap(300_000);
    MemoryPeer.run(
        options,
        peer -> {
          assertThatThrownBy(
                  () -> {
                    for (int i = 0; i < 100; i++) {
                      peer.writer().write(new byte[100_000]);
                    }
                  })
              .isInstanceOf(WriteBufferFullException.class);

          assertThat(peer.writer().writeBufferSize()).isEqualTo(300_000);
        });
  }

  @Test
  void withAsyncioWritesDrainWaitsAsEver() {
    MemoryPeer.run(
        StreamOptions.defaults().withAsyncioWrites(true),
        peer -> {
          peer.writer().write(new byte[1 << 20]);
          Task<?> draining = Asyncio.createTask(() -> peer.writer().drain());
          Rounds.settle();
          assertThat(draining.done()).isFalse();

          peer.receive(1 << 20);

          draining.await();
        });
  }

  @Test
  void otherWaterMarksCountFromThenOn() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      peer.writer().setWriteBufferLimits(1 << 20, 1 << 19);
      Rounds.settle();

      assertThat(peer.writer().tryWrite(new byte[100])).isTrue();
      peer.writer().setWriteBufferLimits(0, 0);
      assertThat(peer.writer().tryWrite(new byte[100])).isFalse();

      peer.receive(taken + 100);
      peer.writer().drain();
      assertThat(peer.writer().writeBufferSize()).isZero();
    });
  }

  @Test
  void waterMarksThatMakeNoSenseAreRefused() {
    MemoryPeer.run(peer -> {
      StreamWriter writer = peer.writer();

      assertThatIllegalArgumentException().isThrownBy(() -> writer.setWriteBufferLimits(1, 2));
      assertThatIllegalArgumentException().isThrownBy(() -> writer.setWriteBufferLimits(1, -1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> writer.setWriteBufferLimits(Integer.MAX_VALUE, 0))
          .withMessageContaining("hardCap");
    });
  }

  // --- The peer is gone

  @Test
  void aHandlerThatOnlyWritesLearnsOfAReset() {
    MemoryPeer.run(peer -> {
      Task<?> waiting = Asyncio.createTask(() -> peer.writer().awaitPeerGone());
      Rounds.settle();
      assertThat(waiting.done()).isFalse();

      peer.reset();

      waiting.await();
      peer.writer().awaitPeerGone(); // And says so again.
    });
  }

  @Test
  void whoWaitsForThePeerToGoLearnsThatTheConnectionWasClosedHere() {
    MemoryPeer.run(peer -> {
      Task<?> waiting = Asyncio.createTask(() -> peer.writer().awaitPeerGone());
      Rounds.settle();

      peer.writer().close();

      waiting.await();
    });
  }

  @Test
  void waitClosedDoesNotTakeThePeersEndForIt() {
    MemoryPeer.run(peer -> {
      Task<?> waiting = Asyncio.createTask(() -> peer.writer().waitClosed());
      peer.sendEof();
      peer.writer().awaitPeerGone();
      Rounds.settle();
      assertThat(waiting.done()).isFalse();

      peer.writer().close();

      waiting.await();
    });
  }

  // --- The JDK's streams

  @Test
  void codeForJdkStreamsRunsOnTop() {
    MemoryPeer.run(peer -> {
      Task<byte[]> unzipping =
          Asyncio.createTask(() -> {
            try (InputStream in = new GZIPInputStream(peer.peer().reader().asInputStream())) {
              return in.readAllBytes();
            }
          });
      try (OutputStream out = new GZIPOutputStream(peer.writer().asOutputStream())) {
        out.write(bytes("zipped"));
      }

      assertThat(text(unzipping.await())).isEqualTo("zipped");
      assertThat(peer.writer().isClosing()).isTrue();
    });
  }

  @Test
  void availableCountsWhatArrived() {
    MemoryPeer.run(peer -> {
      InputStream in = peer.reader().asInputStream();
      assertThat(in.available()).isZero();

      peer.send("abc");
      Rounds.settle();

      assertThat(in.available()).isEqualTo(3);
      assertThat(in.skip(2)).isEqualTo(2);
      assertThat(in.read()).isEqualTo('c');
    });
  }
}
