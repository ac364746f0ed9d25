package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.Action;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may call what: tasks of the loop on which a primitive first made a task wait. */
class LoopBindingTest {
  /**
   * A primitive, and every call on it by its name.
   *
   * @param primitive the primitive itself
   * @param waiting what makes a task wait
   * @param suspending calls that may wait
   * @param others calls that never wait
   */
  private record Subject(
      String name,
      Object primitive,
      Action waiting,
      Map<String, Action> suspending,
      Map<String, Action> others) {
    Map<String, Action> all() {
      Map<String, Action> all = new LinkedHashMap<>(suspending);
      all.putAll(others);
      return all;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Subject> primitives() {
    return Stream.of(
        lock(), event(), condition(), semaphore(), barrier(), emptyQueue(), fullQueue(), joined());
  }

  private static Subject lock() {
    AsyncLock lock = new AsyncLock();
    return new Subject(
        "AsyncLock",
        lock,
        () -> {
          lock.acquire();
          lock.acquire();
        },
        Map.of("acquire", lock::acquire, "hold", lock::hold),
        Map.of("release", lock::release, "locked", lock::locked));
  }

  private static Subject event() {
    AsyncEvent event = new AsyncEvent();
    return new Subject(
        "AsyncEvent",
        event,
        event::await,
        Map.of("await", event::await),
        Map.of("set", event::set, "clear", event::clear, "isSet", event::isSet));
  }

  private static Subject condition() {
    AsyncCondition condition = new AsyncCondition();
    return new Subject(
        "AsyncCondition",
        condition,
        () -> {
          condition.acquire();
          condition.await();
        },
        Map.of("await", condition::await, "awaitUntil", () -> condition.awaitUntil(() -> true)),
        Map.of("signal", condition::signal, "signalAll", condition::signalAll));
  }

  private static Subject semaphore() {
    AsyncSemaphore semaphore = new AsyncSemaphore(0);
    return new Subject(
        "AsyncSemaphore",
        semaphore,
        semaphore::acquire,
        Map.of("acquire", semaphore::acquire, "hold", semaphore::hold),
        Map.of("release", semaphore::release, "locked", semaphore::locked));
  }

  private static Subject barrier() {
    AsyncBarrier barrier = new AsyncBarrier(2);
    return new Subject(
        "AsyncBarrier",
        barrier,
        barrier::await,
        Map.of("await", barrier::await, "reset", barrier::reset, "abort", barrier::abort),
        Map.of("waiting", barrier::waiting, "broken", barrier::broken));
  }

  private static Subject emptyQueue() {
    AsyncQueue<String> queue = new AsyncQueue<>();
    return queue("empty AsyncQueue", queue, queue::get);
  }

  private static Subject fullQueue() {
    AsyncQueue<String> queue = new AsyncQueue<>(1);
    queue.putNowait("item");
    return queue("full AsyncQueue", queue, () -> queue.put("item"));
  }

  private static Subject joined() {
    AsyncQueue<String> queue = new AsyncQueue<>();
    queue.putNowait("item");
    return queue("joined AsyncQueue", queue, queue::join);
  }

  private static Subject queue(String name, AsyncQueue<String> queue, Action waiting) {
    return new Subject(
        name,
        queue,
        waiting,
        Map.of("put", () -> queue.put("item"), "get", queue::get, "join", queue::join),
        Map.of(
            "putNowait", () -> queue.putNowait("item"),
            "getNowait", queue::getNowait,
            "taskDone", queue::taskDone,
            "shutdown", queue::shutdown,
            "size", queue::size,
            "empty", queue::empty,
            "full", queue::full));
  }

  /** {@return what {@code call} throws on a thread of its own, or null} */
  private static @Nullable Throwable thrownElsewhere(Action call) {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                call.run();
              } catch (Throwable e) {
                thrown.set(e);
              }
            });
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return thrown.get();
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void onceATaskWaitedEveryCallOfAnotherLoopIsRefused(Subject subject) {
    Loops.run(() -> {
      Task<?> waiting = Loop.running().createTask(subject.waiting);
      Loops.settle();

      subject.suspending.forEach((name, call) ->
          assertThat(thrownElsewhere(() -> Loops.run(call)))
              .as(name)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("belongs to another loop")
              .hasMessageContaining("make one for each loop"));
      subject.others.forEach((name, call) ->
          assertThat(thrownElsewhere(() -> Loops.run(call)))
              .as(name)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("belongs to loop")
              .hasMessageContaining("callSoonThreadsafe"));
      assertThat(waiting.done()).isFalse();
    });
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void onceATaskWaitedEveryCallOfAThreadIsRefused(Subject subject) {
    Loops.run(() -> {
      Task<?> waiting = Loop.running().createTask(subject.waiting);
      Loops.settle();

      subject
          .all()
          .forEach((name, call) ->
              assertThat(thrownElsewhere(call)).as(name).isInstanceOf(IllegalStateException.class));
      assertThat(waiting.done()).isFalse();
    });
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void afterItsLoopHasClosedEveryCallIsRefused(Subject subject) {
    Loops.run(() -> {
      Loop.running().createTask(subject.waiting);
      Loops.settle();
    });

    subject.others.forEach((name, call) ->
        assertThatThrownBy(call::run)
            .as(name)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("closed"));
    subject.suspending.forEach((name, call) ->
        assertThatThrownBy(() -> Loops.run(call))
            .as(name)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("belongs to another loop"));
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void aCallThatMayWaitIsRefusedInACallbackAndSaysWhatToDo(Subject subject) {
    subject.suspending.forEach((name, call) ->
        Loops.run(() -> {
          List<ExceptionContext> errors = Loops.collectErrors();

          Loop.running().callSoon(() -> runUnchecked(call));
          Loops.settle();

          assertThat(errors)
              .as(name)
              .singleElement()
              .satisfies(error ->
                  assertThat(error.exception())
                      .isInstanceOf(IllegalStateException.class)
                      .hasMessageContaining("no task to suspend")
                      .hasMessageContaining("createTask"));
        }));
  }

  private static void runUnchecked(Action call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void aCallThatMayWaitIsRefusedOffTheLoopAndSaysWhatToDo(Subject subject) {
    subject.suspending.forEach((name, call) ->
        assertThatThrownBy(call::run)
            .as(name)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("No running loop")
            .hasMessageContaining("Asyncio.run"));
  }

  @ParameterizedTest
  @MethodSource("primitives")
  void anyThreadMayAskForItsString(Subject subject) {
    Loops.run(() -> {
      Task<?> waiting = Loop.running().createTask(subject.waiting);
      Loops.settle();

      Action asking = () -> assertThat(subject.primitive.toString()).startsWith("Async");
      assertThat(thrownElsewhere(asking)).isNull();
      assertThat(waiting.done()).isFalse();
    });
  }

  @Test
  void anyThreadMayAskForTheStringOfAConditionWhoseLockMadeATaskWait() {
    AsyncCondition condition = new AsyncCondition();
    Loops.run(() -> {
      condition.acquire();
      Loop.running().createTask(condition::acquire);
      Loops.settle();

      Action asking = () -> assertThat(condition).hasToString("AsyncCondition[locked, 0 waiting]");
      assertThat(thrownElsewhere(asking)).isNull();
    });
  }

  @Test
  void theMessageNamesThePrimitiveAndTheCall() {
    AsyncLock lock = new AsyncLock();
    Loops.run(() -> {
      Task<?> waiting =
          Loop.running()
              .createTask(() -> {
                lock.acquire();
                lock.acquire();
              });
      Loops.settle();

      assertThat(thrownElsewhere(lock::release)).hasMessageContaining("AsyncLock.release()");
      assertThat(thrownElsewhere(() -> Loops.run(lock::acquire)))
          .hasMessageContaining("This AsyncLock belongs to another loop");
      waiting.cancel();
    });
  }

  @Test
  void whatMadeNobodyWaitMayBeUsedOnOneLoopAfterAnother() {
    AsyncLock lock = new AsyncLock();
    AsyncSemaphore semaphore = new AsyncSemaphore(1);
    AsyncEvent event = new AsyncEvent();
    AsyncCondition condition = new AsyncCondition();
    AsyncBarrier barrier = new AsyncBarrier(1);
    AsyncQueue<String> queue = new AsyncQueue<>(1);
    event.set();

    for (int i = 0; i < 2; i++) {
      Loops.run(() -> {
        try (Held _ = lock.hold();
            Held _ = semaphore.hold();
            Held _ = condition.hold()) {
          event.await();
          condition.awaitUntil(() -> true);
          condition.signalAll();
          barrier.await();
          queue.put("item");
          queue.get();
          queue.taskDone();
          queue.join();
        }
      });
    }

    assertThat(lock.locked()).isFalse();
    assertThat(semaphore.locked()).isFalse();
  }

  @Test
  void aQueueMayBeFilledBeforeTheLoopRuns() {
    AsyncQueue<String> queue = new AsyncQueue<>();
    queue.putNowait("a");
    queue.putNowait("b");

    String first = Loops.call(queue::get);

    assertThat(first).isEqualTo("a");
    assertThat(queue.size()).isEqualTo(1);
  }
}
