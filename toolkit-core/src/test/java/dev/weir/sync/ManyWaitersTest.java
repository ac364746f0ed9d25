package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.task.Action;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A row of ten thousand: whatever happens in it takes each task a few steps, and not the row's. */
class ManyWaitersTest {
  private static final int MANY = 10_000;

  /** A primitive for whose {@code waiting} tasks wait until {@code wakeAll} is run. */
  private record Subject(String name, Action waiting, Action wakeAll) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Subject> primitives() {
    return Stream.of(
        lock(), event(), condition(), semaphore(), barrier(), emptyQueue(), fullQueue());
  }

  private static Subject lock() {
    AsyncLock lock = new AsyncLock();
    Action waiting =
        () -> {
          if (lock.locked()) {
            lock.acquire();
            lock.release();
          } else {
            lock.acquire(); // The first leaves it locked.
          }
        };
    return new Subject("AsyncLock", waiting, lock::release);
  }

  private static Subject event() {
    AsyncEvent event = new AsyncEvent();
    return new Subject("AsyncEvent", event::await, event::set);
  }

  private static Subject condition() {
    AsyncCondition condition = new AsyncCondition();
    Action waiting =
        () -> {
          try (Held _ = condition.hold()) {
            condition.await();
          }
        };
    Action wakeAll =
        () -> {
          try (Held _ = condition.hold()) {
            condition.signalAll();
          }
        };
    return new Subject("AsyncCondition", waiting, wakeAll);
  }

  private static Subject semaphore() {
    AsyncSemaphore semaphore = new AsyncSemaphore(0);
    return new Subject("AsyncSemaphore", semaphore::acquire, () -> repeat(semaphore::release));
  }

  private static Subject barrier() {
    AsyncBarrier barrier = new AsyncBarrier(MANY + 1);
    return new Subject("AsyncBarrier", barrier::await, barrier::await);
  }

  private static Subject emptyQueue() {
    AsyncQueue<String> queue = new AsyncQueue<>();
    return new Subject("empty AsyncQueue", queue::get, () -> repeat(() -> queue.put("item")));
  }

  private static Subject fullQueue() {
    AsyncQueue<String> queue = new AsyncQueue<>(1);
    queue.putNowait("first");
    return new Subject("full AsyncQueue", () -> queue.put("item"), () -> repeat(queue::get));
  }

  private static void repeat(Runnable call) {
    for (int i = 0; i < MANY; i++) {
      call.run();
    }
  }

  private static List<Task<?>> startMany(Action waiting) {
    List<Task<?>> tasks = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      tasks.add(Loop.running().createTask(waiting));
    }
    Loops.settle();
    return tasks;
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void allAreWoken(Subject subject) {
    Loops.run(() -> {
      List<Task<?>> tasks = startMany(subject.waiting);

      subject.wakeAll.run();
      tasks.forEach(Task::await);

      assertThat(tasks).noneMatch(Task::cancelled);
    });
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void allAreCancelledFromTheLastToTheFirst(Subject subject) {
    Loops.run(() -> {
      List<Task<?>> tasks = startMany(subject.waiting);

      tasks.reversed().forEach(Task::cancel);
      Loops.settle();

      assertThat(tasks).allMatch(Task::done);
    });
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void allAreWokenAndCancelledBeforeTheyRun(Subject subject) {
    Loops.run(() -> {
      List<Task<?>> tasks = startMany(subject.waiting);

      Task<?> waker = Loop.running().createTask(subject.wakeAll);
      Loop.running().yieldNow();
      tasks.reversed().forEach(Task::cancel);
      Loops.settle();

      assertThat(tasks).allMatch(Task::done);
      waker.cancel();
    });
  }
}
