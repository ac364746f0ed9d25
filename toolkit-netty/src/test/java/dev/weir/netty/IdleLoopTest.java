package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.RunOptions;
import io.netty.channel.epoll.Epoll;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A loop that spins while it has nothing to do takes all of a processor; one that sleeps takes next
 * to nothing.
 */
class IdleLoopTest {
  private static final Duration IDLE = Duration.ofMillis(300);

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  @Tag("slow")
  void anIdleLoopUsesNoProcessorTime(String transport) {
    assumeTrue(!transport.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    Asyncio.run(
        () -> {
          try (Server server =
                  Asyncio.startServer((reader, writer) -> reader.readAll(), "127.0.0.1", 0);
              Connection connection =
                  Asyncio.openConnection("127.0.0.1", server.addresses().getFirst().getPort())) {
            connection.writer().write("a");
            Asyncio.sleep(IDLE.dividedBy(10));
            long carrier = carrierId(Asyncio.runningLoop().toString());
            long before = threads.getThreadCpuTime(carrier);
            Asyncio.sleep(IDLE);
            Duration used = Duration.ofNanos(threads.getThreadCpuTime(carrier) - before);

            assertThat(used).isLessThan(IDLE.dividedBy(5));
          }
        },
        RunOptions.defaults().withTransport(transport));
  }

  private static long carrierId(String loop) {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (loop.contains("[" + thread.getName() + ",")) {
        return thread.threadId();
      }
    }
    throw new AssertionError("no thread of " + loop);
  }
}
