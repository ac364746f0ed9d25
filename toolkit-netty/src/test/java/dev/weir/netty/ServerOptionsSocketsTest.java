package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What of a server's options the kernel has to do with. */
@ExtendWith(LeakCheck.class)
class ServerOptionsSocketsTest {
  /** The kernel's lists. A socket for both families stands in the second. */
  private static final Path SOCKETS = Path.of("/proc/self/net/tcp");

  private static final Path SOCKETS_6 = Path.of("/proc/self/net/tcp6");

  private static final String ELSEWHERE_6 = "2001:db8::1";

  private static Server start(List<String> hosts, int port) throws IOException {
    return Asyncio.startServer(TestServer::echo, hosts, port, ServerOptions.defaults());
  }

  private static void assertAnswers(InetSocketAddress address) throws IOException {
    try (Connection connection =
        Asyncio.openConnection(address.getAddress().getHostAddress(), address.getPort())) {
      assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
    }
  }

  // --- Several hosts

  @EachTransport
  void severalHostsAreListenedOnEachOnce(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = start(List.of("127.0.0.1", "127.0.0.2", "127.0.0.1"), 0)) {
            assertThat(server.addresses())
                .extracting(address -> address.getAddress().getHostAddress())
                .containsExactly("127.0.0.1", "127.0.0.2");
            for (InetSocketAddress address : server.addresses()) {
              assertAnswers(address);
            }
          }
        });
  }

  /** The kernel has no place for two of them on one port. */
  @EachTransport
  void anAddressOfAllInterfacesTakesTheOthersIn(String transport) {
    OnLoop.run(
        transport,
        () -> {
          for (String hosts :
              List.of(
                  "0.0.0.0,::", "::,0.0.0.0", ",127.0.0.1", "127.0.0.1,0.0.0.0", "::1,0.0.0.0")) {
            try (Server server = start(List.of(hosts.split(",")), 0)) {
              assertThat(server.addresses())
                  .as(hosts)
                  .singleElement()
                  .matches(address -> address.getAddress().isAnyLocalAddress());
              int port = server.addresses().getFirst().getPort();
              assertAnswers(new InetSocketAddress("127.0.0.1", port));
              if (ServerStartTest.hasIpv6Loopback()) {
                assertAnswers(new InetSocketAddress("::1", port));
              }
            }
          }
        });
  }

  @EachTransportAndIoUring
  void whereOnePortIsTakenNoneIsListenedOnAndNoDescriptorIsLeft(String transport) {
    OnLoop.run(
        transport,
        () -> {
          startWhereOnePortIsTaken(); // The first time something of the JDK's may stay open.
          long before = Descriptors.open();

          startWhereOnePortIsTaken();

          assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
        });
  }

  private static void startWhereOnePortIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new InetSocketAddress("127.0.0.2", 0));
      int port = taken.getLocalPort();

      assertThatExceptionOfType(BindException.class)
          .isThrownBy(() -> start(List.of("127.0.0.1", "127.0.0.2", "127.0.0.3"), port))
          .withMessage("Address already in use: 127.0.0.2:" + port);

      assertThatExceptionOfType(ConnectException.class)
          .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", port));
    }
    OnLoop.passRounds(3);
  }

  @EachTransport
  void anIpv6AddressThatIsNotThereIsLeftOutIfThereIsAnother(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = start(List.of(ELSEWHERE_6, "127.0.0.1"), 0)) {
            assertThat(server.addresses())
                .extracting(address -> address.getAddress().getHostAddress())
                .containsExactly("127.0.0.1");
            assertAnswers(server.addresses().getFirst());
          }
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(() -> start(List.of(ELSEWHERE_6), 0));
        });
  }

  @EachTransport
  void anIpv4AddressThatIsNotThereIsAMistake(String transport) {
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> start(List.of("127.0.0.1", "192.0.2.1"), 0))
                .withMessage("Not an address of this machine: 192.0.2.1:0"));
  }

  // --- Sharing a port

  @EachTransport
  void serversThatShareAPortShareItsConnections(String transport) {
    ServerOptions shared = ServerOptions.defaults().withReusePort(true);
    int[] served = new int[2];
    OnLoop.run(
        transport,
        () -> {
          try (Server first =
              Asyncio.startServer((reader, writer) -> served[0]++, "127.0.0.1", 0, shared)) {
            int port = first.addresses().getFirst().getPort();
            try (Server _ =
                Asyncio.startServer((reader, writer) -> served[1]++, "127.0.0.1", port, shared)) {
              for (int i = 0; i < 100; i++) {
                try (Connection connection = TestServer.connect(port)) {
                  assertThat(connection.reader().readAll()).isEmpty();
                }
              }
            }
          }
          assertThat(served[0] + served[1]).isEqualTo(100);
          assertThat(served).doesNotContain(0); // By chance once in 2 to the 99th.
        });
  }

  @EachTransport
  void aPortIsNotSharedUnlessBothSaySo(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) ->
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() ->
                    Asyncio.startServer(
                        TestServer::echo,
                        "127.0.0.1",
                        port,
                        ServerOptions.defaults().withReusePort(true))));
  }

  // --- Accepted sockets

  /** The kernel shows the timer of each socket that is kept alive. */
  @EachTransport
  void keepAliveIsSetOnAcceptedSockets(String transport) {
    assumeTrue(Files.isReadable(SOCKETS), "this system has no " + SOCKETS);
    for (boolean keepAlive : new boolean[] {true, false}) {
      TestServer.with(
          transport,
          TestServer::echo,
          ServerOptions.defaults().withKeepAlive(keepAlive),
          (server, port) -> {
            try (Socket socket = TestServer.connectPlainly(port)) {
              OnLoop.passRoundsUntil(() -> server.toString().contains(" 1 connection"));

              assertThat(hasKeepAliveTimer(port, socket.getLocalPort())).isEqualTo(keepAlive);
            }
          });
    }
  }

  private static boolean hasKeepAliveTimer(int localPort, int remotePort) throws IOException {
    String local = String.format(":%04X", localPort);
    String remote = String.format(":%04X", remotePort);
    return Stream.concat(Files.lines(SOCKETS), Files.lines(SOCKETS_6))
        .map(line -> line.strip().split("\\s+"))
        .filter(fields -> fields[1].endsWith(local) && fields[2].endsWith(remote))
        .findFirst()
        .orElseThrow()[5]
        .startsWith("02:");
  }

  /** The JDK's sockets do; Linux itself takes any value. */
  @Test
  void aValueThatSocketsRefuseFailsTheStartAndNotEachConnection() {
    ServerOptions options =
        ServerOptions.defaults().withSocketOption(StandardSocketOptions.IP_TOS, 1000);
    OnLoop.run(
        "nio",
        () ->
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() -> Asyncio.startServer(TestServer::echo, "127.0.0.1", 0, options))
                .withMessageContaining("IP_TOS")
                .withMessageContaining("1000"));
  }

  @EachTransport
  void anOptionThatSocketsDoNotHaveFailsTheStart(String transport) {
    SocketOption<String> unknown =
        new SocketOption<>() {
          @Override
          public String name() {
            return "SO_COLOUR";
          }

          @Override
          public Class<String> type() {
            return String.class;
          }

          @Override
          public String toString() {
            return name();
          }
        };
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() ->
                    Asyncio.startServer(
                        TestServer::echo,
                        "127.0.0.1",
                        0,
                        ServerOptions.defaults().withSocketOption(unknown, "green")))
                .withMessageContaining("SO_COLOUR"));
  }
}
