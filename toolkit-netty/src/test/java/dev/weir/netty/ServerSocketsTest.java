package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What of a server depends on its sockets: accepting, resets, and that none of them is left. */
@ExtendWith(LeakCheck.class)
class ServerSocketsTest {

  // --- Accepting

  @EachTransportAndIoUring
  void aPeerThatResetsBeforeItIsAcceptedDisturbsNobody(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          for (int i = 0; i < 100; i++) {
            Socket socket = TestServer.connectPlainly(port);
            socket.setSoLinger(true, 0);
            socket.close();
          }
          try (Connection connection = TestServer.connect(port)) {
            assertThat(TestServer.ask(connection, "still there?")).isEqualTo("still there?");
          }
          server.close();
          server.waitClosed();
        });
  }

  @EachTransportAndIoUring
  void handlersOfManyConnectionsTakeTurns(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          List<Future<Void>> clients = new ArrayList<>();
          for (int i = 0; i < 50; i++) {
            String name = "client " + i;
            clients.add(
                Asyncio.createTask(() -> {
                  try (Connection connection = TestServer.connect(port)) {
                    for (int j = 0; j < 20; j++) {
                      assertThat(TestServer.ask(connection, name + "." + j))
                          .isEqualTo(name + "." + j);
                    }
                  }
                }));
          }
          clients.forEach(Future::await);
        });
  }

  // --- Ending

  @EachTransportAndIoUring
  void aHandlerThatReturnsHasItsConnectionFlushedAndClosed(String transport) {
    byte[] reply = new byte[1 << 20];
    new Random(9).nextBytes(reply);
    TestServer.with(
        transport,
        (reader, writer) -> writer.write(reply),
        (server, port) -> {
          Socket socket = TestServer.connectPlainly(port);
          OnLoop.passRounds(50); // The handler has long returned when the peer begins to read.

          assertThat(OnLoop.onWorker(() -> socket.getInputStream().readAllBytes()).await())
              .isEqualTo(reply);
          socket.close();
          server.close();
          server.waitClosed();
        });
  }

  @EachTransportAndIoUring
  void aPeerThatDoesNotTakeTheRestIsResetAfterTheFlushTimeout(String transport) {
    boolean[] handled = {false};
    TestServer.with(
        transport,
        (reader, writer) -> {
          writer.write(new byte[64 << 20]);
          handled[0] = true;
        },
        ServerOptions.defaults().withFlushTimeout(Duration.ofMillis(50)),
        (server, port) -> {
          Socket socket = TestServer.connectPlainly(port);
          OnLoop.passRoundsUntil(() -> handled[0]); // Closing resets what is not accepted yet.
          server.close();
          server.waitClosed();

          assertThatThrownBy(
                  () -> OnLoop.onWorker(() -> socket.getInputStream().readAllBytes()).await())
              .hasMessageContaining("reset");
          socket.close();
        });
  }

  /** Each is a way for a handler to fail because its peer went away. */
  private record Failing(String name, ConnectionHandler handler) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> failuresOnTransports() {
    return Stream.of(
            new Failing("read", (reader, writer) -> reader.readExactly(100)),
            new Failing("write", ServerSocketsTest::writeForEver))
        .flatMap(
            failing -> Stream.of(Arguments.of("nio", failing), Arguments.of("epoll", failing)));
  }

  private static void writeForEver(StreamReader reader, StreamWriter writer) throws IOException {
    while (true) {
      writer.write(new byte[1 << 20]);
    }
  }

  /** A peer that resets is no bug of the handler's, so the exception handler hears nothing. */
  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("failuresOnTransports")
  void aHandlerWhosePeerResetsIsNotReported(String transport, Failing failing) {
    List<String> ended = new ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          try {
            failing.handler.handle(reader, writer);
            ended.add("returned");
          } catch (IOException e) {
            ended.add("failed");
            throw e;
          }
        },
        (server, port) -> {
          Socket socket = TestServer.connectPlainly(port);
          socket.getOutputStream().write('x');
          OnLoop.passRounds(10);
          socket.setSoLinger(true, 0);
          socket.close();
          OnLoop.passRoundsUntil(() -> !ended.isEmpty());

          assertThat(ended).containsExactly("failed");
          server.close();
          server.waitClosed();
        });
  }

  // --- Shutting down

  @EachTransportAndIoUring
  void closingTheServerLeavesItsConnectionsAlone(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            assertThat(TestServer.ask(connection, "are you there?")).isEqualTo("are you there?");
            server.close();
            OnLoop.passRounds(3);

            assertThat(TestServer.ask(connection, "still there?")).isEqualTo("still there?");
            assertThatExceptionOfType(ConnectException.class)
                .isThrownBy(() -> TestServer.connect(port));
          }
          server.waitClosed();
        });
  }

  @EachTransportAndIoUring
  void shutdownResetsWhatDoesNotEndInTime(String transport) {
    boolean[] begun = {false};
    TestServer.with(
        transport,
        (reader, writer) -> {
          begun[0] = true;
          Asyncio.sleep(Duration.ofHours(1));
        },
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            OnLoop.passRoundsUntil(() -> begun[0]);

            server.shutdown(Duration.ofMillis(10));

            assertThatExceptionOfType(ConnectionResetException.class)
                .isThrownBy(() -> connection.reader().read(1));
          }
        });
  }

  @EachTransportAndIoUring
  void shutdownEndsAConnectionWhoseHandlerHasNotBegun(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          Connection connection = TestServer.connect(port);
          server.shutdown(Duration.ZERO); // The connection may be accepted in this very round.
          server.waitClosed();
          connection.close();
        });
  }

  @EachTransportAndIoUring
  @Tag("slow")
  void manyServersComeAndGoWithoutATrace(String transport) {
    serveOnce(transport);
    System.gc();
    long before = Descriptors.open();
    for (int i = 0; i < 100; i++) {
      serveOnce(transport);
    }

    assertThat(Descriptors.open()).isLessThanOrEqualTo(before + 5);
  }

  private static void serveOnce(String transport) {
    TestServer.with(
        transport,
        TestServer::echo,
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            assertThat(TestServer.ask(connection, "are you there?")).isEqualTo("are you there?");
          }
        });
  }
}
