package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.weir.benchmarks.EchoPeer.Mode;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
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
  private static final SSLSocketFactory CLIENT_TLS = trustingAnybody();

  private static boolean isForThisMachine(String kind) {
    return !kind.endsWith("-boringssl") || EchoTls.BORINGSSL.isAvailable();
  }

  static List<String> kinds() {
    return EchoPeer.KINDS.stream().filter(EchoPeerTest::isForThisMachine).toList();
  }

  static Stream<Arguments> kindsInBothModes() {
    return kinds().stream()
        .flatMap(kind -> Stream.of(Mode.values()).map(mode -> Arguments.of(kind, mode)));
  }

  /** A socket with TLS cannot say what is available, and beyond TLS the others are the same. */
  static List<String> kindsWithoutTls() {
    return kinds().stream().filter(kind -> !kind.contains("-tls")).toList();
  }

  static List<String> kindsWithTls() {
    return kinds().stream().filter(kind -> kind.contains("-tls")).toList();
  }

  @ParameterizedTest
  @MethodSource("kindsInBothModes")
  void echoesToSeveralClients(String kind, Mode mode) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, mode);
        Socket first = connect(peer, kind);
        Socket second = connect(peer, kind)) {
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
        Socket socket = connect(peer, kind)) {
      OutputStream out = socket.getOutputStream();

      out.write("one\n\ntwo\nth".getBytes(US_ASCII));
      out.write("ree\n".getBytes(US_ASCII));

      assertThat(socket.getInputStream().readNBytes(15))
          .asString(US_ASCII)
          .isEqualTo("one\n\ntwo\nthree\n");
    }
  }

  @ParameterizedTest
  @MethodSource("kindsWithoutTls")
  void holdsBackWhatIsNoLineYet(String kind) throws IOException {
    // Those that move bytes as they are do not look for lines.
    boolean parses = !kind.startsWith("netty") && !kind.equals("transfer");
    try (EchoPeer peer = EchoPeer.start(kind, Mode.LINES);
        Socket socket = connect(peer, kind);
        Socket other = connect(peer, kind)) {
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
    assumeFalse(
        kind.equals("netty-io_uring"),
        "Netty's io_uring may not be done with closing when its event loops have ended");
    EchoPeer peer = EchoPeer.start(kind, Mode.BYTES);
    int port = peer.port();
    try (Socket socket = connect(peer, kind)) {
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

  /** What the load generator speaks, and all that it would measure. */
  @ParameterizedTest
  @MethodSource("kindsWithTls")
  void aClientThatKnowsOneCipherOfTls13GetsIt(String kind) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, Mode.BYTES);
        SSLSocket socket = (SSLSocket) connect(peer, kind)) {
      socket.setEnabledProtocols(new String[] {EchoTls.PROTOCOL});
      socket.setEnabledCipherSuites(new String[] {EchoTls.CIPHER_SUITE});

      socket.startHandshake();

      SSLSession session = socket.getSession();
      assertThat(session.getProtocol()).isEqualTo("TLSv1.3");
      assertThat(session.getCipherSuite()).isEqualTo("TLS_AES_128_GCM_SHA256");
      assertThat(((X509Certificate) session.getPeerCertificates()[0]).getPublicKey())
          .isInstanceOf(ECPublicKey.class);
    }
  }

  @ParameterizedTest
  @MethodSource("kindsWithTls")
  void aClientWithoutTls13IsRefused(String kind) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, Mode.BYTES);
        SSLSocket socket = (SSLSocket) connect(peer, kind)) {
      socket.setEnabledProtocols(new String[] {"TLSv1.2"});

      assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("kindsWithTls")
  void saysWhichEngineEncrypts(String kind) throws IOException {
    try (EchoPeer peer = EchoPeer.start(kind, Mode.BYTES)) {
      assertThat(peer.description())
          .endsWith(
              "TLSv1.3 by " + (kind.endsWith("boringssl") ? "BoringSSL" : "the JDK's engine"));
    }
  }

  @Test
  void everyPeerHasAFileToStartItBy() {
    assertThat(EchoPeer.KINDS)
        .allMatch(kind -> Files.isExecutable(Path.of("src/main/peers", kind)));
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
  private static Socket connect(EchoPeer peer, String kind) throws IOException {
    Socket socket =
        kind.contains("-tls")
            ? CLIENT_TLS.createSocket(LOOPBACK, peer.port())
            : new Socket(LOOPBACK, peer.port());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    return socket;
  }

  /** {@return a client's TLS that takes any certificate: the servers make theirs themselves} */
  private static SSLSocketFactory trustingAnybody() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
      return context.getSocketFactory();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
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
