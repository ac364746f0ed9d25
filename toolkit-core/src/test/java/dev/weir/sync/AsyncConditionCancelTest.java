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

/** A task that waits for a condition, cancelled at every point of its way. */
class AsyncConditionCancelTest {
  private final AsyncCondition condition = new AsyncCondition();

  /** What happened, in that order. */
  private final List<String> order = new ArrayList<>();

  /** A task that waits for one signal, and notes whether it holds the lock when it is cancelled. */
  private Task<?> waiter(String name) {
    return Loop.running()
        .createTask(() -> {
          try (Held _ = condition.hold()) {
            condition.await();
            order.add(name);
          } catch (CancelledError e) {
            order.add(name + " cancelled: " + e.getMessage());
            throw e;
          }
        });
  }

  private void signal() {
    try (Held _ = condition.hold()) {
      condition.signal();
    }
  }

  private void assertWorksAsNew() {
    assertThat(condition).hasToString("AsyncCondition[unlocked, 0 waiting]");
    order.clear();
    Task<?> first = waiter("first of two");
    waiter("second of two");
    Loops.settle();
    assertThat(order).as("no signal is left over").isEmpty();

    signal();
    first.await();
    Loops.settle();
    assertThat(order).containsExactly("first of two");
  }

  @Test
  void cancelledBeforeTheSignalItLeavesTheSignalToTheOthers() {
    Loops.run(() -> {
      Task<?> cancelled = waiter("cancelled");
      Task<?> other = waiter("other");
      Loops.settle();

      cancelled.cancel("stop");
      signal();
      Loops.settle();

      assertThat(cancelled.cancelled()).isTrue();
      assertThat(other.done()).isTrue();
      assertThat(order).containsExactly("cancelled cancelled: stop", "other");
      assertWorksAsNew();
    });
  }

  @Test
  void cancelledItHoldsTheLockWhenTheErrorIsThrown() {
    Loops.run(() -> {
      List<Boolean> locked = new ArrayList<>();
      Task<?> cancelled =
          Loop.running()
              .createTask(() -> {
                condition.acquire();
                try {
                  condition.await();
                } finally {
                  locked.add(condition.locked());
                  condition.release();
                }
              });
      Loops.settle();

      cancelled.cancel();
      assertThatThrownBy(cancelled::await).isInstanceOf(CancelledError.class);

      assertThat(locked).containsExactly(true);
      assertWorksAsNew();
    });
  }

  @Test
  void cancelledItWaitsForTheLockBeforeTheErrorIsThrown() {
    Loops.run(() -> {
      Task<?> cancelled = waiter("cancelled");
      Loops.settle();

      condition.acquire();
      cancelled.cancel("stop");
      Loops.settle();
      assertThat(order).as("the test holds the lock").isEmpty();

      condition.release();
      Loops.settle();
      assertThat(order).containsExactly("cancelled cancelled: stop");
      assertWorksAsNew();
    });
  }

  @Test
  void cancelledAfterTheSignalAndBeforeItRanItPassesTheSignalOn() {
    Loops.run(() -> {
      Task<?> signalled = waiter("signalled");
      Task<?> next = waiter("next");
      Loops.settle();

      signal();
      signalled.cancel("stop");
      Loops.settle();

      assertThat(signalled.cancelled()).isTrue();
      assertThat(next.done()).isTrue();
      assertThat(order).containsExactly("signalled cancelled: stop", "next");
      assertWorksAsNew();
    });
  }

  @Test
  void cancelledWhileItWaitsForTheLockAgainItPassesTheSignalOn() {
    Loops.run(() -> {
      Task<?> signalled = waiter("signalled");
      Task<?> next = waiter("next");
      Loops.settle();

      condition.acquire();
      condition.signal();
      Loops.settle();
      signalled.cancel("stop");
      Loops.settle();
      assertThat(order).as("the test holds the lock").isEmpty();
      assertThat(next.done()).isFalse();

      condition.release();
      Loops.settle();

      assertThat(signalled.cancelled()).isTrue();
      assertThat(order).containsExactly("signalled cancelled: stop", "next");
      assertWorksAsNew();
    });
  }

