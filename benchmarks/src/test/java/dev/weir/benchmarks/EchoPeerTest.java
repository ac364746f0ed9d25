package dev.weir.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Keeps the benchmarked servers from rotting. Each chooses its fibers itself, so one run of the
 * suite is enough.
 */
@Tag("once")
@Timeout(20)
class EchoPeerTest {
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

  static List<String> kinds() {
    return EchoPeer.KINDS;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void echoesToSeveralClients(String kind) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind);
        Socket first = new Socket(LOOPBACK, peer.port());
        Socket second = new Socket(LOOPBACK, peer.port())) {
      byte[] message = message();

      for (Socket socket : List.of(first, second, first)) {
        socket.getOutputStream().write(message);
        assertThat(socket.getInputStream().readNBytes(message.length)).isEqualTo(message);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void closingEndsConnectionsAndListening(String kind) throws IOException {
    EchoPeer peer = EchoPeer.start(kind);
    int port = peer.port();
    try (Socket socket = new Socket(LOOPBACK, port)) {
      socket.getOutputStream().write('x');
      assertThat(socket.getInputStream().read()).isEqualTo('x');

      peer.close();

      assertThat(endOf(socket)).isEqualTo(-1);
    }
    assertThatThrownBy(() -> new Socket(LOOPBACK, port).close())
        .isInstanceOf(ConnectException.class);
  }

  @Test
  void unknownKindIsRefused() {
    assertThatThrownBy(() -> EchoPeer.start("tokio"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokio");
  }

  private static byte[] message() {
    byte[] message = new byte[1024];
    for (int i = 0; i < message.length; i++) {
      message[i] = (byte) (i * 31);
    }
    return message;
  }

  /** A server may end a connection or cut it off. */
  private static int endOf(Socket socket) {
    try {
      return socket.getInputStream().read();
    } catch (IOException e) {
      return -1;
    }
  }
}
