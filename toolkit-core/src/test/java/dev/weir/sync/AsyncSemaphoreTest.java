package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AsyncSemaphoreTest {
  /** Who got a permit, in that order. */
  private final List<String> holders = new ArrayList<>();

  /** A task that acquires a permit and keeps it. */
  private Task<?> acquirer(AsyncSemaphore semaphore, String name) {
    return Loop.running()
        .createTask(() -> {
          semaphore.acquire();
          holders.add(name);
        });
  }

  /** Takes exactly {@code permits}, lets one more task wait for the next, and has it all back. */
  private void assertHasPermits(int permits, AsyncSemaphore semaphore) {
    holders.clear();
    for (int i = 0; i < permits; i++) {
      assertThat(semaphore.locked()).as("after %d of %d permits", i, permits).isFalse();
      semaphore.acquire();
    }
    assertThat(semaphore.locked()).as("after all %d permits", permits).isTrue();

    Task<?> next = acquirer(semaphore, "next");
    Loops.settle();
    assertThat(holders).isEmpty();
    semaphore.release();
    next.await();
    for (int i = 0; i < permits; i++) {
      semaphore.release();
    }
    Loops.settle();
    assertThat(semaphore.locked()).isEqualTo(permits == 0);
  }

  @Test
  void itHasOnePermitUnlessSaidOtherwise() {
    Loops.run(() -> {
      assertHasPermits(1, new AsyncSemaphore());
      assertHasPermits(3, new AsyncSemaphore(3));
    });
  }

  @Test
  void negativePermitsAreRefused() {
    assertThatThrownBy(() -> new AsyncSemaphore(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("permits is negative: -1");
    assertThatThrownBy(() -> AsyncSemaphore.bounded(-2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("permits is negative: -2");
  }

  @Test
  void acquiringAPermitThatIsThereDoesNotSuspend() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(2);
      Loop.running().createTask(() -> holders.add("other task"));

      semaphore.acquire();
      semaphore.acquire();
      holders.add("test");
      Loops.settle();

      assertThat(holders).containsExactly("test", "other task");
    });
  }

  @Test
  void withoutPermitsTasksWaitAndGetThemInTheOrderInWhichTheyAsked() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      acquirer(semaphore, "first");
      acquirer(semaphore, "second");
      acquirer(semaphore, "third");
      Loops.settle();
      assertThat(holders).isEmpty();
      assertThat(semaphore).hasToString("AsyncSemaphore[0 permits, 3 waiting]");

      semaphore.release();
      Loops.settle();
      assertThat(holders).containsExactly("first");

      semaphore.release();
      semaphore.release();
      Loops.settle();
      assertThat(holders).containsExactly("first", "second", "third");
    });
  }

  @Test
  void severalReleasesWakeSeveralTasksInOneRound() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      for (int i = 0; i < 4; i++) {
        acquirer(semaphore, "task " + i);
      }
      Loops.settle();

      semaphore.release();
      semaphore.release();
      semaphore.release();
      Loop.running().yieldNow();

      assertThat(holders).containsExactly("task 0", "task 1", "task 2");
    });
  }

  @Test
  void itIsLockedWhileThereIsAPermitForWhichOthersAreInTheRow() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      acquirer(semaphore, "waiting");
      Loops.settle();

      semaphore.release();
      semaphore.release();
      assertThat(semaphore).hasToString("AsyncSemaphore[1 permits, 1 waiting]");
      assertThat(semaphore.locked()).as("the woken task has not run").isTrue();
      semaphore.acquire();
      holders.add("newcomer");

      assertThat(holders).as("nobody overtakes").containsExactly("waiting", "newcomer");
      semaphore.release();
      assertHasPermits(1, semaphore);
    });
  }

  @Test
  void newcomersWhoLeftTheirPermitsToTheFirstInTheRowAreWokenTogetherWhenItRuns() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      acquirer(semaphore, "waiting");
      Loops.settle();

      acquirer(semaphore, "first newcomer");
      acquirer(semaphore, "second newcomer");
      semaphore.release(); // Wakes the waiting task, behind the newcomers' first steps.
      semaphore.release();
      semaphore.release();
      Loop.running().yieldNow();
      assertThat(holders).containsExactly("waiting");
      Loop.running().yieldNow();

      assertThat(holders).containsExactly("waiting", "first newcomer", "second newcomer");
      assertHasPermits(0, semaphore);
    });
  }

  @Test
  void aNewcomerGetsAPermitAtOnceIfAllWhoWaitedAreCancelled() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      Task<?> first = acquirer(semaphore, "first");
      Task<?> second = acquirer(semaphore, "second");
      Loops.settle();

      first.cancel();
      second.cancel();
      semaphore.release();
      assertThat(semaphore.locked()).isFalse();
      semaphore.acquire();

      assertThat(first.done()).as("acquire() did not suspend").isFalse();
      Loops.settle();
      semaphore.release();
      assertHasPermits(1, semaphore);
    });
  }

  @Test
  void anybodyMayReleaseMorePermitsThanWereAcquired() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(1);
      semaphore.release();
      Loop.running().callSoon(semaphore::release);
      Loops.settle();

      assertHasPermits(3, semaphore);
    });
  }

  @Test
  void aBoundedSemaphoreRefusesAReleaseTooManyAndSaysWhatToDo() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = AsyncSemaphore.bounded(2);
      assertThat(semaphore).hasToString("AsyncSemaphore[2 of 2 permits, 0 waiting]");
      semaphore.acquire();
      semaphore.release();

      assertThatThrownBy(semaphore::release)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("too often")
          .hasMessageContaining("2 permits are there")
          .hasMessageContaining("once for every acquire()");
      assertHasPermits(2, semaphore);
    });
  }

  @Test
  void aBoundedSemaphoreWithoutPermitsRefusesEveryRelease() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = AsyncSemaphore.bounded(0);

      assertThatThrownBy(semaphore::release).isInstanceOf(IllegalStateException.class);
      assertThat(semaphore.locked()).isTrue();
    });
  }

  @Test
  void aTaskCancelledWhileItWaitsTakesNoPermit() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      Task<?> cancelled = acquirer(semaphore, "cancelled");
      acquirer(semaphore, "other");
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(cancelled.cancelled()).isTrue();
      assertThat(semaphore).hasToString("AsyncSemaphore[0 permits, 1 waiting]");

      semaphore.release();
      Loops.settle();
      assertThat(holders).containsExactly("other");
      assertHasPermits(0, semaphore);
    });
  }

  @Test
  void aTaskCancelledAfterItWasWokenReturnsThePermitToTheNext() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = AsyncSemaphore.bounded(1);
      semaphore.acquire();
      Task<?> woken = acquirer(semaphore, "woken");
      acquirer(semaphore, "next");
      Loops.settle();

      semaphore.release();
      woken.cancel();
      Loops.settle();

      assertThat(woken.cancelled()).isTrue();
      assertThat(holders).containsExactly("next");
      semaphore.release();
      assertHasPermits(1, semaphore);
    });
  }

  @Test
  void severalTasksCancelledAfterTheyWereWokenReturnAllTheirPermits() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      Task<?> first = acquirer(semaphore, "first");
      acquirer(semaphore, "second");
      Task<?> third = acquirer(semaphore, "third");
      acquirer(semaphore, "fourth");
      Loops.settle();

      semaphore.release();
      semaphore.release();
      semaphore.release();
      first.cancel();
      third.cancel();
      Loops.settle();

      assertThat(holders).containsExactly("second", "fourth");
      assertHasPermits(1, semaphore);
    });
  }

  @Test
  void thePermitOfACancelledTaskGoesToTheNewcomersWhoWaitedBehindIt() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      Task<?> woken = acquirer(semaphore, "woken");
      Loops.settle();

      semaphore.release();
      semaphore.release();
      acquirer(semaphore, "first newcomer"); // Ready behind the woken task, so it finds it gone.
      woken.cancel();
      acquirer(semaphore, "second newcomer");
      Loops.settle();

      assertThat(holders).containsExactly("first newcomer", "second newcomer");
      assertHasPermits(0, semaphore);
    });
  }

  @Test
  void theOnlyTaskCancelledAfterItWasWokenLeavesThePermit() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = AsyncSemaphore.bounded(1);
      semaphore.acquire();
      Task<?> woken = acquirer(semaphore, "woken");
      Loops.settle();

      semaphore.release();
      woken.cancel();
      Loops.settle();

      assertThat(holders).isEmpty();
      assertThatThrownBy(semaphore::release).as("it is there, once").hasMessageContaining("often");
      assertHasPermits(1, semaphore);
    });
  }

  @Test
  void aTaskCancelledInTheRoundBeforeTheReleaseDoesNotSwallowThePermit() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      Task<?> cancelled = acquirer(semaphore, "cancelled");
      acquirer(semaphore, "next");
      Loops.settle();

      cancelled.cancel();
      semaphore.release();
      Loops.settle();

      assertThat(holders).containsExactly("next");
      assertHasPermits(0, semaphore);
    });
  }

  @Test
  void aHeldPermitIsReleasedAtTheEndOfTheBlockHoweverItEnds() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = AsyncSemaphore.bounded(1);
      try (Held _ = semaphore.hold()) {
        assertThat(semaphore.locked()).isTrue();
      }
      assertHasPermits(1, semaphore);

      RuntimeException failure = new RuntimeException("x");
      assertThatThrownBy(
              () -> {
                try (Held _ = semaphore.hold()) {
                  throw failure;
                }
              })
          .isSameAs(failure);
      assertHasPermits(1, semaphore);
    });
  }

  @Test
  void aTaskCancelledBeforeItsBlockBeganReleasesNothing() {
    Loops.run(() -> {
      AsyncSemaphore semaphore = new AsyncSemaphore(0);
      Task<?> cancelled =
          Loop.running()
              .createTask(() -> {
                try (Held _ = semaphore.hold()) {
                  holders.add("cancelled");
                }
              });
      Loops.settle();

      cancelled.cancel();
      assertThatThrownBy(cancelled::await).isInstanceOf(CancelledError.class);

      assertThat(holders).isEmpty();
      assertHasPermits(0, semaphore);
    });
  }
}
