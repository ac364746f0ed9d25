package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.tls.TlsProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Thousands of clients that begin a TLS handshake and stop, beside honest ones: the time for
 * handshakes ends them, and until then they cost little.
 */
@Tag("slow")
@ExtendWith(LeakCheck.class)
class StalledHandshakesTest {
  private static final int STALLED = 2000;
  private static final int HONEST = 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final int BYTES_PER_CONNECTION_MAX = 10 * 1024;

  private boolean over;

  @EachTlsProvider
  void theyAreGoneInTimeAndHonestClientsAreServed(String transport, TlsProvider provider) {
    assumeTrue(
        Descriptors.max() > STALLED + 500,
        "this process may open " + Descriptors.max() + " descriptors, too few for the connections");
    OnLoop.run(
        transport,
        () -> {
          ServerOptions options =
              ServerOptions.defaults()
                  .withBacklog(1024)
                  .withTls(TestCertificates.serverTls(provider).withHandshakeTimeout(TIMEOUT));
          try (Server server = Asyncio.startServer(TestServer::echo, "127.0.0.1", 0, options)) {
            int port = server.addresses().getFirst().getPort();
            List<Task<Long>> honest = new ArrayList<>();
            for (int i = 0; i < HONEST; i++) {
              honest.add(Asyncio.createTask(() -> beHonest(port, provider)));
            }
            Asyncio.sleep(Duration.ofMillis(500));
            long before = OnLoop.onWorker(UsedMemory::bytes).await();

            String hello = HexFormat.of().formatHex(TestCertificates.clientHello());
            try (ForeignProgram clients =
                ForeignProgram.python(
                    "stall_handshakes.py", String.valueOf(port), String.valueOf(STALLED), hello)) {
              assertThat(OnLoop.onWorker(clients::nextLine).await()).isEqualTo("connected");
              Future<Long> measuring = OnLoop.onWorker(UsedMemory::bytes);
              long each = (measuring.await() - before) / STALLED;
              String[] closed = OnLoop.onWorker(clients::nextLine).await().split(" ");
              over = true;
              long slowestNanos = 0;
              for (Task<Long> client : honest) {
                slowestNanos = Math.max(slowestNanos, client.await());
              }
              Duration first = Duration.ofMillis(Long.parseLong(closed[1]));
              Duration last = Duration.ofMillis(Long.parseLong(closed[2]));
              Duration slowest = Duration.ofNanos(slowestNanos);
              System.out.printf(
                  "%s, %s: %d bytes each; closed after %d to %d ms; the slowest honest answer took"
                      + " %d ms%n",
                  transport, provider, each, first.toMillis(), last.toMillis(), slowest.toMillis());

              assertThat(each).as("bytes per connection").isLessThan(BYTES_PER_CONNECTION_MAX);
              Duration half = Duration.ofMillis(500);
              assertThat(first).isGreaterThan(TIMEOUT.minus(half));
              // By how much this machine itself may be late, the honest ones tell.
              assertThat(last).isLessThan(TIMEOUT.plus(half).plus(slowest));
            }
          }
        });
  }

  private long beHonest(int port, TlsProvider provider) throws IOException {
    long slowestNanos = 0;
    ConnectOptions options =
        ConnectOptions.defaults().withTls(TestCertificates.clientTls(provider));
    while (!over) {
      // A connection each time: it is their handshakes that the others could hold up.
      long asked = System.nanoTime();
      try (Connection connection = Asyncio.openConnection("localhost", port, options)) {
        assertThat(TestServer.ask(connection, "hello")).isEqualTo("hello");
      }
      slowestNanos = Math.max(slowestNanos, System.nanoTime() - asked);
      Asyncio.sleep(Duration.ofMillis(100));
    }
    return slowestNanos;
  }
}
