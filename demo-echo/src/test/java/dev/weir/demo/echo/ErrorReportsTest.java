package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.weir.Asyncio;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.slf4j.LoggerFactory;

/**
 * What goes wrong on one connection: it ends, the others and the server go on, and Logback hears of
 * it once.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ErrorReportsTest {
  private final Logger weir = (Logger) LoggerFactory.getLogger("dev.weir");
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private @Nullable Level level;

  @BeforeEach
  void listen() {
    level = weir.getLevel();
    weir.setLevel(Level.DEBUG);
    weir.setAdditive(false);
    weir.addAppender(log);
    log.start();
  }

  @AfterEach
  void stopListening() {
    weir.detachAppender(log);
    weir.setAdditive(true);
    weir.setLevel(level);
  }

  @Test
  void aHandlerThatThrowsIsReportedOnceAndEndsItsConnectionOnly() {
    ConnectionHandler handler =
        (reader, writer) -> {
          for (String line : reader.lines(UTF_8)) {
            if (line.equals("throw")) {
              throw new ArithmeticException("on demand");
            }
            writer.writeLine(line);
          }
        };

    whileServing(
        handler,
        client -> {
          client.getOutputStream().write("throw\n".getBytes(UTF_8));
          awaitEnd(client);
        });

    assertThat(recordsAt(Level.ERROR))
        .singleElement()
        .satisfies(report -> {
          assertThat(report.getFormattedMessage()).contains("handler", "127.0.0.1");
          assertThat(report.getThrowableProxy().getClassName())
              .isEqualTo(ArithmeticException.class.getName());
          assertThat(report.getThrowableProxy().getMessage()).isEqualTo("on demand");
        });
    assertThat(recordsAt(Level.DEBUG)).isEmpty();
  }

  @Test
  void aLineLongerThanTheLimitEndsItsConnectionOnly() {
    whileServing(
        EchoServer::echo,
        client -> {
          client.getOutputStream().write(new byte[100_000]);
          awaitEnd(client);
        });

    assertOneDebugRecordOf(LimitOverrunException.class);
  }

  @Test
  void aPeerThatResetsInTheMiddleOfALineEndsItsConnectionOnly() {
    whileServing(
        EchoServer::echo,
        client -> {
          client.getOutputStream().write("half a li".getBytes(UTF_8));
          reset(client);
        });

    assertOneDebugRecordOf(ConnectionResetException.class);
  }

  @Test
  void aPeerThatResetsInTheMiddleOfAWriteEndsItsConnectionOnly() {
    ConnectionHandler flood =
        (reader, writer) -> {
          if (new String(reader.readLine(), UTF_8).equals("flood\n")) {
            while (true) {
              writer.write(new byte[64 * 1024]);
            }
          }
          writer.write("still here\n");
        };

    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(flood, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        offTheLoop(() -> {
          Socket client = connect(port);
          client.getOutputStream().write("flood\n".getBytes(UTF_8));
          assertThat(client.getInputStream().readNBytes(1_000_000)).hasSize(1_000_000);
          reset(client);
        });
        offTheLoop(() -> {
          try (Socket another = connect(port)) {
            another.getOutputStream().write("\n".getBytes(UTF_8));
            assertThat(another.getInputStream().readAllBytes())
                .isEqualTo("still here\n".getBytes(UTF_8));
          }
        });
        server.shutdown(Duration.ofSeconds(30));
      }
    });

    assertOneDebugRecordOf(ConnectionResetException.class);
  }

  private interface Act {
    void with(Socket client) throws IOException;
  }

  private interface Work {
    void run() throws IOException;
  }

  /**
   * Serves with a handler that echoes lines, lets a client act, and sees to it that a bystander's
   * connection lives on and new ones are served.
   */
  private static void whileServing(ConnectionHandler handler, Act act) {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(handler, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        Socket bystander = connect(port);
        offTheLoop(() -> {
          assertEchoes(bystander);
          try (Socket client = connect(port)) {
            assertEchoes(client);
            act.with(client);
          }
          assertEchoes(bystander);
          bystander.close();
          try (Socket another = connect(port)) {
            assertEchoes(another);
          }
        });
        server.shutdown(Duration.ofSeconds(30));
      }
    });
  }

  private static void offTheLoop(Work work) {
    Asyncio.runningLoop()
        .runInExecutor(() -> {
          work.run();
          return null;
        })
        .await();
  }

  private static Socket connect(int port) throws IOException {
    return new Socket(InetAddress.getByName("127.0.0.1"), port);
  }

  private static void assertEchoes(Socket client) throws IOException {
    client.getOutputStream().write("are you there?\n".getBytes(UTF_8));
    byte[] reply = client.getInputStream().readNBytes("are you there?\n".length());
    assertThat(new String(reply, UTF_8)).isEqualTo("are you there?\n");
  }

  /**
   * Returns when the server has ended the connection, with a reset if it had not read everything.
   */
  private static void awaitEnd(Socket client) throws IOException {
    try {
      assertThat(client.getInputStream().readAllBytes()).isEmpty();
    } catch (SocketException e) {
      assertThat(e).hasMessageContaining("reset");
    }
  }

  private static void reset(Socket client) throws IOException {
    client.setSoLinger(true, 0);
    client.close();
  }

  private void assertOneDebugRecordOf(Class<? extends Exception> failure) {
    assertThat(recordsAt(Level.DEBUG))
        .singleElement()
        .satisfies(record -> assertThat(namesOf(record)).contains(failure.getName()));
    assertThat(recordsAt(Level.WARN)).isEmpty();
    assertThat(recordsAt(Level.ERROR)).isEmpty();
  }

  /** {@return the class names of the exception in a record and of its cause, if it has one} */
  private static List<String> namesOf(ILoggingEvent record) {
    var failure = record.getThrowableProxy();
    var cause = failure.getCause();
    return cause == null
        ? List.of(failure.getClassName())
        : List.of(failure.getClassName(), cause.getClassName());
  }

  private List<ILoggingEvent> recordsAt(Level wanted) {
    return log.list.stream().filter(record -> record.getLevel().equals(wanted)).toList();
  }
}
