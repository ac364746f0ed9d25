package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Connecting, names and partitions; what happens to bytes is in {@link LinkTest}. */
class MemoryNetworkTest {
  private static final LinkConditions PERFECT = LinkConditions.perfect();

  /** Says hello to everybody at {@code host}, port 80. */
  private static Server greeterAt(String host) throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> writer.writeLine("hello from " + host), host, 80);
  }

  private static String greetingFrom(String host) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, 80)) {
      return new String(connection.reader().readAll(), UTF_8).strip();
    }
  }

  private static Duration now() {
    return Loop.running().time();
  }

  @Test
  void clientAndServerMeetWithoutASocket() {
    VirtualLoop.run(() -> {
      try (Server _ = greeterAt("127.0.0.1")) {
        assertThat(greetingFrom("127.0.0.1")).isEqualTo("hello from 127.0.0.1");
        assertThat(greetingFrom("localhost")).isEqualTo("hello from 127.0.0.1");
        assertThat(now()).isZero();
      }
    });
  }

  @Test
  void theSystemChoosesAPortIfAskedTo() {
    VirtualLoop.run(() -> {
      try (Server one = Asyncio.startServer((r, w) -> {}, "10.0.0.1", 0);
          Server other = Asyncio.startServer((r, w) -> {}, "10.0.0.1", 0)) {
        assertThat(one.addresses().getFirst().getPort())
            .isPositive()
            .isNotEqualTo(other.addresses().getFirst().getPort());
      }
    });
  }

  @Test
  void anAddressInUseIsRefused() {
    VirtualLoop.run(() -> {
      try (Server _ = greeterAt("10.0.0.1");
          Server _ = greeterAt("10.0.0.2")) {
        assertThatThrownBy(() -> greeterAt("10.0.0.1"))
            .isInstanceOf(BindException.class)
            .hasMessage("Address already in use: 10.0.0.1:80");
      }
      greeterAt("10.0.0.1").close();
    });
  }

  @Test
  void aServerOnAllInterfacesIsReachedAtEveryAddress() {
    VirtualLoop.run(() -> {
      try (Server _ = Asyncio.startServer((reader, writer) -> writer.write("here"), null, 80)) {
        assertThat(greetingFrom("127.0.0.1")).isEqualTo("here");
        assertThat(greetingFrom("10.9.8.7")).isEqualTo("here");
        assertThat(greetingFrom("::1")).isEqualTo("here");
      }
    });
  }

  @Test
  void whereNobodyListensConnectionsAreRefused() {
    VirtualLoop.run(() -> {
      assertThatThrownBy(() -> greetingFrom("10.0.0.1"))
          .isInstanceOf(ConnectException.class)
          .hasMessage("Connection refused: 10.0.0.1:80");

      greeterAt("10.0.0.1").close();
      assertThatThrownBy(() -> greetingFrom("10.0.0.1")).isInstanceOf(ConnectException.class);
    });
  }

  @Test
  void bothEndsKnowEachOther() {
    VirtualLoop.run(() -> {
      List<Object> seen = new ArrayList<>();
      try (Server _ =
              Asyncio.startServer(
                  (reader, writer) -> {
                    seen.add(writer.localAddress());
                    seen.add(writer.remoteAddress());
                  },
                  "10.0.0.1",
                  80);
          Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
        assertThat(connection.reader().read(1)).isEmpty();

        assertThat(connection.writer().remoteAddress())
            .isEqualTo(new InetSocketAddress("10.0.0.1", 80));
        assertThat(seen)
            .containsExactly(
                connection.writer().remoteAddress(), connection.writer().localAddress());
      }
    });
  }

  // --- Names

  @Test
  void aNameThatWasAddedIsFound() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost("db.example", "10.0.0.1");
      try (Server _ = greeterAt("10.0.0.1")) {
        assertThat(greetingFrom("db.example")).isEqualTo("hello from 10.0.0.1");
      }
    });
  }

  @Test
  void aNameThatWasNotAddedIsUnknown() {
    VirtualLoop.run(() ->
        assertThatThrownBy(() -> greetingFrom("db.example"))
            .isInstanceOf(UnknownHostException.class)
            .hasMessageContaining("db.example")
            .hasMessageContaining("addHost()"));
  }

  @Test
  void theAddressesOfANameAreTriedInTheirOrder() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("db.example", "10.0.0.1", "10.0.0.2", "10.0.0.3");
      List<String> tried = new ArrayList<>();
      network.setLinkPolicy(attempt -> {
        tried.add(attempt.to().getAddress().getHostAddress());
        return PERFECT;
      });
      try (Server _ = greeterAt("10.0.0.2");
          Server _ = greeterAt("10.0.0.3")) {
        assertThat(greetingFrom("db.example")).isEqualTo("hello from 10.0.0.2");
      }

      assertThat(tried).containsExactly("10.0.0.1", "10.0.0.2");
    });
  }

  @Test
  void anAddressMustBeALiteral() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      assertThatThrownBy(() -> network.addHost("a", "b"))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> network.addHost("a"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("no address for host 'a'");
    });
  }

  // --- Answers

  @Test
  void aPolicyRefusesWhatItWants() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current()
          .setLinkPolicy(attempt ->
              attempt.number() < 3 ? PERFECT.withAnswer(LinkConditions.Answer.REFUSED) : PERFECT);
      try (Server _ = greeterAt("10.0.0.1")) {
        assertThatThrownBy(() -> greetingFrom("10.0.0.1")).isInstanceOf(ConnectException.class);
        assertThatThrownBy(() -> greetingFrom("10.0.0.1")).isInstanceOf(ConnectException.class);
        assertThat(greetingFrom("10.0.0.1")).isEqualTo("hello from 10.0.0.1");
      }
    });
  }

  @Test
  void whoIsNotAnsweredWaitsForTheConnectTimeout() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setConditions(PERFECT.withAnswer(LinkConditions.Answer.NONE));
      ConnectOptions options = ConnectOptions.defaults().withConnectTimeout(Duration.ofSeconds(5));

      try (Server _ = greeterAt("10.0.0.1")) {
        assertThatThrownBy(() -> Connection.open("10.0.0.1", 80, options))
            .isInstanceOf(SocketTimeoutException.class)
            .hasMessage("No answer from 10.0.0.1:80 within 5.0 s");
      }

      assertThat(now()).isEqualTo(Duration.ofSeconds(5));
    });
  }

  @Test
  void connectingTakesThereAndBack() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setConditions(PERFECT.withDelay(Duration.ofMillis(10)));
      try (Server _ = greeterAt("10.0.0.1")) {
        try (Connection _ = Asyncio.openConnection("10.0.0.1", 80)) {
          assertThat(now()).isEqualTo(Duration.ofMillis(20));
        }
      }
    });
  }

  @Test
  void anAttemptThatWasCancelledLeavesNothing() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setConditions(PERFECT.withDelay(Duration.ofSeconds(10)));
      List<String> served = new ArrayList<>();
      try (Server _ = Asyncio.startServer((r, w) -> served.add("served"), "10.0.0.1", 80)) {
        assertThatThrownBy(() ->
                Asyncio.timeout(Duration.ofSeconds(15))
                    .run(t -> Asyncio.openConnection("10.0.0.1", 80)))
            .isInstanceOf(TimeoutException.class);
        Asyncio.sleep(Duration.ofMinutes(1));
      }

      assertThat(served).isEmpty();
      assertThat(MemoryNetwork.current().links()).isEmpty();
    });
  }

  @Test
  void aServerThatClosesResetsWhomItHasNotAccepted() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setConditions(PERFECT.withDelay(Duration.ofMillis(10)));
      Server server = greeterAt("10.0.0.1");
      Connection connection = Asyncio.openConnection("10.0.0.1", 80);
      server.close(); // The server learns of the connection 10 ms later.

      assertThatThrownBy(() -> connection.reader().read(1))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("reset");
    });
  }

  // --- Hosts and partitions

  @Test
  void aConnectionComesFromTheHostThatTheCodeIsOn() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      List<String> from = new ArrayList<>();
      network.setLinkPolicy(attempt -> {
        from.add(attempt.from().getAddress().getHostAddress());
        return PERFECT;
      });
      network.addHost("web.example", "10.0.0.7");
      try (Server _ = greeterAt("10.0.0.1");
          Server _ = greeterAt("127.0.0.1")) {
        greetingFrom("10.0.0.1");
        greetingFrom("127.0.0.1");
        try (var _ = network.onHost("web.example")) {
          Asyncio.createTask(() -> greetingFrom("10.0.0.1")).await();
        }
        greetingFrom("10.0.0.1");
      }

      assertThat(from).containsExactly("192.0.2.1", "127.0.0.1", "10.0.0.7", "192.0.2.1");
    });
  }

  @Test
  void aHandlerIsOnTheHostThatItsServerWasStartedOn() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      List<String> from = new ArrayList<>();
      network.setLinkPolicy(attempt -> {
        from.add(attempt.from().getAddress().getHostAddress());
        return PERFECT;
      });
      try (Server _ = greeterAt("10.0.0.1");
          Server _ = frontEndAt(network, "10.0.0.2", "10.0.0.1")) {
        assertThat(greetingFrom("10.0.0.2")).isEqualTo("hello from 10.0.0.1");
      }

      assertThat(from).containsExactly("192.0.2.1", "10.0.0.2");
    });
  }

  /** Passes on what it hears from {@code backEnd}. */
  private static Server frontEndAt(MemoryNetwork network, String host, String backEnd)
      throws IOException {
    try (var _ = network.onHost(host)) {
      return Asyncio.startServer((reader, writer) -> writer.write(greetingFrom(backEnd)), host, 80);
    }
  }

  @Test
  void nothingPassesAPartitionUntilItHeals() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ = greeterAt("10.0.0.1")) {
        network.partition("192.0.2.1", "10.0.0.1");
        Task<String> greeting = Asyncio.createTask(() -> greetingFrom("10.0.0.1"));
        Asyncio.sleep(Duration.ofSeconds(20));
        assertThat(greeting.done()).isFalse();

        network.heal();

        assertThat(greeting.await()).isEqualTo("hello from 10.0.0.1");
        assertThat(now()).isEqualTo(Duration.ofSeconds(20));
      }
    });
  }

  @Test
  void aPartitionLeavesOtherHostsAlone() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ = greeterAt("10.0.0.1");
          Server _ = greeterAt("10.0.0.2")) {
        network.partition("192.0.2.1", "10.0.0.1");

        assertThat(greetingFrom("10.0.0.2")).isEqualTo("hello from 10.0.0.2");
        try (var _ = network.onHost("10.0.0.2")) {
          assertThat(greetingFrom("10.0.0.1")).isEqualTo("hello from 10.0.0.1");
        }
        assertThatThrownBy(() -> greetingFrom("10.0.0.1"))
            .isInstanceOf(SocketTimeoutException.class);
      }
    });
  }

  @Test
  void anIsolatedHostIsReachedByNobody() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.addHost("db.example", "10.0.0.1", "10.0.0.2");
      try (Server _ = greeterAt("10.0.0.1");
          Server _ = greeterAt("10.0.0.2")) {
        network.isolate("10.0.0.1");

        assertThat(greetingFrom("db.example")).as("the second").isEqualTo("hello from 10.0.0.2");
        assertThat(now()).isEqualTo(ConnectOptions.defaults().happyEyeballsDelay());
      }
    });
  }

  @Test
  void whatWasSentIntoAPartitionArrivesWhenItHeals() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ =
              Asyncio.startServer(
                  (reader, writer) -> writer.write(reader.readLine()), "10.0.0.1", 80);
          Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
        network.isolate("10.0.0.1");
        connection.writer().write("before\n");
        Asyncio.sleep(Duration.ofHours(1));
        network.heal();

        assertThat(connection.reader().readLine()).isEqualTo("before\n".getBytes(UTF_8));
      }
    });
  }

  @Test
  void theNetworkBelongsToAVirtualLoop() {
    assertThatThrownBy(MemoryNetwork::current)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }
}
