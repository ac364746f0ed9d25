package dev.weir.netty;

import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** How the end of a handler ends its connection, and who hears of its failure. */
@ExtendWith(LeakCheck.class)
class ServerHandlerTest {

  // --- Failing

  private interface Bug {
    void happen() throws Exception;
  }

  private record Kind(Class<? extends Throwable> type, Bug bug) {
    @Override
    public String toString() {
      return type.getSimpleName();
    }
  }

  private static int recurse(int depth) {
    return depth < 0 ? depth : recurse(depth + 1) + 1;
  }

  private static <X extends Throwable> void raise(X failure) throws X {
    throw failure;
  }

  static Stream<Arguments> failuresOnTransports() {
    return Stream.of(
            new Kind(Exception.class, () -> raise(new Exception("checked"))),
            new Kind(IOException.class, () -> raise(new IOException("of a file, say"))),
            new Kind(EOFException.class, () -> raise(new UncheckedIOException(new EOFException()))),
            new Kind(IllegalStateException.class, () -> raise(new IllegalStateException("bug"))),
            new Kind(AssertionError.class, () -> raise(new AssertionError("bug"))),
            new Kind(StackOverflowError.class, () -> recurse(0)),
            new Kind(OutOfMemoryError.class, () -> raise(new OutOfMemoryError("pretended"))))
        .flatMap(kind -> Stream.of(Arguments.of("nio", kind), Arguments.of("epoll", kind)));
  }

  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("failuresOnTransports")
  void aHandlerThatThrowsIsReportedOnceAndOnlyItsConnectionEnds(String transport, Kind kind) {
    List<ExceptionContext> reports =
        TestServer.reportsOf(
            transport,
            (reader, writer) -> {
              for (byte[] line : reader) {
                writer.write(line);
                if (text(line).equals("fail\n")) {
                  kind.bug.happen();
                }
              }
            },
            (server, port) -> {
              try (Connection other = TestServer.connect(port);
                  Connection failing = TestServer.connect(port)) {
                TestServer.ask(other, "before");

                assertThat(TestServer.ask(failing, "fail")).isEqualTo("fail");
                assertThat(failing.reader().readAll()).isEmpty();

                assertThat(TestServer.ask(other, "after")).isEqualTo("after");
                try (Connection later = TestServer.connect(port)) {
                  assertThat(TestServer.ask(later, "later")).isEqualTo("later");
                }
              }
            });

    assertThat(reports).hasSize(1);
    assertThat(reports.getFirst().exception()).isExactlyInstanceOf(kind.type);
    assertThat(reports.getFirst().message()).contains("127.0.0.1");
  }

  @EachTransport
  void manyHandlersThatThrowAreReportedOnceEach(String transport) {
    List<ExceptionContext> reports =
        TestServer.reportsOf(
            transport,
            (reader, writer) -> {
              throw new IllegalStateException(text(reader.readLine()));
            },
            (server, port) -> {
              for (int i = 0; i < 100; i++) {
                try (Connection connection = TestServer.connect(port)) {
                  TestServer.ask(connection, Integer.toString(i));
                }
              }
            });

    assertThat(reports)
        .extracting(report -> report.exception().getMessage().strip())
        .containsExactlyElementsOf(
            Stream.iterate(0, i -> i + 1).limit(100).map(String::valueOf).toList());
  }

  // --- The connection's own failures

  /** Each is a way for a handler to fail because its peer went away. */
  private interface OwnFailure {
    void handle(StreamReader reader, StreamWriter writer) throws Exception;
  }

  private record Own(String name, OwnFailure handler) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> ownFailuresOnTransports() {
    return Stream.of(
            new Own("read", (reader, writer) -> reader.readLine()),
            new Own("readExactly", (reader, writer) -> reader.readExactly(100)),
            new Own("iteration", TestServer::echo),
            new Own("write", ServerHandlerTest::writeForEver),
            new Own("the first of two", ServerHandlerTest::rethrowAfterAnother),
            new Own(
                "abort",
                (reader, writer) -> {
                  reader.readExactly(1); // Not before the peer wrote, whose write would fail.
                  writer.abort();
                  reader.readUntil(RawPeer.bytes("never"));
                }))
        .flatMap(own -> Stream.of(Arguments.of("nio", own), Arguments.of("epoll", own)));
  }

