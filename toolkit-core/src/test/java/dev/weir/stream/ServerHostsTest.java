package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weir.Asyncio;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server on several hosts, and several servers on one port. */
class ServerHostsTest {
  private static Server start(List<String> hosts, int port) throws IOException {
    return Asyncio.startServer(MemoryServer::echo, hosts, port, ServerOptions.defaults());
  }

  private static void assertAnswers(String host, int port) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, port)) {
      assertThat(MemoryServer.ask(connection, "hello")).isEqualTo("hello");
    }
  }

  @Test
  void itListensOnEveryAddressOfEveryHost() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost("web.example", "10.0.0.1", "10.0.0.2");
      try (Server server = start(List.of("web.example", "10.0.0.3", "::1"), 80)) {
        assertThat(server.addresses())
            .extracting(address -> address.getAddress().getHostAddress())
            .containsExactly("10.0.0.1", "10.0.0.2", "10.0.0.3", "0:0:0:0:0:0:0:1");
        for (String host : List.of("10.0.0.1", "10.0.0.2", "10.0.0.3", "::1")) {
          assertAnswers(host, 80);
        }
      }
    });
  }

  @Test
  void whatHostsHaveInCommonIsListenedOnOnce() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost("web.example", "10.0.0.1", "10.0.0.2");
      List<String> hosts = List.of("10.0.0.1", "web.example", "web.example", "10.0.0.1");
      try (Server server = start(hosts, 80)) {
        assertThat(server.addresses())
            .extracting(address -> address.getAddress().getHostAddress())
            .containsExactly("10.0.0.1", "10.0.0.2");
      }
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0 ::", ":: 0.0.0.0", "127.0.0.1 ::1 ::", "::1 0.0.0.0 10.0.0.1"})
  void anAddressOfAllInterfacesTakesTheOthersIn(String hosts) {
    VirtualLoop.run(() -> {
      try (Server server = start(List.of(hosts.split(" ")), 80)) {
        assertThat(server.addresses())
            .singleElement()
            .matches(address -> address.getAddress().isAnyLocalAddress());
        for (String host : List.of("127.0.0.1", "::1")) {
          assertAnswers(host, 80);
        }
      }
    });
  }

  @Test
  void withPortZeroEachAddressHasAPortOfItsOwn() {
    VirtualLoop.run(() -> {
      try (Server server = start(List.of("10.0.0.1", "10.0.0.2"), 0)) {
        List<InetSocketAddress> addresses = server.addresses();

        assertThat(addresses).extracting(InetSocketAddress::getPort).doesNotHaveDuplicates();
        for (InetSocketAddress address : addresses) {
          assertAnswers(address.getAddress().getHostAddress(), address.getPort());
        }
      }
    });
  }

  @Test
  void whereOneAddressCannotBeListenedOnNoneIs() {
    VirtualLoop.run(() -> {
      try (Server _ = start(List.of("10.0.0.2"), 80)) {
        assertThatExceptionOfType(BindException.class)
            .isThrownBy(() -> start(List.of("10.0.0.1", "10.0.0.2"), 80))
            .withMessageContaining("10.0.0.2:80");

        assertThatExceptionOfType(ConnectException.class)
            .isThrownBy(() -> Asyncio.openConnection("10.0.0.1", 80));
        assertAnswers("10.0.0.2", 80);
      }
    });
  }

  @Test
  void anUnknownHostAmongThemIsNamed() {
    VirtualLoop.run(() ->
        assertThatExceptionOfType(UnknownHostException.class)
            .isThrownBy(() -> start(List.of("10.0.0.1", "nobody.example"), 80))
            .withMessageContaining("nobody.example"));
  }

  @Test
  void noHostAtAllIsRefused() {
    VirtualLoop.run(() ->
        assertThatIllegalArgumentException()
            .isThrownBy(() -> start(List.of(), 80))
            .withMessageContaining("no host"));
  }

  @Test
  void serversThatShareAPortShareItsConnections() {
    VirtualLoop.run(() -> {
      ServerOptions shared = ServerOptions.defaults().withReusePort(true);
      List<String> served = new ArrayList<>();
      ConnectionHandler one = (reader, writer) -> served.add("one");
      ConnectionHandler other = (reader, writer) -> served.add("other");
      try (Server _ = Asyncio.startServer(one, "10.0.0.1", 80, shared);
          Server _ = Asyncio.startServer(other, "10.0.0.1", 80, shared)) {
        for (int i = 0; i < 10; i++) {
          Asyncio.openConnection("10.0.0.1", 80).close();
        }
        Rounds.settle();

        assertThat(served).hasSize(10).contains("one", "other");
      }
    });
  }

  @Test
  void aPortIsNotSharedWithAServerThatDoesNotShareIt() {
    VirtualLoop.run(() -> {
      ServerOptions shared = ServerOptions.defaults().withReusePort(true);
      try (Server _ = start(List.of("10.0.0.1"), 80)) {
        assertThatExceptionOfType(BindException.class)
            .isThrownBy(() -> Asyncio.startServer(MemoryServer::echo, "10.0.0.1", 80, shared));
      }
    });
  }
}
