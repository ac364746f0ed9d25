package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Who is where in a {@link MemoryNetwork}: names and lookups, the default host, ports. */
class MemoryHostsTest {
  private static final ConnectionHandler SILENT = (reader, writer) -> {};
  private static final int FIRST_PORT = 49_152;
  private static final int PORTS = 16_384;

  private static Server serverSaying(String words, String host) throws IOException {
    return Asyncio.startServer((reader, writer) -> writer.writeLine(words), host, 80);
  }

  private static String heardFrom(String host) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, 80)) {
      return new String(connection.reader().readAll(), UTF_8).strip();
    }
  }

  // --- The default host

  @Test
  void theDefaultHostMayBeCutOffByAnyOfItsAddresses() {
    for (String name : new String[] {"127.0.0.1", "localhost", "::1", "192.0.2.1"}) {
      VirtualLoop.run(() -> {
        MemoryNetwork network = MemoryNetwork.current();
        try (Server _ = serverSaying("hello", "10.0.0.1");
            Server _ = serverSaying("hello", "10.0.0.2")) {
          network.partition(name, "10.0.0.1");

          assertThat(heardFrom("10.0.0.2")).isEqualTo("hello");
          assertThatThrownBy(() -> heardFrom("10.0.0.1"))
              .as("in spite of a partition from %s", name)
              .isInstanceOf(SocketTimeoutException.class);

          network.heal();
          network.isolate(name);

          assertThatThrownBy(() -> heardFrom("10.0.0.2"))
              .as("in spite of the isolation of %s", name)
              .isInstanceOf(SocketTimeoutException.class);
        }
      });
    }
  }

  @Test
  void aHostThatIsCutOffReachesItself() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ = serverSaying("local", "127.0.0.1");
          Server _ = serverSaying("one", "10.0.0.1")) {
        network.isolate("localhost");
        network.isolate("10.0.0.1");

        assertThat(heardFrom("127.0.0.1")).isEqualTo("local");
        try (var _ = network.onHost("10.0.0.1")) {
          assertThat(heardFrom("10.0.0.1")).isEqualTo("one");
        }
      }
    });
  }

  // --- Wildcard addresses

  @Test
  void aWildcardServerOfAHostAnswersForThatHostOnly() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ = wildcardServerOn(network, "10.0.0.1", "one");
          Server _ = wildcardServerOn(network, "10.0.0.2", "two")) {
        assertThat(heardFrom("10.0.0.1")).isEqualTo("one");
        assertThat(heardFrom("10.0.0.2")).isEqualTo("two");
        assertThatThrownBy(() -> heardFrom("10.9.9.9")).isInstanceOf(ConnectException.class);
        assertThatThrownBy(() -> heardFrom("127.0.0.1")).isInstanceOf(ConnectException.class);

        try (Server _ = serverSaying("rest", "0.0.0.0")) {
          assertThat(heardFrom("10.0.0.1")).isEqualTo("one");
          assertThat(heardFrom("10.9.9.9")).isEqualTo("rest");
        }
      }
    });
  }

  private static Server wildcardServerOn(MemoryNetwork network, String host, String words)
      throws IOException {
    try (var _ = network.onHost(host)) {
      return serverSaying(words, "0.0.0.0");
    }
  }

  @Test
  void aHostReachesItsOwnWildcardServerAsLocalhost() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ = wildcardServerOn(network, "10.0.0.1", "one");
          var _ = network.onHost("10.0.0.1")) {
        assertThat(heardFrom("localhost")).isEqualTo("one");
      }
    });
  }

  @Test
  void aWildcardServerLeavesOtherHostsServersAlone() {
    VirtualLoop.run(() -> {
      try (Server _ = serverSaying("all", "0.0.0.0");
          Server _ = serverSaying("one", "10.0.0.1")) {
        assertThat(heardFrom("10.0.0.1")).isEqualTo("one");
        assertThat(heardFrom("10.0.0.2")).isEqualTo("all");
        assertThat(heardFrom("127.0.0.1")).isEqualTo("all");
      }
    });
  }

  @Test
  void aWildcardServerAndAnotherOfItsHostAreInEachOthersWay() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      assertInTheWay("0.0.0.0", "127.0.0.1");
      assertInTheWay("127.0.0.1", "0.0.0.0");
      assertInTheWay("0.0.0.0", "0.0.0.0");
      assertInTheWay("::", "::1");
      try (Server _ = wildcardServerOn(network, "10.0.0.1", "one")) {
        assertThatThrownBy(() -> serverSaying("again", "10.0.0.1"))
            .isInstanceOf(BindException.class);
        assertThatThrownBy(() -> wildcardServerOn(network, "10.0.0.1", "again"))
            .isInstanceOf(BindException.class);
      }
      wildcardServerOn(network, "10.0.0.1", "again").close();
    });
  }

  private static void assertInTheWay(String first, String second) throws IOException {
    try (Server _ = serverSaying("first", first)) {
      assertThatThrownBy(() -> serverSaying("second", second))
          .isInstanceOf(BindException.class)
          .hasMessageContaining("Address already in use");
    }
  }

  // --- Ports

  @Test
  void aPortThatTheSystemChoosesIsNotInUse() {
    VirtualLoop.run(() -> {
      try (Server _ = Asyncio.startServer(SILENT, "10.0.0.1", FIRST_PORT);
          Server chosen = Asyncio.startServer(SILENT, "10.0.0.1", 0)) {
        assertThat(chosen.addresses().getFirst().getPort()).isEqualTo(FIRST_PORT + 1);
      }
    });
  }

  @Test
  void portsOfOpenConnectionsAreNotGivenTwice() {
    VirtualLoop.run(() -> {
      try (Server _ = Asyncio.startServer((reader, writer) -> reader.read(1), "10.0.0.1", 80);
          Connection _ = Asyncio.openConnection("10.0.0.1", 80)) {
        assertThat(lastClientPort()).isEqualTo(FIRST_PORT);
        for (int i = 1; i < PORTS; i++) {
          try (Server chosen = Asyncio.startServer(SILENT, "10.0.0.1", 0)) {
            assertThat(chosen.addresses().getFirst().getPort()).isEqualTo(FIRST_PORT + i);
          }
        }

        try (Connection _ = Asyncio.openConnection("10.0.0.1", 80)) {
          assertThat(lastClientPort()).isEqualTo(FIRST_PORT + 1);
        }
      }
    });
  }

  private static int lastClientPort() {
    return MemoryNetwork.current().links().stream()
        .map(link -> link.client().getPort())
        .reduce((one, last) -> last)
        .orElseThrow();
  }

  // --- Names

  @Test
  void caseDoesNotCountInNames() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("DB.Example", "10.0.0.1");
      try (Server _ = serverSaying("hello", "10.0.0.1")) {
        assertThat(heardFrom("db.example")).isEqualTo("hello");
        assertThat(heardFrom("Db.eXAMPLE")).isEqualTo("hello");

        network.isolate("dB.example");

        assertThatThrownBy(() -> heardFrom("db.example"))
            .isInstanceOf(SocketTimeoutException.class);
      }
    });
  }

  @Test
  void aLookupMayTakeItsTime() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("slow.example", "10.0.0.1");
      network.addHost("fast.example", "10.0.0.1");
      network.setLookupDelay("Slow.Example", Duration.ofSeconds(3));
      try (Server _ = serverSaying("hello", "10.0.0.1")) {
        heardFrom("fast.example");
        assertThat(Loop.running().time()).isZero();

        assertThat(heardFrom("slow.example")).isEqualTo("hello");

        assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(3));
        assertThatThrownBy(
                () -> Asyncio.timeout(Duration.ofSeconds(1)).run(t -> heardFrom("slow.example")))
            .isInstanceOf(TimeoutException.class);
      }
    });
  }

  @Test
  void aNameThatIsNotThereMayTakeItsTimeToo() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setLookupDelay("nowhere.example", Duration.ofSeconds(3));

      assertThatThrownBy(() -> heardFrom("nowhere.example"))
          .isInstanceOf(UnknownHostException.class);

      assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(3));
    });
  }

  @Test
  void lookupsMayFailLaterAndSucceedAgain() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("db.example", "10.0.0.1");
      try (Server _ = serverSaying("hello", "10.0.0.1")) {
        assertThat(heardFrom("db.example")).isEqualTo("hello");

        network.setLookupFails("DB.example", true);

        assertThatThrownBy(() -> heardFrom("db.example"))
            .isInstanceOf(UnknownHostException.class)
            .hasMessageContaining("db.example")
            .hasMessageContaining("told to fail");
        assertThat(heardFrom("10.0.0.1")).isEqualTo("hello");

        network.setLookupFails("db.example", false);

        assertThat(heardFrom("db.example")).isEqualTo("hello");
      }
    });
  }

  @Test
  void aLookupUnderWayFailsToo() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("db.example", "10.0.0.1");
      network.setLookupDelay("db.example", Duration.ofSeconds(2));
      Task<String> asking = Asyncio.createTask(() -> heardFrom("db.example"));
      Asyncio.sleep(Duration.ofSeconds(1));

      network.setLookupFails("db.example", true);

      assertThatThrownBy(asking::await).isInstanceOf(UnknownHostException.class);
    });
  }

  @Test
  void aLookupTakesNoNegativeTime() {
    VirtualLoop.run(() ->
        assertThatThrownBy(() -> MemoryNetwork.current().setLookupDelay("x", Duration.ofNanos(-1)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("delay is negative: PT-0.000000001S"));
  }
}
