package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.slf4j.LoggerFactory;

/** SLF4J's MDC, with Logback, follows tasks, threads and reports, as docs/asyncio.md shows it. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class NamedClientsTest {
  private final Logger weir = (Logger) LoggerFactory.getLogger("dev.weir");
  private final Clients log = new Clients();
  private final Runnable endOfCarrying = NamedClients.carryMdc();
  private @Nullable Level level;

  /** Notes the client of each line on the thread that logs it; later the MDC is another one. */
  private static final class Clients extends AppenderBase<ILoggingEvent> {
    final List<String> lines = new CopyOnWriteArrayList<>();

    @Override
    protected void append(ILoggingEvent event) {
      String said = event.getFormattedMessage().replaceAll(": .*", "");
      lines.add(event.getMDCPropertyMap().get("client") + " " + said);
    }

    /** A line may come after the answer: its thread may have waited for the log. */
    void untilLines(int count) {
      while (lines.size() < count) {
        Asyncio.yieldNow();
      }
    }
  }

  @BeforeEach
  void listen() {
    level = weir.getLevel();
    weir.setLevel(Level.INFO);
    weir.setAdditive(false);
    weir.addAppender(log);
    log.start();
  }

  @AfterEach
  void stopListening() {
    endOfCarrying.run();
    weir.detachAppender(log);
    weir.setAdditive(true);
    weir.setLevel(level);
  }

  @Test
  void everyLineOfTheLogNamesTheClientWhateverThreadLogsIt() {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(NamedClients::serve, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        try (Connection first = Asyncio.openConnection("127.0.0.1", port);
            Connection second = Asyncio.openConnection("127.0.0.1", port)) {
          String one = first.writer().localAddress().toString();
          String two = second.writer().localAddress().toString();

          assertThat(ask(first, "a")).isEqualTo("A");
          assertThat(ask(second, "b")).isEqualTo("B");
          assertThat(ask(first, "c")).isEqualTo("C");
          log.untilLines(9);

          assertThat(log.lines)
              .contains(one + " a asked for", one + " a accounted for", one + " a computed")
              .contains(two + " b asked for", two + " b accounted for", two + " b computed")
              .contains(one + " c asked for", one + " c accounted for", one + " c computed");
        }
      }
    });
  }

  @Test
  void theReportOfAFailureNamesTheClientToo() {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(NamedClients::serve, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
          String client = connection.writer().localAddress().toString();

          assertThat(ask(connection, " ")).isEqualTo(" ");
          log.untilLines(3);

          assertThat(log.lines).contains(client + " Background task failed");
        }
      }
    });
  }

  private static @Nullable String ask(Connection connection, String line) throws IOException {
    connection.writer().writeLine(line);
    return connection.reader().readLine(UTF_8);
  }
}
