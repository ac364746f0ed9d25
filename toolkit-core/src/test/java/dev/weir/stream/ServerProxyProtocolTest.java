package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static dev.weir.stream.ProxyHeaders.ADDRESSES_4;
import static dev.weir.stream.ProxyHeaders.LOCAL;
import static dev.weir.stream.ProxyHeaders.PROXY;
import static dev.weir.stream.ProxyHeaders.TCP4;
import static dev.weir.stream.ProxyHeaders.concat;
import static dev.weir.stream.ProxyHeaders.v1;
import static dev.weir.stream.ProxyHeaders.v2;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.ExceptionContext;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A server behind proxies: whom its handlers see, and who never gets to one. */
class ServerProxyProtocolTest {
  private static final ServerOptions BEHIND_PROXIES =
      ServerOptions.defaults().withProxyProtocol(List.of("127.0.0.0/8", "10.0.0.0/24"));

  private static final String LINE = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
  private static final String TOLD = "/192.0.2.1:56324 -> /198.51.100.7:443";

  private int handled;

  /** Tells whom it serves and what it got. */
  private void tell(StreamReader reader, StreamWriter writer) throws IOException {
    handled++;
    byte[] read = reader.readAll();
    writer.write(writer.remoteAddress() + " -> " + writer.localAddress() + ": " + text(read));
  }

  private static String answerTo(int port, byte[]... pieces) throws IOException {
    try (Connection connection = MemoryServer.connect(port)) {
      for (byte[] piece : pieces) {
        connection.writer().write(piece);
        Rounds.settle();
      }
      connection.writer().writeEof();
      return text(connection.reader().readAll());
    }
  }

  private static void assertAborted(Connection connection) {
    assertThatExceptionOfType(ConnectionResetException.class)
        .isThrownBy(() -> connection.reader().readAll());
  }

  static Stream<byte[]> headers() {
    return Stream.of(v1(LINE), v2(PROXY, TCP4, ADDRESSES_4), ProxyHeaders.v2WithChecksum(0));
  }

  // --- Who is seen

