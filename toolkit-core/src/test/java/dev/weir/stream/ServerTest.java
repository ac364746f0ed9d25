package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Listening, handlers that fail, and the ways in which a server ends. */
class ServerTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration GRACE = Duration.ofMinutes(1);

  private static void assertEchoes(Connection connection) throws IOException {
    connection.writer().write("are you there?\n");
    assertThat(connection.reader().readLine()).isEqualTo(bytes("are you there?\n"));
  }

  // --- Listening

  @Test
  void itServesManyConnectionsAtOnce() {
    VirtualLoop.run(() -> {
      try (Server server = MemoryServer.start(MemoryServer::echo)) {
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
          connections.add(MemoryServer.connect(server));
        }
        for (Connection connection : connections) {
          assertEchoes(connection);
        }
        connections.forEach(Connection::close);
        server.shutdown(LONG);
      }
    });
  }

  @Test
  void itTellsWhereItListensWhileItDoes() {
    VirtualLoop.run(() -> {
      Server server = MemoryServer.start(MemoryServer::echo);
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

  @Test
  void portsOutOfRangeAndANullHandlerAreRefused() {
    VirtualLoop.run(() -> {
      for (int port : new int[] {-1, 65_536}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> Asyncio.startServer(MemoryServer::echo, "127.0.0.1", port))
            .withMessageContaining(Integer.toString(port));
      }
      assertThatNullPointerException().isThrownBy(() -> Asyncio.startServer(null, "127.0.0.1", 0));
    });
  }

  @Test
  void startingOutsideATaskIsRefused() {
    VirtualLoop.run(() ->
        assertThatIllegalStateException()
            .isThrownBy(() -> Rounds.inCallback(() -> MemoryServer.start(MemoryServer::echo))));
  }

  // --- Handlers

  @Test
  void aHandlerThatThrowsIsReportedOnceAndEndsItsConnectionOnly() {
    List<Throwable> failures =
        List.of(
            new IOException("checked, and of something else"),
            new IllegalStateException("unchecked"),
            new AssertionError("an error"),
            new StackOverflowError());
    for (Throwable failure : failures) {
      List<ExceptionContext> reports =
          MemoryServer.reportsOf(
              (reader, writer) -> echoOrThrow(reader, writer, failure),
              (server, port) -> {
                try (Connection bystander = MemoryServer.connect(server)) {
                  assertEchoes(bystander);
                  try (Connection victim = MemoryServer.connect(server)) {
                    victim.writer().write("throw\n");
                    assertThat(victim.reader().readAll()).isEqualTo(bytes("goodbye\n"));
                  }
                  assertEchoes(bystander);
                  try (Connection another = MemoryServer.connect(server)) {
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

  @Test
  void aFailureOfItsOwnConnectionIsNotReportedEvenIfThrownLater() {
    VirtualLoop.run( // Fails if anything reaches the exception handler.
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
          try (Server server = MemoryServer.start(handler)) {
            Connection connection = MemoryServer.connect(server);
            Rounds.settle();
            connection.writer().abort();
            ended.await();
          }
        });
  }

  // --- The end

  @Test
  void closingTheServerLeavesItsConnectionsAlone() {
    VirtualLoop.run(() -> {
      Server server = MemoryServer.start(MemoryServer::echo);
      int port = MemoryServer.port(server);
      try (Connection connection = MemoryServer.connect(server)) {
        assertEchoes(connection);
        server.close();
        Asyncio.sleep(LONG);

        assertEchoes(connection);
        assertThatExceptionOfType(ConnectException.class)
            .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", port));
      }
      server.waitClosed();
    });
  }

  @Test
  void shutdownWaitsForHandlersThatEndInTime() {
    VirtualLoop.run(() -> {
      Server server = MemoryServer.start(MemoryServer::echo);
      Connection connection = MemoryServer.connect(server);
      assertEchoes(connection);
      Task<?> shutdown = Asyncio.createTask(() -> server.shutdown(GRACE));
      Asyncio.sleep(GRACE.minusNanos(1));
      assertThat(shutdown.done()).isFalse();

      assertEchoes(connection);
      connection.close();

      shutdown.await();
      assertThat(Asyncio.runningLoop().time()).isLessThan(GRACE);
    });
  }

  @Test
  void shutdownAbortsWhatDoesNotEndInTime() {
    VirtualLoop.run(() -> {
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
      Server server = MemoryServer.start(stubborn);
      try (Connection connection = MemoryServer.connect(server)) {
        Rounds.settle();
        Duration begun = Asyncio.runningLoop().time();

        server.shutdown(GRACE);

        assertThat(Asyncio.runningLoop().time()).isEqualTo(begun.plus(GRACE));
        assertThat(handlers).containsExactly("cancelled");
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> connection.reader().read(1));
      }
    });
  }

  @Test
  void shutdownEndsAConnectionWhoseHandlerHasNotBegun() {
    VirtualLoop.run(() -> {
      List<String> handlers = new ArrayList<>();
      ConnectionHandler handler =
          (reader, writer) -> {
            handlers.add("begun");
            reader.readAll();
          };
      Server server = MemoryServer.start(handler);
      Connection connection = MemoryServer.connect(server);
      Rounds.until(() -> server.toString().contains(" 1 connection"));
      assertThat(handlers).isEmpty();

      server.shutdown(Duration.ZERO);

      server.waitClosed();
      assertThatExceptionOfType(ConnectionResetException.class)
          .isThrownBy(() -> connection.reader().read(1));
    });
  }

  @Test
  void aConnectionThatIsNotAcceptedYetIsResetWhenTheServerCloses() {
    VirtualLoop.run(() -> {
      Server server = MemoryServer.start(MemoryServer::echo);
      Connection connection = MemoryServer.connect(server);
      assertThat(server.toString()).contains(" 0 connections");

      server.close();

      server.waitClosed();
      assertThatExceptionOfType(ConnectionResetException.class)
          .isThrownBy(() -> connection.reader().read(1));
    });
  }

  @Test
  void cancellingServeForeverShutsDownWithTheGraceOfTheOptions() {
    VirtualLoop.run(() -> {
      ServerOptions options = ServerOptions.defaults().withGrace(GRACE);
      Server server = MemoryServer.start(MemoryServer::echo, options);
      Task<?> serving = Asyncio.createTask(server::serveForever);
      try (Connection connection = MemoryServer.connect(server)) {
        assertEchoes(connection);
        Duration cancelled = Asyncio.runningLoop().time();

        serving.cancel();

        assertThatExceptionOfType(CancelledError.class).isThrownBy(serving::await);
        assertThat(Asyncio.runningLoop().time()).isEqualTo(cancelled.plus(GRACE));
        assertThat(server.isServing()).isFalse();
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> connection.reader().read(1));
      }
    });
  }

  @Test
  void closingTheServerEndsServeForever() {
    VirtualLoop.run(() -> {
      Server server = MemoryServer.start(MemoryServer::echo);
      Task<?> serving = Asyncio.createTask(server::serveForever);
      Rounds.settle();

      server.close();

      assertThatExceptionOfType(CancelledError.class).isThrownBy(serving::await);
    });
  }

  @Test
  void serveForeverTwiceOrOnAClosedServerIsRefused() {
    VirtualLoop.run(() -> {
      Server server = MemoryServer.start(MemoryServer::echo);
      Task<?> serving = Asyncio.createTask(server::serveForever);
      Rounds.settle();

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

  private static void serveOnce() throws IOException {
    try (Server server = MemoryServer.start(MemoryServer::echo);
        Connection connection = MemoryServer.connect(server)) {
      assertEchoes(connection);
    }
  }
}
