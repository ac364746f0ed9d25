package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.task.Task;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A server that has a limit of connections: what it serves, and what it leaves to the network. */
class ServerLimitTest {
  private static final int MAX = 1000;
  private static final ServerOptions LIMITED = ServerOptions.defaults().withMaxConnections(MAX);

  private int open;
  private int most;
  private int served;

  /** Serves until the peer ends its stream, and counts. */
  private void count(StreamReader reader, StreamWriter writer) throws IOException {
    open++;
    served++;
    most = Math.max(most, open);
    try {
      MemoryServer.echo(reader, writer);
    } finally {
      open--;
    }
  }

  private static List<Connection> connect(int port, int count) throws IOException {
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      connections.add(MemoryServer.connect(port));
    }
    return connections;
  }

  @Test
  void aFloodIsServedToTheLimitAndTheRestWaits() {
    MemoryServer.with(
        this::count,
        LIMITED,
        (server, port) -> {
          List<Connection> connections = connect(port, 5 * MAX);
          Rounds.settle();

          assertThat(open).isEqualTo(MAX);
          assertThat(server.toString()).contains(MAX + " connections", "not accepting");
          connections.forEach(Connection::close);
          Rounds.settle();
          assertThat(served).isEqualTo(5 * MAX);
          assertThat(most).isEqualTo(MAX);
        });
  }

  @Test
  void afterTheFloodANewConnectionIsServedAtOnce() {
    MemoryServer.with(
        this::count,
        LIMITED,
        (server, port) -> {
          connect(port, 2 * MAX).forEach(Connection::close);
          Rounds.settle();
          Duration drained = Asyncio.runningLoop().time();

          try (Connection connection = MemoryServer.connect(port)) {
            assertThat(MemoryServer.ask(connection, "hello")).isEqualTo("hello");
          }

          assertThat(Asyncio.runningLoop().time().minus(drained))
              .isLessThan(Duration.ofMillis(100));
        });
  }

  @Test
  void itAcceptsAgainAtNineTenths() {
    MemoryServer.with(
        this::count,
        LIMITED,
        (server, port) -> {
          List<Connection> connections = connect(port, MAX + 1);
          Rounds.settle();

          connections.subList(0, MAX / 10 - 1).forEach(Connection::close);
          Rounds.settle();
          assertThat(served).isEqualTo(MAX);
          connections.get(MAX / 10).close();
          Rounds.settle();

          assertThat(served).isEqualTo(MAX + 1);
          connections.forEach(Connection::close);
        });
  }

  @Test
  void aLimitOfOneServesOneAfterAnother() {
    MemoryServer.with(
        this::count,
        ServerOptions.defaults().withMaxConnections(1),
        (server, port) -> {
          List<Task<?>> clients = new ArrayList<>();
          for (int i = 0; i < 20; i++) {
            String text = "client " + i;
            clients.add(
                Asyncio.createTask(() -> {
                  try (Connection connection = MemoryServer.connect(port)) {
                    assertThat(MemoryServer.ask(connection, text)).isEqualTo(text);
                  }
                }));
          }
          clients.forEach(Task::await);
          Rounds.settle();

          assertThat(served).isEqualTo(20);
          assertThat(most).isEqualTo(1);
        });
  }

  @Test
  void theLimitIsOfAllListenersTogether() {
    VirtualLoop.run(() -> {
      ServerOptions options = ServerOptions.defaults().withMaxConnections(3);
      try (Server _ =
          Asyncio.startServer(this::count, List.of("10.0.0.1", "10.0.0.2"), 80, options)) {
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
          connections.add(Asyncio.openConnection(i % 2 == 0 ? "10.0.0.1" : "10.0.0.2", 80));
        }
        Rounds.settle();

        assertThat(open).isEqualTo(3);
        connections.forEach(Connection::close);
        Rounds.settle();
        assertThat(served).isEqualTo(10);
        assertThat(most).isEqualTo(3);
      }
    });
  }

  /** Closed, but not done: what a handler holds is what the limit is for. */
  @Test
  void aConnectionCountsUntilItsHandlerHasEnded() {
    ConnectionHandler slow =
        (reader, writer) -> {
          served++;
          reader.readAll();
          Asyncio.sleep(Duration.ofSeconds(1));
        };
    MemoryServer.with(
        slow,
        ServerOptions.defaults().withMaxConnections(1),
        (server, port) -> {
          connect(port, 2).forEach(Connection::close);
          Rounds.settle();
          assertThat(served).isEqualTo(1);

          Asyncio.sleep(Duration.ofSeconds(1));
          Rounds.settle();

          assertThat(served).isEqualTo(2);
          server.close();
          server.waitClosed();
        });
  }

  @Test
  void whatWaitsIsResetWhenTheServerCloses() {
    MemoryServer.with(
        this::count,
        ServerOptions.defaults().withMaxConnections(1),
        (server, port) -> {
          List<Connection> connections = connect(port, 2);
          Rounds.settle();

          server.close();
          connections.getFirst().close();

          assertThatExceptionOfType(ConnectionResetException.class)
              .isThrownBy(() -> connections.getLast().reader().read(1));
          server.waitClosed();
          assertThat(served).isEqualTo(1);
        });
  }
}
