package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class ServerTest {
  private static final Duration LONG = Duration.ofHours(1);

  private static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] line : reader) {
      writer.write(line);
    }
  }

  private static Server start(ConnectionHandler handler) throws IOException {
    return Asyncio.startServer(handler, "127.0.0.1", 0);
  }

  private static int port(Server server) {
    return server.addresses().getFirst().getPort();
  }

  private static Connection connect(Server server) throws IOException {
    return Asyncio.openConnection("127.0.0.1", port(server));
  }

  private static void assertEchoes(Connection connection) throws IOException {
    connection.writer().write("are you there?\n");
    assertThat(connection.reader().readLine()).isEqualTo(bytes("are you there?\n"));
  }

  // --- Listening

  @EachTransport
  void itServesManyConnectionsAtOnce(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = start(ServerTest::echo)) {
            List<Connection> connections = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
              connections.add(connect(server));
            }
            for (Connection connection : connections) {
              assertEchoes(connection);
            }
            connections.forEach(Connection::close);
            server.shutdown(LONG);
          }
        });
  }

  @EachTransport
  void itTellsWhereItListensWhileItDoes(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start(ServerTest::echo);
          assertThat(server.isServing()).isTrue();
          assertThat(server.addresses())
              .singleElement()
              .satisfies(address -> assertThat(address.getPort()).isPositive());

          server.close();
          server.close();

          assertThat(server.isServing()).isFalse();
          assertThat(server.addresses()).isEmpty();
        });
  }

  @EachTransport
  void withoutAHostItListensOnAllInterfaces(String transport) {
    OnLoop.run(
        transport,
        () -> {
          for (String host : new String[] {null, ""}) {
            try (Server server = Asyncio.startServer(ServerTest::echo, host, 0);
                Connection connection = connect(server)) {
              assertEchoes(connection);
            }
          }
        });
  }

  @EachTransport
  void aNameIsListenedOnAtItsAddresses(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = Asyncio.startServer(ServerTest::echo, "localhost", 0)) {
            for (InetSocketAddress address : server.addresses()) {
              try (Connection connection =
                  Asyncio.openConnection(
                      address.getAddress().getHostAddress(), address.getPort())) {
                assertEchoes(connection);
              }
            }
          }
        });
  }

  @EachTransport
  void aPortInUseIsABindExceptionThatNamesTheAddress(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Server server = start(ServerTest::echo)) {
            int port = port(server);
            assertThatThrownBy(() -> Asyncio.startServer(ServerTest::echo, "127.0.0.1", port))
                .isInstanceOf(BindException.class)
                .hasMessage("Address already in use: 127.0.0.1:" + port);
          }
        });
  }

  @EachTransport
  void badAddressesAreTypedErrors(String transport) {
    OnLoop.run(
        transport,
        () -> {
          assertThatExceptionOfType(IllegalArgumentException.class)
              .isThrownBy(() -> Asyncio.startServer(ServerTest::echo, "127.0.0.1", 65_536))
              .withMessageContaining("65536");
          assertThatExceptionOfType(IllegalArgumentException.class)
              .isThrownBy(() -> Asyncio.startServer(ServerTest::echo, "127.0.0.1", -1))
              .withMessageContaining("-1");
          assertThatExceptionOfType(UnknownHostException.class)
              .isThrownBy(() -> Asyncio.startServer(ServerTest::echo, "no-such-host.invalid", 0));
          // An address of the documentation's, which no machine has.
          assertThatExceptionOfType(BindException.class)
              .isThrownBy(() -> Asyncio.startServer(ServerTest::echo, "192.0.2.1", 0))
              .withMessageContaining("192.0.2.1");
        });
  }

  // --- Handlers

  @EachTransport
  void whatAHandlerLeftUnsentIsSentBeforeTheConnectionIsClosed(String transport) {
    byte[] answer = new byte[1 << 20];
    OnLoop.run(
        transport,
        () -> {
          try (Server server = start((reader, writer) -> writer.write(answer));
              Connection connection = connect(server)) {
            assertThat(connection.reader().readAll()).hasSize(answer.length);
          }
        });
  }

  @EachTransport
  void aDetachedConnectionOutlivesItsHandler(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Future<StreamWriter> kept = Asyncio.runningLoop().createFuture();
          ConnectionHandler handler =
              (reader, writer) -> {
                writer.detach();
                kept.setResult(writer);
              };
          try (Server server = start(handler);
              Connection connection = connect(server)) {
            StreamWriter writer = kept.await();
            OnLoop.passRounds(10);

            writer.write("still open\n");
            assertThat(connection.reader().readLine()).isEqualTo(bytes("still open\n"));
            writer.close();
            assertThat(connection.reader().readLine()).isEmpty();
          }
        });
  }

  @EachTransport
  void aHandlerThatThrowsIsReportedOnceAndEndsItsConnectionOnly(String transport) {
    List<Throwable> failures =
        List.of(
            new IOException("checked, and of something else"),
            new IllegalStateException("unchecked"),
            new AssertionError("an error"),
            new StackOverflowError());
    for (Throwable failure : failures) {
      List<ExceptionContext> reports =
          OnLoop.runAndCollectReports(
              transport,
              () -> {
                try (Server server =
                        start((reader, writer) -> echoOrThrow(reader, writer, failure));
                    Connection bystander = connect(server)) {
                  assertEchoes(bystander);
                  try (Connection victim = connect(server)) {
                    victim.writer().write("throw\n");
                    assertThat(victim.reader().readAll()).isEqualTo(bytes("goodbye\n"));
                  }
                  assertEchoes(bystander);
                  try (Connection another = connect(server)) {
                    assertEchoes(another);
                  }
                }
              });

      assertThat(reports).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
      assertThat(reports.getFirst().message()).contains("/127.0.0.1:");
    }
  }

  private static void echoOrThrow(StreamReader reader, StreamWriter writer, Throwable failure)
      throws IOException {
    for (byte[] line : reader) {
      if (new String(line).equals("throw\n")) {
        writer.write("goodbye\n");
        ServerTest.<RuntimeException>throwAsIs(failure);
      }
      writer.write(line);
    }
  }

  @SuppressWarnings("unchecked") // Nothing is cast: the compiler is only to forget what is thrown.
  private static <X extends Throwable> void throwAsIs(Throwable failure) throws X {
    throw (X) failure;
  }

  @EachTransport
  void aFailureOfItsOwnConnectionIsNotReportedEvenIfThrownLater(String transport) {
    OnLoop.run( // Fails if anything reaches the exception handler.
        transport,
        () -> {
          Future<String> ended = Asyncio.runningLoop().createFuture();
          ConnectionHandler handler =
              (reader, writer) -> {
                try {
                  reader.readAll();
                } catch (ConnectionResetException first) {
                  try {
                    writer.write("a last word");
                  } catch (IOException second) {
                    // The handler rethrows the first.
                  }
                  throw first;
                } finally {
                  ended.setResult("ended");
                }
              };
          try (Server server = start(handler)) {
            Connection connection = connect(server);
            OnLoop.passRounds(5);
            connection.writer().abort();
            ended.await();
            OnLoop.passRounds(5);
          }
        });
  }

  // --- The end

  @EachTransport
  void closingTheServerLeavesItsConnectionsAlone(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start(ServerTest::echo);
          int port = port(server);
          try (Connection connection = connect(server)) {
            assertEchoes(connection);
            server.close();
            OnLoop.passRounds(3);

            assertEchoes(connection);
            assertThatExceptionOfType(ConnectException.class)
                .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", port));
          }
          server.waitClosed();
        });
  }

  @EachTransport
  void shutdownWaitsForHandlersThatEndInTime(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start(ServerTest::echo);
          Connection connection = connect(server);
          assertEchoes(connection);
          Task<?> shutdown = Asyncio.createTask(() -> server.shutdown(LONG));
          OnLoop.passRounds(5);
          assertThat(shutdown.done()).isFalse();

          assertEchoes(connection);
          connection.close();

          shutdown.await();
        });
  }

  @EachTransport
  void shutdownAbortsWhatDoesNotEndInTime(String transport) {
    OnLoop.run(
        transport,
        () -> {
          List<String> handlers = new ArrayList<>();
          ConnectionHandler stubborn =
              (reader, writer) -> {
                try {
                  Asyncio.sleep(LONG);
                } catch (CancelledError e) {
                  handlers.add("cancelled");
                  throw e;
                }
              };
          Server server = start(stubborn);
          try (Connection connection = connect(server)) {
            OnLoop.passRounds(5);

            server.shutdown(Duration.ofMillis(10));

            assertThat(handlers).containsExactly("cancelled");
            assertThatExceptionOfType(ConnectionResetException.class)
                .isThrownBy(() -> connection.reader().read(1));
          }
        });
  }

  @EachTransport
  void shutdownEndsAConnectionWhoseHandlerHasNotBegun(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start(ServerTest::echo);
          Connection connection = connect(server);
          server.shutdown(Duration.ZERO); // The connection may be accepted in this very round.
          server.waitClosed();
          connection.close();
        });
  }

  @EachTransport
  void cancellingServeForeverShutsDownWithTheGraceOfTheOptions(String transport) {
    OnLoop.run(
        transport,
        () -> {
          ServerOptions options = ServerOptions.defaults().withGrace(Duration.ofMillis(10));
          Server server = Asyncio.startServer(ServerTest::echo, "127.0.0.1", 0, options);
          Task<?> serving = Asyncio.createTask(server::serveForever);
          try (Connection connection = connect(server)) {
            assertEchoes(connection);

            serving.cancel();

            assertThatExceptionOfType(CancelledError.class).isThrownBy(serving::await);
            assertThat(server.isServing()).isFalse();
            assertThatExceptionOfType(ConnectionResetException.class)
                .isThrownBy(() -> connection.reader().read(1));
          }
        });
  }

  @EachTransport
  void closingTheServerEndsServeForever(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start(ServerTest::echo);
          Task<?> serving = Asyncio.createTask(server::serveForever);
          OnLoop.passRounds(2);

          server.close();

          assertThatExceptionOfType(CancelledError.class).isThrownBy(serving::await);
        });
  }

  @EachTransport
  void serveForeverTwiceOrOnAClosedServerIsRefused(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Server server = start(ServerTest::echo);
          Task<?> serving = Asyncio.createTask(server::serveForever);
          OnLoop.passRounds(2);

          assertThatThrownBy(server::serveForever)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("already");
          serving.cancel();
          assertThatExceptionOfType(CancelledError.class).isThrownBy(serving::await);
          assertThatThrownBy(server::serveForever)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("closed");
        });
  }

  @EachTransport
  @Tag("slow")
  void manyServersComeAndGoWithoutATrace(String transport) {
    OnLoop.run(transport, ServerTest::serveOnce);
    System.gc();
    long before = Descriptors.open();
    for (int i = 0; i < 100; i++) {
      OnLoop.run(transport, ServerTest::serveOnce);
    }

    assertThat(Descriptors.open()).isLessThanOrEqualTo(before + 5);
  }

  private static void serveOnce() throws IOException {
    try (Server server = start(ServerTest::echo);
        Connection connection = connect(server)) {
      assertEchoes(connection);
    }
  }
}
