package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.ExceptionGroup;
import dev.weir.task.Future;
import dev.weir.task.TaskGroup;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How the end of a handler ends its connection, and who hears of its failure. */
class ServerHandlerTest {
  private static final Duration FLUSH_TIMEOUT = Duration.ofMinutes(1);

  // --- Failing

  interface Bug {
    void happen() throws Exception;
  }

  record Kind(Class<? extends Throwable> type, Bug bug) {
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

  static Stream<Kind> failures() {
    return Stream.of(
        new Kind(Exception.class, () -> raise(new Exception("checked"))),
        new Kind(IOException.class, () -> raise(new IOException("of a file, say"))),
        new Kind(EOFException.class, () -> raise(new UncheckedIOException(new EOFException()))),
        new Kind(IllegalStateException.class, () -> raise(new IllegalStateException("bug"))),
        new Kind(AssertionError.class, () -> raise(new AssertionError("bug"))),
        new Kind(StackOverflowError.class, () -> recurse(0)),
        new Kind(OutOfMemoryError.class, () -> raise(new OutOfMemoryError("pretended"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("failures")
  void aHandlerThatThrowsIsReportedOnceAndOnlyItsConnectionEnds(Kind kind) {
    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            (reader, writer) -> {
              for (byte[] line : reader) {
                writer.write(line);
                if (text(line).equals("fail\n")) {
                  kind.bug.happen();
                }
              }
            },
            (server, port) -> {
              try (Connection other = MemoryServer.connect(port);
                  Connection failing = MemoryServer.connect(port)) {
                MemoryServer.ask(other, "before");

                assertThat(MemoryServer.ask(failing, "fail")).isEqualTo("fail");
                assertThat(failing.reader().readAll()).isEmpty();

                assertThat(MemoryServer.ask(other, "after")).isEqualTo("after");
                try (Connection later = MemoryServer.connect(port)) {
                  assertThat(MemoryServer.ask(later, "later")).isEqualTo("later");
                }
              }
            });

    assertThat(reports).hasSize(1);
    assertThat(reports.getFirst().exception()).isExactlyInstanceOf(kind.type);
    assertThat(reports.getFirst().message()).contains("127.0.0.1");
  }

  @Test
  void manyHandlersThatThrowAreReportedOnceEach() {
    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            (reader, writer) -> {
              throw new IllegalStateException(text(reader.readLine()));
            },
            (server, port) -> {
              for (int i = 0; i < 100; i++) {
                try (Connection connection = MemoryServer.connect(port)) {
                  MemoryServer.ask(connection, Integer.toString(i));
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
  interface OwnFailure {
    void handle(StreamReader reader, StreamWriter writer) throws Exception;
  }

  record Own(String name, OwnFailure handler) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Own> ownFailures() {
    return Stream.of(
        new Own("read", (reader, writer) -> reader.readLine()),
        new Own("readExactly", (reader, writer) -> reader.readExactly(100)),
        new Own("iteration", MemoryServer::echo),
        new Own("write", ServerHandlerTest::writeForEver),
        new Own("the first of two", ServerHandlerTest::rethrowAfterAnother),
        new Own(
            "a task of a group",
            (reader, writer) ->
                new TaskGroup()
                    .run(group -> group.createTask(() -> MemoryServer.echo(reader, writer)))),
        new Own(
            "a group in a group",
            (reader, writer) ->
                new TaskGroup()
                    .run(group ->
                        group.createTask(() ->
                            new TaskGroup()
                                .run(inner ->
                                    inner.createTask(() -> MemoryServer.echo(reader, writer)))))),
        new Own(
            "abort",
            (reader, writer) -> {
              reader.readExactly(1); // Not before the peer wrote, whose write would fail.
              writer.abort();
              reader.readUntil(MemoryPeer.bytes("never"));
            }));
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
  @ParameterizedTest(name = "{0}")
  @MethodSource("ownFailures")
  void aHandlerThatFailsWithItsOwnConnectionIsNotReported(Own own) {
    List<String> ended = new ArrayList<>();
    MemoryServer.with(
        (reader, writer) -> {
          try {
            own.handler.handle(reader, writer);
            ended.add("returned");
          } catch (IOException | UncheckedIOException | ExceptionGroup e) {
            ended.add("failed");
            throw e;
          }
        },
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          connection.writer().write("x");
          Rounds.settle();
          connection.writer().abort();
          Rounds.settle();

          assertThat(ended).containsExactly("failed");
          server.close();
          server.waitClosed();
        });
  }

  @Test
  void aFailureOfAnotherConnectionIsReported() {
    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            (reader, writer) -> {
              try (MemoryPeer upstream = MemoryPeer.connect(StreamOptions.defaults())) {
                upstream.reset();
                upstream.reader().readLine();
              }
            },
            (server, port) -> {
              try (Connection connection = MemoryServer.connect(port)) {
                assertThat(connection.reader().readAll()).isEmpty();
              }
            });

    assertThat(reports)
        .singleElement()
        .extracting(ExceptionContext::exception)
        .isInstanceOf(ConnectionResetException.class);
  }

  @Test
  void aGroupInWhichNotAllIsThePeersDoingIsReportedWhole() {
    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            (reader, writer) ->
                new TaskGroup()
                    .run(group -> {
                      group.createTask(() -> MemoryServer.echo(reader, writer));
                      group.createTask(() -> {
                        try {
                          Asyncio.sleep(FLUSH_TIMEOUT);
                        } finally {
                          raise(new IllegalStateException("bug"));
                        }
                      });
                    }),
            (server, port) -> {
              Connection connection = MemoryServer.connect(port);
              Rounds.settle();
              connection.writer().abort();
              Rounds.settle();
            });

    assertThat(reports)
        .singleElement()
        .extracting(ExceptionContext::exception)
        .isInstanceOfSatisfying(
            ExceptionGroup.class,
            group ->
                assertThat(group.exceptions())
                    .hasExactlyElementsOfTypes(
                        UncheckedIOException.class, IllegalStateException.class));
  }

  @Test
  void aHandlerThatIsCancelledClosesItsConnectionSilently() {
    MemoryServer.with(
        (reader, writer) -> {
          writer.write("bye");
          Asyncio.currentTask().cancel();
          reader.readLine();
        },
        (server, port) -> {
          try (Connection connection = MemoryServer.connect(port)) {
            assertThat(text(connection.reader().readAll())).isEqualTo("bye");
          }
        });
  }

  // --- Returning

  @Test
  void aHandlerThatReturnsHasItsConnectionFlushedAndClosed() {
    byte[] reply = new byte[1 << 20];
    new Random(9).nextBytes(reply);
    MemoryServer.with(
        (reader, writer) -> writer.write(reply),
        (server, port) -> {
          try (Connection connection = MemoryServer.connect(port)) {
            Rounds.settle(); // The handler has long returned when the peer begins to read.

            assertThat(connection.reader().readAll()).isEqualTo(reply);
          }
          server.close();
          server.waitClosed();
        });
  }

  @Test
  void aHandlerThatThrowsHasItsConnectionFlushedAndClosed() {
    byte[] reply = new byte[1 << 20];
    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            (reader, writer) -> {
              writer.write(reply);
              throw new IllegalStateException("after the reply");
            },
            (server, port) -> {
              try (Connection connection = MemoryServer.connect(port)) {
                assertThat(connection.reader().readAll()).isEqualTo(reply);
              }
            });
    assertThat(reports).hasSize(1);
  }

  @Test
  void aPeerThatDoesNotTakeTheRestIsResetAfterTheFlushTimeout() {
    MemoryServer.with(
        (reader, writer) -> writer.write(new byte[1 << 20]),
        ServerOptions.defaults().withFlushTimeout(FLUSH_TIMEOUT),
        (server, port) -> {
          Connection connection = MemoryServer.connect(port);
          Duration handled = Asyncio.runningLoop().time();
          Rounds.settle();
          server.close();

          server.waitClosed();

          assertThat(Asyncio.runningLoop().time()).isEqualTo(handled.plus(FLUSH_TIMEOUT));
          assertThatThrownBy(() -> connection.reader().readAll())
              .isInstanceOf(ConnectionResetException.class);
        });
  }

  @Test
  void detachKeepsTheConnectionOpenAfterTheHandlerReturned() {
    List<StreamWriter> kept = new ArrayList<>();
    MemoryServer.with(
        (reader, writer) -> {
          writer.detach();
          kept.add(writer);
        },
        (server, port) -> {
          try (Connection connection = MemoryServer.connect(port)) {
            Asyncio.sleep(Duration.ofHours(1));
            kept.getFirst().write("still open");
            assertThat(text(connection.reader().readExactly(10))).isEqualTo("still open");

            kept.getFirst().close();
            assertThat(connection.reader().readAll()).isEmpty();
          }
        });
  }

  @Test
  void handlersOfManyConnectionsTakeTurns() {
    MemoryServer.with(
        MemoryServer::echo,
        (server, port) -> {
          List<Future<Void>> clients = new ArrayList<>();
          for (int i = 0; i < 50; i++) {
            String name = "client " + i;
            clients.add(
                Asyncio.createTask(() -> {
                  try (Connection connection = MemoryServer.connect(port)) {
                    for (int j = 0; j < 20; j++) {
                      assertThat(MemoryServer.ask(connection, name + "." + j))
                          .isEqualTo(name + "." + j);
                    }
                  }
                }));
          }
          clients.forEach(Future::await);
        });
  }

  @Test
  void aHandlerMayCancelItselfWithoutHarmToTheServer() {
    MemoryServer.with(
        (reader, writer) -> {
          throw new CancelledError("by hand");
        },
        (server, port) -> {
          for (int i = 0; i < 3; i++) {
            try (Connection connection = MemoryServer.connect(port)) {
              assertThat(connection.reader().readAll()).isEmpty();
            }
          }
        });
  }
}
