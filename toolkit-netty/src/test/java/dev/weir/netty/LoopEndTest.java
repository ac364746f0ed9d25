package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.StreamOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.extension.ExtendWith;

/** What becomes of connections when their loop ends under them. */
@ExtendWith(LeakCheck.class)
class LoopEndTest {
  /** More than the kernel takes while nobody reads. */
  private static final byte[] MESSAGE = new byte[64 << 20];

  @EachTransportAndIoUring
  void whatWasWrittenBeforeTheConnectionWasClosedStillArrives(String transport) throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      FutureTask<Integer> receiving = receiveAll(listener);

      OnLoop.run(
          transport,
          () -> {
            try (Connection connection =
                Asyncio.openConnection("127.0.0.1", listener.getLocalPort())) {
              connection.writer().write(MESSAGE);
            }
          });

      assertThat(receiving.get()).isEqualTo(MESSAGE.length);
    }
  }

  @EachTransportAndIoUring
  void aConnectionThatWasNotClosedIsResetIfThatCutsSomethingOff(String transport) throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Socket[] accepted = new Socket[1];
      OnLoop.run(
          transport,
          () -> {
            Connection connection = Asyncio.openConnection("127.0.0.1", listener.getLocalPort());
            accepted[0] = listener.accept();
            connection.writer().write(MESSAGE);
            OnLoop.passRounds(3);
          });

      try (Socket peer = accepted[0]) {
        assertThatThrownBy(() -> peer.getInputStream().readAllBytes())
            .isInstanceOf(SocketException.class)
            .hasMessageContaining("reset");
      }
    }
  }

  @EachTransportAndIoUring
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

  private static FutureTask<Integer> receiveAll(ServerSocket listener) {
    FutureTask<Integer> receiving =
        new FutureTask<>(() -> {
          try (Socket peer = listener.accept()) {
            return peer.getInputStream().readAllBytes().length;
          } catch (IOException e) {
            return -1;
          }
        });
    Thread.ofPlatform().daemon().start(receiving);
    return receiving;
  }
}
