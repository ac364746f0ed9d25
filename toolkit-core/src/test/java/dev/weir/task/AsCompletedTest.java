package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.spi.IoDriver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

class AsCompletedTest {
  private static final Duration SHORT = Duration.ofMillis(1);

  @Test
  void theFuturesThemselvesComeInTheOrderInWhichTheyGetDone() {
    Loops.run(() -> {
      Future<String> first = Loop.running().createFuture();
      Future<String> second = Loop.running().createFuture();
      Future<String> third = Loop.running().createFuture();
      Asyncio.createTask(() -> {
        third.setResult("3");
        Asyncio.yieldNow();
        first.cancel();
        Asyncio.yieldNow();
        second.setException(new IOException());
      });

      List<Future<String>> completed = new ArrayList<>();
      for (Future<String> future : Asyncio.asCompleted(List.of(first, second, third))) {
        completed.add(future);
      }

      assertThat(completed).containsExactly(third, first, second);
      second.exception();
    });
  }

  @Test
  void whatIsDoneAlreadyComesFirst() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "late");
      Future<String> done = Loops.done("early");

      Iterator<Future<String>> completed =
          Asyncio.asCompleted(List.<Future<String>>of(task, done)).iterator();

      assertThat(completed.next()).isSameAs(done);
      assertThat(completed.next()).isSameAs(task);
      assertThat(completed.hasNext()).isFalse();
    });
  }

  @Test
  void aFutureThatIsGivenTwiceComesOnce() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      assertThat(Asyncio.asCompleted(List.of(task, task))).containsExactly(task);
    });
  }

  @Test
  void ofNothingThereIsNothing() {
    Loops.run(() -> {
      Iterator<Future<?>> completed = Asyncio.asCompleted(List.<Future<?>>of(), SHORT).iterator();

      assertThat(completed.hasNext()).isFalse();
      assertThatThrownBy(completed::next)
          .isInstanceOf(NoSuchElementException.class)
          .hasMessageContaining("hasNext()");
    });
  }

  @Test
  void afterTheTimeoutEveryFutureThatIsNotDoneIsATimeout() {
    Loops.run(() -> {
      Task<?> first = Loops.sleeper();
      Task<?> second = Loops.sleeper();
      Iterator<Task<?>> completed =
          Asyncio.asCompleted(List.<Task<?>>of(first, second), SHORT).iterator();

      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(completed::next)
            .isInstanceOf(UncheckedIOException.class)
            .hasCauseInstanceOf(TimeoutException.class);
      }

      assertThat(completed.hasNext()).isFalse();
      assertThat(first.cancelling()).as("nothing is cancelled").isZero();
    });
  }

  @Test
  void whatWasDoneBeforeTheTimeoutComesBeforeIt() {
    Loops.run(() -> {
      Future<String> late = Loop.running().createFuture();
      Future<String> inTime = Loops.done("x");
      Iterator<Future<String>> completed =
          Asyncio.asCompleted(List.of(late, inTime), SHORT).iterator();
      Asyncio.sleep(SHORT.multipliedBy(2));
      late.setResult("too late");

      assertThat(completed.next()).isSameAs(inTime);
      assertThatThrownBy(completed::next).hasCauseInstanceOf(TimeoutException.class);
    });
  }

  @Test
  void theTimeoutCountsFromTheCallAndNotFromTheIteration() {
    Loops.run(() -> {
      Iterable<Task<?>> completed =
          Asyncio.asCompleted(List.<Task<?>>of(Loops.sleeper()), Duration.ZERO);
      Loops.settle();
      List<String> order = new ArrayList<>();
      Asyncio.createTask(() -> order.add("other task"));

      assertThatThrownBy(() -> completed.iterator().next())
          .hasCauseInstanceOf(TimeoutException.class);
      assertThat(order).as("it is over, so there is nothing to wait for").isEmpty();
    });
  }

  @Test
  void theTimerEndsWithTheLastFuture() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      assertThat(Asyncio.asCompleted(List.of(task), Loops.LONG)).containsExactly(task);

      assertThat(Loop.running().carrier.timers.nextDeadlineNanos()).isEqualTo(IoDriver.NO_DEADLINE);
    });
  }

  @Test
  void endingEarlyCancelsNothing() {
    Loops.run(() -> {
      Task<String> quick = Asyncio.createTask(() -> "x");
      Task<?> open = Loops.sleeper();

      for (Task<?> task : Asyncio.asCompleted(List.<Task<?>>of(quick, open))) {
        assertThat(task).isSameAs(quick);
        break;
      }
      Loops.settle();

      assertThat(open.done()).isFalse();
      assertThat(open.cancelling()).isZero();
    });
  }

  @Test
  void aSecondIterationGoesOnWhereTheFirstEnded() {
    Loops.run(() -> {
      Task<String> first = Asyncio.createTask(() -> "1");
      Task<String> second = Asyncio.createTask(() -> "2");
      Iterable<Task<String>> completed = Asyncio.asCompleted(List.of(first, second));

      assertThat(completed.iterator().next()).isSameAs(first);
      assertThat(completed).containsExactly(second);
      assertThat(completed).isEmpty();
    });
  }

  @Test
  void cancellingTheCallerCancelsNothingElseAndLosesNothing() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Iterator<Future<String>> completed = Asyncio.asCompleted(List.of(future)).iterator();
      Task<?> caller = Asyncio.createTask(() -> completed.next());
      Loops.settle();

      caller.cancel();
      Loops.settle();
      assertThat(caller.cancelled()).isTrue();
      assertThat(future.done()).isFalse();
      future.setResult("x");

      assertThat(completed.hasNext()).isTrue();
      assertThat(completed.next()).isSameAs(future);
    });
  }

  @Test
  void severalTasksMayShareTheFutures() {
    Loops.run(() -> {
      List<Future<Integer>> futures = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        futures.add(Loop.running().createFuture());
      }
      Iterable<Future<Integer>> completed = Asyncio.asCompleted(futures);
      List<Integer> results = new ArrayList<>();
      List<Task<?>> consumers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        consumers.add(
            Asyncio.createTask(() -> completed.forEach(future -> results.add(future.result()))));
      }
      Loops.settle();

      for (int i = 0; i < futures.size(); i++) {
        futures.get(i).setResult(i);
        Asyncio.yieldNow();
      }
      Asyncio.wait(consumers);

      assertThat(results).containsExactly(0, 1, 2, 3, 4, 5);
      consumers.forEach(Task::result);
    });
  }

  @Test
  void aConsumerThatIsCancelledLeavesItsFutureToTheNext() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Future<String> open = Loop.running().createFuture();
      Iterator<Future<String>> completed = Asyncio.asCompleted(List.of(future, open)).iterator();
      Task<?> first = Asyncio.createTask(() -> completed.next());
      Task<?> second = Asyncio.createTask(() -> completed.next());
      Loops.settle();

      future.setResult("x");
      Asyncio.yieldNow();
      first.cancel(); // It was woken for the future, and has not run yet.
      Loops.settle();

      assertThat(first.cancelled()).isTrue();
      assertThat(second.result()).isSameAs(future);
    });
  }

  @Test
  void aFutureOfAnotherLoopIsRefused() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> foreign = other.createFuture();

        assertThatThrownBy(() -> Asyncio.asCompleted(List.of(foreign)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("asCompleted()")
            .hasMessageContaining("another loop");
      }
    });
  }

  @Test
  void iteratingNeedsATaskOfTheLoop() {
    Loops.run(() -> {
      Iterator<Future<String>> completed = Asyncio.asCompleted(List.of(Loops.done("x"))).iterator();
      Loops.settle();

      for (ForeignThread thread : ForeignThread.values()) {
        assertThat(thread.thrownBy(completed::next))
            .as("on %s", thread)
            .isInstanceOf(IllegalStateException.class);
      }
      assertThat(completed.hasNext()).isTrue();
    });
  }
}
