package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.spi.EngineProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What {@code run} does, up to the end of the main task. */
class RunnerTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final AtomicInteger opened = new AtomicInteger();
  private final EngineProvider countingEngine =
      (transport, loop) -> {
        opened.incrementAndGet();
        return new ParkingDriver(transport, loop);
      };

  // --- One run

  @Test
  void runReturnsWhatMainReturns() {
    assertThat(Loops.<String>call(() -> "done")).isEqualTo("done");
  }

  @Test
  void runThrowsTheVeryExceptionOfMain() {
    IOException failure = new IOException("x");

    assertThatThrownBy(() ->
            Loops.run(() -> {
              throw failure;
            }))
        .isSameAs(failure);
  }

  @Test
  void runThrowsTheCancellationOfMain() {
    assertThatThrownBy(() ->
            Loops.run(() -> {
              Loop.currentTask().cancel("enough");
              Loop.running().sleep(LONG);
            }))
        .isInstanceOf(CancelledError.class)
        .hasMessage("enough");
  }

  @Test
  void everyRunHasALoopOfItsOwnThatIsClosedAfterwards() {
    Loop first = Loops.call(Loop::running);
    Loop second = Loops.call(Loop::running);

    assertThat(first).isNotSameAs(second);
    assertThat(first.isClosed()).isTrue();
    assertThat(second.isClosed()).isTrue();
  }

  @Test
  void runFromAVirtualThreadWorksAsWell() throws InterruptedException {
    AtomicReference<String> result = new AtomicReference<>();
    Thread.ofVirtual().start(() -> result.set(Loops.call(() -> "done"))).join();

    assertThat(result.get()).isEqualTo("done");
  }

  @Test
  void runOnALoopIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      assertRefusedOnALoop(() -> Loops.run(() -> {}));

      List<String> order = new ArrayList<>();
      Loop.running()
          .callSoon(() -> {
            assertRefusedOnALoop(() -> Loops.run(() -> {}));
            order.add("refused in a callback");
          });
      Loops.settle();
      assertThat(order).hasSize(1);
    });
  }

  private static void assertRefusedOnALoop(Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("running loop")
        .hasMessageContaining("createTask");
  }

  @Test
  void aRunWithoutAMainCoroutineIsRefused() {
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      assertThatThrownBy(() -> runner.run((Coroutine<?>) null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");
    }

    assertThat(opened).hasValue(0);
  }

  // --- Interrupting the caller

  @Test
  void interruptingTheCallerCancelsMain() throws InterruptedException {
    CountDownLatch running = new CountDownLatch(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    List<Boolean> interrupted = new ArrayList<>();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                Loops.run(() -> {
                  running.countDown();
                  Loop.running().sleep(LONG);
                });
              } catch (Throwable e) {
                thrown.set(e);
              }
              interrupted.add(Thread.currentThread().isInterrupted());
            });

    running.await();
    caller.interrupt();
    caller.join();

    assertThat(thrown.get()).isInstanceOf(CancelledError.class);
    assertThat(interrupted).containsExactly(true);
  }

  @Test
  void anInterruptThatCameBeforeCancelsMainAsWell() {
    List<String> ran = new ArrayList<>();
    Thread.currentThread().interrupt();

    assertThatThrownBy(() ->
            Loops.run(() -> {
              Loop.running().sleep(LONG);
              ran.add("slept");
            }))
        .isInstanceOf(CancelledError.class);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(ran).isEmpty();
  }

  // --- Several runs of one runner

  @Test
  void theLoopIsOpenedByTheFirstRunOrByAskingForIt() {
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      assertThat(opened).hasValue(0);
      runner.run(() -> {});
      runner.run(() -> {});
      assertThat(opened).hasValue(1);
    }
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      Loop loop = runner.loop();
      assertThat(opened).hasValue(2);
      assertThat(runner.<Loop>run(() -> Loop.running())).isSameAs(loop);
      assertThat(runner.loop()).isSameAs(loop);
    }

    assertThat(opened).hasValue(2);
  }

  @Test
  void runsShareOneContext() {
    ContextVar<String> user = new ContextVar<>("user", "nobody");
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      runner.run(() -> user.set("first run"));

      assertThat(runner.<String>run(() -> user.get())).isEqualTo("first run");
    }

    assertThat(user.get()).isEqualTo("nobody");
  }

  @Test
  void aRunInAContextOfItsOwnLeavesItsValuesThere() {
    ContextVar<String> user = new ContextVar<>("user", "nobody");
    Context context = Context.empty();
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      runner.run(
          () -> {
            user.set("in the context");
            return null;
          },
          context);

      assertThat(runner.<String>run(() -> user.get())).isEqualTo("nobody");
      assertThat(runner.<String>run(() -> user.get(), context)).isEqualTo("in the context");
    }
  }

  @Test
  void theFirstRunSeesTheContextOfTheOneWhoMadeTheRunner() {
    ContextVar<String> user = new ContextVar<>("user", "nobody");
    Context.copyOfCurrent()
        .run(() -> {
          user.set("maker");
          try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
            user.set("changed later");

            assertThat(runner.<String>run(() -> user.get())).isEqualTo("maker");
          }
        });
  }

  @Test
  void whatARunLeavesStandsStillUntilTheNextRun() {
    List<String> order = new ArrayList<>();
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      runner.run(() -> {
        Loop.running()
            .createTask(() -> {
              for (int i = 0; i < 10; i++) {
                Loop.running().yieldNow();
              }
              order.add("left task");
            });
      });
      order.add("between");
      runner.run(() -> {
        while (order.size() < 2) {
          Loop.running().yieldNow();
        }
      });
    }

    assertThat(order).containsExactly("between", "left task");
  }

  @Test
  void aRunThatFailedLeavesTheRunnerUsable() {
    try (Runner runner = new Runner(RunOptions.defaults(), countingEngine)) {
      assertThatThrownBy(() ->
              runner.run(() -> {
                throw new IOException("x");
              }))
          .isInstanceOf(IOException.class);

      assertThat(runner.<String>run(() -> "next")).isEqualTo("next");
    }
  }

  @Test
  void aClosedRunnerRefusesAndSaysWhatToDo() {
    Runner runner = new Runner(RunOptions.defaults(), countingEngine);
    runner.close();

    assertClosed(() -> runner.run(() -> {}));
    assertClosed(runner::loop);
    assertThat(opened).hasValue(0);
  }

  private static void assertClosed(Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("runner is closed")
        .hasMessageContaining("make a new one");
  }

  // --- Options

  @Test
  void debugModeIsAnOptionAndByDefaultASystemProperty() {
    RunOptions debugging = RunOptions.defaults().withDebug(true);
    assertThat(Loops.<Boolean>call(debugging, () -> Loop.running().debug())).isTrue();
    assertThat(Loops.<Boolean>call(() -> Loop.running().debug())).isFalse();

    System.setProperty("weir.debug", "true");
    try {
      assertThat(Loops.<Boolean>call(() -> Loop.running().debug())).isTrue();
    } finally {
      System.clearProperty("weir.debug");
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    RunOptions options = RunOptions.defaults();
    Duration negative = Duration.ofNanos(-1);

    assertNegative(() -> options.withShutdownTimeout(negative), "shutdownTimeout");
    assertNegative(() -> options.withExecutorTimeout(negative), "executorTimeout");
    assertNegative(() -> options.withExitTimeout(negative), "exitTimeout");
    assertThatThrownBy(() -> options.withSlowStep(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("slowStep is not positive: PT0S");
  }

  private static void assertNegative(Runnable call, String option) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(option + " is negative");
  }
}
