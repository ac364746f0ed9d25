package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weir.Asyncio;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the options of a connection to a Unix socket do, and which are none of its. */
class UnixConnectOptionsTest {
  private static final Path PATH = Path.of("/run/echo.sock");
  private static final InetSocketAddress CLIENT = new InetSocketAddress("192.0.2.1", 56324);
  private static final InetSocketAddress FRONT = new InetSocketAddress("198.51.100.7", 443);

  private static Server startTelling() throws IOException {
    return Asyncio.startUnixServer(
        (reader, writer) ->
            writer.write(writer.remoteAddress() + " said " + text(reader.readAll())),
        PATH,
        ServerOptions.defaults().withProxyProtocol(List.of("unix")));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void theProxyHeaderComesBeforeEverythingElse(int version) {
    ProxyHeader header =
        version == 1 ? ProxyHeader.v1(CLIENT, FRONT) : ProxyHeader.v2(CLIENT, FRONT);
    ConnectOptions options = ConnectOptions.defaults().withProxyHeader(header);
    VirtualLoop.run(() -> {
      try (Server _ = startTelling();
          Connection connection = Asyncio.openUnixConnection(PATH, options)) {
        connection.writer().write("hello");
        connection.writer().writeEof();

        assertThat(text(connection.reader().readAll())).isEqualTo("/192.0.2.1:56324 said hello");
      }
    });
  }

  @Test
  void whatIsForTcpIsRefused() {
    ConnectOptions proxied =
        ConnectOptions.defaults().withProxy(ProxyServer.socks5("proxy.example", 1080));
    ConnectOptions bound = ConnectOptions.defaults().withLocalAddress("127.0.0.1", 0);
    VirtualLoop.run(() -> {
      try (Server _ = startTelling()) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> Asyncio.openUnixConnection(PATH, proxied))
            .withMessageStartingWith("withProxy() is for TCP")
            .withMessageContaining("proxy.example:1080");
        assertThatIllegalArgumentException()
            .isThrownBy(() -> Asyncio.openUnixConnection(PATH, bound))
            .withMessageStartingWith("withLocalAddress() is for TCP")
            .withMessageContaining("127.0.0.1");
      }
    });
  }
}
