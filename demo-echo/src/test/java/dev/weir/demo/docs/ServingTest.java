package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.demo.echo.EchoServer;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ProxyHeader;
import dev.weir.stream.Server;
import dev.weir.task.ExceptionContext;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** What docs/serving.md shows works. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ServingTest {
  private static int portOf(Server server) {
    return server.addresses().getFirst().getPort();
  }

  private static Server start(ConnectionHandler handler) throws IOException {
    return Asyncio.startServer(handler, "127.0.0.1", 0);
  }

  private static Connection connect(Server server) throws IOException {
    return Asyncio.openConnection("127.0.0.1", portOf(server));
  }

  private static String answer(Connection connection, String said) throws IOException {
    connection.writer().write(said);
    connection.writer().writeEof();
    return new String(connection.reader().readAll(), UTF_8);
  }

  @Test
  void theGuardedServerListensOnBothHostsAndEndsWhoSaysNothing() {
    VirtualLoop.run(() -> {
      try (Server _ = Serving.startOnBothLoopbacks(7);
          Connection four = Asyncio.openConnection("127.0.0.1", 7);
          Connection six = Asyncio.openConnection("::1", 7)) {
        assertThat(answer(four, "hello\n")).isEqualTo("hello\n");

        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> six.reader().readAll());
        assertThat(Asyncio.runningLoop().time())
            .isBetween(Duration.ofSeconds(10), Duration.ofSeconds(11));
      }
    });
  }

  @Test
  void behindProxiesTheHandlerSeesTheTrueClient() {
    ProxyHeader header =
        ProxyHeader.v2(
            new InetSocketAddress("192.0.2.1", 56324), new InetSocketAddress("198.51.100.7", 443));
    Asyncio.run(() -> {
      try (Server server =
              Serving.startBehindProxies(
                  (_, writer) -> writer.write(writer.remoteAddress().toString()), 0);
          Connection connection =
              Asyncio.openConnection(
                  "127.0.0.1", portOf(server), ConnectOptions.defaults().withProxyHeader(header))) {
        assertThat(new String(connection.reader().readAll(), UTF_8)).isEqualTo("/192.0.2.1:56324");
      }
    });
  }

  @Test
  void theGroupMayConnectToTheUnixSocket(@TempDir Path folder) {
    Path path = folder.resolve("echo.sock");
    Asyncio.run(() -> {
      try (Server _ = Serving.startForTheGroup(EchoServer::echo, path);
          Connection connection = Asyncio.openUnixConnection(path)) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
            .isEqualTo("rw-rw----");
        assertThat(answer(connection, "hello\n")).isEqualTo("hello\n");
      }
    });
  }

  @Test
  void aGentleStopLetsTheServedFinishAndAbortsThemAfterThirtySeconds() {
    VirtualLoop.run(() -> {
      try (Server server = start(EchoServer::echo);
          Connection slow = connect(server)) {
        slow.writer().write("hello\n");
        assertThat(slow.reader().readLine(UTF_8)).isEqualTo("hello");

        Serving.stop(server);

        assertThat(Asyncio.runningLoop().time()).isEqualTo(Duration.ofSeconds(30));
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> slow.reader().readAll());
      }
    });
  }

  @Test
  void theReverseProxyHandsOnBothDirectionsAndTheirEnds() {
    Asyncio.run(() -> {
      try (Server backend =
              start((reader, writer) -> writer.write("all of " + reader.readAll().length));
          Server front =
              start(
                  (reader, writer) -> Serving.proxy(reader, writer, "127.0.0.1", portOf(backend)));
          Connection connection = connect(front)) {
        assertThat(answer(connection, "x".repeat(100_000))).isEqualTo("all of 100000");
      }
    });
  }

  @Test
  void theReverseProxyLosesOneSideAndEndsTheOtherWithoutAReport() {
    List<ExceptionContext> reports = new ArrayList<>();
    VirtualLoop.run(() -> {
      Asyncio.runningLoop().setExceptionHandler((_, context) -> reports.add(context));
      List<String> seen = new ArrayList<>();
      try (Server backend =
              start((reader, writer) -> {
                writer.write("hello\n");
                seen.add("begin");
                reader.readAll();
                seen.add("end");
              });
          Server front =
              start(
                  (reader, writer) -> Serving.proxy(reader, writer, "127.0.0.1", portOf(backend)));
          Connection connection = connect(front)) {
        assertThat(connection.reader().readLine(UTF_8)).isEqualTo("hello");

        connection.writer().abort();

        Serving.stop(front);
        Serving.stop(backend);
        assertThat(seen).containsExactly("begin", "end");
        assertThat(Asyncio.runningLoop().time()).isLessThan(Duration.ofSeconds(30));
      }
    });

    assertThat(reports).isEmpty();
  }

  @Test
  void theFileServerSendsWhatIsUnderItsRootOnly(@TempDir Path folder) throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    Files.writeString(root.resolve("file"), "contents");
    Files.writeString(folder.resolve("secret"), "secret");
    Asyncio.run(() -> {
      try (Server server = start((reader, writer) -> Serving.sendAsked(reader, writer, root))) {
        for (String name : List.of("../secret", "missing", ".", "/etc/passwd", "")) {
          try (Connection connection = connect(server)) {
            assertThat(answer(connection, name + "\n")).as(name).isEqualTo("no such file\n");
          }
        }
        try (Connection connection = connect(server)) {
          assertThat(answer(connection, "file\n")).isEqualTo("contents");
        }
      }
    });
  }

  @Test
  void theFileServerAbortsWhoTakesAFileTooSlowly(@TempDir Path root) throws Exception {
    Files.write(root.resolve("file"), new byte[16 << 20]);
    VirtualLoop.run(() -> {
      try (Server server = start((reader, writer) -> Serving.sendAsked(reader, writer, root));
          Connection slow = connect(server)) {
        slow.writer().write("file\n");

        Asyncio.sleep(Duration.ofMinutes(6));

        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> slow.reader().skip(16 << 20));
      }
    });
  }

  @Test
  void theBroadcasterWaitsForNobodyAndForgetsWhoGoes() {
    VirtualLoop.run(() -> {
      Broadcaster broadcaster = new Broadcaster();
      try (Server server = broadcaster.start(7);
          Connection quick = Asyncio.openConnection("127.0.0.1", 7);
          Connection slow = Asyncio.openConnection("127.0.0.1", 7)) {
        Asyncio.sleep(Duration.ofMillis(1));
        assertThat(broadcaster.size()).isEqualTo(2);

        String event = "x".repeat(10_000);
        for (int i = 0; i < 1000; i++) {
          broadcaster.send(event);
          assertThat(quick.reader().readLine(UTF_8)).isEqualTo(event);
        }

        assertThat(broadcaster.size()).isEqualTo(1);
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> slow.reader().skip(10_000_000));
        quick.writer().close();
        Serving.stop(server);
        assertThat(broadcaster.size()).isZero();
      }
    });
  }
}
