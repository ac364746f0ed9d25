package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** Where a server listens, and how listening fails. */
@ExtendWith(LeakCheck.class)
class ServerStartTest {

  static boolean hasIpv6Loopback() {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
      return probe.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  private static String echoThrough(String host, int port) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, port)) {
      return TestServer.ask(connection, "hello");
    }
  }

  @EachTransport
  void portZeroLetsTheSystemChooseAndAddressesTellsWhich(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          assertThat(port).isPositive();
          assertThat(server.isServing()).isTrue();
          assertThat(server.addresses()).hasSize(1);
          assertThat(echoThrough("127.0.0.1", port)).isEqualTo("hello");
        });
  }

  @EachTransport
  void noHostMeansEveryInterfaceOfBothFamilies(String transport) {
    OnLoop.run(
        transport,
        () -> {
          for (String host : new String[] {null, ""}) {
            try (Server server = Asyncio.startServer(TestServer::echo, host, 0)) {
              InetSocketAddress address = server.addresses().getFirst();
              assertThat(address.getAddress().isAnyLocalAddress()).isTrue();
              assertThat(echoThrough("127.0.0.1", address.getPort())).isEqualTo("hello");
              if (hasIpv6Loopback()) {
                assertThat(echoThrough("::1", address.getPort())).isEqualTo("hello");
              }
            }
          }
        });
  }

  @EachTransport
  void aNameIsListenedOnAtEveryAddressItHas(String transport) throws UnknownHostException {
    InetAddress[] ofLocalhost = InetAddress.getAllByName("localhost");
    OnLoop.run(
        transport,
        () -> {
          try (Server server = Asyncio.startServer(TestServer::echo, "localhost", 0)) {
            assertThat(server.addresses())
                .extracting(InetSocketAddress::getAddress)
                .containsExactlyInAnyOrder(ofLocalhost);
            for (InetSocketAddress address : server.addresses()) {
              assertThat(echoThrough(address.getAddress().getHostAddress(), address.getPort()))
                  .isEqualTo("hello");
            }
          }
        });
  }

  @EachTransport
  void anIpv6LiteralIsListenedOn(String transport) {
    assumeTrue(hasIpv6Loopback(), "this machine has no ::1");
    OnLoop.run(
        transport,
        () -> {
          try (Server server = Asyncio.startServer(TestServer::echo, "::1", 0)) {
            int port = server.addresses().getFirst().getPort();
            assertThat(echoThrough("::1", port)).isEqualTo("hello");
          }
        });
  }

  @EachTransport
  void aPortInUseIsABindExceptionNamingTheAddress(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(() -> Asyncio.startServer(TestServer::echo, "127.0.0.1", port))
              .withMessage("Address already in use: 127.0.0.1:" + port);
          assertThat(echoThrough("127.0.0.1", port)).isEqualTo("hello");
        });
  }

  /** The first family's listener must not stay behind when the second family's port is taken. */
  @EachTransport
  void aNameOfWhichOneAddressIsInUseIsListenedOnNowhere(String transport)
      throws UnknownHostException {
    InetAddress[] ofLocalhost = InetAddress.getAllByName("localhost");
    assumeTrue(ofLocalhost.length > 1, "this machine's localhost has one address only");
    OnLoop.run(
        transport,
        () -> {
          long before = Descriptors.open();
          try (ServerSocket taken = new ServerSocket(0, 1, ofLocalhost[1])) {
            int port = taken.getLocalPort();
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> Asyncio.startServer(TestServer::echo, "localhost", port));
            OnLoop.passRounds(2);
            assertThatExceptionOfType(ConnectException.class)
                .isThrownBy(() -> Asyncio.openConnection(ofLocalhost[0].getHostAddress(), port));
          }
          OnLoop.passRounds(2);
          assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
        });
  }

  @EachTransport
  void anAddressOfAnotherMachineIsABindException(String transport) {
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> Asyncio.startServer(TestServer::echo, "192.0.2.1", 0))
                .withMessage("Not an address of this machine: 192.0.2.1:0"));
  }

  @EachTransport
  void anUnknownHostIsAnUnknownHostException(String transport) {
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(UnknownHostException.class)
                .isThrownBy(() -> Asyncio.startServer(TestServer::echo, "nobody.weir.invalid", 0))
                .withMessageContaining("nobody.weir.invalid"));
  }

  @EachTransport
  void aStartCancelledInAnyRoundLeavesNothingListening(String transport) {
    OnLoop.run(
        transport,
        () -> {
          long before = Descriptors.open();
          for (int round = 0; round < 6; round++) {
            Task<Server> starting =
                Asyncio.createTask(() -> Asyncio.startServer(TestServer::echo, "127.0.0.1", 0));
            OnLoop.passRounds(round);
            if (starting.cancel()) {
              assertThatThrownBy(starting::await).isInstanceOf(CancelledError.class);
            } else {
              starting.await().close();
            }
          }
          OnLoop.passRounds(3);
          assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
        });
  }

  /**
   * A restart finds connections of the last server in TIME_WAIT; with the address reused that is no
   * matter.
   */
  @EachTransportAndIoUring
  void aPortCanBeListenedOnAgainAtOnce(String transport) {
    OnLoop.run(
        transport,
        () -> {
          int port = 0;
          for (int i = 0; i < 3; i++) {
            try (Server server = Asyncio.startServer(TestServer::echo, "127.0.0.1", port)) {
              port = server.addresses().getFirst().getPort();
              try (Connection connection = TestServer.connect(port)) {
                assertThat(TestServer.ask(connection, "again")).isEqualTo("again");
              }
            }
            OnLoop.passRounds(3);
          }
        });
  }

  @EachTransport
  void theHandlerAndTheClientSeeEachOthersAddresses(String transport) {
    List<Object> seen = new java.util.ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          seen.add(writer.remoteAddress());
          seen.add(writer.localAddress());
          TestServer.echo(reader, writer);
        },
        ServerOptions.defaults().withBacklog(1),
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            TestServer.ask(connection, "who am I?");
            assertThat(seen)
                .containsExactly(
                    connection.writer().localAddress(), connection.writer().remoteAddress());
          }
        });
  }
}
