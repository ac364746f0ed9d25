package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.testing.VirtualLoop;
import dev.weir.testing.VirtualOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of what a main task leaves behind. */
class RunnerCloseTest {
  private static final Duration LONG = Duration.ofHours(1);

  /** Bounds a wait that takes this long only if the test fails. */
  private static final Duration FAILED = Duration.ofSeconds(10);

  private final List<ExceptionContext> errors = new CopyOnWriteArrayList<>();
  private final List<String> order = new CopyOnWriteArrayList<>();

  // --- Tasks that are left

  @Test
  void tasksLeftBehindAreCancelledAndMayCleanUp() {
    runCollectingErrors(() -> {
      Loop.running()
          .createTask(() -> {
            try {
              Loop.running().sleep(LONG);
            } finally {
              Loop.running().yieldNow();
              order.add("cleaned up");
            }
          });
      Loop.running().yieldNow();
    });

    assertThat(order).containsExactly("cleaned up");
    assertThat(errors).isEmpty();
  }

  @Test
  void allAreCancelledBeforeAnyIsWaitedFor() {
    runCollectingErrors(() -> {
      Loop loop = Loop.running();
      Future<Object> secondCancelled = loop.createFuture();
      loop.createTask(() -> onCancellation(secondCancelled::await));
      loop.createTask(() -> onCancellation(() -> secondCancelled.setResult("x")));
      Loops.settle();
    });

    assertThat(errors).isEmpty(); // Else the first one waits until it is given up.
  }

  private static void onCancellation(Action cleanUp) throws Exception {
    try {
      Loop.running().sleep(LONG);
    } catch (CancelledError e) {
      cleanUp.run();
      throw e;
    }
  }

  @Test
  void aTaskMadeWhileCleaningUpIsCancelledInItsTurn() {
    runCollectingErrors(() -> {
      Loop.running()
          .createTask(() ->
              onCancellation(() -> {
                Loop.running()
                    .createTask(() ->
                        onCancellation(() -> {
                          Loops.settle();
                          order.add("helper");
                        }));
                Loops.settle();
                order.add("its maker");
              }));
      Loops.settle();
    });

    assertThat(order).containsExactly("its maker", "helper");
    assertThat(errors).isEmpty();
  }

  @Test
  void aTaskMadeInTheLastStepOfMainBegins() {
    runCollectingErrors(() -> Loop.running().createTask(() -> order.add("begun")));

    assertThat(order).containsExactly("begun");
  }

  // --- Errors of the end