  private static void writeForEver(StreamReader reader, StreamWriter writer) throws IOException {
    while (true) {
      writer.write(new byte[1 << 20]);
    }
  }

  private static void rethrowAfterAnother(StreamReader reader, StreamWriter writer)
      throws IOException {
    try {
      reader.readExactly(100);
    } catch (IOException e) {
      try {
        writer.write("sorry");
      } catch (IOException alsoLost) {
        assertThat(alsoLost).isNotSameAs(e);
      }
      throw e;
    }
  }

  /** A peer that resets is no bug of the handler's, so the exception handler hears nothing. */
  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("ownFailuresOnTransports")
  void aHandlerThatFailsWithItsOwnConnectionIsNotReported(String transport, Own own) {
    List<String> ended = new ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          try {
            own.handler.handle(reader, writer);
            ended.add("returned");
          } catch (IOException | UncheckedIOException e) {
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

  @EachTransport
  void aFailureOfAnotherConnectionIsReported(String transport) {
    List<ExceptionContext> reports =
        TestServer.reportsOf(
            transport,
            (reader, writer) -> {
              try (RawPeer upstream = RawPeer.connect(dev.weir.stream.StreamOptions.defaults())) {
                upstream.reset();
                upstream.reader().readLine();
              }
            },
            (server, port) -> {
              try (Connection connection = TestServer.connect(port)) {
                assertThat(connection.reader().readAll()).isEmpty();
              }
            });

    assertThat(reports)
        .singleElement()
        .extracting(ExceptionContext::exception)
        .isInstanceOf(ConnectionResetException.class);
  }

  @EachTransport
  void aHandlerThatIsCancelledClosesItsConnectionSilently(String transport) {
    TestServer.with(
        transport,
        (reader, writer) -> {
          writer.write("bye");
          Asyncio.currentTask().cancel();
          reader.readLine();
        },
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            assertThat(text(connection.reader().readAll())).isEqualTo("bye");
          }
        });
  }

  @EachTransport
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

  // --- Returning

  @EachTransport
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

  @EachTransport
  void aHandlerThatThrowsHasItsConnectionFlushedAndClosed(String transport) {
    byte[] reply = new byte[1 << 20];
    List<ExceptionContext> reports =
        TestServer.reportsOf(
            transport,
            (reader, writer) -> {
              writer.write(reply);
              throw new IllegalStateException("after the reply");
            },
            (server, port) -> {
              try (Connection connection = TestServer.connect(port)) {
                assertThat(connection.reader().readAll()).isEqualTo(reply);
              }
            });
    assertThat(reports).hasSize(1);
  }

  @EachTransport
  void aPeerThatDoesNotTakeTheRestIsResetAfterTheFlushTimeout(String transport) {
    TestServer.with(
        transport,
        (reader, writer) -> writer.write(new byte[64 << 20]),
        ServerOptions.defaults().withFlushTimeout(Duration.ofMillis(50)),
        (server, port) -> {
          Socket socket = TestServer.connectPlainly(port);
          server.close();
          server.waitClosed();

          assertThatThrownBy(
                  () -> OnLoop.onWorker(() -> socket.getInputStream().readAllBytes()).await())
              .hasMessageContaining("reset");
          socket.close();
        });
  }

  @EachTransport
  void detachKeepsTheConnectionOpenAfterTheHandlerReturned(String transport) {
    List<StreamWriter> kept = new ArrayList<>();
    TestServer.with(
        transport,
        (reader, writer) -> {
          writer.detach();
          kept.add(writer);
        },
        (server, port) -> {
          try (Connection connection = TestServer.connect(port)) {
            OnLoop.passRoundsUntil(() -> !kept.isEmpty());
            OnLoop.passRounds(5);
            kept.getFirst().write("still open");
            assertThat(text(connection.reader().readExactly(10))).isEqualTo("still open");

            kept.getFirst().close();
            assertThat(connection.reader().readAll()).isEmpty();
          }
        });
  }

  @EachTransport
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

  @EachTransport
  void aHandlerMayCancelItselfWithoutHarmToTheServer(String transport) {
    TestServer.with(
        transport,
        (reader, writer) -> {
          throw new CancelledError("by hand");
        },
        (server, port) -> {
          for (int i = 0; i < 3; i++) {
            try (Connection connection = TestServer.connect(port)) {
              assertThat(connection.reader().readAll()).isEmpty();
            }
          }
        });
  }
}
