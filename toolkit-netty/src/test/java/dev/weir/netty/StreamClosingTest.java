package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;

/** The ends of a connection: half-close in both directions, close, waitClosed, addresses. */
@ExtendWith(LeakCheck.class)
class StreamClosingTest {

  // --- Half-close

  @EachTransport
  void afterThePeersEndOfStreamWritingGoesOn(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          byte[] reply = new byte[1 << 20];
          new Random(5).nextBytes(reply);
          peer.send("request");
          peer.sendEof();

          assertThat(text(peer.reader().readAll())).isEqualTo("request");
          assertThat(peer.writer().isClosing()).isFalse();
          Future<byte[]> receiving = peer.receiving(reply.length);
          peer.writer().write(reply);

          assertThat(receiving.await()).isEqualTo(reply);
        });
  }

  @EachTransport
  void afterWriteEofReadingGoesOnAndThePeerSeesTheEndBehindEverything(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          byte[] request = new byte[5 << 20];
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

  @EachTransport
  void writingAfterWriteEofIsAnError(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.writer().writeEof();

          assertThatIllegalStateException().isThrownBy(() -> peer.writer().write("x"));
          assertThatIllegalStateException().isThrownBy(() -> peer.writer().tryWrite(bytes("x")));
          assertThat(peer.receiveAll()).isEmpty();
        });
  }

  @EachTransport
  void whenBothSidesEndedTheirStreamsCloseStillClosesInOrder(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.writer().writeEof();
          peer.sendEof();
          assertThat(peer.reader().readAll()).isEmpty();

          peer.writer().close();

          peer.writer().waitClosed();
        });
  }

  // --- Close

  @EachTransport
  void closeReturnsAtOnceAndEverythingStillArrives(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          byte[] message = new byte[20 << 20];
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

  @EachTransport
  void writingAfterCloseFailsAndReadingSeesTheEnd(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          peer.writer().close();

          assertThatExceptionOfType(SocketException.class)
              .isThrownBy(() -> peer.writer().write("x"));
          assertThatExceptionOfType(SocketException.class)
              .isThrownBy(() -> peer.writer().tryWrite(bytes("x")));
          assertThat(peer.reader().read(1)).isEmpty();
          assertThat(peer.reader().readLine()).isEmpty();
          peer.writer().drain();
        });
  }

  @EachTransport
  void closeEndsAReadThatWaits(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<byte[]> reading = Asyncio.createTask(() -> peer.reader().readLine());
          OnLoop.passRounds(2);

          peer.writer().close();

          assertThat(reading.await()).isEmpty();
        });
  }

  @EachTransport
  void closeEndsAWriteThatWaitsAndWhatWasTakenStillArrives(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          int taken = peer.fill();
          Task<Void> waiting = Asyncio.createTask(() -> peer.writer().write("never taken"));
          OnLoop.passRounds(2);

          peer.writer().close();

          assertThatThrownBy(waiting::await).isInstanceOf(SocketException.class);
          assertThat(peer.receiveAll()).hasSize(taken);
        });
  }

  /**
   * Closing a socket with bytes unread in the kernel sends a reset, which overtakes our own bytes
   * and makes the peer lose them.
   */
  @EachTransport
  void closeWithInputThatNobodyReadsStillDeliversEverythingWritten(String transport) {
    OnLoop.withPeer(
        transport,
        StreamOptions.defaults().withLimit(1024),
        peer -> {
          peer.send(new byte[100_000]);
          peer.awaitArrived(2049);
          int taken = peer.fill();
          peer.writer().close();

          assertThat(peer.receiveAll()).hasSize(taken);
        });
  }

  // --- waitClosed

  @EachTransport
  void waitClosedWaitsForCloseAndMayBeCalledAgain(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<Void> first = Asyncio.createTask(() -> peer.writer().waitClosed());
          Task<Void> second = Asyncio.createTask(() -> peer.writer().waitClosed());
          OnLoop.passRounds(3);
          assertThat(first.done()).isFalse();

          peer.writer().close();

          first.await();
          second.await();
          peer.writer().waitClosed();
        });
  }

  @EachTransport
  void waitClosedWaitsUntilTheBytesAreGone(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          int taken = peer.fill();
          peer.writer().close();
          Task<Void> waiting = Asyncio.createTask(() -> peer.writer().waitClosed());
          OnLoop.passRounds(20);
          assertThat(waiting.done()).isFalse();

          assertThat(peer.receiveAll()).hasSize(taken);

          waiting.await();
        });
  }

  @EachTransport
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

  @EachTransport
  void aCancelledWaitClosedLeavesTheConnectionAlone(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<Void> waiting = Asyncio.createTask(() -> peer.writer().waitClosed());
          OnLoop.passRounds(2);
          waiting.cancel();
          OnLoop.passRounds(2);

          peer.writer().write("alive");

          assertThat(text(peer.receive(5))).isEqualTo("alive");
        });
  }

  @EachTransport
  void aConnectionLeftOpenIsClosedWithItsLoop(String transport) {
    RawPeer[] left = new RawPeer[1];
    OnLoop.run(
        transport,
        () -> {
          left[0] = RawPeer.connect(StreamOptions.defaults());
          left[0].writer().write("last");
        });

    OnLoop.failIfItHangs(() -> {
      try (var socket = left[0].socket()) {
        socket.setSoTimeout((int) Duration.ofSeconds(10).toMillis());
        while (socket.getInputStream().read() >= 0) {
          // The last bytes may or may not have gone out.
        }
      } catch (SocketException e) {
        assertThat(e).hasMessageContaining("reset");
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    });
  }

  // --- Addresses

  @EachTransport
  void addressesAreThoseOfBothEndsAndStayKnown(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          var local = (InetSocketAddress) peer.writer().localAddress();
          var remote = (InetSocketAddress) peer.writer().remoteAddress();

          assertThat(local.getPort()).isEqualTo(peer.socket().getPort());
          assertThat(remote.getPort()).isEqualTo(peer.socket().getLocalPort());
          assertThat(remote.getAddress().isLoopbackAddress()).isTrue();

          peer.writer().close();
          peer.writer().waitClosed();
          assertThat(peer.writer().localAddress()).isEqualTo(local);
          assertThat(peer.writer().remoteAddress()).isEqualTo(remote);
        });
  }
}
