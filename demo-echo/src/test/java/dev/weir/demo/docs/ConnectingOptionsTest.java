package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What docs/connecting.md shows works. */
class ConnectingOptionsTest {
  private static Server startEcho(String host, int port) throws IOException {
    return Asyncio.startServer((reader, writer) -> writer.write(reader.readLine()), host, port);
  }

  @Test
  void theWatchfulConnect() {
    Asyncio.run(() -> {
      assumeTrue(Asyncio.runningLoop().transport().equals("epoll"), "TCP_USER_TIMEOUT takes epoll");
      try (Server server = startEcho("127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        try (Connection connection =
            Asyncio.openConnection("127.0.0.1", port, ConnectingOptions.watchful())) {
          connection.writer().writeLine("hello");

          assertThat(connection.reader().readLine(UTF_8)).isEqualTo("hello");
        }
      }
    });
  }

  @Test
  void theOfficesProxyIsAskedInTheUsersName() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost("proxy.example", "10.0.0.1");
      try (Server _ =
          Asyncio.startServer(
              (reader, writer) -> {
                String request = new String(reader.readUntil("\r\n\r\n".getBytes(UTF_8)), UTF_8);
                writer.write("HTTP/1.1 200 OK\r\n\r\n" + request);
              },
              "10.0.0.1",
              3128)) {
        try (Connection connection = ConnectingOptions.throughTheOffice("target.example", 80)) {
          assertThat(new String(connection.reader().readAll(), UTF_8))
              .startsWith("CONNECT target.example:80 HTTP/1.1\r\n")
              .contains("Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n");
        }
      }
    });
  }

  @Test
  void aResolverOfOnesOwnKnowsOneNameAndAsksAnotherAboutTheRest() {
    VirtualLoop.run(() -> {
      InetAddress database = InetAddress.ofLiteral("10.0.0.1");
      InetAddress elsewhere = InetAddress.ofLiteral("10.0.0.2");
      ConnectingOptions.knowTheDatabase(database, host -> List.of(elsewhere));

      assertThat(Asyncio.getaddrinfo("db", 1)).containsExactly(new InetSocketAddress(database, 1));
      assertThat(Asyncio.getaddrinfo("web", 1))
          .containsExactly(new InetSocketAddress(elsewhere, 1));
    });
  }

  /** The jar is not among this project's, as it is not among those of most users. */
  @Test
  void withoutItsJarTheDnsClientSaysWhichItTakes() {
    Asyncio.run(() ->
        assertThatThrownBy(ConnectingOptions::lookNamesUpByDns)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("io.netty:netty-resolver-dns"));
  }
}
