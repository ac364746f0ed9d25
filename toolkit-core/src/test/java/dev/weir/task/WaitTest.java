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

class WaitTest {
  private static final Duration SHORT = Duration.ofMillis(1);

  private final IOException failure = new IOException("broken");

  @Test
  void allCompletedWaitsForAllWhateverTheyEndWith() {
    Loops.run(() -> {
      Future<String> slow = Loop.running().createFuture();
      Future<String> cancelled = Loop.running().createFuture();
      Future<String> failed = Loop.running().createFuture();
      Task<DoneAndPending<Future<String>>> waiting =
          Asyncio.createTask(() -> Asyncio.wait(List.of(slow, cancelled, failed)));
      Loops.settle();

      cancelled.cancel();
      failed.setException(failure);
      Loops.settle();
      assertThat(waiting.done()).isFalse();
      slow.setResult("x");

      assertThat(waiting.await().done()).containsExactly(slow, cancelled, failed);
      assertThat(waiting.await().pending()).isEmpty();
      assertThat(failed.exception()).isSameAs(failure);
    });
  }

  @Test
  void firstCompletedReturnsWithTheFirstAndTellsThePending() {
    Loops.run(() -> {
      Future<String> first = Loop.running().createFuture();
      Future<String> second = Loop.running().createFuture();
      Future<String> third = Loop.running().createFuture();
      Asyncio.createTask(() -> second.setResult("x"));

      DoneAndPending<Future<String>> result =
          Asyncio.wait(List.of(first, second, third), ReturnWhen.FIRST_COMPLETED);

      assertThat(result.done()).containsExactly(second);
      assertThat(result.pending()).containsExactly(first, third);
    });
  }

  @Test
  void whatGetsDoneBeforeTheCallerRunsIsDone() {
    Loops.run(() -> {
      Future<String> first = Loop.running().createFuture();
      Future<String> second = Loop.running().createFuture();
      Asyncio.createTask(() -> first.setResult("x"));
      Asyncio.createTask(() -> second.setResult("y"));

      DoneAndPending<Future<String>> result =
          Asyncio.wait(List.of(first, second), ReturnWhen.FIRST_COMPLETED);

      assertThat(result.done()).containsExactly(first, second);
    });
  }

  @Test
  void firstExceptionReturnsWithTheFirstFailure() {
    Loops.run(() -> {
      Future<String> fine = Loop.running().createFuture();
      Future<String> failed = Loop.running().createFuture();
      Future<String> open = Loop.running().createFuture();
      Task<DoneAndPending<Future<String>>> waiting =
          Asyncio.createTask(
              () -> Asyncio.wait(List.of(fine, failed, open), ReturnWhen.FIRST_EXCEPTION));
      Loops.settle();

      fine.setResult("x");
      Loops.settle();
      assertThat(waiting.done()).as("a result is no exception").isFalse();
      failed.setException(failure);

      assertThat(waiting.await().done()).containsExactly(fine, failed);
      assertThat(waiting.await().pending()).containsExactly(open);
      assertThat(failed.exception()).isSameAs(failure);
    });
  }

  @Test
  void forFirstExceptionACancelledOneHasNotFailed() {
    Loops.run(() -> {
      Future<String> cancelled = Loop.running().createFuture();
      Future<String> open = Loop.running().createFuture();
      Task<DoneAndPending<Future<String>>> waiting =
          Asyncio.createTask(
              () -> Asyncio.wait(List.of(cancelled, open), ReturnWhen.FIRST_EXCEPTION));
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(waiting.done()).isFalse();
      open.setResult("x");

      assertThat(waiting.await().done()).as("none failed").containsExactly(cancelled, open);
    });
  }

