package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LoopTest {
  @Test
  void callbacksRunInOrderAmongTheStepsOfTasks() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      loop.callSoon(() -> order.add("callback 1"));
      loop.createTask(() -> order.add("task 1"));
      loop.callSoon(() -> order.add("callback 2"));
      loop.callSoon(() -> order.add("callback 3"));
      loop.createTask(() -> order.add("task 2"));
      Loops.settle();

      assertThat(order)
          .containsExactly("callback 1", "task 1", "callback 2", "callback 3", "task 2");
    });
  }

  @Test
  void aCallbackThatSchedulesItselfDoesNotStarveOthers() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      int[] calls = {0};
      Runnable[] again = new Runnable[1];
      again[0] =
          () -> {
            calls[0]++;
            loop.callSoon(again[0]);
          };
      loop.callSoon(again[0]);

      loop.sleep(Duration.ofMillis(1)); // A timer gets its turn only between rounds.

      assertThat(calls[0]).isPositive();
      again[0] = () -> {};
    });
  }

  @Test
  void aCancelledCallbackDoesNotRun() {
    Loops.run(() -> {
      List<String> calls = new ArrayList<>();
      Handle handle = Loop.running().callSoon(() -> calls.add("called"));

      handle.cancel();
      handle.cancel();
      Loops.settle();

      assertThat(handle.cancelled()).isTrue();
      assertThat(calls).isEmpty();
    });
  }

  @Test
  void aCallbackThatRanIsNotCancelledAfterwards() {
    Loops.run(() -> {
      Handle handle = Loop.running().callSoon(() -> {});
      Loops.settle();

      handle.cancel();

      assertThat(handle.cancelled()).isFalse();
    });
  }

  @Test
  void timersFireInTheOrderOfTheirDeadlinesAndTiesInTheOrderOfTheirMaking() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      Duration soon = loop.time().plusMillis(5);
      loop.callAt(soon.plusNanos(1), () -> order.add("last"));
      loop.callAt(soon, () -> order.add("first of two"));
      loop.callAt(soon, () -> order.add("second of two"));
      loop.callAt(Duration.ZERO, () -> order.add("past"));
      loop.callLater(Duration.ofMillis(-5), () -> order.add("negative"));

      Future<Object> done = loop.createFuture();
      loop.callAt(soon.plusNanos(2), () -> done.setResult("done"));
      done.await();

      assertThat(order)
          .containsExactly("past", "negative", "first of two", "second of two", "last");
    });
  }

  @Test
  void aTimerTellsWhenItIsDueAndDoesNotFireOnceCancelled() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> calls = new ArrayList<>();
      Duration when = loop.time().plusMillis(1);
      TimerHandle cancelled = loop.callAt(when, () -> calls.add("cancelled"));
      assertThat(cancelled.when()).isEqualTo(when);

      cancelled.cancel();
      loop.sleep(Duration.ofMillis(3));

      assertThat(calls).isEmpty();
      assertThat(cancelled.cancelled()).isTrue();
    });
  }

  @Test
  void anEarlierTimerIsNotSleptOverByALongerSleep() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Task<?> sleeper = loop.createTask(() -> loop.sleep(Duration.ofHours(1)));
      Loops.settle();

      loop.sleep(Duration.ofMillis(2)); // Would take the hour if the poll kept the first deadline.

      sleeper.cancel();
    });
  }

  @Test
  void aCancelledSleepLeavesNoTimer() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (int i = 0; i < 1_000; i++) {
        Task<?> sleeper = loop.createTask(() -> loop.sleep(Duration.ofHours(1)));
        loop.yieldNow();
        sleeper.cancel();
        loop.yieldNow();
      }
      Loops.settle();

      assertThat(loop.carrier.timers.size()).isLessThan(250);
    });
  }

  @Test
  void hugeAndNegativeDelaysAreCutAndNotOverflowed() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      TimerHandle never = loop.callLater(Duration.ofSeconds(Long.MAX_VALUE), () -> {});
      assertThat(never.when()).isGreaterThan(loop.time().plusDays(365));
      never.cancel();

      loop.sleep(Duration.ofSeconds(Long.MIN_VALUE)); // As zero: yields and goes on.
    });
  }

  @Test
  void callSoonThreadsafeWakesAnIdleLoop() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (int i = 0; i < 2_000; i++) {
        int number = i;
        Future<Integer> answer = loop.createFuture();
        loop.runInExecutor(() -> loop.callSoonThreadsafe(() -> answer.setResult(number)));

        assertThat(answer.await()).isEqualTo(number); // A lost wake-up hangs here.
      }
    });
  }

  @Test
  void callbacksFromOneThreadKeepTheirOrder() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<Integer> order = new ArrayList<>();
      Future<Object> last = loop.createFuture();
      loop.runInExecutor(
              () -> {
                for (int i = 0; i < 1_000; i++) {
                  int number = i;
                  loop.callSoonThreadsafe(() -> order.add(number));
                }
                return loop.callSoonThreadsafe(() -> last.setResult("x"));
              })
          .await();
      last.await();

      assertThat(order).isSorted().hasSize(1_000);
    });
  }

  @Test
  void runningLoopOutsideALoopIsRefusedAndSaysWhatToDo() {
    assertThatThrownBy(Loop::running)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop")
        .hasMessageContaining("Asyncio.run");
  }

  @Test
  void aThreadThatATaskStartsIsNotOnTheLoop() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (Thread.Builder kind : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
        CountDownLatch ended = new CountDownLatch(1);
        List<Throwable> thrown = new ArrayList<>();
        kind.start(() -> {
          try {
            Loop.running();
          } catch (Throwable e) {
            thrown.add(e);
          }
          ended.countDown();
        });
        loop.runInExecutor(
                () -> {
                  ended.await();
                  return null;
                })
            .await();

        assertThat(thrown).singleElement().isInstanceOf(IllegalStateException.class);
      }
    });
  }

  @Test
  void afterTheEndTheLoopRefusesAndSaysSo() {
    Loop loop = Loops.call(Loop::running);

    assertThat(loop.isClosed()).isTrue();
    assertThatThrownBy(() -> loop.callSoonThreadsafe(() -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> loop.createTask(() -> {})).hasMessageContaining("closed");
  }
}
