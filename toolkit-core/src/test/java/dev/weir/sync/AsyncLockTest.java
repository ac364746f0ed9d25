package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import dev.weir.task.Timeout;
import dev.weir.task.TimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AsyncLockTest {
  private final AsyncLock lock = new AsyncLock();

  /** Who got the lock, in that order. */
  private final List<String> holders = new ArrayList<>();

  /** A task that acquires the lock and leaves the releasing to the test. */
  private Task<?> acquirer(String name) {
    return Loop.running()
        .createTask(() -> {
          lock.acquire();
          holders.add(name);
        });
  }

  /** Locks and unlocks with a task in the row: the lock must be free, and nobody may be there. */
  private void assertWorksAsNew() {
    holders.clear();
    assertThat(lock).hasToString("AsyncLock[unlocked, 0 waiting]");

    lock.acquire();
    Task<?> next = acquirer("next");
    Loops.settle();
    assertThat(holders).as("while the test holds the lock").isEmpty();

    lock.release();
    next.await();
    assertThat(lock.locked()).isTrue();
    lock.release();
    Loops.settle();
    assertThat(lock).hasToString("AsyncLock[unlocked, 0 waiting]");
  }

  @Test
  void aFreeLockIsAcquiredWithoutSuspending() {
    Loops.run(() -> {
      Loop.running().createTask(() -> holders.add("other task"));

      lock.acquire();
      holders.add("test");
      Loops.settle();

      assertThat(holders).containsExactly("test", "other task");
      assertThat(lock.locked()).isTrue();
    });
  }

  @Test
  void tasksGetItInTheOrderInWhichTheyAskedAndOneAtATime() {
    Loops.run(() -> {
      lock.acquire();
      acquirer("first");
      acquirer("second");
      acquirer("third");
      Loops.settle();
      assertThat(holders).isEmpty();

      lock.release();
      Loops.settle();
      assertThat(holders).containsExactly("first");

      lock.release();
      Loops.settle();
      lock.release();
      Loops.settle();
      assertThat(holders).containsExactly("first", "second", "third");
    });
  }

  @Test
  void aNewcomerDoesNotOvertakeTheTaskThatWasWoken() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> waiting = acquirer("waiting");
      Loops.settle();

      lock.release();
      assertThat(lock.locked()).as("the woken task has not run").isFalse();
      waiting.addDoneCallback(_ -> lock.release());
      lock.acquire();
      holders.add("newcomer");

      assertThat(holders).containsExactly("waiting", "newcomer");
    });
  }

  @Test
  void aNewcomerDoesNotOvertakeWhenTheFirstOfTheRowWasCancelled() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> cancelled = acquirer("cancelled");
      Task<?> waiting = acquirer("waiting");
      Loops.settle();

      cancelled.cancel();
      lock.release();
      waiting.addDoneCallback(_ -> lock.release());
      lock.acquire();
      holders.add("newcomer");

      assertThat(holders).containsExactly("waiting", "newcomer");
    });
  }

  @Test
  void aNewcomerGetsItAtOnceIfAllWhoWaitedAreCancelled() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> first = acquirer("first");
      Task<?> second = acquirer("second");
      Loops.settle();

      first.cancel();
      second.cancel();
      lock.release();
      lock.acquire();

      assertThat(first.done()).as("acquire() did not suspend").isFalse();
      Loops.settle();
      assertThat(lock.locked()).isTrue();
      lock.release();
      assertWorksAsNew();
    });
  }

  @Test
  void itIsNotReentrant() {
    Loops.run(() -> {
      Task<?> twice =
          Loop.running()
              .createTask(() -> {
                lock.acquire();
                lock.acquire();
                holders.add("twice");
              });
      Loops.settle();
      assertThat(twice.done()).isFalse();

      lock.release();
      Loops.settle();
      assertThat(holders).containsExactly("twice");
    });
  }

  @Test
  void anyTaskOrCallbackMayReleaseIt() {
    Loops.run(() -> {
      acquirer("first").await();
      lock.release();
      assertThat(lock.locked()).isFalse();

      acquirer("second").await();
      Loop.running().callSoon(lock::release);
      Loops.settle();
      assertThat(lock.locked()).isFalse();
    });
  }

  @Test
  void releasingAFreeLockIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      assertThatThrownBy(lock::release)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not locked")
          .hasMessageContaining("acquire() it first");

      lock.acquire();
      lock.release();
      assertThatThrownBy(lock::release).isInstanceOf(IllegalStateException.class);
      assertWorksAsNew();
    });
  }

  @Test
  void releasingItAgainBeforeTheWokenTaskRanIsRefused() {
    Loops.run(() -> {
      lock.acquire();
      acquirer("first");
      acquirer("second");
      Loops.settle();

      lock.release();
      assertThatThrownBy(lock::release).isInstanceOf(IllegalStateException.class);
      Loops.settle();

      assertThat(holders).containsExactly("first");
    });
  }

  @Test
  void aTaskCancelledWhileItWaitsLeavesTheRow() {
    Loops.run(() -> {
      lock.acquire();
      acquirer("first");
      Task<?> cancelled = acquirer("cancelled");
      acquirer("third");
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(cancelled.cancelled()).isTrue();
      assertThat(lock).asString().startsWith("AsyncLock[locked, 2 waiting");

      lock.release();
      Loops.settle();
      lock.release();
      Loops.settle();
      lock.release();
      assertThat(holders).containsExactly("first", "third");
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledAfterItWasWokenHandsTheLockToTheNext() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> woken = acquirer("woken");
      acquirer("next");
      acquirer("last");
      Loops.settle();

      lock.release();
      woken.cancel();
      Loops.settle();

      assertThat(woken.cancelled()).isTrue();
      assertThat(holders).containsExactly("next");
      lock.release();
      Loops.settle();
      lock.release();
      assertWorksAsNew();
    });
  }

  @Test
  void theLockPassesByEveryTaskThatIsCancelledOnTheWay() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> woken = acquirer("woken");
      Task<?> second = acquirer("second");
      Task<?> third = acquirer("third");
      acquirer("last");
      Loops.settle();

      third.cancel();
      lock.release();
      woken.cancel();
      Loop.running().yieldNow();
      second.cancel(); // Woken by the first in this very round.
      Loops.settle();

      assertThat(holders).containsExactly("last");
      lock.release();
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledBeforeTheReleaseOfTheSameRoundDoesNotStopTheLock() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> cancelled = acquirer("cancelled");
      acquirer("next");
      Loops.settle();

      cancelled.cancel();
      lock.release();
      Loops.settle();

      assertThat(holders).containsExactly("next");
      lock.release();
      assertWorksAsNew();
    });
  }

  @Test
  void theLastTaskCancelledAfterItWasWokenLeavesTheLockFree() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> woken = acquirer("woken");
      Loops.settle();

      lock.release();
      woken.cancel();
      Loops.settle();

      assertThat(holders).isEmpty();
      assertWorksAsNew();
    });
  }

  @Test
  void aCancellationTakenBackBeforeTheWokenTaskRanLeavesItTheLock() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> woken = acquirer("woken");
      acquirer("next");
      Loops.settle();

      lock.release();
      woken.cancel();
      woken.uncancel();
      Loops.settle();

      assertThat(holders).containsExactly("woken");
    });
  }

  @Test
  void aHeldLockIsReleasedAtTheEndOfTheBlockHoweverItEnds() {
    Loops.run(() -> {
      try (Held _ = lock.hold()) {
        assertThat(lock.locked()).isTrue();
      }
      assertThat(lock.locked()).isFalse();

      RuntimeException failure = new RuntimeException("x");
      assertThatThrownBy(
              () -> {
                try (Held _ = lock.hold()) {
                  throw failure;
                }
              })
          .isSameAs(failure);
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledBeforeItsBlockBeganReleasesNothing() {
    Loops.run(() -> {
      lock.acquire();
      Task<?> cancelled =
          Loop.running()
              .createTask(() -> {
                try (Held _ = lock.hold()) {
                  holders.add("cancelled");
                }
              });
      Loops.settle();

      cancelled.cancel();
      assertThatThrownBy(cancelled::await).isInstanceOf(CancelledError.class);

      assertThat(lock.locked()).as("the test holds it still").isTrue();
      lock.release();
      assertThat(holders).isEmpty();
      assertWorksAsNew();
    });
  }

  @Test
  void closingWhatIsHeldASecondTimeHasNoEffect() {
    Loops.run(() -> {
      Held held = lock.hold();
      held.close();
      lock.acquire();

      held.close();

      assertThat(lock.locked()).isTrue();
      assertThat(held).hasToString("Held[released]");
    });
  }

  @Test
  void aTimeoutEndsTheWaitAndTheTaskLeavesTheRow() {
    Loops.run(() -> {
      lock.acquire();

      assertThatThrownBy(() -> Timeout.after(Duration.ZERO).run(_ -> lock.acquire()))
          .isInstanceOf(TimeoutException.class);

      assertThat(lock).asString().startsWith("AsyncLock[locked, 0 waiting");
      lock.release();
      assertWorksAsNew();
    });
  }

  @Test
  void exclusiveCodeThatWouldHaveToWaitIsRefusedAndLeavesNoTrace() {
    Loops.run(() -> {
      lock.acquire();

      assertThatThrownBy(() -> Loop.running().exclusive(() -> lock.acquire()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("exclusive");

      assertThat(lock).asString().startsWith("AsyncLock[locked, 0 waiting");
      lock.release();
      assertWorksAsNew();
    });
  }
}