  @Test
  void aTimeoutIsNoErrorAndCancelsNothing() {
    Loops.run(() -> {
      Task<?> done = Asyncio.createTask(() -> "x");
      Task<?> open = Loops.sleeper();

      DoneAndPending<Task<?>> result =
          Asyncio.wait(List.<Task<?>>of(done, open), ReturnWhen.ALL_COMPLETED, SHORT);

      assertThat(result.done()).containsExactly(done);
      assertThat(result.pending()).containsExactly(open);
      assertThat(open.cancelling()).isZero();
    });
  }

  @Test
  void withATimeoutOfZeroItLetsWhatIsReadyRun() {
    Loops.run(() -> {
      Task<String> ready = Asyncio.createTask(() -> "x");
      Task<?> open = Asyncio.createTask(() -> Asyncio.sleep(Loops.LONG));

      DoneAndPending<Task<?>> result =
          Asyncio.wait(List.<Task<?>>of(ready, open), ReturnWhen.ALL_COMPLETED, Duration.ZERO);

      assertThat(result.done()).containsExactly(ready);
      assertThat(result.pending()).containsExactly(open);
    });
  }

  @Test
  void aTimeoutThatDoesNotComeUpIsOver() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      DoneAndPending<Task<String>> result =
          Asyncio.wait(List.of(task), ReturnWhen.ALL_COMPLETED, Loops.LONG);

      assertThat(result.done()).containsExactly(task);
      assertThat(Loop.running().carrier.timers.nextDeadlineNanos()).isEqualTo(IoDriver.NO_DEADLINE);
    });
  }

  @Test
  void cancellingTheCallerCancelsNothingElse() {
    Loops.run(() -> {
      Task<?> open = Loops.sleeper();
      Task<?> waiting = Asyncio.createTask(() -> Asyncio.wait(List.of(open)));
      Loops.settle();

      waiting.cancel();
      Loops.settle();

      assertThat(waiting.cancelled()).isTrue();
      assertThat(open.cancelling()).isZero();
    });
  }

  @Test
  void whatIsEnoughAlreadyDoesNotSuspend() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Future<String> done = Loops.done("x");
      Future<String> failed = Loop.running().createFuture();
      failed.setException(failure);
      failed.exception();
      Future<String> open = Loop.running().createFuture();
      Asyncio.createTask(() -> order.add("other task"));

      Asyncio.wait(List.of(done, failed));
      Asyncio.wait(List.of(open, done), ReturnWhen.FIRST_COMPLETED);
      Asyncio.wait(List.of(open, failed), ReturnWhen.FIRST_EXCEPTION);

      assertThat(order).isEmpty();
    });
  }

  @Test
  void aFutureThatIsGivenTwiceCountsOnce() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      assertThat(Asyncio.wait(List.of(task, task)).done()).containsExactly(task);
    });
  }

  @Test
  void waitingDoesNotAskForTheFailures() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Asyncio.wait(List.of(Loops.failing(failure)), ReturnWhen.FIRST_EXCEPTION);
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void waitingForNothingIsRefused() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Asyncio.wait(List.<Future<?>>of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("at least one future");
    });
  }

  @Test
  void aFutureOfAnotherLoopIsRefused() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> foreign = other.createFuture();

        assertThatThrownBy(() -> Asyncio.wait(List.of(Loops.done("x"), foreign)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("wait()")
            .hasMessageContaining("another loop");
      }
    });
  }

  @Test
  void waitNeedsATask() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<String> done = Loops.done("x");

      Loop.running().callSoon(() -> Asyncio.wait(List.of(done)));
      Loops.settle();

      assertThat(errors)
          .singleElement()
          .satisfies(error ->
              assertThat(error.exception())
                  .hasMessageContaining("wait()")
                  .hasMessageContaining("createTask"));
    });
  }

  @Test
  void theSetsCannotBeChanged() {
    Loops.run(() -> {
      DoneAndPending<Future<String>> result = Asyncio.wait(List.of(Loops.done("x")));

      assertThatThrownBy(() -> result.done().clear())
          .isInstanceOf(UnsupportedOperationException.class);
    });
  }
}
