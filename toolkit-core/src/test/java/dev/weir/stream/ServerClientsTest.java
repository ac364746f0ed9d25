package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Closing and aborting all of a server's connections. */
class ServerClientsTest {
  private static final byte[] REPLY = new byte[1 << 20];

  private final List<String> ended = new ArrayList<>();

  /** Replies at length, then reads on. */
  private void replyAndRead(StreamReader reader, StreamWriter writer) throws IOException {
    try {
      writer.write(REPLY);
      reader.readAll();
      ended.add("end of stream");
    } catch (ConnectionResetException e) {
      ended.add("reset");
      throw e;
    }
  }

  private static List<Connection> connect(int port, int count) throws IOException {
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      connections.add(MemoryServer.connect(port));
    }
    Rounds.settle();
    return connections;
  }

  @Test
  void closeClientsLetsWhatWasWrittenGoOutAndEndsTheHandlers() {
    MemoryServer.with(
        this::replyAndRead,
        (server, port) -> {
          List<Connection> connections = connect(port, 10);

          server.closeClients();
          server.closeClients();

          for (Connection connection : connections) {
            assertThat(connection.reader().readAll()).isEqualTo(REPLY);
          }
          assertThat(ended).hasSize(10).containsOnly("end of stream");
          connections.forEach(Connection::close);
        });
  }

  @Test
  void closeClientsGivesAPeerThatTakesNothingTheFlushTimeout() {
    Duration flushTimeout = Duration.ofSeconds(30);
    MemoryServer.with(
        this::replyAndRead,
        ServerOptions.defaults().withFlushTimeout(flushTimeout),
        (server, port) -> {
          Connection connection = connect(port, 1).getFirst();
          Duration begun = Asyncio.runningLoop().time();

          server.closeClients();
          server.close();
          server.waitClosed();

          assertThat(Asyncio.runningLoop().time()).isEqualTo(begun.plus(flushTimeout));
          connection.close();
        });
  }

  @Test
  void abortClientsResetsAtOnceAndTheHandlersSeeIt() {
    MemoryServer.with(
        this::replyAndRead,
        (server, port) -> {
          List<Connection> connections = connect(port, 10);

          server.abortClients();
          server.abortClients();

          for (Connection connection : connections) {
            assertThatExceptionOfType(ConnectionResetException.class)
                .isThrownBy(() -> connection.reader().readAll());
          }
          assertThat(ended).hasSize(10).containsOnly("reset");
        });
  }

  @Test
  void theServerGoesOnServingOthersAfterwards() {
    MemoryServer.with(
        MemoryServer::echo,
        (server, port) -> {
          List<Connection> earlier = connect(port, 3);
          server.abortClients();
          earlier.addAll(connect(port, 3));
          server.closeClients();

          try (Connection connection = MemoryServer.connect(port)) {
            assertThat(MemoryServer.ask(connection, "hello")).isEqualTo("hello");
          }
          earlier.forEach(Connection::close);
        });
  }

  @Test
  void aConnectionWhoseHandlerHasNotBegunIsClosedToo() {
    MemoryServer.with(
        (reader, writer) -> ended.add(text(reader.readAll())),
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Rounds.until(() -> server.toString().contains(" 1 connection"));

          server.closeClients();
          server.close();
          server.waitClosed();

          assertThat(connection.reader().readAll()).isEmpty();
          assertThat(ended).containsExactly("");
          connection.close();
        });
  }

  @Test
  void bothMayBeCalledWhenTheLoopIsClosed() {
    List<Server> servers = new ArrayList<>();
    VirtualLoop.run(() -> {
      try (Server server = MemoryServer.start(MemoryServer::echo)) {
        servers.add(server);
      }
    });

    servers.getFirst().closeClients();
    servers.getFirst().abortClients();
  }
}
