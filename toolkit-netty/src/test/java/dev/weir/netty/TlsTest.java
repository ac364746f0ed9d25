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
import dev.weir.tls.TlsProvider;
import dev.weir.tls.TlsSession;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** Connections that are secured from their beginning, and what both sides learn of each other. */
@ExtendWith(LeakCheck.class)
class TlsTest {
  @EachTlsProvider
  void whatIsSentArrivesAndBothSidesKnowHowItIsSecured(String transport, TlsProvider provider) {
    List<TlsSession> served = new ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          served.add(writer.tlsSession());
          TestServer.echo(reader, writer);
        },
        ServerOptions.defaults().withTls(TestCertificates.serverTls(provider)),
        (server, port) -> {
          ConnectOptions options =
              ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
          try (Connection connection = Asyncio.openConnection("localhost", port, options)) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");

            TlsSession session = connection.writer().tlsSession();
            assertThat(session.protocol()).isEqualTo("TLSv1.3");
            assertThat(session.cipherSuite()).startsWith("TLS_");
            assertThat(session.peerCertificates())
                .isEqualTo(TestCertificates.LOCALHOST.certificates());
            assertThat(session.provider()).isEqualTo(name(provider));
            assertThat(served.getFirst().serverName()).isEqualTo("localhost");
            assertThat(served.getFirst().peerCertificates()).isEqualTo(List.<Certificate>of());
          }
        });
  }

  @EachTlsProvider
  void aServerThatIsNotWhomItWasTakenForIsRefused(String transport, TlsProvider provider) {
    ClientTls tls = TestCertificates.clientTls(provider);
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(TestCertificates.serverTls(provider)),
        (server, port) -> {
          ConnectOptions options =
              ConnectOptions.defaults().withTls(tls).withServerHostname("wrong.example");
          assertThatExceptionOfType(CertificateRejectedException.class)
              .isThrownBy(() -> Asyncio.openConnection("localhost", port, options))
              .withMessageContaining("localhost")
              .withMessageContaining("not for wrong.example");
        });
  }

  @EachTlsProvider
  void whoIsRefusedIsToldSoByAnAlert(String transport, TlsProvider provider) {
    ClientTls withoutCertificate = TestCertificates.clientTls(provider).withProtocols("TLSv1.2");
    ServerTls tls =
        TestCertificates.serverTls(provider).withClientsTrusted(TestCertificates.trusted());
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(tls),
        (server, port) -> {
          ConnectOptions options = ConnectOptions.defaults().withTls(withoutCertificate);
          assertThatExceptionOfType(TlsException.class)
              .isThrownBy(() -> Asyncio.openConnection("localhost", port, options))
              .withMessageStartingWith("The peer refused: it sent the alert ");
        });
  }

  private static String name(TlsProvider provider) {
    return provider == TlsProvider.JDK ? "JDK" : "BoringSSL";
  }
}
