package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.task.ExceptionContext;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a handler throws, wherever: one report, one connection gone, and the server goes on. */
class HandlerFailuresTest {
  private static final int CONNECTIONS = 14; // With 12 kinds at 6 places a thousand in all.

  /** None of the JDK's, and none that anybody expects. */
  private static final class Oddity extends Throwable {
    private static final long serialVersionUID = 1;
  }

  private static final List<Supplier<Throwable>> KINDS =
      List.of(
          () -> new Exception("checked"),
          () -> new FileNotFoundException("no doing of the peer's"),
          () -> new UncheckedIOException(new IOException("of a file, say")),
          () -> new InterruptedException("nobody interrupted it"),
          () -> new IllegalStateException("bug"),
          () -> new NullPointerException("bug"),
          () -> new AssertionError("bug"),
          () -> new NoClassDefFoundError("org/example/Missing"),
          HandlerFailuresTest::overflow,
          () -> new OutOfMemoryError("pretended"),
          () -> new InternalError("pretended"),
          Oddity::new);

  private static Throwable overflow() {
    try {
      return new AssertionError("no overflow at depth " + recurse(0));
    } catch (StackOverflowError e) {
      return e;
    }
  }

  private static int recurse(int depth) {
    return depth < 0 ? depth : recurse(depth + 1) + 1;
  }

  private static void raise(Throwable failure) {
    HandlerFailuresTest.<RuntimeException>raiseAsIs(failure);
  }

  @SuppressWarnings("unchecked") // Nothing is cast: the compiler is only to forget what is thrown.
  private static <X extends Throwable> void raiseAsIs(Throwable failure) throws X {
    throw (X) failure;
  }

  private interface Failing {
    void handle(StreamReader reader, StreamWriter writer, Throwable failure) throws IOException;
  }

  private record Place(String name, Failing failing) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Place> places() {
    return Stream.of(
        new Place("before anything", (reader, writer, failure) -> raise(failure)),
        new Place(
            "after a read",
            (reader, writer, failure) -> {
              reader.readLine();
              raise(failure);
            }),
        new Place(
            "after a write",
            (reader, writer, failure) -> {
              writer.write(new byte[100_000]);
              raise(failure);
            }),
        new Place(
            "in a scope",
            (reader, writer, failure) ->
                Asyncio.timeout(Duration.ofHours(1)).run(timeout -> raise(failure))),
        new Place(
            "in a task that is awaited",
            (reader, writer, failure) ->
                Asyncio.createTask(
                        () -> {
                          reader.readLine();
                          raise(failure);
                        })
                    .await()),
        new Place(
            "in clean-up",
            (reader, writer, failure) -> {
              try {
                reader.readAll();
              } finally {
                raise(failure);
              }
            }));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("places")
  void whateverIsThrownIsReportedOnceAndTheServerGoesOn(Place place) {
    List<Throwable> thrown = new ArrayList<>();
    ConnectionHandler handler =
        (reader, writer) -> {
          if (text(reader.readLine()).equals("echo\n")) {
            MemoryServer.echo(reader, writer);
          } else {
            thrown.add(KINDS.get(thrown.size() % KINDS.size()).get());
            place.failing.handle(reader, writer, thrown.getLast());
          }
        };

    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            handler,
            (server, port) -> {
              try (Connection bystander = MemoryServer.connect(port)) {
                bystander.writer().write("echo\n");
                for (int i = 0; i < CONNECTIONS * KINDS.size(); i++) {
                  try (Connection connection = MemoryServer.connect(port)) {
                    connection.writer().write("fail\nline\n");
                    connection.writer().writeEof();
                    connection.reader().readAll();
                  }
                  assertThat(MemoryServer.ask(bystander, "still there?")).isEqualTo("still there?");
                }
              }
              server.close();
              server.waitClosed();
              assertThat(server.toString()).contains(" 0 connections");
            });

    assertThat(reports)
        .extracting(ExceptionContext::exception)
        .containsExactlyElementsOf(thrown.stream().map(HandlerFailuresTest::bare).toList());
    assertThat(reports)
        .extracting(ExceptionContext::message)
        .allSatisfy(message -> assertThat(message).contains("/127.0.0.1:"));
  }

  private static Throwable bare(Throwable failure) {
    return failure instanceof UncheckedIOException unchecked ? unchecked.getCause() : failure;
  }
}
