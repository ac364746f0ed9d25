package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Task;
import dev.weir.tls.CertificateRejectedException;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsProvider;
import dev.weir.tls.TlsSession;
import java.net.Socket;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
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

  @EachTransport
  void aContextOfTheUsersMayBlockWhileTheLoopGoesOn(String transport) throws Exception {
    CountDownLatch checking = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    SSLContext slow = SSLContext.getInstance("TLS");
    slow.init(null, new TrustManager[] {new SlowTrustManager(checking, mayGoOn)}, null);
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(TestCertificates.serverTls(TlsProvider.JDK)),
        (server, port) -> {
          ConnectOptions options = ConnectOptions.defaults().withTls(ClientTls.of(slow));
          Task<Connection> connecting =
              Asyncio.createTask(() -> Asyncio.openConnection("localhost", port, options));
          OnLoop.onWorker(
                  () -> {
                    checking.await();
                    return null;
                  })
              .await(); // The loop is here again while the trust manager blocks.
          mayGoOn.countDown();
          try (Connection connection = connecting.await()) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
          }
        });
  }

  /** Takes its time. */
  private static final class SlowTrustManager extends X509ExtendedTrustManager {
    private final CountDownLatch checking;
    private final CountDownLatch mayGoOn;

    SlowTrustManager(CountDownLatch checking, CountDownLatch mayGoOn) {
      this.checking = checking;
      this.mayGoOn = mayGoOn;
    }

    private void check() throws CertificateException {
      checking.countDown();
      try {
        mayGoOn.await();
      } catch (InterruptedException e) {
        throw new CertificateException(e);
      }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      check();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
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
