package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import dev.weir.tls.CertificateRejectedException;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whom clients and servers do not talk to, and how they say why. */
@ExtendWith(LeakCheck.class)
class TlsRefusalsTest {
  private static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");
  private static final Instant YESTERYEAR = Instant.parse("2021-01-01T00:00:00Z");
  private static final Instant FAR_AWAY = Instant.parse("2090-01-01T00:00:00Z");

  private static CertificateBuilder localhost() {
    return new CertificateBuilder()
        .ecp256()
        .subject("CN=server")
        .addSanDnsName("localhost")
        .addExtendedKeyUsageServerAuth();
  }

  // --- The server's certificate

  @EachTlsProvider
  void aServerIsTakenAtItsNameOrItsAddress(String transport, TlsProvider provider) {
    serve(
        transport,
        provider,
        TestCertificates.LOCALHOST,
        port -> {
          ClientTls tls = TestCertificates.clientTls(provider);
          for (String name : List.of("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "::1")) {
            try (Connection connection = connect(port, tls, name)) {
              assertThat(TestServer.ask(connection, name)).isEqualTo(name);
            }
          }
        });
  }

  @EachTlsProvider
  void aCertificateForSomebodyElseIsRefused(String transport, TlsProvider provider) {
    serve(
        transport,
        provider,
        TestCertificates.LOCALHOST,
        port -> {
          ClientTls tls = TestCertificates.clientTls(provider);
          assertRefused(
              port,
              tls,
              "wrong.example",
              "The certificate is for localhost, 127.0.0.1 and 0:0:0:0:0:0:0:1, not for"
                  + " wrong.example");
          assertRefused(
              port,
              tls,
              "127.0.0.2",
              "The certificate is for localhost, 127.0.0.1 and 0:0:0:0:0:0:0:1, not for 127.0.0.2");
          assertRefused(
              port,
              tls,
              "no_such_name",
              "The certificate is for localhost, 127.0.0.1 and 0:0:0:0:0:0:0:1, not for"
                  + " no_such_name");
          try (Connection connection = connect(port, tls.withoutHostnameCheck(), "wrong.example")) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
          }
        });
  }