  @Test
  void cancelledOnceMoreWhileItWaitsForTheLockItThrowsTheLatestError() {
    Loops.run(() -> {
      Task<?> cancelled = waiter("cancelled");
      Loops.settle();

      condition.acquire();
      for (String message : List.of("in await()", "for the lock", "for the lock again")) {
        cancelled.cancel(message);
        Loops.settle();
        assertThat(cancelled.done()).as("the test holds the lock").isFalse();
      }
      condition.release();
      Loops.settle();

      assertThat(order).containsExactly("cancelled cancelled: for the lock again");
      assertThat(cancelled.cancelling()).isEqualTo(3);
      assertWorksAsNew();
    });
  }

  @Test
  void cancelledAfterTheLockWasHandedToItItHandsTheLockOnAndComesBackForIt() {
    Loops.run(() -> {
      Task<?> signalled = waiter("signalled");
      Loops.settle();
      condition.acquire();
      condition.signal();
      Loops.settle();
      Task<?> newcomer =
          Loop.running()
              .createTask(() -> {
                try (Held _ = condition.hold()) {
                  order.add("newcomer");
                }
              });
      Loops.settle();

      condition.release();
      signalled.cancel("stop");
      Loops.settle();

      assertThat(newcomer.done()).isTrue();
      assertThat(order).containsExactly("newcomer", "signalled cancelled: stop");
      assertWorksAsNew();
    });
  }

  @Test
  void aSignalPassedOnWithNobodyElseThereIsGone() {
    Loops.run(() -> {
      Task<?> signalled = waiter("signalled");
      Loops.settle();

      signal();
      signalled.cancel();
      Loops.settle();

      assertThat(signalled.cancelled()).isTrue();
      assertWorksAsNew();
    });
  }

  @Test
  void aSignalGoesPastEveryTaskThatIsCancelledInTheSameRound() {
    Loops.run(() -> {
      Task<?> first = waiter("first");
      Task<?> second = waiter("second");
      waiter("third");
      waiter("fourth");
      Loops.settle();

      second.cancel("stop");
      signal();
      first.cancel("stop");
      Loops.settle();

      // One more than was signalled: allowed, as nobody knows whether the second had been.
      assertThat(order)
          .containsExactly("second cancelled: stop", "first cancelled: stop", "third", "fourth");
      assertWorksAsNew();
    });
  }

  @Test
  void awaitUntilLosesNoSignalToACancelledTask() {
    Loops.run(() -> {
      int[] tokens = {0};
      List<Task<?>> takers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        takers.add(
            Loop.running()
                .createTask(() -> {
                  try (Held _ = condition.hold()) {
                    condition.awaitUntil(() -> tokens[0] > 0);
                    tokens[0]--;
                  }
                }));
      }
      Loops.settle();

      try (Held _ = condition.hold()) {
        tokens[0]++;
        condition.signal();
      }
      takers.getFirst().cancel();
      Loops.settle();

      assertThat(tokens[0]).isZero();
      assertThat(takers).extracting(Task::done).containsExactly(true, true, false);
      assertThat(condition).hasToString("AsyncCondition[unlocked, 1 waiting]");
    });
  }

  @Test
  void aTimeoutEndsTheWaitWithTheLockHeldAgain() {
    Loops.run(() -> {
      condition.acquire();

      assertThatThrownBy(() -> Timeout.after(Duration.ZERO).run(_ -> condition.await()))
          .isInstanceOf(TimeoutException.class);

      assertThat(condition.locked()).isTrue();
      condition.release();
      assertWorksAsNew();
    });
  }

  @Test
  void exclusiveCodeThatAwaitsIsRefusedWithTheLockHeldStill() {
    Loops.run(() -> {
      condition.acquire();

      assertThatThrownBy(() -> Loop.running().exclusive(() -> condition.await()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("exclusive");

      assertThat(condition.locked()).isTrue();
      condition.release();
      assertWorksAsNew();
    });
  }

  @Test
  void exclusiveCodeThatAwaitsIsRefusedBeforeTheLockGoesToWhoeverWaitsForIt() {
    Loops.run(() -> {
      condition.acquire();
      Task<?> other =
          Loop.running()
              .createTask(() -> {
                condition.acquire();
                order.add("other has it");
              });
      Loops.settle();

      assertThatThrownBy(() -> Loop.running().exclusive(() -> condition.await()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("AsyncCondition.await()")
          .hasMessageContaining("exclusive");
      Loops.settle();

      assertThat(condition.locked()).isTrue();
      assertThat(order).isEmpty();
      condition.release();
      other.await();
      condition.release();
      assertWorksAsNew();
    });
  }
}