  @ParameterizedTest
  @MethodSource("headers")
  void theHandlerSeesTheTrueClientHoweverTheHeaderIsCut(byte[] header) {
    byte[] sent = concat(header, v1("hello"));
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          assertThat(answerTo(port, sent)).isEqualTo(TOLD + ": hello");
          for (int cut = 1; cut < sent.length; cut++) {
            byte[] first = Arrays.copyOf(sent, cut);
            byte[] rest = Arrays.copyOfRange(sent, cut, sent.length);

            assertThat(answerTo(port, first, rest))
                .as("cut at %s", cut)
                .isEqualTo(TOLD + ": hello");
          }
          byte[][] single = new byte[sent.length][];
          for (int i = 0; i < sent.length; i++) {
            single[i] = new byte[] {sent[i]};
          }
          assertThat(answerTo(port, single)).isEqualTo(TOLD + ": hello");
        });
  }

  /** {@code MemoryServer.with} fails if anything is reported. */
  @Test
  void anAddressOfIpv4WithinOneOfIpv6IsTheTrueClientsToo() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          byte[] header = v1("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1000 80\r\n");

          assertThat(answerTo(port, header, v1("hello")))
              .isEqualTo("/192.0.2.1:1000 -> /[2001:db8:0:0:0:0:0:1]:80: hello");
        });
  }

  @Test
  void whereTheHeaderDoesNotTellTheSocketsAddressesAreSeen() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          for (byte[] header : List.of(v1("PROXY UNKNOWN\r\n"), v2(LOCAL, 0))) {
            assertThat(answerTo(port, header, v1("check")))
                .startsWith("/127.0.0.1:")
                .endsWith(" -> /127.0.0.1:" + port + ": check");
          }
        });
  }

  @Test
  void aFailureOfTheHandlerNamesTheTrueClient() {
    List<ExceptionContext> reports = new ArrayList<>();
    ConnectionHandler failing =
        (reader, writer) -> {
          assertThat(reader.toString()).contains("with /192.0.2.1:56324");
          throw new IllegalStateException("bug");
        };
    VirtualLoop.run(() -> {
      Asyncio.runningLoop().setExceptionHandler((loop, context) -> reports.add(context));
      try (Server server = MemoryServer.start(failing, BEHIND_PROXIES)) {
        answerTo(MemoryServer.port(server), v1(LINE));
      }
    });

    assertThat(reports)
        .singleElement()
        .extracting(ExceptionContext::message)
        .asString()
        .contains("/192.0.2.1:56324");
  }

  @Test
  void withoutTheOptionAHeaderIsData() {
    MemoryServer.with(
        this::tell, (server, port) -> assertThat(answerTo(port, v1(LINE))).endsWith(": " + LINE));
  }

  // --- Who is not served

  @Test
  void aConnectionFromElsewhereIsAbortedWhateverItSends() {
    VirtualLoop.run(() -> {
      try (Server _ = Asyncio.startServer(this::tell, "10.0.0.1", 80, BEHIND_PROXIES)) {
        for (String host : List.of("10.0.1.1", "192.0.2.1")) {
          try (var _ = MemoryNetwork.current().onHost(host)) {
            Connection connection = Asyncio.openConnection("10.0.0.1", 80);
            connection.writer().write(LINE);
            assertAborted(connection);
          }
        }
        try (var _ = MemoryNetwork.current().onHost("10.0.0.9");
            Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
          connection.writer().write(LINE);
          connection.writer().writeEof();
          assertThat(text(connection.reader().readAll())).startsWith(TOLD);
        }
        assertThat(handled).isEqualTo(1);
      }
    });
  }

  @Test
  void aConnectionThatBringsNoHeaderInTimeIsAborted() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          for (String beginning :
              List.of("", "P", "PROXY TCP4 192.0.2.1 198", "\r\n\r\n\0\r\nQUIT\n")) {
            Connection connection = MemoryServer.connect(port);
            Duration begun = Asyncio.runningLoop().time();
            connection.writer().write(beginning);

            assertAborted(connection);
            assertThat(Asyncio.runningLoop().time().minus(begun))
                .isBetween(Duration.ofSeconds(3), Duration.ofMillis(3001));
          }
          assertThat(handled).isZero();
        });
  }

  /** One byte a second would keep a timeout of the single read from ever passing. */
  @Test
  void aHeaderThatDripsInIsNotWaitedForLonger() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration begun = Asyncio.runningLoop().time();
          assertThatThrownBy(
                  () -> {
                    for (char letter : LINE.toCharArray()) {
                      connection.writer().write(String.valueOf(letter));
                      Asyncio.sleep(Duration.ofSeconds(1));
                    }
                  })
              .isInstanceOf(ConnectionResetException.class);

          assertThat(Asyncio.runningLoop().time().minus(begun)).isLessThan(Duration.ofSeconds(5));
          assertThat(handled).isZero();
        });
  }

  @Test
  void aHeaderThatIsCutOffOrWrongAbortsItsConnectionOnly() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          List<byte[]> wrong =
              List.of(
                  v1("PROXY TCP4"),
                  v1("GET / HTTP/1.1\r\nHost: example\r\n\r\n"),
                  v1("PROXY UNKNOWN " + "x".repeat(100) + "\r\n"),
                  v2(PROXY, TCP4, new byte[3000]),
                  ProxyHeaders.v2WithChecksum(1));
          for (byte[] header : wrong) {
            Connection connection = MemoryServer.connect(port);
            connection.writer().write(header);
            connection.writer().writeEof();
            assertAborted(connection);
          }

          assertThat(handled).isZero();
          assertThat(answerTo(port, v1(LINE))).startsWith(TOLD);
        });
  }

  @Test
  void thoseWhoBringNoHeaderCountWhileTheyAreWaitedFor() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES.withMaxConnections(2),
        (server, port) -> {
          Connection silent = MemoryServer.connect(port);
          Connection silentToo = MemoryServer.connect(port);
          Rounds.settle();
          assertThat(server.toString()).contains("not accepting");

          assertThat(answerTo(port, v1(LINE))).startsWith(TOLD);

          assertAborted(silent);
          assertAborted(silentToo);
        });
  }

  @Test
  void shutdownDoesNotWaitForHeaders() {
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          Connection silent = MemoryServer.connect(port);
          Rounds.settle();

          server.shutdown(Duration.ZERO);

          assertAborted(silent);
          assertThat(handled).isZero();
        });
  }

  @Test
  void whateverIsSentIsServedOrAborted() {
    Random random = new Random(20);
    MemoryServer.with(
        this::tell,
        BEHIND_PROXIES,
        (server, port) -> {
          int aborted = 0;
          int rounds = 2_000;
          for (int i = 0; i < rounds; i++) {
            byte[] sent =
                i % 4 == 0
                    ? ProxyHeaderReaderTest.randomBytes(random)
                    : ProxyHeaderReaderTest.mutated(v1(LINE), random);
            try {
              assertThat(answerTo(port, sent)).contains(" -> ");
            } catch (ConnectionResetException e) {
              aborted++;
            }
          }

          assertThat(handled + aborted).isEqualTo(rounds);
          assertThat(handled).isPositive();
          assertThat(aborted).isPositive();
        });
  }
}
