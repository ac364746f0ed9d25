package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.sync.AsyncEvent;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** A limit of connections on real sockets: the kernel's queue holds what is beyond. */
@ExtendWith(LeakCheck.class)
class ServerLimitSocketsTest {
  private int open;
  private int most;
  private int served;

  private void count(StreamReader reader, StreamWriter writer) throws IOException {
    open++;
    served++;
    most = Math.max(most, open);
    try {
      TestServer.echo(reader, writer);
    } finally {
      open--;
    }
  }

  private static List<Socket> connectPlainly(int port, int count) throws IOException {
    List<Socket> sockets = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      sockets.add(TestServer.connectPlainly(port));
    }
    return sockets;
  }

  /** They wait in the kernel's queue together, so Netty finds more than one at a time. */
  @EachTransportAndIoUring
  void ofThoseThatWaitTogetherNotOneTooManyIsAccepted(String transport) {
    TestServer.with(
        transport,
        this::count,
        ServerOptions.defaults().withMaxConnections(3),
        (server, port) -> {
          long before = Descriptors.open();
          List<Socket> sockets = connectPlainly(port, 50);
          OnLoop.passRoundsUntil(() -> open == 3);
          OnLoop.passRounds(20);

          assertThat(Descriptors.open()).isEqualTo(before == 0 ? 0 : before + 50 + 3);
          assertThat(open).isEqualTo(3);
          for (Socket socket : sockets) {
            socket.close();
          }
          OnLoop.passRoundsUntil(() -> served == 50 && open == 0);
          assertThat(most).isEqualTo(3);
        });
  }

  @EachTransportAndIoUring
  void theLimitIsOfAllListenersTogether(String transport) {
    OnLoop.run(
        transport,
        () -> {
          ServerOptions options = ServerOptions.defaults().withMaxConnections(2);
          List<String> hosts = List.of("127.0.0.1", "127.0.0.2", "127.0.0.3");
          try (Server server = Asyncio.startServer(this::count, hosts, 0, options)) {
            List<Socket> sockets = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
              var address = server.addresses().get(i % hosts.size());
              sockets.add(new Socket(address.getAddress(), address.getPort()));
            }
            OnLoop.passRoundsUntil(() -> open == 2);
            OnLoop.passRounds(20);
            for (Socket socket : sockets) {
              socket.close();
            }
            OnLoop.passRoundsUntil(() -> served == 30 && open == 0);

            assertThat(most).isEqualTo(2);
          }
        });
  }

  /** Each client talks and goes, and the next one that waits takes its place. */
  @EachTransportAndIoUring
  @Tag("slow")
  void aFloodIsServedToTheLimitAndThenTheRest(String transport) {
    int max = 100;
    int clients = 2000;
    AsyncEvent full = new AsyncEvent();
    TestServer.with(
        transport,
        (reader, writer) -> {
          if (open + 1 == max) {
            full.set();
          }
          count(reader, writer);
        },
        ServerOptions.defaults().withMaxConnections(max).withBacklog(clients),
        (server, port) -> {
          List<Task<?>> flood = new ArrayList<>();
          for (int i = 0; i < clients; i++) {
            String name = "client " + i;
            flood.add(
                Asyncio.createTask(() -> {
                  try (Connection connection = TestServer.connect(port)) {
                    full.await(); // Else those who come first would be gone before the others.
                    assertThat(TestServer.ask(connection, name)).isEqualTo(name);
                  }
                }));
          }
          flood.forEach(Task::await);
          OnLoop.passRoundsUntil(() -> open == 0);
          Duration drained = Asyncio.runningLoop().time();
          try (Connection connection = TestServer.connect(port)) {
            assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
          }

          assertThat(Asyncio.runningLoop().time().minus(drained)).isLessThan(Duration.ofSeconds(1));
          assertThat(served).isEqualTo(clients + 1);
          assertThat(most).isEqualTo(max);
        });
  }

  @EachTransportAndIoUring
  void aServerThatIsPausedStillCloses(String transport) {
    OnLoop.run(
        transport,
        () -> {
          long before = Descriptors.open();
          ServerOptions options = ServerOptions.defaults().withMaxConnections(1);
          Server server = Asyncio.startServer(this::count, "127.0.0.1", 0, options);
          List<Socket> sockets = connectPlainly(server.addresses().getFirst().getPort(), 5);
          OnLoop.passRoundsUntil(() -> open == 1);

          server.shutdown(Duration.ZERO);

          for (Socket socket : sockets) {
            socket.close();
          }
          OnLoop.passRounds(3);
          assertThat(served).isEqualTo(1);
          assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
        });
  }
}
