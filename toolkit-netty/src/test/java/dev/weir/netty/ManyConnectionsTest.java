package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("slow")
@ExtendWith(LeakCheck.class)
class ManyConnectionsTest {
  private static final int CONNECTIONS = 10_000;

  @EachTransport
  void tenThousandIdleConnectionsAreHeldAndEachStillAnswers(String transport) {
    assumeTrue(
        descriptorsMax() > CONNECTIONS + 500,
        "this process may open " + descriptorsMax() + " descriptors, too few for the connections");
    OnLoop.run(
        transport,
        () -> {
          ServerOptions options = ServerOptions.defaults().withBacklog(1024);
          try (Server server =
                  Asyncio.startServer(
                      (reader, writer) -> {
                        for (byte[] line : reader) {
                          writer.write(line);
                        }
                      },
                      "127.0.0.1",
                      0,
                      options);
              ForeignProgram clients =
                  ForeignProgram.python(
                      "many_connections.py",
                      String.valueOf(server.addresses().getFirst().getPort()),
                      String.valueOf(CONNECTIONS))) {
            assertThat(OnLoop.onWorker(clients::nextLine).await()).isEqualTo("connected");
            // The last ones may still wait in the kernel's queue.
            OnLoop.passRoundsUntil(() -> server.toString().contains(CONNECTIONS + " connections"));
            clients.sendLine();
            assertThat(OnLoop.onWorker(clients::nextLine).await()).isEqualTo("answered");
          }
        });
  }

  private static long descriptorsMax() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : 0;
  }
}
