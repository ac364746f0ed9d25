package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.benchmarks.EchoPeer.Mode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Keeps the benchmarked servers from rotting. Each chooses its fibers itself, so one run of the
 * suite is enough.
 */
@Tag("once")
@Timeout(20)
class EchoPeerTest {
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
  private static final int READ_TIMEOUT_MILLIS = 10_000;

  static List<String> kinds() {
    return EchoPeer.KINDS;
  }

  static Stream<Arguments> kindsInBothModes() {
    return EchoPeer.KINDS.stream()
        .flatMap(kind -> Stream.of(Mode.values()).map(mode -> Arguments.of(kind, mode)));
  }

  @ParameterizedTest
  @MethodSource("kindsInBothModes")
  void echoesToSeveralClients(String kind, Mode mode) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, mode);
        Socket first = connect(peer);
        Socket second = connect(peer)) {
      byte[] message = line(1024);

      for (Socket socket : List.of(first, second, first)) {
        socket.getOutputStream().write(message);
        assertThat(socket.getInputStream().readNBytes(message.length)).isEqualTo(message);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kindsInBothModes")
  void echoesLinesThatArriveTogetherAndInPieces(String kind, Mode mode) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, mode);
        Socket socket = connect(peer)) {
      OutputStream out = socket.getOutputStream();

      out.write("one\n\ntwo\nth".getBytes(US_ASCII));
      out.write("ree\n".getBytes(US_ASCII));

      assertThat(socket.getInputStream().readNBytes(15))
          .asString(US_ASCII)
          .isEqualTo("one\n\ntwo\nthree\n");
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void holdsBackWhatIsNoLineYet(String kind) throws IOException {
    // Those that move bytes as they are do not look for lines.
    boolean parses = !kind.startsWith("netty") && !kind.equals("transfer");
    try (EchoPeer peer = EchoPeer.start(kind, Mode.LINES);
        Socket socket = connect(peer);
        Socket other = connect(peer)) {
      socket.getOutputStream().write("half".getBytes(US_ASCII));
      for (int i = 0; i < 10; i++) {
        other.getOutputStream().write('\n');
        assertThat(other.getInputStream().read()).isEqualTo('\n');
      }

      assertThat(socket.getInputStream().available()).isEqualTo(parses ? 0 : 4);
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void closingEndsConnectionsAndListening(String kind) throws IOException {
    EchoPeer peer = EchoPeer.start(kind, Mode.BYTES);
    int port = peer.port();
    try (Socket socket = connect(peer)) {
      socket.getOutputStream().write('x');
      assertThat(socket.getInputStream().read()).isEqualTo('x');

      peer.close();

      assertThat(endOf(socket)).isEqualTo(-1);
    }
    assertThatThrownBy(() -> new Socket(LOOPBACK, port).close())
        .isInstanceOf(ConnectException.class);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void saysWhatItIsWithoutAHoleWhereAVersionBelongs(String kind) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, Mode.BYTES)) {
      assertThat(peer.description()).isNotBlank().doesNotContain("null", "$", "\n");
    }
  }

  @Test
  void unknownKindIsRefused() {
    assertThatThrownBy(() -> EchoPeer.start("tokio", Mode.BYTES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokio");
  }

  @Test
  void unknownModeIsRefused() {
    assertThatThrownBy(() -> Mode.of("words"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("words", "bytes or lines");
  }

  /** {@return a connection whose reads end: JUnit's timeout cannot interrupt a blocking read} */
  private static Socket connect(EchoPeer peer) throws IOException {
    Socket socket = new Socket(LOOPBACK, peer.port());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    return socket;
  }

  /** {@return a line with most of the characters that a line may have, its separator included} */
  private static byte[] line(int length) {
    byte[] line = new byte[length];
    for (int i = 0; i < length; i++) {
      line[i] = (byte) (' ' + i * 31 % 224);
    }
    line[length - 1] = '\n';
    return line;
  }

  /** A server may end a connection or cut it off. */
  private static int endOf(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read();
    } catch (SocketException e) {
      return -1;
    }
  }
}
