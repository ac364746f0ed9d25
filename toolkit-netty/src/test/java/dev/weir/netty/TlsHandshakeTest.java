package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Future;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients that do not shake hands as they should. Other clients must not notice. */
@ExtendWith(LeakCheck.class)
class TlsHandshakeTest {
  @EachTlsProvider
  void whoeverStopsInTheMiddleIsGoneInTime(String transport, TlsProvider provider) {
    ServerTls hasty =
        TestCertificates.serverTls(provider).withHandshakeTimeout(Duration.ofMillis(300));
    List<String> handled = new ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          handled.add("somebody");
          TestServer.echo(reader, writer);
        },
        ServerOptions.defaults().withTls(hasty).withMaxConnections(4),
        (server, port) -> {
          byte[] hello = TestCertificates.clientHello();
          List<Socket> stalled = new ArrayList<>();
          for (int length : new int[] {0, 1, 5, 100}) {
            Socket socket = TestServer.connectPlainly(port);
            socket.getOutputStream().write(hello, 0, length);
            stalled.add(socket);
          }
          // They are all that the server takes, so this one is served when they have gone.
          ConnectOptions options =
              ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
          try (Connection honest = Asyncio.openConnection("localhost", port, options)) {
            assertThat(TestServer.ask(honest, "hello")).isEqualTo("hello");
          }
          for (Socket socket : stalled) {
            assertThat(endOf(socket)).isTrue();
            socket.close();
          }
          assertThat(handled).hasSize(1);
        });
  }

  @EachTlsProvider
  void aFirstMessageThatIsToBeTooLongIsRefusedAtOnce(String transport, TlsProvider provider) {
    with(
        transport,
        provider,
        port -> {
          byte[] lie = {22, 3, 1, 0, 4, 1, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF}; // 16 MiB.
          assertThat(isRefused(port, lie)).isTrue();
          byte[] littleTooLong = {22, 3, 1, 0, 4, 1, 0, 0x40, 1}; // 16 KiB and one byte.
          assertThat(isRefused(port, littleTooLong)).isTrue();
        });
  }

  @EachTlsProvider
  void aFirstMessageMayComeByteByByte(String transport, TlsProvider provider) {
    with(
        transport,
        provider,
        port -> {
          byte[] hello = TestCertificates.clientHello();
          ByteArrayOutputStream records = new ByteArrayOutputStream();
          for (int i = 5; i < hello.length; i++) {
            records.writeBytes(new byte[] {22, 3, 1, 0, 1, hello[i]});
          }
          try (Socket socket = TestServer.connectPlainly(port)) {
            socket.getOutputStream().write(records.toByteArray());
            int first = OnLoop.onWorker(() -> socket.getInputStream().read()).await();
            assertThat(first).as("the type of the server's first record").isEqualTo(22);
          }
        });
  }

  /** Where the parts were not put together, the name was not found, and another context was. */
  @EachTlsProvider
  void aFirstMessageInPartsMeetsTheChecksOfItsName(String transport, TlsProvider provider) {
    List<String> served = new ArrayList<>();
    ServerTls mutual =
        ServerTls.named("localhost", TestCertificates.LOCALHOST)
            .withNamed("other.example", TestCertificates.server("other.example"))
            .withProvider(provider)
            .withClientsTrusted(TestCertificates.trusted());
    TestServer.with(
        transport,
        (reader, writer) -> {
          served.add(writer.tlsSession().serverName());
          TestServer.echo(reader, writer);
        },
        ServerOptions.defaults().withTls(mutual),
        (server, port) -> {
          ClientTls nobody = TestCertificates.clientTls(provider);
          ClientTls somebody = nobody.withIdentity(TestCertificates.CLIENT);
          try (Server relay = cuttingRelay(port)) {
            int through = relay.addresses().getFirst().getPort();
            try (Connection connection =
                Asyncio.openConnection(
                    "localhost", through, ConnectOptions.defaults().withTls(somebody))) {
              assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
            }
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> {
                  try (Connection connection =
                      Asyncio.openConnection(
                          "localhost", through, ConnectOptions.defaults().withTls(nobody))) {
                    connection.reader().readExactly(1);
                  }
                });
          }
          assertThat(served).containsExactly("localhost");
        });
  }

  /** Passes everything on, a client's first message as three records instead of one. */
  private static Server cuttingRelay(int port) throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> {
          byte[] header = reader.readExactly(5);
          byte[] hello = reader.readExactly((header[3] & 0xFF) << 8 | header[4] & 0xFF);
          try (Connection target = TestServer.connect(port)) {
            int[] cuts = {0, 3, 60, hello.length};
            for (int i = 1; i < cuts.length; i++) {
              int length = cuts[i] - cuts[i - 1];
              target.writer().write(new byte[] {22, 3, 1, (byte) (length >> 8), (byte) length});
              target.writer().write(hello, cuts[i - 1], length);
            }
            Asyncio.createTask(() -> {
              try {
                return target.reader().transferTo(writer);
              } finally {
                writer.close();
              }
            });
            reader.transferTo(target.writer());
          } catch (IOException e) {
            // One side has gone, and with it the conversation.
          }
        },
        "127.0.0.1",
        0);
  }

  @EachTlsProvider
  void whatIsNoTlsIsRefused(String transport, TlsProvider provider) {
    with(
        transport,
        provider,
        port -> {
          assertThat(isRefused(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes())).isTrue();
          assertThat(isRefused(port, new byte[20_000])).isTrue();
          assertThat(isRefused(port, new byte[] {22, 3, 1, 0, 0, 0, 0}))
              .isTrue(); // An empty record.
          byte[] serverHello = TestCertificates.clientHello();
          serverHello[5] = 2;
          assertThat(isRefused(port, serverHello)).isTrue();
        });
  }

  @EachTlsProvider
  void aBrokenFirstMessageGetsAroundNoCheck(String transport, TlsProvider provider) {
    List<String> handled = new ArrayList<>();
    ServerTls mutual =
        ServerTls.named("localhost", TestCertificates.LOCALHOST)
            .withProvider(provider)
            .withClientsTrusted(TestCertificates.trusted());
    TestServer.with(
        transport,
        (reader, writer) -> handled.add("somebody"),
        ServerOptions.defaults().withTls(mutual),
        (server, port) -> {
          byte[] hello = TestCertificates.clientHello();
          for (int at = 5; at < hello.length; at += 3) {
            byte[] broken = hello.clone();
            broken[at] ^= 0x55;
            try (Socket socket = TestServer.connectPlainly(port)) {
              socket.getOutputStream().write(broken);
              socket.shutdownOutput();
              assertThat(endOf(socket)).as("byte %s", at).isTrue();
            }
          }
          assertThat(handled).isEmpty();
        });
  }

  // --- What the tests share

  private interface PortBody {
    void run(int port) throws Exception;
  }

  /** Runs a body, after which an honest client is served as before. */
  private static void with(String transport, TlsProvider provider, PortBody body) {
    TestServer.with(
        transport,
        TestServer::echo,
        // No refusal of these is one for lack of time: a test ends before that.
        ServerOptions.defaults()
            .withTls(
                TestCertificates.serverTls(provider).withHandshakeTimeout(Duration.ofMinutes(1))),
        (server, port) -> {
          body.run(port);
          ConnectOptions options =
              ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
          try (Connection honest = Asyncio.openConnection("localhost", port, options)) {
            assertThat(TestServer.ask(honest, "hello")).isEqualTo("hello");
          }
        });
  }

  private static boolean isRefused(int port, byte[] sent) throws IOException {
    try (Socket socket = TestServer.connectPlainly(port)) {
      socket.getOutputStream().write(sent);
      return endOf(socket);
    }
  }

  /** Waits for the end of what the server sends. */
  private static boolean endOf(Socket socket) {
    Future<Boolean> ended =
        OnLoop.onWorker(() -> {
          try {
            while (socket.getInputStream().read() >= 0) {
              // An alert perhaps.
            }
          } catch (IOException e) {
            // A reset is an end, too.
          }
          return true;
        });
    return ended.await();
  }
}
