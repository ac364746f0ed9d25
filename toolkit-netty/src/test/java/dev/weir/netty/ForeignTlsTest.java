package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.tls.CertificateRejectedException;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsProvider;
import dev.weir.tls.TlsSession;
import dev.weir.tls.TlsTruncatedException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** TLS with those who have it from others: OpenSSL, GnuTLS, CPython. */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class ForeignTlsTest {
  private static final TlsIdentity OTHER = TestCertificates.server("other.example");

  /** Python 3.11 brought {@code StreamWriter.start_tls}. */
  private static final int MINOR_WITH_START_TLS = 11;

  private static final Pattern PORT = Pattern.compile("127\\.0\\.0\\.1:([0-9]+)");

  @TempDir static Path directory;
  private static String trusted;
  private static PemFiles localhost;
  private static PemFiles client;

  @BeforeAll
  static void writeFiles() throws IOException {
    trusted = PemFiles.write(directory, "trusted", TestCertificates.trusted());
    localhost = PemFiles.write(directory, "localhost", TestCertificates.LOCALHOST);
    client = PemFiles.write(directory, "client", TestCertificates.CLIENT);
  }

  // --- Programs as clients

  /** Serves one line and closes. */
  private static void answerOnce(StreamReader reader, StreamWriter writer) throws IOException {
    writer.write(reader.readLine());
  }

  private static void serve(
      String transport, ServerTls tls, ConnectionHandler handler, TestServer.ServerBody body) {
    TestServer.with(transport, handler, ServerOptions.defaults().withTls(tls), body);
  }

  private static ForeignProgram openssl(int port, String... options) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port));
    command.addAll(List.of("-CAfile", trusted, "-verify_return_error"));
    command.addAll(List.of(options));
    return ForeignProgram.startTalkative(command.toArray(String[]::new));
  }

  /** {@return all that OpenSSL says of a connection on which it sends a line, until we close it} */
  private static String askWithOpenssl(int port, String... options) throws IOException {
    try (ForeignProgram openssl = openssl(port, options)) {
      return OnLoop.onWorker(
              () -> {
                try {
                  openssl.send("hello\n");
                } catch (IOException e) {
                  // It has ended already, and says why.
                }
                return openssl.restOfOutput();
              })
          .await();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "nio, JDK, -tls1_3, TLSv1.3",
    "nio, JDK, -tls1_2, TLSv1.2",
    "epoll, JDK, -tls1_3, TLSv1.3",
    "epoll, JDK, -tls1_2, TLSv1.2",
    "epoll, BORINGSSL, -tls1_3, TLSv1.3",
    "epoll, BORINGSSL, -tls1_2, TLSv1.2",
  })
  void opensslIsServedWithBothVersions(
      String transport, TlsProvider provider, String option, String version) {
    List<TlsSession> sessions = new ArrayList<>();
    ServerTls tls =
        TestCertificates.serverTls(provider).withApplicationProtocols("first/1", "second/1");
    serve(
        transport,
        tls,
        (reader, writer) -> {
          sessions.add(writer.tlsSession());
          answerOnce(reader, writer);
        },
        (server, port) -> {
          String said =
              askWithOpenssl(
                  port,
                  option,
                  "-ign_eof",
                  "-servername",
                  "localhost",
                  "-verify_hostname",
                  "localhost",
                  "-alpn",
                  "unknown/1,second/1");

          assertThat(said)
              .contains("Verification: OK")
              .contains("New, " + version)
              .contains("ALPN protocol: second/1")
              .contains("hello\n")
              .contains("Secure Renegotiation IS" + (version.equals("TLSv1.3") ? " NOT" : ""));
          assertThat(sessions).hasSize(1);
          assertThat(sessions.getFirst().protocol()).isEqualTo(version);
          assertThat(sessions.getFirst().applicationProtocol()).isEqualTo("second/1");
          assertThat(sessions.getFirst().serverName()).isEqualTo("localhost");
        });
  }

  @EachTlsProvider
  void opensslGetsTheCertificateOfTheServerItAsksFor(String transport, TlsProvider provider) {
    ServerTls tls = TestCertificates.serverTls(provider).withNamed("other.example", OTHER);
    serve(
        transport,
        tls,
        ForeignTlsTest::answerOnce,
        (server, port) -> {
          assertThat(
                  askWithOpenssl(
                      port,
                      "-ign_eof",
                      "-servername",
                      "other.example",
                      "-verify_hostname",
                      "other.example"))
              .contains("Verification: OK");
          assertThat(
                  askWithOpenssl(
                      port, "-ign_eof", "-noservername", "-verify_hostname", "localhost"))
              .contains("Verification: OK");
          assertThat(
                  askWithOpenssl(
                      port,
                      "-ign_eof",
                      "-servername",
                      "third.example",
                      "-verify_hostname",
                      "third.example"))
              .contains("hostname mismatch"); // It got the one for all.
        });
  }

  @EachTlsProvider
  void opensslIsToldThatThereIsNoSuchServer(String transport, TlsProvider provider) {
    ServerTls tls = ServerTls.named("other.example", OTHER).withProvider(provider);
    serve(
        transport,
        tls,
        ForeignTlsTest::answerOnce,
        (server, port) ->
            assertThat(askWithOpenssl(port, "-ign_eof", "-servername", "third.example"))
                .contains("unrecognized name"));
  }

  @EachTlsProvider
  void opensslShowsACertificateOrIsRefused(String transport, TlsProvider provider) {
    List<TlsSession> sessions = new ArrayList<>();
    X509Certificate shown = TestCertificates.CLIENT.certificates().getFirst();
    ServerTls tls =
        TestCertificates.serverTls(provider).withClientsTrusted(TestCertificates.trusted());
    serve(
        transport,
        tls,
        (reader, writer) -> {
          sessions.add(writer.tlsSession());
          answerOnce(reader, writer);
        },
        (server, port) -> {
          for (String version : new String[] {"-tls1_3", "-tls1_2"}) {
            assertThat(
                    askWithOpenssl(
                        port,
                        version,
                        "-ign_eof",
                        "-cert",
                        client.certificates(),
                        "-key",
                        client.key()))
                .contains("hello\n");
            assertThat(askWithOpenssl(port, version, "-ign_eof"))
                .containsPattern("SSL alert number (42|116|40)")
                .doesNotContain("hello\n");
          }
          assertThat(sessions)
              .as("what handlers saw, which never ran without a certificate")
              .extracting(session -> session.peerCertificates().getFirst())
              .containsExactly(shown, shown);
        });
  }

  @EachTlsProvider
  void gnutlsIsServed(String transport, TlsProvider provider) {
    serve(
        transport,
        TestCertificates.serverTls(provider),
        ForeignTlsTest::answerOnce,
        (server, port) -> {
          try (ForeignProgram gnutls =
              ForeignProgram.startTalkative(
                  "gnutls-cli",
                  "--x509cafile=" + trusted,
                  "--sni-hostname=localhost",
                  "--verify-hostname=localhost",
                  "--port=" + port,
                  "127.0.0.1")) {
            String said =
                OnLoop.onWorker(
                        () -> {
                          gnutls.nextLineWith("Handshake was completed");
                          gnutls.send("hello\n");
                          return gnutls.restOfOutput();
                        })
                    .await();

            assertThat(said).contains("hello\n").contains("Peer has closed the GnuTLS connection");
            assertThat(OnLoop.onWorker(gnutls::awaitExit).await()).isZero();
          }
        });
  }

  // --- Programs as servers

  /** OpenSSL as a server that sends every line back, reversed. */
  private static ForeignProgram opensslServer() throws IOException {
    return ForeignProgram.startTalkative(
        "openssl",
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-cert",
        localhost.certificates(),
        "-key",
        localhost.key(),
        "-rev");
  }

  private static int portIn(ForeignProgram program, String text) {
    String line = OnLoop.onWorker(() -> program.nextLineWith(text)).await();
    Matcher matcher = PORT.matcher(line);
    assertThat(matcher.find()).as("a port in '%s'", line).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  private static ConnectOptions secured(ClientTls tls) {
    return ConnectOptions.defaults().withTls(tls).withServerHostname("localhost");
  }

  @EachTlsProvider
  void opensslServesUsIfItIsWhomWeTrust(String transport, TlsProvider provider) {
    ClientTls tls = TestCertificates.clientTls(provider);
    ClientTls trustsAnother = tls.withTrusted(OTHER.certificates());
    OnLoop.run(
        transport,
        () -> {
          try (ForeignProgram openssl = opensslServer()) {
            int port = portIn(openssl, "ACCEPT");
            assertAnswersInReverse(port, tls);

            assertThatExceptionOfType(CertificateRejectedException.class)
                .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", port, secured(trustsAnother)))
                .withMessageContaining("was issued by CN=Weir test authority, which is not trusted")
                .withMessageContaining("(asked for: localhost)");
            assertThatExceptionOfType(CertificateRejectedException.class)
                .isThrownBy(() ->
                    Asyncio.openConnection(
                        "127.0.0.1", port, secured(tls).withServerHostname("wrong.example")))
                .withMessageContaining("The certificate is for localhost, 127.0.0.1 and ")
                .withMessageEndingWith(", not for wrong.example");

            assertThat(OnLoop.onWorker(() -> openssl.nextLineWith("alert")).await())
                .as("what OpenSSL is told of it")
                // Certificate unknown, or bad certificate.
                .endsWith("SSL alert number " + (provider == TlsProvider.JDK ? 46 : 42));
            assertAnswersInReverse(port, tls); // It is none the worse for it.
          }
        });
  }

  private static void assertAnswersInReverse(int port, ClientTls tls) throws IOException {
    try (Connection connection = Asyncio.openConnection("127.0.0.1", port, secured(tls))) {
      assertThat(TestServer.ask(connection, "hello")).isEqualTo("olleh");
      assertThat(connection.writer().tlsSession().protocol()).isEqualTo("TLSv1.3");
      connection.writer().close();
      connection.writer().waitClosed();
    }
  }

  // --- CPython's asyncio

  @EachTlsProvider
  void theClientOfCPythonsAsyncioIsServed(String transport, TlsProvider provider) {
    serve(
        transport,
        TestCertificates.serverTls(provider),
        TestServer::echoBytes,
        (server, port) -> assertPythonIsServed(port, "tls"));
  }

  @EachTlsProvider
  void theClientOfCPythonsAsyncioStartsTlsLater(String transport, TlsProvider provider)
      throws IOException {
    ForeignProgram.assumePython3(MINOR_WITH_START_TLS);
    TestServer.with(
        transport,
        (reader, writer) -> {
          assertThat(reader.readLine()).isEqualTo(RawPeer.bytes("STARTTLS\n"));
          writer.write("go ahead\n");
          writer.startTls(TestCertificates.serverTls(provider));
          TestServer.echoBytes(reader, writer);
        },
        (server, port) -> assertPythonIsServed(port, "start_tls"));
  }

  private static void assertPythonIsServed(int port, String beginning) throws IOException {
    try (ForeignProgram python =
        ForeignProgram.python("asyncio_tls_client.py", String.valueOf(port), trusted, beginning)) {
      assertThat(OnLoop.onWorker(python::nextLine).await()).isEqualTo("done");
      assertThat(OnLoop.onWorker(python::awaitExit).await()).isZero();
    }
  }

  @EachTlsProvider
  void theServerOfCPythonsAsyncioServesUs(String transport, TlsProvider provider) {
    ClientTls tls = TestCertificates.clientTls(provider);
    OnLoop.run(
        transport,
        () -> {
          try (ForeignProgram python = pythonServer("tls")) {
            int port = Integer.parseInt(OnLoop.onWorker(python::nextLine).await());
            try (Connection connection = Asyncio.openConnection("127.0.0.1", port, secured(tls))) {
              assertEchoes(connection);
            }
          }
        });
  }

  @EachTlsProvider
  void weStartTlsLaterWithTheServerOfCPythonsAsyncio(String transport, TlsProvider provider)
      throws IOException {
    ForeignProgram.assumePython3(MINOR_WITH_START_TLS);
    ClientTls tls = TestCertificates.clientTls(provider);
    OnLoop.run(
        transport,
        () -> {
          try (ForeignProgram python = pythonServer("start_tls")) {
            int port = Integer.parseInt(OnLoop.onWorker(python::nextLine).await());
            try (Connection connection = TestServer.connect(port)) {
              assertThat(TestServer.ask(connection, "STARTTLS")).isEqualTo("go ahead");
              connection.writer().startTls(tls, "localhost");
              assertEchoes(connection);
            }
          }
        });
  }

  private static ForeignProgram pythonServer(String beginning) throws IOException {
    return ForeignProgram.python(
        "asyncio_tls_server.py", localhost.certificates(), localhost.key(), beginning);
  }

  private static void assertEchoes(Connection connection) throws IOException {
    assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
    byte[] message = new byte[1 << 20];
    new Random(1).nextBytes(message);
    Future<?> sending = Asyncio.createTask(() -> connection.writer().write(message));
    assertThat(connection.reader().readExactly(message.length)).isEqualTo(message);
    sending.await();
    connection.writer().close();
    connection.writer().waitClosed();
  }

  @EachTlsProvider
  void opensslChangesItsKeysAndHasUsChangeOurs(String transport, TlsProvider provider) {
    serve(
        transport,
        TestCertificates.serverTls(provider),
        TestServer::echo,
        (server, port) -> {
          try (ForeignProgram openssl = openssl(port, "-tls1_3", "-msg")) {
            OnLoop.onWorker(
                    () -> {
                      openssl.nextLineWith("Verify return code");
                      for (int i = 0; i < 3; i++) {
                        openssl.send("before " + i + "\n");
                        openssl.nextLineWith("before " + i);
                        openssl.send("K\n"); // It asks for ours, too.
                        openssl.nextLineWith("KEYUPDATE");
                        openssl.send("after " + i + "\n");
                        openssl.nextLineWith("<<< TLS 1.3, Handshake [length 0005], KeyUpdate");
                        openssl.nextLineWith("after " + i);
                      }
                      return null;
                    })
                .await();
          }
        });
  }

  // --- What must not be

  @EachTlsProvider
  void opensslThatAsksForAnotherHandshakeIsShutOutAndNobodyElse(
      String transport, TlsProvider provider) {
    serve(
        transport,
        TestCertificates.serverTls(provider),
        TestServer::echo,
        (server, port) -> {
          ConnectOptions options = secured(TestCertificates.clientTls(provider));
          try (Connection neighbour = Asyncio.openConnection("127.0.0.1", port, options);
              ForeignProgram openssl = openssl(port, "-tls1_2", "-msg")) {
            assertThat(TestServer.ask(neighbour, "before")).isEqualTo("before");

            String said =
                OnLoop.onWorker(
                        () -> {
                          openssl.nextLineWith("Verify return code");
                          openssl.send("hello\n");
                          openssl.nextLineWith("hello");
                          openssl.send("R\n");
                          return openssl.restOfOutput();
                        })
                    .await();

            assertThat(said).contains("RENEGOTIATING").containsPattern("<<< TLS 1.2, Alert");
            assertThat(TestServer.ask(neighbour, "after")).isEqualTo("after");
          }
        });
  }

  @EachTlsProvider
  void opensslFindsNoVersionThatIsTooOld(String transport, TlsProvider provider) {
    serve(
        transport,
        TestCertificates.serverTls(provider),
        ForeignTlsTest::answerOnce,
        (server, port) ->
            assertThat(askWithOpenssl(port, "-ign_eof", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"))
                .contains("alert protocol version"));
  }

  @EachTlsProvider
  void sslscanFindsNothingWeak(String transport, TlsProvider provider) {
    serve(
        transport,
        TestCertificates.serverTls(provider),
        TestServer::echo,
        (server, port) -> {
          byte[] found;
          try (ForeignProgram sslscan =
              ForeignProgram.start("sslscan", "--xml=-", "127.0.0.1:" + port)) {
            found = OnLoop.onWorker(sslscan::allOutput).await();
          }
          Document report = parse(found);

          assertThat(attributes(report, "protocol", "enabled", "1"))
              .containsExactlyInAnyOrder("tls 1.2", "tls 1.3");
          assertThat(attributes(report, "cipher", "status", null))
              .as("suites")
              .hasSizeGreaterThan(4)
              .allMatch(ForeignTlsTest::hasForwardSecrecyAndIsAead);
          assertThat(attributes(report, "compression", "supported", "1")).isEmpty();
          assertThat(attributes(report, "heartbleed", "vulnerable", "1")).isEmpty();
        });
  }

  private static Document parse(byte[] xml) throws Exception {
    return DocumentBuilderFactory.newDefaultInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml));
  }

  /** {@return the elements of a name, those with that value only, as a text of what they are} */
  private static List<String> attributes(
      Document report, String element, String attribute, String value) {
    List<String> found = new ArrayList<>();
    NodeList all = report.getElementsByTagName(element);
    for (int i = 0; i < all.getLength(); i++) {
      Element one = (Element) all.item(i);
      if (value == null || one.getAttribute(attribute).equals(value)) {
        found.add(
            element.equals("cipher")
                ? one.getAttribute("sslversion") + " " + one.getAttribute("cipher")
                : one.getAttribute("type") + " " + one.getAttribute("version"));
      }
    }
    return found;
  }

  private static boolean hasForwardSecrecyAndIsAead(String suite) {
    return suite.startsWith("TLSv1.3 TLS_")
        || suite.matches("TLSv1\\.2 ECDHE-.*(GCM|CHACHA20-POLY1305).*");
  }

  // --- Cut off on the way

  @EachTlsProvider
  void aServerThatIsKilledIsNoEnd(String transport, TlsProvider provider) {
    ClientTls tls = TestCertificates.clientTls(provider);
    OnLoop.run(
        transport,
        () -> {
          try (ForeignProgram openssl = opensslServer()) {
            int port = portIn(openssl, "ACCEPT");
            try (Connection connection = Asyncio.openConnection("127.0.0.1", port, secured(tls))) {
              assertThat(TestServer.ask(connection, "hello")).isEqualTo("olleh");

              openssl.kill();

              assertThatThrownBy(() -> connection.reader().readAll())
                  .isInstanceOfAny(TlsTruncatedException.class, ConnectionResetException.class);
            }
          }
        });
  }

  @EachTlsProvider
  void aClientThatIsKilledIsNoEnd(String transport, TlsProvider provider) {
    List<Exception> ends = new ArrayList<>();
    serve(
        transport,
        TestCertificates.serverTls(provider),
        (reader, writer) -> ends.add(endAfterEcho(reader, writer)),
        (server, port) -> {
          try (ForeignProgram openssl = openssl(port)) {
            OnLoop.onWorker(
                    () -> {
                      openssl.send("hello\n");
                      return openssl.nextLineWith("hello");
                    })
                .await();

            openssl.kill();

            OnLoop.passRoundsUntil(() -> !ends.isEmpty());
            assertThat(ends.getFirst())
                .isInstanceOfAny(TlsTruncatedException.class, ConnectionResetException.class);
          }
        });
  }

  /** {@return how the connection ended; null for a clean end} */
  private static Exception endAfterEcho(StreamReader reader, StreamWriter writer) {
    try {
      writer.write(reader.readLine());
      reader.readAll();
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  @EachTlsProvider
  void aProxyThatIsKilledCutsOffBothSides(String transport, TlsProvider provider) {
    List<Exception> ends = new ArrayList<>();
    serve(
        transport,
        TestCertificates.serverTls(provider),
        (reader, writer) -> ends.add(endAfterEcho(reader, writer)),
        (server, port) -> {
          try (ForeignProgram socat =
              ForeignProgram.startTalkative(
                  "socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "TCP:127.0.0.1:" + port)) {
            int between = portIn(socat, "listening on");
            ConnectOptions options = secured(TestCertificates.clientTls(provider));
            try (Connection connection = Asyncio.openConnection("127.0.0.1", between, options)) {
              assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");

              socat.kill();

              assertThatThrownBy(() -> connection.reader().readAll())
                  .isInstanceOf(TlsTruncatedException.class);
              OnLoop.passRoundsUntil(() -> !ends.isEmpty());
              assertThat(ends.getFirst()).isInstanceOf(TlsTruncatedException.class);
            }
          }
        });
  }
}
