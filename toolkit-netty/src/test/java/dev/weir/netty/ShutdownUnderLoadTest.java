package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** Ending a server while a thousand clients are busy with it. */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class ShutdownUnderLoadTest {
  private static final int CLIENTS = 1000;
  private static final int REPLY_BYTES = 100_000;
  private static final ServerOptions OPTIONS = ServerOptions.defaults().withBacklog(CLIENTS);

  private int replied;

  /** Replies at length to each line; between two of them it may be told to stop. */
  private void reply(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] _ : reader) {
      writer.write(new byte[REPLY_BYTES]);
      replied++;
    }
  }

  /** Asks again and again, and counts what it got when the connection ended. */
  private static int askUntilTheEnd(int port) throws IOException {
    int received = 0;
    try (Connection connection = TestServer.connect(port)) {
      while (true) {
        connection.writer().write("more\n");
        byte[] read;
        int wanted = REPLY_BYTES;
        while (wanted > 0) {
          read = connection.reader().read(wanted);
          if (read.length == 0) {
            return received;
          }
          received += read.length;
          wanted -= read.length;
        }
      }
    } catch (SocketException e) {
      return received; // It had asked once more, when the server was gone.
    }
  }

  private static List<Task<Integer>> load(int port) {
    List<Task<Integer>> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(Asyncio.createTask(() -> askUntilTheEnd(port)));
    }
    return clients;
  }

  @EachTransport
  void closedGracefullyNoReplyIsCutOff(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = Asyncio.startServer(this::reply, "127.0.0.1", 0, OPTIONS);
          List<Task<Integer>> clients = load(server.addresses().getFirst().getPort());
          OnLoop.passRoundsUntil(() -> replied >= 2 * CLIENTS);

          server.close();
          server.closeClients();
          server.shutdown(Duration.ofSeconds(10));

          long received = 0;
          for (Task<Integer> client : clients) {
            int bytes = client.await();
            assertThat(bytes % REPLY_BYTES).as("the last reply's bytes").isZero();
            received += bytes;
          }
          assertThat(received).isEqualTo((long) replied * REPLY_BYTES);
        });
  }

  @EachTransport
  void abortedAllOfItIsGoneAtOnce(String transport) {
    long before = Descriptors.open();
    int threadsBefore = weirThreads();
    OnLoop.run(
        transport,
        () -> {
          Server server = Asyncio.startServer(this::reply, "127.0.0.1", 0, OPTIONS);
          List<Task<Integer>> clients = load(server.addresses().getFirst().getPort());
          OnLoop.passRoundsUntil(() -> replied >= 2 * CLIENTS);
          Duration begun = Asyncio.runningLoop().time();

          server.shutdown(Duration.ZERO);

          Duration took = Asyncio.runningLoop().time().minus(begun);
          assertThat(took).isLessThan(Duration.ofSeconds(2));
          clients.forEach(Task::await);
          System.out.println(transport + ": aborted within " + took.toMillis() + " ms");
        });
    assertThat(Descriptors.open()).isLessThanOrEqualTo(before + 5);
    assertThat(weirThreads()).isEqualTo(threadsBefore);
  }

  private static int weirThreads() {
    return (int)
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("weir-loop"))
            .count();
  }

  @EachTransport
  void twoHundredServersOfOneLoopComeAndGoWithoutATrace(String transport) {
    OnLoop.run(
        transport,
        () -> {
          cycle(20);
          long descriptors = Descriptors.open();
          long bytes = bytesUsed();

          cycle(200);

          assertThat(Descriptors.open()).isLessThanOrEqualTo(descriptors + 2);
          assertThat(bytesUsed() - bytes).isLessThan(2 << 20);
        });
  }

  private void cycle(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      Server server = Asyncio.startServer(this::reply, "127.0.0.1", 0, OPTIONS);
      try (Connection connection = TestServer.connect(server.addresses().getFirst().getPort())) {
        connection.writer().write("once\n");
        assertThat(connection.reader().readExactly(REPLY_BYTES)).hasSize(REPLY_BYTES);
      }
      server.shutdown(Duration.ofSeconds(10));
    }
  }

  private static long bytesUsed() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
