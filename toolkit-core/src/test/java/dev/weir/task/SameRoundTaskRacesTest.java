package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.sync.AsyncLock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What happens to tasks and locks when two things happen in one round of the loop. */
class SameRoundTaskRacesTest {
  private final IOException failure = new IOException("failure");
  private final List<String> order = new ArrayList<>();

  // --- A cancellation and a completion

  @Test
  void aCancellationAfterTheResultCancelsTheTaskAndLeavesTheFutureItsResult() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> task = awaiting(future);

      future.setResult("result");
      assertThat(task.cancel("late")).isTrue();

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("late");
      assertThat(task.cancelled()).isTrue();
      assertThat(future.result()).isEqualTo("result");
    });
  }

  @Test
  void aCancellationBeforeTheResultCancelsTheFutureWhichTakesNoResult() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> task = awaiting(future);

      task.cancel();
      assertThatThrownBy(() -> future.setResult("late")).isInstanceOf(InvalidStateException.class);
      Loops.settle();

      assertThat(future.cancelled()).isTrue();
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void aCancellationAndAResultOfOneDeadlineComeInTheOrderOfTheirTimers() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Duration deadline = loop.time().plusMillis(1);
      Future<String> first = loop.createFuture();
      Future<String> second = loop.createFuture();
      Task<String> completedFirst = awaiting(first);
      Task<String> cancelledFirst = awaiting(second);

      loop.callAt(deadline, () -> first.setResult("result"));
      loop.callAt(deadline, () -> completedFirst.cancel());
      loop.callAt(deadline, () -> cancelledFirst.cancel());
      loop.callAt(deadline, () -> order.add("second takes a result: " + !second.done()));

      for (Task<?> task : List.of(completedFirst, cancelledFirst)) {
        assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      }
      assertThat(first.result()).isEqualTo("result");
      assertThat(order).containsExactly("second takes a result: false");
    });
  }

  @Test
  void aCancellationInTheRoundInWhichTheTaskEndedComesTooLate() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> task = awaiting(future);

      future.setResult("result");
      Loop.running()
          .callSoon(() -> order.add("accepted: " + task.cancel())); // After its last step.
      Loops.settle();

      assertThat(order).containsExactly("accepted: false");
      assertThat(task.result()).isEqualTo("result");
      assertThat(task.cancelling()).isZero();
    });
  }

  @Test
  void aFailureThatACancellationOvertookIsNotLost() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<String> future = Loop.running().createFuture();
      Task<String> task = awaiting(future);

      future.setException(failure);
      task.cancel();
      Loops.settle();
      Loop.running().reportUnretrieved();

      assertThat(task.cancelled()).isTrue();
      assertThat(errors).extracting(ExceptionContext::exception).containsExactly(failure);
    });
  }

  @Test
  void aTaskThatAwaitsAnotherIsCancelledInTheRoundInWhichThatOneEnds() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> inner = awaiting(future);
      Task<String> outer = awaiting(inner);

      future.setResult("result");
      Loop.running().callSoon(() -> outer.cancel()); // After the last step of the inner one.
      Loops.settle();

      assertThat(inner.result()).isEqualTo("result");
      assertThat(outer.cancelled()).isTrue();
    });
  }

  @Test
  void aRequestTakenBackInTheRoundOfTheResultLeavesTheResult() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> task = awaiting(future);

      future.setResult("result");
      task.cancel();
      task.uncancel();

      assertThat(task.await()).isEqualTo("result");
    });
  }

  @Test
  void ofTwoCancellationsInOneRoundTheFirstIsThrown() {
    Loops.run(() -> {
      Task<String> task = awaiting(Loop.running().createFuture());

      task.cancel("first");
      task.cancel("second");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("first");
      assertThat(task.cancelling()).isEqualTo(2);
    });
  }

  // --- A lock's woken waiter is cancelled

  @Test
  void theLockOfAWokenWaiterThatIsCancelledGoesToTheNextOne() {
    Loops.run(() -> {
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      Task<?> first = locking(lock, "first");
      Task<?> second = locking(lock, "second");

      lock.release();
      first.cancel();
      second.await();

      assertThat(first.cancelled()).isTrue();
      assertThat(order).containsExactly("second");
      assertThat(lock.locked()).isFalse();
    });
  }

  @Test
  void aWaiterThatIsCancelledBeforeTheReleaseIsPassedOver() {
    Loops.run(() -> {
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      Task<?> first = locking(lock, "first");
      Task<?> second = locking(lock, "second");

      first.cancel();
      lock.release();
      second.await();

      assertThat(first.cancelled()).isTrue();
      assertThat(order).containsExactly("second");
      assertThat(lock.locked()).isFalse();
    });
  }

  @Test
  void theLockIsFreeIfItsOnlyWokenWaiterIsCancelled() {
    Loops.run(() -> {
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      Task<?> only = locking(lock, "only");

      lock.release();
      only.cancel();
      Loops.settle();

      assertThat(lock.locked()).isFalse();
      lock.acquire(); // Does not suspend, or nothing would end it.
      assertThat(order).isEmpty();
    });
  }

  @Test
  void aNewcomerInTheRoundOfTheCancellationStandsBehindThoseWhoWait() {
    Loops.run(() -> {
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      Task<?> first = locking(lock, "first");
      Task<?> second = locking(lock, "second");

      Task<?> newcomer = Loop.running().createTask(() -> hold(lock, "newcomer"));
      lock.release();
      first.cancel();
      Loops.settle();

      assertThat(newcomer.done()).isTrue();
      assertThat(second.done()).isTrue();
      assertThat(order).containsExactly("second", "newcomer");
    });
  }

  @Test
  void allWokenOneAfterTheOtherAndCancelledLeaveTheLockFree() {
    Loops.run(() -> {
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      List<Task<?>> waiters =
          List.of(locking(lock, "first"), locking(lock, "second"), locking(lock, "third"));

      lock.release();
      waiters.forEach(Task::cancel);
      Loops.settle();

      assertThat(waiters).allMatch(Task::cancelled);
      assertThat(lock.locked()).isFalse();
      lock.acquire();
    });
  }

  @Test
  void theLockOfAWokenWaiterWhoseDeadlinePassesGoesToTheNextOne() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      Timeout timeout = Timeout.after(null);
      ObservedScope first = ObservedScope.start(() -> timeout.run(t -> hold(lock, "first")));
      Task<?> second = locking(lock, "second");

      timeout.reschedule(loop.time());
      loop.callSoon(() -> order.add("expired: " + timeout.expired()));
      lock.release();
      second.await();

      assertThat(first.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(order).containsExactly("expired: true", "second");
      assertThat(lock.locked()).isFalse();
    });
  }

  @Test
  void theLockOfAWokenTaskOfAGroupThatFailsIsFreeAgain() {
    Loops.run(() -> {
      AsyncLock lock = new AsyncLock();
      lock.acquire();
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> gate.await());
                    group.createTask(() -> hold(lock, "task"));
                  }));

      gate.setException(failure);
      Loop.running().callSoon(lock::release); // In the round in which the other task fails.

      assertThat(scope.thrown()).isInstanceOf(ExceptionGroup.class);
      assertThat(order).isEmpty();
      assertThat(lock.locked()).isFalse();
    });
  }

  private Task<?> locking(AsyncLock lock, String name) {
    Task<?> task = Loop.running().createTask(() -> hold(lock, name));
    Loops.settle();
    return task;
  }

  private void hold(AsyncLock lock, String name) {
    try (var _ = lock.hold()) {
      order.add(name);
    }
  }

  private static Task<String> awaiting(Future<String> future) {
    Task<String> task = Loop.running().createTask(() -> future.await());
    Loops.settle();
    return task;
  }
}
