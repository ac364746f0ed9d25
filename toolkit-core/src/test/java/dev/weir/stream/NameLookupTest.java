package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names and addresses in the memory network. {@code HostNamesTest} asks the system's. */
class NameLookupTest {
  private static InetSocketAddress address(String host, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(host), port);
  }

  private static MemoryNetwork networkWithDb() {
    MemoryNetwork network = MemoryNetwork.current();
    network.addHost("db.example", "10.0.0.1", "2001:db8::1", "10.0.0.2");
    return network;
  }

  // --- From names to addresses

  @Test
  void aNameHasItsAddressesInTheirOrderEachWithThePort() {
    VirtualLoop.run(() -> {
      networkWithDb();

      assertThat(Asyncio.getaddrinfo("db.example", 5432))
          .containsExactly(
              address("10.0.0.1", 5432), address("2001:db8::1", 5432), address("10.0.0.2", 5432));
    });
  }

  @Test
  void oneFamilyIsAskedForByItsName() {
    VirtualLoop.run(() -> {
      networkWithDb();

      assertThat(Asyncio.getaddrinfo("db.example", 80, StandardProtocolFamily.INET6))
          .containsExactly(address("2001:db8::1", 80));
      assertThat(Asyncio.getaddrinfo("db.example", 80, StandardProtocolFamily.INET))
          .containsExactly(address("10.0.0.1", 80), address("10.0.0.2", 80));
    });
  }

  @Test
  void anAddressIsItsOwnAndTakesNoLookup() {
    VirtualLoop.run(() -> {
      Asyncio.runningLoop()
          .setResolver(host -> {
            throw new AssertionError("asked for " + host);
          });

      assertThat(Asyncio.getaddrinfo("192.0.2.7", 0)).containsExactly(address("192.0.2.7", 0));
      assertThat(Asyncio.getaddrinfo("::1", 65_535)).containsExactly(address("::1", 65_535));
    });
  }

  @Test
  void whatHasNoAddressIsAnUnknownHost() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost("v4.example", "10.0.0.1");

      assertThatThrownBy(() -> Asyncio.getaddrinfo("nowhere.example", 80))
          .isInstanceOf(UnknownHostException.class)
          .hasMessageContaining("nowhere.example");
      assertThatThrownBy(() -> Asyncio.getaddrinfo("v4.example", 80, StandardProtocolFamily.INET6))
          .isInstanceOf(UnknownHostException.class)
          .hasMessageContaining("v4.example")
          .hasMessageContaining("INET6")
          .hasMessageContaining("10.0.0.1");
    });
  }

  @Test
  void whatIsNoPortOrFamilyOfTheInternetIsRefused() {
    VirtualLoop.run(() -> {
      assertThatThrownBy(() -> Asyncio.getaddrinfo("localhost", 65_536))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("65536");
      assertThatThrownBy(() -> Asyncio.getaddrinfo("localhost", 80, StandardProtocolFamily.UNIX))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("UNIX")
          .hasMessageContaining("StandardProtocolFamily.INET or INET6");
    });
  }

  @Test
  void aTaskThatIsCancelledWaitsNoLonger() {
    VirtualLoop.run(() -> {
      networkWithDb().setLookupDelay("db.example", Duration.ofHours(1));
      Task<?> asking = Asyncio.createTask(() -> Asyncio.getaddrinfo("db.example", 80));
      Asyncio.sleep(Duration.ofSeconds(1));
      asking.cancel();
      Asyncio.wait(List.of(asking));

      assertThat(asking.cancelled()).isTrue();
      assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(1));
    });
  }

  @Test
  void aCallbackCannotWait() {
    VirtualLoop.run(() -> {
      List<Throwable> thrown = new ArrayList<>();
      Loop.running()
          .callSoon(() -> {
            try {
              Asyncio.getaddrinfo("127.0.0.1", 80);
            } catch (IOException | IllegalStateException e) {
              thrown.add(e);
            }
          });
      Asyncio.yieldNow();

      assertThat(thrown)
          .singleElement()
          .isInstanceOf(IllegalStateException.class)
          .extracting(Throwable::getMessage)
          .asString()
          .contains("getaddrinfo()");
    });
  }

  // --- A resolver of one's own

  @Test
  void aResolverIsAskedAboutEveryNameUntilItIsTakenBack() {
    VirtualLoop.run(() -> {
      networkWithDb();
      List<String> asked = new ArrayList<>();
      Loop.running()
          .setResolver(host -> {
            asked.add(host);
            return List.of(InetAddress.ofLiteral("10.0.0.9"));
          });

      assertThat(Asyncio.getaddrinfo("db.example", 80)).containsExactly(address("10.0.0.9", 80));
      try (Server server = Asyncio.startServer((reader, writer) -> {}, "my.name", 7)) {
        assertThat(server.addresses()).containsExactly(address("10.0.0.9", 7));
        Asyncio.openConnection("server.example", 7).close();
      }
      assertThat(asked).containsExactly("db.example", "my.name", "server.example");

      Loop.running().setResolver(null);
      assertThat(Asyncio.getaddrinfo("db.example", 80)).hasSize(3);
      assertThat(asked).hasSize(3);
    });
  }

  @Test
  void aResolverMaySuspendAndIsCancelledWithItsTask() {
    VirtualLoop.run(() -> {
      Future<List<InetAddress>> answer = Loop.running().createFuture();
      Loop.running().setResolver(host -> answer.await());
      Task<?> first = Asyncio.createTask(() -> Asyncio.getaddrinfo("a.example", 80));
      Asyncio.yieldNow();
      assertThat(first.done()).isFalse();

      first.cancel();
      Asyncio.wait(List.of(first));

      assertThat(first.cancelled()).isTrue();
      assertThat(answer.cancelled()).isTrue();
    });
  }

  @Test
  void aResolverThatReturnsNothingIsNamedInTheError() {
    VirtualLoop.run(() -> {
      Loop.running().setResolver(host -> List.of());

      assertThatThrownBy(() -> Asyncio.getaddrinfo("a.example", 80))
          .isInstanceOf(UnknownHostException.class)
          .hasMessageContaining("a.example")
          .hasMessageContaining("resolver");
    });
  }

  // --- From addresses to names

  @Test
  void anAddressHasTheNameThatLeadsToIt() {
    VirtualLoop.run(() -> {
      networkWithDb();

      assertThat(Asyncio.getnameinfo(address("10.0.0.2", 1)).host()).isEqualTo("db.example");
    });
  }

  @Test
  void whatHasNoNameIsSaidInDigits() {
    VirtualLoop.run(() ->
        assertThat(Asyncio.getnameinfo(address("192.0.2.7", 49_999)))
            .isEqualTo(new NameInfo("192.0.2.7", "49999")));
  }

  @Test
  void anAddressThatWasNotLookedUpIsRefused() {
    VirtualLoop.run(() ->
        assertThatThrownBy(
                () -> Asyncio.getnameinfo(InetSocketAddress.createUnresolved("a.example", 80)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("a.example")
            .hasMessageContaining("getaddrinfo()"));
  }

  @Test
  void aPortHasTheNameOfItsTcpService(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("services"),
            """
            # Network services
            domain          53/udp
            dns-over-tcp    53/tcp
            http            80/tcp          www     # WorldWideWeb
            # old           81/tcp
            broken
            """);

    assertThat(ServiceNames.of(80, file)).isEqualTo("http");
    assertThat(ServiceNames.of(53, file)).isEqualTo("dns-over-tcp");
    assertThat(ServiceNames.of(81, file)).isEqualTo("81");
    assertThat(ServiceNames.of(80, folder.resolve("none"))).isEqualTo("80");
  }
}
