package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.Action;
import dev.weir.task.Loop;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LeftBehindTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private static LeftBehindError leftBehindBy(Action body) {
    return catchThrowableOfType(LeftBehindError.class, () -> VirtualLoop.run(body));
  }

  @Test
  void aTaskIsNamedWithItsStack() {
    LeftBehindError error =
        leftBehindBy(() -> Asyncio.createTask(() -> Asyncio.sleep(HOUR), "forgotten"));

    assertThat(error)
        .hasMessageContaining("task 'forgotten' waits in Asyncio.sleep()")
        .hasMessageContaining("at dev.weir.testing.LeftBehindTest.");
  }

  @Test
  void aTaskThatOnlyHasToRunIsNotLeftBehind() {
    VirtualLoop.run(() -> Asyncio.createTask(Asyncio::yieldNow));
  }

  @Test
  void aTimerIsNamed() {
    LeftBehindError error =
        leftBehindBy(() -> Loop.running().callLater(Duration.ofMillis(1500), () -> {}));

    assertThat(error).hasMessageContaining("timer: ").hasMessageContaining("due at 1.5 s");
  }

  @Test
  void aTimerThatWasCancelledIsNotLeftBehind() {
    VirtualLoop.run(() -> Loop.running().callLater(HOUR, () -> {}).cancel());
  }

  @Test
  void aServerIsNamed() {
    LeftBehindError error =
        leftBehindBy(() -> Asyncio.startServer((reader, writer) -> {}, "10.0.0.1", 80));

    assertThat(error).hasMessageContaining("server listening on 10.0.0.1:80");
  }

  @Test
  void aConnectionIsNamedWithTheSideThatIsOpen() {
    LeftBehindError error =
        leftBehindBy(() -> {
          try (Server _ = Asyncio.startServer((reader, writer) -> {}, "10.0.0.1", 80)) {
            Connection connection = Asyncio.openConnection("10.0.0.1", 80);
            connection.reader().read(1);
          }
        });

    assertThat(error)
        .hasMessageContaining("connection 192.0.2.1:49152 -> 10.0.0.1:80")
        .hasMessageContaining("open on the client's side");
  }

  @Test
  void handlersMayStillSeeThatTheirClientsHaveGone() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current()
          .setConditions(LinkConditions.perfect().withDelay(Duration.ofSeconds(10)));
      try (Server _ =
              Asyncio.startServer(
                  (reader, writer) -> {
                    for (byte[] line : reader) {
                      writer.write(line);
                    }
                  },
                  "10.0.0.1",
                  80);
          Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
        connection.writer().writeLine("hello");
      }
    });
  }

  @Test
  void anErrorThatNobodyTookIsNamed() {
    IOException failure = new IOException("nobody listens");

    LeftBehindError error =
        leftBehindBy(() ->
            Asyncio.background(() -> {
              throw failure;
            }));

    assertThat(error)
        .hasMessageContaining("error that nobody took: Background task failed")
        .hasMessageContaining("nobody listens");
    assertThat(error.getSuppressed()).anyMatch(note -> note.getCause() == failure);
  }

  @Test
  void aFailureThatNobodyAwaitedIsNamed() {
    LeftBehindError error =
        leftBehindBy(() -> {
          Asyncio.createTask(() -> {
            throw new IOException("never awaited");
          });
          Asyncio.yieldNow();
        });

    assertThat(error).hasMessageContaining("never awaited");
  }

  @Test
  void errorsThatTheTestsOwnHandlerTookAreNotLeftBehind() {
    VirtualLoop.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> {});
      Asyncio.background(() -> {
        throw new IOException("expected");
      });
    });
  }

  @Test
  void theFailureOfTheTestItselfComesFirst() {
    IOException failure = new IOException("the test failed");

    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              Asyncio.createTask(() -> Asyncio.sleep(HOUR));
              throw failure;
            }))
        .isSameAs(failure);
  }

  @Test
  void whatAFailedTestLeavesIsNotedBesideItsFailure() {
    IOException failure = new IOException("the test failed");

    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              Asyncio.createTask(() -> Asyncio.sleep(HOUR), "forgotten");
              Asyncio.startServer((reader, writer) -> {}, "10.0.0.1", 80);
              throw failure;
            }))
        .isSameAs(failure);

    assertThat(failure.getSuppressed())
        .singleElement()
        .satisfies(note ->
            assertThat(note)
                .hasMessageStartingWith("Left behind by the test that failed:\n- task 'forgotten'")
                .hasMessageContaining("server listening on 10.0.0.1:80"));
  }

  @Test
  void aFailedTestThatLeavesNothingHasNothingNoted() {
    IOException failure = new IOException("the test failed");

    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              try (Server _ = Asyncio.startServer((reader, writer) -> {}, "10.0.0.1", 80);
                  Connection _ = Asyncio.openConnection("10.0.0.1", 80)) {
                throw failure;
              }
            }))
        .isSameAs(failure)
        .hasNoSuppressedExceptions();
  }

  @Test
  void aFailedTestThatLeavesABusyTaskEndsNevertheless() {
    IOException failure = new IOException("the test failed");
    VirtualOptions impatient = VirtualOptions.defaults().withTimeout(Duration.ofMillis(20));

    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> {
                  Asyncio.createTask(
                      () -> {
                        while (true) {
                          Asyncio.yieldNow();
                        }
                      },
                      "busy");
                  throw failure;
                },
                impatient))
        .isSameAs(failure);

    assertThat(failure.getSuppressed())
        .singleElement()
        .satisfies(note -> assertThat(note).hasMessageContaining("task 'busy'"));
  }

  @Test
  void leavingThingsBehindCanBeAllowed() {
    VirtualLoop.run(
        () -> {
          Asyncio.createTask(() -> Asyncio.sleep(HOUR));
          Asyncio.startServer((reader, writer) -> {}, "10.0.0.1", 80);
        },
        VirtualOptions.defaults().withLeftBehindAllowed(true));
  }

  @Test
  void aRunnerChecksWhenItIsClosedAndNotBetweenItsRuns() {
    TestRunner runner = TestRunner.onVirtualLoop(VirtualOptions.defaults());
    Server server = runner.run(() -> Asyncio.startServer((reader, writer) -> {}, "10.0.0.1", 80));
    runner.run(() -> Asyncio.openConnection("10.0.0.1", 80).close());
    runner.run(server::close);

    runner.close();
    runner.close();
  }

  @Test
  void aRunnerThatFoundSomethingLeftBehindIsClosedNevertheless() {
    TestRunner runner = TestRunner.onVirtualLoop(VirtualOptions.defaults());
    Loop loop =
        runner.run(() -> {
          Asyncio.createTask(() -> Asyncio.sleep(HOUR));
          return Loop.running();
        });

    assertThatThrownBy(runner::close).isInstanceOf(LeftBehindError.class);

    assertThat(loop.isClosed()).isTrue();
  }
}
