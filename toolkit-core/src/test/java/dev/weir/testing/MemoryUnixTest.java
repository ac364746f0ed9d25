package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.task.Loop;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Unix sockets of the memory network: a path is just a name. */
class MemoryUnixTest {
  private static final Path PATH = Path.of("/run/nowhere/echo.sock");
  private static final LinkConditions PERFECT = LinkConditions.perfect();

  private static Server greeter(String greeting) throws IOException {
    return Asyncio.startUnixServer((reader, writer) -> writer.writeLine(greeting), PATH);
  }

  private static String greeting() throws IOException {
    try (Connection connection = Asyncio.openUnixConnection(PATH)) {
      return new String(connection.reader().readAll(), UTF_8).strip();
    }
  }

  @Test
  void clientAndServerMeetWithoutAFile() {
    VirtualLoop.run(() -> {
      try (Server server = greeter("hello")) {
        assertThat(server.path()).isEqualTo(PATH);
        assertThat(server.addresses()).isEmpty();
        assertThat(PATH).doesNotExist();
        assertThat(greeting()).isEqualTo("hello");
        assertThat(Loop.running().time()).isZero();
      }
    });
  }

  @Test
  void aPathWhereAServerListensIsInUseUntilItIsClosed() {
    VirtualLoop.run(() -> {
      try (Server _ = greeter("first")) {
        assertThatExceptionOfType(BindException.class)
            .isThrownBy(() -> greeter("second"))
            .withMessage(
                "Address already in use: "
                    + PATH
                    + ": a server listens there; stop it, or choose another path");
        assertThat(greeting()).isEqualTo("first");
      }
      try (Server _ = greeter("third")) {
        assertThat(greeting()).isEqualTo("third");
      }
    });
  }

  @Test
  void nobodyConnectsWhereNobodyListens() {
    VirtualLoop.run(() -> {
      greeter("hello").close();

      assertThatExceptionOfType(ConnectException.class)
          .isThrownBy(MemoryUnixTest::greeting)
          .withMessage("No such socket: " + PATH);
    });
  }

  @Test
  void bothEndsKnowTheSocketsNameAndThatTheClientHasNone() {
    List<Object> seen = new ArrayList<>();
    VirtualLoop.run(() -> {
      try (Server _ =
              Asyncio.startUnixServer(
                  (reader, writer) -> {
                    seen.add(writer.localAddress());
                    seen.add(writer.remoteAddress());
                    reader.readAll();
                  },
                  PATH);
          Connection connection = Asyncio.openUnixConnection(PATH)) {
        UnixDomainSocketAddress named = UnixDomainSocketAddress.of(PATH);
        UnixDomainSocketAddress unnamed = UnixDomainSocketAddress.of("");
        assertThat(connection.writer().localAddress()).isEqualTo(unnamed);
        assertThat(connection.writer().remoteAddress()).isEqualTo(named);
        Asyncio.sleep(Duration.ofSeconds(1));
        assertThat(seen).containsExactly(named, unnamed);
        assertThat(Loop.running().network().describeOpen().toString())
            .contains("server listening on " + PATH)
            .contains("connection by a Unix socket -> " + PATH + ", both sides open");
      }
    });
  }

  @Test
  void theLinkHasItsConditionsAndItsPath() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.setLinkPolicy(attempt ->
          PATH.equals(attempt.path()) && attempt.number() == 2
              ? PERFECT.withDelay(Duration.ofSeconds(3))
              : PERFECT);
      try (Server _ =
          Asyncio.startUnixServer(
              (reader, writer) -> {
                for (byte[] line : reader) {
                  writer.write(line);
                }
              },
              PATH)) {
        Asyncio.openUnixConnection(PATH).close();
        Asyncio.sleep(Duration.ofSeconds(1));
        Duration before = Loop.running().time();
        try (Connection connection = Asyncio.openUnixConnection(PATH)) {
          assertThat(Loop.running().time().minus(before)).isEqualTo(Duration.ofSeconds(6));
          Link link = network.links().getFirst();
          assertThat(link.path()).isEqualTo(PATH);

          link.reset();

          assertThatThrownBy(() -> connection.reader().readLine())
              .isInstanceOf(ConnectionResetException.class);
        }
      }
    });
  }

  @Test
  void anAttemptThatNobodyAnswersTimesOut() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().setConditions(PERFECT.withAnswer(LinkConditions.Answer.NONE));
      try (Server _ = greeter("hello")) {
        assertThatExceptionOfType(SocketTimeoutException.class)
            .isThrownBy(() ->
                Asyncio.openUnixConnection(
                    PATH, ConnectOptions.defaults().withConnectTimeout(Duration.ofSeconds(2))))
            .withMessageContaining(PATH.toString());
        assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(2));
      }
    });
  }

  @Test
  void eachHostHasItsOwnNames() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (Server _ = greeter("here")) {
        try (var _ = network.onHost("10.0.0.7")) {
          assertThatThrownBy(MemoryUnixTest::greeting).isInstanceOf(ConnectException.class);
          try (Server _ = greeter("there")) {
            assertThat(greeting()).isEqualTo("there");
          }
        }
        network.isolate("localhost"); // What is within a host is not its network.
        assertThat(greeting()).isEqualTo("here");
      }
    });
  }

  @Test
  void anAbstractNameIsANameAsWell() {
    VirtualLoop.run(() -> {
      Path name = Path.of("@echo");
      try (Server _ = Asyncio.startUnixServer((reader, writer) -> writer.write("hello"), name);
          Connection connection = Asyncio.openUnixConnection(name)) {
        assertThat(connection.reader().readAll()).isEqualTo("hello".getBytes(UTF_8));
      }
    });
  }
}