  @EachTlsProvider
  void anIssuerThatNobodyKnowsIsRefused(String transport, TlsProvider provider) throws Exception {
    X509Bundle stranger = TestCertificates.authority("CN=Stranger");
    serve(
        transport,
        provider,
        issuedBy(localhost(), stranger),
        port -> {
          assertRefused(
              port,
              TestCertificates.clientTls(provider),
              "localhost",
              "The certificate for localhost was issued by CN=Stranger, which is not trusted: trust"
                  + " it, or have the peer send the certificates that lead to a trusted one (asked"
                  + " for: localhost)");
          ClientTls anybody = TestCertificates.clientTls(provider).withoutCertificateCheck();
          try (Connection connection = connect(port, anybody, "wrong.example")) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
          }
        });
  }

  @EachTlsProvider
  void theSystemDoesNotTrustTheAuthorityOfATest(String transport, TlsProvider provider) {
    serve(
        transport,
        provider,
        TestCertificates.LOCALHOST,
        port ->
            assertThatExceptionOfType(CertificateRejectedException.class)
                .isThrownBy(
                    () -> connect(port, ClientTls.defaults().withProvider(provider), "localhost"))
                .withMessageContaining("which is not trusted"));
  }

  @EachTlsProvider
  void aSelfSignedCertificateIsRefusedUnlessItIsTrustedItself(
      String transport, TlsProvider provider) throws Exception {
    X509Bundle self = localhost().setIsCertificateAuthority(true).buildSelfSigned();
    serve(
        transport,
        provider,
        identity(self),
        port -> {
          ClientTls tls = TestCertificates.clientTls(provider);
          assertRefused(
              port,
              tls,
              "localhost",
              "The certificate for localhost is self-signed, and none of the trusted ones (asked"
                  + " for: localhost)");
          ClientTls pinned = tls.withTrusted(List.of(self.getCertificate()));
          try (Connection connection = connect(port, pinned, "localhost")) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
          }
        });
  }

  @EachTlsProvider
  void aCertificateIsRefusedBeforeAndAfterItsTime(String transport, TlsProvider provider) {
    TlsIdentity expired =
        TestCertificates.signed(localhost().notBefore(LONG_AGO).notAfter(YESTERYEAR));
    serve(
        transport,
        provider,
        expired,
        port ->
            assertRefused(
                port,
                TestCertificates.clientTls(provider),
                "localhost",
                "The certificate for localhost expired on 2021-01-01T00:00:00Z (asked for:"
                    + " localhost)"));
    TlsIdentity early =
        TestCertificates.signed(localhost().notBefore(FAR_AWAY).notAfter(FAR_AWAY.plusSeconds(9)));
    serve(
        transport,
        provider,
        early,
        port ->
            assertRefused(
                port,
                TestCertificates.clientTls(provider),
                "localhost",
                "The certificate for localhost is not valid before 2090-01-01T00:00:00Z (asked for:"
                    + " localhost)"));
  }

  @EachTlsProvider
  void aCertificateOfAClientIsNoneOfAServer(String transport, TlsProvider provider) {
    TlsIdentity client =
        TestCertificates.signed(
            new CertificateBuilder()
                .ecp256()
                .subject("CN=client")
                .addSanDnsName("localhost")
                .addExtendedKeyUsageClientAuth());
    serve(
        transport,
        provider,
        client,
        port ->
            assertRefused(
                port,
                TestCertificates.clientTls(provider),
                "localhost",
                "The certificate for localhost is not meant for servers (asked for: localhost)"));
  }

  // --- The client's certificate

  @EachTlsProvider
  void aClientWithoutACertificateIsRefusedWhereItMustHaveOne(
      String transport, TlsProvider provider) {
    List<Certificate> shown = new ArrayList<>();
    ServerTls mutual =
        TestCertificates.serverTls(provider).withClientsTrusted(TestCertificates.trusted());
    TestServer.with(
        transport,
        (reader, writer) -> {
          shown.addAll(writer.tlsSession().peerCertificates());
          TestServer.echo(reader, writer);
        },
        ServerOptions.defaults().withTls(mutual),
        (server, port) -> {
          ClientTls tls = TestCertificates.clientTls(provider);
          try (Connection connection =
              connect(port, tls.withIdentity(TestCertificates.CLIENT), "localhost")) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            assertThat(shown).isEqualTo(TestCertificates.CLIENT.certificates());
          }
          // With TLS 1.3 a client is done before the server has looked at its certificate.
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(() -> {
                try (Connection connection = connect(port, tls, "localhost")) {
                  TestServer.ask(connection, "let me in");
                  connection.reader().readLine();
                }
              })
              .withMessageContaining("certificate_required");
          assertThat(shown).hasSize(1);
        });
  }

  @EachTlsProvider
  void aClientOfAnUnknownIssuerIsRefused(String transport, TlsProvider provider) throws Exception {
    TlsIdentity stranger =
        issuedBy(
            new CertificateBuilder().ecp256().subject("CN=x").addExtendedKeyUsageClientAuth(),
            TestCertificates.authority("CN=Stranger"));
    List<String> handled = new ArrayList<>();
    ServerTls mutual =
        TestCertificates.serverTls(provider).withClientsTrusted(TestCertificates.trusted());
    TestServer.with(
        transport,
        (reader, writer) -> handled.add("a stranger"),
        ServerOptions.defaults().withTls(mutual),
        (server, port) -> {
          ClientTls tls = TestCertificates.clientTls(provider).withIdentity(stranger);
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(() -> {
                try (Connection connection = connect(port, tls, "localhost")) {
                  connection.reader().readLine();
                  connection.writer().write("x");
                  connection.reader().readLine();
                  throw new IOException("nobody refused");
                }
              })
              .withMessageNotContaining("nobody refused");
          assertThat(handled).isEmpty();
        });
  }

  // --- Names

  @EachTlsProvider
  void aServerShowsTheCertificateOfTheNameThatIsAskedFor(String transport, TlsProvider provider) {
    TlsIdentity exact = TestCertificates.server("a.example.org");
    TlsIdentity wild = TestCertificates.server("b.example.org");
    ServerTls named =
        ServerTls.named("a.example.org", exact)
            .withNamed("*.Example.org", wild)
            .withProvider(provider);
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(named),
        (server, port) -> {
          ClientTls tls = TestCertificates.clientTls(provider);
          assertThat(certificateOf(port, tls, "A.example.org.")).isEqualTo(exact.certificates());
          assertThat(certificateOf(port, tls, "b.example.org")).isEqualTo(wild.certificates());
          for (String unknown : List.of("example.org", "x.b.example.org", "127.0.0.1")) {
            assertThatExceptionOfType(TlsException.class)
                .as(unknown)
                .isThrownBy(() -> connect(port, tls, unknown))
                .withMessage("The peer refused: it sent the alert unrecognized_name");
          }
        });
  }

  private static List<Certificate> certificateOf(int port, ClientTls tls, String name)
      throws IOException {
    try (Connection connection = connect(port, tls, name)) {
      return connection.writer().tlsSession().peerCertificates();
    }
  }

  // --- Application protocols and versions

  @EachTlsProvider
  void peersAgreeOnAnApplicationProtocol(String transport, TlsProvider provider) {
    ServerTls both =
        TestCertificates.serverTls(provider).withApplicationProtocols("h2", "http/1.1");
    TestServer.with(
        transport,
        (reader, writer) -> writer.writeLine(writer.tlsSession().applicationProtocol() + ""),
        ServerOptions.defaults().withTls(both),
        (server, port) -> {
          ClientTls tls = TestCertificates.clientTls(provider);
          try (Connection connection =
              connect(port, tls.withApplicationProtocols("http/1.1"), "localhost")) {
            assertThat(connection.writer().tlsSession().applicationProtocol())
                .isEqualTo("http/1.1");
            assertThat(RawPeer.text(connection.reader().readLine())).isEqualTo("http/1.1\n");
          }
          try (Connection connection = connect(port, tls, "localhost")) {
            assertThat(RawPeer.text(connection.reader().readLine())).isEqualTo("null\n");
          }
          ClientTls other = tls.withApplicationProtocols("imap");
          try (Connection connection = connect(port, other, "localhost")) {
            assertThat(RawPeer.text(connection.reader().readLine())).isEqualTo("null\n");
          }
          assertThatExceptionOfType(TlsException.class)
              .isThrownBy(
                  () -> connect(port, other.withApplicationProtocolRequired(true), "localhost"))
              .withMessage("The peer knows none of the application protocols [imap]");
        });
  }

  @EachTlsProvider
  void aServerThatRequiresAnApplicationProtocolServesNobodyWithout(
      String transport, TlsProvider provider) {
    List<String> handled = new ArrayList<>();
    ServerTls required =
        TestCertificates.serverTls(provider)
            .withApplicationProtocols("h2")
            .withApplicationProtocolRequired(true);
    TestServer.with(
        transport,
        (reader, writer) -> handled.add("somebody"),
        ServerOptions.defaults().withTls(required),
        (server, port) -> {
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(() -> {
                try (Connection connection =
                    connect(port, TestCertificates.clientTls(provider), "localhost")) {
                  connection.reader().readExactly(1);
                }
              });
          assertThat(handled).isEmpty();
        });
  }

  @EachTlsProvider
  void theOlderVersionIsSpokenWhereItMustBe(String transport, TlsProvider provider) {
    serve(
        transport,
        provider,
        TestCertificates.LOCALHOST,
        port -> {
          ClientTls tls = TestCertificates.clientTls(provider).withProtocols("TLSv1.2");
          try (Connection connection = connect(port, tls, "localhost")) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            assertThat(connection.writer().tlsSession().protocol()).isEqualTo("TLSv1.2");
            assertThat(connection.writer().tlsSession().cipherSuite()).contains("GCM");
          }
        });
  }

  @EachTlsProvider
  void peersWithoutACommonVersionDoNotTalk(String transport, TlsProvider provider) {
    ServerTls newOnly = TestCertificates.serverTls(provider).withProtocols("TLSv1.3");
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(newOnly),
        (server, port) ->
            assertThatExceptionOfType(TlsException.class)
                .isThrownBy(() ->
                    connect(
                        port,
                        TestCertificates.clientTls(provider).withProtocols("TLSv1.2"),
                        "localhost"))
                .withMessage("The peer refused: it sent the alert protocol_version"));
  }

  @EachTlsProvider
  void optionsThatCannotBeHadAreSaidBeforeAnybodyListens(String transport, TlsProvider provider) {
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(TlsException.class)
                .isThrownBy(() ->
                    Asyncio.startServer(
                        TestServer::echo,
                        "127.0.0.1",
                        0,
                        ServerOptions.defaults()
                            .withTls(
                                TestCertificates.serverTls(provider)
                                    .withCipherSuites("TLS_NO_SUCH_SUITE"))))
                .withMessageContaining("TLS_NO_SUCH_SUITE"));
  }

  // --- What the tests share

  private interface PortBody {
    void run(int port) throws Exception;
  }

  private static void serve(
      String transport, TlsProvider provider, TlsIdentity identity, PortBody body) {
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(ServerTls.of(identity).withProvider(provider)),
        (server, port) -> body.run(port));
  }

  private static Connection connect(int port, ClientTls tls, String name) throws IOException {
    return Asyncio.openConnection(
        "127.0.0.1", port, ConnectOptions.defaults().withTls(tls).withServerHostname(name));
  }

  private static void assertRefused(int port, ClientTls tls, String name, String message) {
    assertThatExceptionOfType(CertificateRejectedException.class)
        .isThrownBy(() -> connect(port, tls, name))
        .withMessage(message);
  }

  private static TlsIdentity issuedBy(CertificateBuilder builder, X509Bundle issuer)
      throws Exception {
    return identity(builder.buildIssuedBy(issuer));
  }

  private static TlsIdentity identity(X509Bundle bundle) {
    return TlsIdentity.of(bundle.getKeyPair().getPrivate(), List.of(bundle.getCertificatePath()));
  }
}
