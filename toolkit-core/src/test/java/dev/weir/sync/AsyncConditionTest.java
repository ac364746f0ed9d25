package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AsyncConditionTest {
  private final AsyncCondition condition = new AsyncCondition();

  /** Who went on, in that order. */
  private final List<String> order = new ArrayList<>();

  /** A task that waits for one signal. */
  private Task<?> waiter(String name) {
    return Loop.running()
        .createTask(() -> {
          try (Held _ = condition.hold()) {
            condition.await();
            order.add(name);
          }
        });
  }

  private void signal(int count) {
    try (Held _ = condition.hold()) {
      condition.signal(count);
    }
  }

  /** The lock must be free and nobody wait; then one signal must wake one of two, and one more. */
  private void assertWorksAsNew() {
    assertThat(condition).hasToString("AsyncCondition[unlocked, 0 waiting]");
    order.clear();
    Task<?> first = waiter("first of two");
    Task<?> second = waiter("second of two");
    Loops.settle();
    assertThat(order).as("no signal is left over").isEmpty();

    signal(1);
    first.await();
    Loops.settle();
    assertThat(order).containsExactly("first of two");
    signal(1);
    second.await();
    assertThat(condition).hasToString("AsyncCondition[unlocked, 0 waiting]");
  }

  @Test
  void acquireReleaseAndLockedAreThoseOfTheLock() {
    AsyncLock lock = new AsyncLock();
    AsyncCondition shared = new AsyncCondition(lock);
    Loops.run(() -> {
      shared.acquire();
      assertThat(lock.locked()).isTrue();
      lock.release();
      assertThat(shared.locked()).isFalse();

      try (Held _ = lock.hold()) {
        assertThat(shared.locked()).isTrue();
      }
      assertThatThrownBy(shared::release)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not locked");
    });
  }

  @Test
  void awaitReleasesTheLockAndHoldsItAgainAfterwards() {
    Loops.run(() -> {
      Task<?> waiter =
          Loop.running()
              .createTask(() -> {
                try (Held _ = condition.hold()) {
                  condition.await();
                  assertThat(condition.locked()).as("after await()").isTrue();
                }
              });
      Loops.settle();
      assertThat(condition.locked()).as("while it waits").isFalse();

      signal(1);
      waiter.await();
      assertThat(condition.locked()).isFalse();
    });
  }

  @Test
  void aSignalledTaskRunsOnlyAfterTheSignallerReleasedTheLock() {
    Loops.run(() -> {
      Task<?> waiter = waiter("waiter");
      Loops.settle();

      condition.acquire();
      condition.signal();
      Loops.settle();
      assertThat(order).isEmpty();

      condition.release();
      waiter.await();
      assertThat(order).containsExactly("waiter");
      assertWorksAsNew();
    });
  }

  @Test
  void signalWakesOneSignalOfACountThatManyAndSignalAllTheRest() {
    Loops.run(() -> {
      for (int i = 1; i <= 6; i++) {
        waiter("task " + i);
      }
      Loops.settle();

      try (Held _ = condition.hold()) {
        condition.signal();
      }
      Loops.settle();
      assertThat(order).containsExactly("task 1");

      signal(2);
      Loops.settle();
      assertThat(order).containsExactly("task 1", "task 2", "task 3");

      try (Held _ = condition.hold()) {
        condition.signalAll();
      }
      Loops.settle();
      assertThat(order).containsExactly("task 1", "task 2", "task 3", "task 4", "task 5", "task 6");
      assertWorksAsNew();
    });
  }

  @Test
  void signalsWithNobodyThereAreNotKept() {
    Loops.run(() -> {
      signal(3);
      signal(0);
      signal(Integer.MAX_VALUE);

      assertWorksAsNew();
    });
  }

  @Test
  void aSignalOfNoneWakesNobody() {
    Loops.run(() -> {
      Task<?> waiter = waiter("waiter");
      Loops.settle();

      signal(0);
      Loops.settle();

      assertThat(waiter.done()).isFalse();
    });
  }

  @Test
  void aNegativeCountIsRefused() {
    Loops.run(() -> {
      condition.acquire();

      assertThatThrownBy(() -> condition.signal(-1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("count is negative: -1");
    });
  }

  @Test
  void withoutTheLockAwaitAndSignalAreRefusedAndSayWhatToDo() {
    Loops.run(() -> {
      assertThatThrownBy(condition::await)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("AsyncCondition.await() without its lock")
          .hasMessageContaining("condition.hold()");
      assertThatThrownBy(condition::signal)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("AsyncCondition.signal() without its lock");
      assertThatThrownBy(condition::signalAll)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("AsyncCondition.signalAll() without its lock");
      assertThatThrownBy(() -> condition.awaitUntil(() -> false))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("without its lock");

      assertWorksAsNew();
    });
  }

  @Test
  void awaitUntilDoesNotSuspendIfThePredicateHolds() {
    Loops.run(() -> {
      Loop.running().createTask(() -> order.add("other task"));
      try (Held _ = condition.hold()) {
        condition.awaitUntil(() -> true);
        order.add("test");
      }
      Loops.settle();

      assertThat(order).containsExactly("test", "other task");
    });
  }

  @Test
  void awaitUntilAsksAfterEverySignalAndWithTheLockHeld() {
    Loops.run(() -> {
      int[] value = {0};
      List<Boolean> locked = new ArrayList<>();
      Task<?> waiter =
          Loop.running()
              .createTask(() -> {
                try (Held _ = condition.hold()) {
                  condition.awaitUntil(() -> {
                    locked.add(condition.locked());
                    return value[0] == 2;
                  });
                }
              });
      Loops.settle();

      value[0] = 1;
      signal(1);
      Loops.settle();
      assertThat(waiter.done()).isFalse();
      value[0] = 2;
      Loops.settle();
      assertThat(waiter.done()).as("nobody asked again").isFalse();
      signal(1);
      waiter.await();

      assertThat(locked).containsExactly(true, true, true);
      assertWorksAsNew();
    });
  }

  @Test
  void whatThePredicateThrowsIsThrownWithTheLockHeld() {
    Loops.run(() -> {
      RuntimeException failure = new RuntimeException("x");
      condition.acquire();

      assertThatThrownBy(() ->
              condition.awaitUntil(() -> {
                throw failure;
              }))
          .isSameAs(failure);

      condition.release();
      assertWorksAsNew();
    });
  }

  @Test
  void conditionsThatShareALockAreSignalledEachForItself() {
    AsyncLock lock = new AsyncLock();
    AsyncCondition left = new AsyncCondition(lock);
    AsyncCondition right = new AsyncCondition(lock);
    Loops.run(() -> {
      for (AsyncCondition side : List.of(left, right)) {
        Loop.running()
            .createTask(() -> {
              try (Held _ = lock.hold()) {
                side.await();
                order.add(side == left ? "left" : "right");
              }
            });
      }
      Loops.settle();

      try (Held _ = right.hold()) {
        right.signalAll();
        assertThat(left.locked()).isTrue();
      }
      Loops.settle();
      assertThat(order).containsExactly("right");

      try (Held _ = right.hold()) {
        left.signal(); // The lock is held, whoever acquired it.
      }
      Loops.settle();
      assertThat(order).containsExactly("right", "left");
    });
  }

  @Test
  void aNullLockAndANullPredicateAreRefused() {
    assertThatThrownBy(() -> new AsyncCondition(null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("lock");
    Loops.run(() ->
        assertThatThrownBy(() -> condition.awaitUntil(null))
            .isInstanceOf(NullPointerException.class)
            .hasMessage("predicate"));
  }
}
