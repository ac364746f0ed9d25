package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ProxyException;
import dev.weir.stream.ProxyServer;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.tls.CertificateRejectedException;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsProvider;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** Through proxies that nobody here wrote, or that know nothing of Weir. */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class ProxiesTest {
  /** Greets, then echoes: the greeting follows right behind the proxy's answer. */
  private static Server startServer() throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> {
          writer.writeLine("hello");
          for (byte[] chunk = reader.read(9000); chunk.length > 0; chunk = reader.read(9000)) {
            writer.write(chunk);
          }
        },
        "127.0.0.1",
        0);
  }

  private static int port(Server server) {
    return server.addresses().getFirst().getPort();
  }

  private static Connection open(String host, int port, ProxyServer proxy) throws IOException {
    return Asyncio.openConnection(host, port, ConnectOptions.defaults().withProxy(proxy));
  }

  private static void assertServed(String host, int port, ProxyServer proxy) throws IOException {
    byte[] message = new byte[1 << 20];
    new Random(1).nextBytes(message);
    try (Connection connection = open(host, port, proxy)) {
      assertThat(connection.reader().readLine()).isEqualTo(bytes("hello\n"));
      Asyncio.background(() -> connection.writer().write(message));
      // To the count, and not to the end: microsocks takes one side's end for both.
      byte[] echoed = connection.reader().readExactly(message.length);
      assertThat(Arrays.mismatch(echoed, message)).as("first difference").isNegative();
    }
  }

  private static void assertServedByNameAndAddress(int port, ProxyServer proxy, String refusal)
      throws IOException {
    assertServed("127.0.0.1", port, proxy);
    assertServed("localhost", port, proxy);
    int nobody = freePort();
    assertThatExceptionOfType(ProxyException.class)
        .isThrownBy(() -> open("127.0.0.1", nobody, proxy))
        .withMessageContaining("did not connect to 127.0.0.1:" + nobody)
        .withMessageContaining(refusal);
  }

  // --- microsocks

  /** It takes no port 0 and does not say when it listens. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static void awaitListening(int port) throws IOException {
    while (true) {
      try {
        Asyncio.openConnection("127.0.0.1", port).close();
        return;
      } catch (ConnectException e) {
        Asyncio.yieldNow();
      }
    }
  }

  @EachTransport
  void microsocksConnectsUsToNamesAndAddresses(String transport) {
    OnLoop.run(
        transport,
        () -> {
          int socksPort = freePort();
          try (Server server = startServer();
              ForeignProgram _ =
                  ForeignProgram.start("microsocks", "-i", "127.0.0.1", "-p", "" + socksPort)) {
            awaitListening(socksPort);
            ProxyServer proxy = ProxyServer.socks5("127.0.0.1", socksPort);

            assertServedByNameAndAddress(port(server), proxy, "refused");
          }
        });
  }

  @EachTransport
  void throughAProxyTheTargetIsSecuredAndNotTheProxy(String transport) {
    ServerTls tls = TestCertificates.serverTls(TlsProvider.JDK);
    TestServer.with(
        transport,
        TestServer::echo,
        ServerOptions.defaults().withTls(tls),
        (server, port) -> {
          int socksPort = freePort();
          try (ForeignProgram _ =
              ForeignProgram.start("microsocks", "-i", "127.0.0.1", "-p", "" + socksPort)) {
            awaitListening(socksPort);
            ConnectOptions options =
                ConnectOptions.defaults()
                    .withProxy(ProxyServer.socks5("127.0.0.1", socksPort))
                    .withTls(TestCertificates.clientTls(TlsProvider.JDK));
            try (Connection connection = Asyncio.openConnection("localhost", port, options)) {
              assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            }
            assertThatExceptionOfType(CertificateRejectedException.class)
                .isThrownBy(() ->
                    Asyncio.openConnection(
                        "localhost", port, options.withServerHostname("proxy.example")))
                .withMessageEndingWith("not for proxy.example");
          }
        });
  }

  @EachTransport
  void microsocksAsksForUserAndPassword(String transport) {
    OnLoop.run(
        transport,
        () -> {
          int socksPort = freePort();
          try (Server server = startServer();
              ForeignProgram _ =
                  ForeignProgram.start(
                      "microsocks",
                      "-i",
                      "127.0.0.1",
                      "-p",
                      "" + socksPort,
                      "-u",
                      "user",
                      "-P",
                      "secret")) {
            awaitListening(socksPort);
            ProxyServer proxy = ProxyServer.socks5("127.0.0.1", socksPort);

            assertServed("127.0.0.1", port(server), proxy.withCredentials("user", "secret"));
            assertThatExceptionOfType(ProxyException.class)
                .isThrownBy(
                    () -> open("127.0.0.1", port(server), proxy.withCredentials("user", "wrong")))
                .withMessageContaining("does not accept the user and password");
            assertThatExceptionOfType(ProxyException.class)
                .isThrownBy(() -> open("127.0.0.1", port(server), proxy))
                .withMessageContaining("wants to know who asks");
          }
        });
  }

  // --- HTTP

  @EachTransport
  void anHttpProxyConnectsUsToNamesAndAddresses(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = startServer();
              ForeignProgram program = ForeignProgram.python("http_proxy.py")) {
            ProxyServer proxy = announced(program);

            assertServedByNameAndAddress(port(server), proxy, "HTTP/1.1 502 Bad Gateway");
          }
        });
  }

  @EachTransport
  void anHttpProxyAsksForUserAndPassword(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = startServer();
              ForeignProgram program = ForeignProgram.python("http_proxy.py", "user:secret")) {
            ProxyServer proxy = announced(program);

            assertServed("127.0.0.1", port(server), proxy.withCredentials("user", "secret"));
            assertThatExceptionOfType(ProxyException.class)
                .isThrownBy(() -> open("127.0.0.1", port(server), proxy))
                .withMessageContaining("407");
          }
        });
  }

  private static ProxyServer announced(ForeignProgram program) {
    int port = Integer.parseInt(OnLoop.onWorker(program::nextLine).await());
    return ProxyServer.httpConnect("127.0.0.1", port);
  }
}
