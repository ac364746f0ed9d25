package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class RunnerTest {
  private static final Duration LONG = Duration.ofHours(1);

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
  void runFromAVirtualThreadWorksAsWell() throws InterruptedException {
    AtomicReference<String> result = new AtomicReference<>();
    Thread.ofVirtual().start(() -> result.set(Loops.call(() -> "done"))).join();

    assertThat(result.get()).isEqualTo("done");
  }

  @Test
  void runOnALoopIsRefusedAndSaysWhatToDo() {
    assertThatThrownBy(() -> Loops.run(() -> Loops.run(() -> {})))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("running loop")
        .hasMessageContaining("createTask");
  }

  @Test
  void tasksLeftBehindAreCancelledAndMayCleanUp() {
    List<String> order = new ArrayList<>();

    Loops.run(() -> {
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
  }

  @Test
  void anErrorDuringTheEndIsReported() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Loop.running()
          .createTask(() -> {
            try {
              Loop.running().sleep(LONG);
            } catch (CancelledError e) {
              throw new IllegalStateException("bad clean-up", e);
            }
          });
      Loop.running().yieldNow();
    });

    assertThat(errors)
        .singleElement()
        .satisfies(error -> assertThat(error.exception()).hasMessage("bad clean-up"));
  }

  @Test
  void aTaskThatRefusesToEndIsReportedWithItsStackAndLeftBehind() {
    List<ExceptionContext> errors = new ArrayList<>();
    RunOptions impatient = RunOptions.defaults().withShutdownTimeout(Duration.ofMillis(20));

    Loops.call(
        impatient,
        () -> {
          Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
          Loop.running().createTask(RunnerTest::sleepOnAndOn, "stubborn");
          Loop.running().yieldNow();
          return null;
        });

    assertThat(errors).isNotEmpty();
    assertThat(errors.getFirst().message()).contains("stubborn").contains("did not end");
    assertThat(errors.getFirst().exception().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("sleepOnAndOn");
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

  @Test
  void nothingIsLeftAfterManyRuns() throws InterruptedException {
    for (int i = 0; i < 100; i++) {
      Loops.run(() -> Loop.running().createTask(() -> Loop.running().callSoon(() -> {})).await());
    }

    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().matches("weir-loop-\\d+")) {
        thread.join(); // One that hangs makes the test hang, and fail.
      }
    }
  }
}