  @Test
  void anErrorDuringTheEndIsReported() {
    IllegalStateException failure = new IllegalStateException("bad clean-up");

    runCollectingErrors(() -> {
      Loop.running().createTask(() -> onCancellation(() -> raise(failure)), "cleaner");
      Loops.settle();
    });

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message()).contains("Unhandled").contains("shutdown", "cleaner");
    assertThat(errors.getFirst().exception()).isSameAs(failure);
    assertThat(errors.getFirst().future()).isInstanceOf(Task.class);
  }

  @Test
  void anErrorDuringTheEndThatReachedAnAwaiterIsNotReportedAgain() {
    IllegalStateException failure = new IllegalStateException("bad clean-up");

    runCollectingErrors(() -> {
      Task<?> failing = Loop.running().createTask(() -> onCancellation(() -> raise(failure)));
      Loop.running()
          .createTask(() -> {
            try {
              failing.await();
            } catch (IllegalStateException e) {
              order.add("handled " + e.getMessage());
            }
          });
      Loops.settle();
    });

    assertThat(order).containsExactly("handled bad clean-up");
    assertThat(errors).isEmpty();
  }

  @Test
  void anErrorDuringTheEndThatWentThroughAScopeIsReportedOnce() {
    IllegalStateException failure = new IllegalStateException("bad clean-up");

    runCollectingErrors(() -> {
      Loop.running()
          .createTask(() ->
              new TaskGroup()
                  .run(group -> group.createTask(() -> onCancellation(() -> raise(failure)))));
      Loops.settle();
    });

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().exception())
        .isInstanceOfSatisfying(
            ExceptionGroup.class, group -> assertThat(group.exceptions()).containsExactly(failure));
  }

  private static void raise(RuntimeException failure) {
    throw failure;
  }

  @Test
  void theFailureOfMainIsThrownWhateverTheEndMeetsWith() {
    IOException failure = new IOException("of main");

    assertThatThrownBy(() ->
            runCollectingErrors(() -> {
              Loop.running()
                  .createTask(() -> onCancellation(() -> raise(new IllegalStateException("x"))));
              Loops.settle();
              throw failure;
            }))
        .isSameAs(failure);

    assertThat(errors).hasSize(1);
  }

  // --- Tasks that refuse to end

  @Test
  void aTaskThatRefusesToEndIsReportedWithItsStackAndLeftBehind() {
    RunOptions patient = RunOptions.defaults().withShutdownTimeout(LONG);
    List<Duration> reportedAt = new ArrayList<>();
    VirtualLoop.run(
        () -> {
          Loop.running()
              .setExceptionHandler((loop, context) -> {
                errors.add(context);
                reportedAt.add(loop.time());
              });
          Loop.running().createTask(RunnerCloseTest::sleepOnAndOn, "stubborn");
          Loops.settle();
        },
        VirtualOptions.defaults().withRunOptions(patient).withLeftBehindAllowed(true));

    assertThat(errors).isNotEmpty();
    assertThat(errors.getFirst().message()).contains("stubborn").contains("did not end");
    assertThat(errors.getFirst().exception().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("sleepOnAndOn");
    assertThat(reportedAt.getFirst()).isEqualTo(LONG);
  }

  private static void sleepOnAndOn() {
    while (!Loop.running().isClosed()) {
      try {
        Loop.running().sleep(LONG);
      } catch (CancelledError e) {
        // Refuses to end.
      }
    }
  }

  @Test
  void aTaskThatSwallowsOneInterruptInBlockingCodeIsInterruptedAgain() {
    assumeTrue(Loops.mounted(), "on portable fibers it holds the turn");
    CountDownLatch never = new CountDownLatch(1);

    runCollectingErrors(
        impatient(),
        () -> {
          Loop.running()
              .createTask(() -> {
                for (int i = 0; i < 2; i++) {
                  try {
                    never.await();
                  } catch (InterruptedException e) {
                    order.add("interrupted");
                  }
                }
              });
          Loops.settle();
        });

    assertThat(order).containsExactly("interrupted", "interrupted");
    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message()).contains("did not end");
  }

  @Test
  void anEndThatIsCutShortLeavesNoThread() throws InterruptedException {
    List<Thread> enders = new ArrayList<>();
    Runner runner = new Runner(impatient(), ParkingDriver::new);
    runner.run(() -> {
      Loop.running()
          .setExceptionHandler((loop, context) -> {
            enders.add(Thread.currentThread());
            loop.stop();
          });
      Loop.running().createTask(RunnerCloseTest::sleepOnAndOn);
      Loops.settle();
    });

    assertThatThrownBy(runner::close).hasMessageContaining("stopped before");

    assertThat(enders.getFirst().join(FAILED)).isTrue();
    assertThat(runner.toString()).contains("closed");
  }

  private static RunOptions impatient() {
    return RunOptions.defaults().withShutdownTimeout(Duration.ZERO);
  }

  // --- Who may close

  @Test
  void closeOnALoopIsRefused() {
    try (Runner runner = new Runner(RunOptions.defaults(), ParkingDriver::new)) {
      runner.run(() ->
          assertThatThrownBy(runner::close)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("running loop"));

      runner.run(() -> order.add("runs again"));
    }

    assertThat(order).containsExactly("runs again");
  }

  @Test
  void aSecondCloseHasNoEffect() {
    Runner runner = new Runner(RunOptions.defaults(), ParkingDriver::new);
    Loop loop = runner.loop();

    runner.close();
    runner.close();

    assertThat(loop.isClosed()).isTrue();
  }

  @Test
  void aRunnerWhoseLoopWasClosedByHandIsClosedToo() {
    Runner runner = new Runner(RunOptions.defaults(), ParkingDriver::new);
    runner.loop().close();

    runner.close();

    assertThatThrownBy(runner::loop).hasMessageContaining("runner is closed");
  }

  @Test
  void anInterruptThatIsPendingDoesNotCutTheEndShort() {
    Runner runner = new Runner(RunOptions.defaults(), ParkingDriver::new);
    runner.run(() -> {
      Loop.running()
          .createTask(() ->
              onCancellation(() -> {
                Loops.settle();
                order.add("cleaned up");
              }));
      Loops.settle();
    });
    Thread.currentThread().interrupt();

    runner.close();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(order).containsExactly("cleaned up");
  }

  @Test
  void anInterruptDuringTheEndDoesNotCutItShort() {
    Thread closing = Thread.currentThread();
    String result =
        Loops.call(() -> {
          Loop.running()
              .createTask(() ->
                  onCancellation(() -> {
                    closing.interrupt();
                    while (closing.isInterrupted() || closing.getState() != Thread.State.WAITING) {
                      Loop.running().yieldNow(); // Until it has seen it and waits again.
                    }
                    Loops.settle();
                    order.add("cleaned up");
                  }));
          Loops.settle();
          return "result of main";
        });

    assertThat(Thread.interrupted()).isTrue();
    assertThat(result).isEqualTo("result of main");
    assertThat(order).containsExactly("cleaned up");
  }

  @Test
  @Tag("slow")
  void nothingIsLeftAfterManyRuns() throws InterruptedException {
    for (int i = 0; i < 100; i++) {
      Loops.run(() -> Loop.running().createTask(() -> Loop.running().callSoon(() -> {})).await());
    }

    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().matches("weir-loop-\\d+")) {
        assertThat(thread.join(FAILED)).as(thread.toString()).isTrue();
      }
    }
  }

  private void runCollectingErrors(Action body) {
    runCollectingErrors(RunOptions.defaults(), body);
  }

  private void runCollectingErrors(RunOptions options, Action body) {
    Loops.call(
        options,
        Loop.asCoroutine(() -> {
          Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
          body.run();
        }));
  }
}
