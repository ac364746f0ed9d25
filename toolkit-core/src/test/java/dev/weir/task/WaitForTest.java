package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.spi.IoDriver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitForTest {
  private static final Duration SHORT = Duration.ofMillis(1);

  private final List<String> order = new ArrayList<>();

  @Test
  void itReturnsWhatTheCoroutineReturns() {
    Loops.run(() -> {
      assertThat(Asyncio.<String>waitFor(() -> "x", Loops.LONG)).isEqualTo("x");
      assertThat(Loop.running().carrier.timers.nextDeadlineNanos())
          .as("the timer is cancelled")
          .isEqualTo(IoDriver.NO_DEADLINE);
    });
  }

  @Test
  void itReturnsTheResultOfTheFuture() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      assertThat(Asyncio.waitFor(task, Loops.LONG)).isEqualTo("x");
    });
  }

  @Test
  void withoutATimeoutItIsAPlainAwait() {
    Loops.run(() -> {
      assertThat(Asyncio.waitFor(Loops.done("x"), null)).isEqualTo("x");
      assertThat(Asyncio.<String>waitFor(() -> "y", null)).isEqualTo("y");
      assertThat(Loop.running().carrier.timers.size()).isZero();
    });
  }

  @Test
  void whatTheWorkThrowsIsThrownAsItIs() {
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.waitFor(
                  () -> {
                    throw failure;
                  },
                  Loops.LONG))
          .isSameAs(failure);
      assertThatThrownBy(() -> Asyncio.waitFor(Loops.failing(failure), Loops.LONG))
          .isSameAs(failure);
    });
  }

  @Test
  void theCoroutineRunsInTheCallingTask() {
    ContextVar<String> variable = new ContextVar<>("variable");

    Loops.run(() -> {
      Task<?> inside =
          Asyncio.waitFor(
              () -> {
                variable.set("set inside");
                return Asyncio.currentTask();
              },
              Loops.LONG);

      assertThat(inside).isSameAs(Asyncio.currentTask());
      assertThat(variable.get()).isEqualTo("set inside");
    });
  }

  @Test
  void onTimeoutTheCoroutineIsCancelled() {
    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.waitFor(
                  () -> {
                    try {
                      Asyncio.sleep(Loops.LONG);
                    } catch (CancelledError e) {
                      order.add("cancelled");
                      throw e;
                    }
                    return null;
                  },
                  SHORT))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(CancelledError.class);

      assertThat(order).containsExactly("cancelled");
      assertThat(Asyncio.currentTask().cancelling()).as("taken back").isZero();
    });
  }

  @Test
  void onTimeoutTheFutureIsCancelled() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThatThrownBy(() -> Asyncio.waitFor(future, SHORT)).isInstanceOf(TimeoutException.class);

      assertThat(future.cancelled()).isTrue();
    });
  }

  @Test
  void onTimeoutItWaitsUntilTheWorkHasEnded() {
    Loops.run(() -> {
      Future<String> cleanUp = Loop.running().createFuture();
      Task<?> work = GatherTest.sleeperThatCleansUp(cleanUp);
      Task<?> waiting = Asyncio.createTask(() -> Asyncio.waitFor(work, SHORT));
      while (work.cancelling() == 0) {
        Asyncio.yieldNow();
      }
      Loops.settle();
      assertThat(waiting.done()).as("the work still cleans up").isFalse();

      cleanUp.setResult("cleaned up");

      assertThatThrownBy(waiting::await).isInstanceOf(TimeoutException.class);
      assertThat(work.cancelled()).isTrue();
    });
  }

  @Test
  void workThatSwallowsTheCancellationReturnsItsValue() {
    Loops.run(() -> {
      assertThat(Asyncio.waitFor(GatherTest.stubborn(), SHORT)).isEqualTo("stayed");
      assertThat(Asyncio.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void workThatFailsWhileItIsCancelledFails() {
    IOException failure = new IOException("bad clean-up");

    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.waitFor(
                  () -> {
                    try {
                      Asyncio.sleep(Loops.LONG);
                    } catch (CancelledError e) {
                      throw failure;
                    }
                    return null;
                  },
                  SHORT))
          .isSameAs(failure);
    });
  }

  @Test
  void cancellingTheCallerCancelsTheWorkAndIsNotATimeout() {
    Loops.run(() -> {
      Task<?> work = Loops.sleeper();
      Task<?> waiting = Asyncio.createTask(() -> Asyncio.waitFor(work, Loops.LONG));
      Loops.settle();

      waiting.cancel("enough");

      assertThatThrownBy(waiting::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThat(work.cancelled()).isTrue();
    });
  }

  @Test
  void aCancellationInTheRoundInWhichTheResultCameIsNotSwallowed() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<?> waiting = Asyncio.createTask(() -> Asyncio.waitFor(future, Loops.LONG));
      Loops.settle();

      future.setResult("x");
      waiting.cancel();

      assertThatThrownBy(waiting::await).isInstanceOf(CancelledError.class);
      assertThat(waiting.cancelled()).isTrue();
    });
  }

  @Test
  void withNoTimeWorkDoesNotBegin() {
    Loops.run(() -> {
      for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
        assertThatThrownBy(() -> Asyncio.waitFor(() -> order.add("began"), none))
            .isInstanceOf(TimeoutException.class)
            .hasCauseInstanceOf(CancelledError.class);
      }

      assertThat(order).isEmpty();
    });
  }

  @Test
  void withNoTimeWorkDoesNotBeginEvenIfTasksBeginEagerly() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);

      assertThatThrownBy(() -> Asyncio.waitFor(() -> order.add("began"), Duration.ZERO))
          .isInstanceOf(TimeoutException.class);

      assertThat(order).isEmpty();
    });
  }

  @Test
  void withNoTimeAFutureThatIsDoneStillCounts() {
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      Future<String> failed = Loop.running().createFuture();
      failed.setException(failure);
      Future<String> cancelled = Loop.running().createFuture();
      cancelled.cancel("before");

      assertThat(Asyncio.waitFor(Loops.done("x"), Duration.ZERO)).isEqualTo("x");
      assertThatThrownBy(() -> Asyncio.waitFor(failed, Duration.ZERO)).isSameAs(failure);
      assertThatThrownBy(() -> Asyncio.waitFor(cancelled, Duration.ZERO))
          .isInstanceOf(CancelledError.class)
          .hasMessage("before");
    });
  }

  @Test
  void withNoTimeATaskThatRunsIsCancelledAndWaitedFor() {
    Loops.run(() -> {
      Future<String> cleanUp = Loop.running().createFuture();
      Task<?> work = GatherTest.sleeperThatCleansUp(cleanUp);
      Task<?> waiting = Asyncio.createTask(() -> Asyncio.waitFor(work, Duration.ZERO));
      Loops.settle();
      assertThat(work.cancelling()).isEqualTo(1);
      assertThat(waiting.done()).isFalse();

      cleanUp.setResult("cleaned up");

      assertThatThrownBy(waiting::await).isInstanceOf(TimeoutException.class);
    });
  }

  @Test
  void withNoTimeATaskThatSwallowsTheCancellationHasItsResult() {
    Loops.run(() -> {
      assertThat(Asyncio.waitFor(GatherTest.stubborn(), Duration.ZERO)).isEqualTo("stayed");
    });
  }

  @Test
  void cancellingTheCallerThatHadNoTimeIsNotSwallowed() {
    Loops.run(() -> {
      Task<?> work = GatherTest.sleeperThatCleansUp(Loop.running().createFuture());
      Task<?> waiting = Asyncio.createTask(() -> Asyncio.waitFor(work, Duration.ZERO));
      Loops.settle();

      waiting.cancel();

      assertThatThrownBy(waiting::await).isInstanceOf(CancelledError.class);
      assertThat(waiting.cancelled()).isTrue();
    });
  }

  @Test
  void aFutureOfAnotherLoopIsRefusedAndLeftAlone() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> foreign = other.createFuture();

        for (Duration timeout : List.of(Duration.ZERO, Loops.LONG)) {
          assertThatThrownBy(() -> Asyncio.waitFor(foreign, timeout))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("waitFor()")
              .hasMessageContaining("another loop");
        }
        assertThat(foreign.done()).isFalse();
      }
    });
  }

  @Test
  void nullIsRefused() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Asyncio.waitFor((Coroutine<String>) null, SHORT))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");
      assertThatThrownBy(() -> Asyncio.waitFor((Future<String>) null, SHORT))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("future");
    });
  }

  @Test
  void waitForNeedsATask() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loop.running()
          .callSoon(() -> {
            try {
              Asyncio.waitFor(() -> order.add("began"), Loops.LONG);
            } catch (TimeoutException e) {
              order.add("timed out");
            }
          });
      Loops.settle();

      assertThat(order).isEmpty();
      assertThat(errors)
          .singleElement()
          .satisfies(error -> assertThat(error.exception()).hasMessageContaining("waitFor()"));
    });
  }
}
