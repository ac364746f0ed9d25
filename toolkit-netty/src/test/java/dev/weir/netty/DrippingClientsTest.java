package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Thousands of clients that send a byte a second and never finish their line, beside honest ones: a
 * deadline for the line ends them, and until then they cost little.
 */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class DrippingClientsTest {
  private static final int DRIPPING = 5000;
  private static final int HONEST = 50;
  private static final Duration DEADLINE = Duration.ofSeconds(4);
  private static final int BYTES_PER_CONNECTION_MAX = 20 * 1024;

  private final List<Duration> lasted = new ArrayList<>();
  private boolean over;

  private void serve(StreamReader reader, StreamWriter writer) throws IOException {
    Duration begun = Asyncio.runningLoop().time();
    try {
      while (true) {
        byte[] line = Asyncio.timeout(DEADLINE).call(timeout -> reader.readLine());
        if (line.length == 0) {
          return;
        }
        writer.write(line);
      }
    } catch (TimeoutException e) {
      lasted.add(Asyncio.runningLoop().time().minus(begun));
      writer.abort();
    }
  }

  private long beHonest(int port) throws IOException {
    long slowestNanos = 0;
    try (Connection connection = TestServer.connect(port)) {
      while (!over) {
        long asked = System.nanoTime();
        assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
        slowestNanos = Math.max(slowestNanos, System.nanoTime() - asked);
        Asyncio.sleep(Duration.ofMillis(20));
      }
    }
    return slowestNanos;
  }

  @EachTransport
  void aDeadlineEndsThemAndHonestClientsAreServed(String transport) {
    assumeTrue(
        Descriptors.max() > DRIPPING + 500,
        "this process may open " + Descriptors.max() + " descriptors, too few for the connections");
    OnLoop.run(
        transport,
        () -> {
          ServerOptions options = ServerOptions.defaults().withBacklog(1024);
          try (Server server = Asyncio.startServer(this::serve, "127.0.0.1", 0, options)) {
            int port = server.addresses().getFirst().getPort();
            List<Task<Long>> honest = new ArrayList<>();
            for (int i = 0; i < HONEST; i++) {
              honest.add(Asyncio.createTask(() -> beHonest(port)));
            }
            Asyncio.sleep(Duration.ofMillis(300));
            long before = OnLoop.onWorker(UsedMemory::bytes).await();

            try (ForeignProgram clients =
                ForeignProgram.python(
                    "drip_connections.py", String.valueOf(port), String.valueOf(DRIPPING))) {
              assertThat(OnLoop.onWorker(clients::nextLine).await()).isEqualTo("connected");
              Future<Long> measuring = OnLoop.onWorker(UsedMemory::bytes);
              long each = (measuring.await() - before) / DRIPPING;
              assertThat(OnLoop.onWorker(clients::nextLine).await()).startsWith("all closed");
              over = true;
              long slowestNanos = 0;
              for (Task<Long> client : honest) {
                slowestNanos = Math.max(slowestNanos, client.await());
              }
              Duration longest = lasted.stream().max(Duration::compareTo).orElseThrow();
              Duration slowest = Duration.ofNanos(slowestNanos);
              System.out.printf(
                  "%s: %d bytes each; the last ended after %d ms; the slowest honest answer took %d"
                      + " ms%n",
                  transport, each, longest.toMillis(), slowest.toMillis());

              assertThat(each).as("bytes per connection").isLessThan(BYTES_PER_CONNECTION_MAX);
              assertThat(lasted).hasSize(DRIPPING);
              // By how much this machine itself may be late, the honest ones tell.
              assertThat(longest).isLessThan(DEADLINE.multipliedBy(11).dividedBy(10).plus(slowest));
            }
          }
        });
  }
}
