package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.bytes;
import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.Task;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The ends of a connection: half-close in both directions, close, waitClosed, addresses. */
class StreamClosingTest {
  private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(10);

  // --- Half-close

  @Test
  void afterThePeersEndOfStreamWritingGoesOn() {
    MemoryPeer.run(peer -> {
      byte[] reply = new byte[1 << 20];
      new Random(5).nextBytes(reply);
      peer.send("request");
      peer.sendEof();

      assertThat(text(peer.reader().readAll())).isEqualTo("request");
      assertThat(peer.writer().isClosing()).isFalse();
      Task<byte[]> receiving = peer.receiving(reply.length);
      peer.writer().write(reply);

      assertThat(receiving.await()).isEqualTo(reply);
    });
  }

  @Test
  void afterWriteEofReadingGoesOnAndThePeerSeesTheEndBehindEverything() {
    MemoryPeer.run(peer -> {
      byte[] request = new byte[1 << 20];
      new Random(6).nextBytes(request);
      peer.writer().write(request);
      peer.writer().writeEof();
      peer.writer().writeEof();

      assertThat(peer.receiveAll()).isEqualTo(request);
      peer.send("reply");
      assertThat(text(peer.reader().readExactly(5))).isEqualTo("reply");
      peer.sendEof();
      assertThat(peer.reader().read(1)).isEmpty();
    });
  }

  @Test
  void writingAfterWriteEofIsAnError() {
    MemoryPeer.run(peer -> {
      peer.writer().writeEof();

      assertThatIllegalStateException().isThrownBy(() -> peer.writer().write("x"));
      assertThatIllegalStateException().isThrownBy(() -> peer.writer().tryWrite(bytes("x")));
      assertThat(peer.receiveAll()).isEmpty();
    });
  }

  @Test
  void whenBothSidesEndedTheirStreamsCloseStillClosesInOrder() {
    MemoryPeer.run(peer -> {
      peer.writer().writeEof();
      peer.sendEof();
      assertThat(peer.reader().readAll()).isEmpty();

      peer.writer().close();

      peer.writer().waitClosed();
    });
  }

  // --- Close

  @Test
  void closeReturnsAtOnceAndEverythingStillArrives() {
    MemoryPeer.run(peer -> {
      byte[] message = new byte[2 << 20];
      new Random(7).nextBytes(message);
      peer.writer().write(message);
      Task<Void> other = Asyncio.createTask(() -> {});

      peer.writer().close();
      peer.writer().close();

      assertThat(other.done()).as("another task ran meanwhile").isFalse();
      assertThat(peer.writer().isClosing()).isTrue();
      assertThat(peer.receiveAll()).isEqualTo(message);
      peer.writer().waitClosed();
    });
  }

  @Test
  void writingAfterCloseFailsAndReadingSeesTheEnd() {
    MemoryPeer.run(peer -> {
      peer.writer().close();

      assertThatExceptionOfType(SocketException.class).isThrownBy(() -> peer.writer().write("x"));
      assertThatExceptionOfType(SocketException.class)
          .isThrownBy(() -> peer.writer().tryWrite(bytes("x")));
      assertThat(peer.reader().read(1)).isEmpty();
      assertThat(peer.reader().readLine()).isEmpty();
      peer.writer().drain();
    });
  }

  @Test
  void closeEndsAReadThatWaits() {
    MemoryPeer.run(peer -> {
      Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readLine());
      Rounds.settle();

      peer.writer().close();

      assertThat(reading.await()).isEmpty();
    });
  }

  @Test
  void closeEndsAWriteThatWaitsAndWhatWasTakenStillArrives() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      Task<Void> waiting = Asyncio.createTask(() -> peer.writer().write("never taken"));
      Rounds.settle();

      peer.writer().close();

      assertThatThrownBy(waiting::await).isInstanceOf(SocketException.class);
      assertThat(peer.receiveAll()).hasSize(taken);
    });
  }

  /**
   * Closing a socket with bytes unread in the kernel sends a reset, which overtakes our own bytes
   * and makes the peer lose them.
   */
  @Test
  void closeWithInputThatNobodyReadsStillDeliversEverythingWritten() {
    MemoryPeer.run(
        StreamOptions.defaults().withLimit(1024),
        peer -> {
          peer.send(new byte[100_000]);
          Rounds.settle();
          int taken = peer.fill();
          peer.writer().close();

          assertThat(peer.receiveAll()).hasSize(taken);
        });
  }

  // --- waitClosed

  @Test
  void waitClosedWaitsForCloseAndMayBeCalledAgain() {
    MemoryPeer.run(peer -> {
      Task<Void> first = Asyncio.createTask(() -> peer.writer().waitClosed());
      Task<Void> second = Asyncio.createTask(() -> peer.writer().waitClosed());
      Rounds.settle();
      assertThat(first.done()).isFalse();

      peer.writer().close();

      first.await();
      second.await();
      peer.writer().waitClosed();
    });
  }

  @Test
  void waitClosedWaitsUntilTheBytesAreGone() {
    MemoryPeer.run(peer -> {
      int taken = peer.fill();
      peer.writer().close();
      Task<Void> waiting = Asyncio.createTask(() -> peer.writer().waitClosed());
      Asyncio.sleep(FLUSH_TIMEOUT.minusNanos(1));
      assertThat(waiting.done()).isFalse();

      assertThat(peer.receiveAll()).hasSize(taken);

      waiting.await();
    });
  }

  @Test
  void aPeerThatDoesNotTakeTheRestIsResetAfterTenSeconds() {
    MemoryPeer.run(peer -> {
      peer.fill();
      Duration closed = Asyncio.runningLoop().time();
      peer.writer().close();

      assertThatExceptionOfType(ConnectionResetException.class)
          .isThrownBy(() -> peer.writer().waitClosed());

      assertThat(Asyncio.runningLoop().time()).isEqualTo(closed.plus(FLUSH_TIMEOUT));
      assertThatExceptionOfType(ConnectionResetException.class).isThrownBy(peer::receiveAll);
    });
  }

  @Test
  void aCancelledWaitClosedLeavesTheConnectionAlone() {
    MemoryPeer.run(peer -> {
      Task<Void> waiting = Asyncio.createTask(() -> peer.writer().waitClosed());
      Rounds.settle();
      waiting.cancel();
      Rounds.settle();

      peer.writer().write("alive");

      assertThat(text(peer.receive(5))).isEqualTo("alive");
    });
  }

  // --- Addresses

  @Test
  void addressesAreThoseOfBothEndsAndStayKnown() {
    MemoryPeer.run(peer -> {
      var local = (InetSocketAddress) peer.writer().localAddress();
      var remote = (InetSocketAddress) peer.writer().remoteAddress();

      assertThat(local).isEqualTo(peer.peer().writer().remoteAddress());
      assertThat(remote).isEqualTo(peer.peer().writer().localAddress());
      assertThat(remote.getAddress().isLoopbackAddress()).isTrue();

      peer.writer().close();
      peer.writer().waitClosed();
      assertThat(peer.writer().localAddress()).isEqualTo(local);
      assertThat(peer.writer().remoteAddress()).isEqualTo(remote);
    });
  }
}
