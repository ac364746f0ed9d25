package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
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
  void whatACallbackAddsRunsInTheNextRound() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      loop.callSoon(() -> {
        order.add("first");
        loop.callSoon(() -> order.add("added"));
      });
      loop.callSoon(() -> order.add("second"));
      loop.createTask(() -> order.add("task"));

      loop.yieldNow();
      assertThat(order).containsExactly("first", "second", "task");

      loop.yieldNow();
      assertThat(order).containsExactly("first", "second", "task", "added");
    });
  }

  @Test
  void callbacksThatScheduleEachOtherDoNotStarveTheIo() {
    AtomicInteger polls = new AtomicInteger();
    try (Runner runner =
        new Runner(
            RunOptions.defaults(),
            (transport, context) ->
                new ObservedDriver(context, polls::incrementAndGet, () -> {}))) {
      runner.run(() -> {
        Loop loop = Loop.running();
        int pollsBefore = polls.get();
        Future<Object> polled = loop.createFuture();
        Runnable[] again = new Runnable[1];
        again[0] =
            () -> {
              if (polls.get() >= pollsBefore + 10) {
                polled.setResult("x");
              } else {
                loop.callSoon(again[0]);
              }
            };
        loop.callSoon(again[0]);

        polled.await(); // Hangs if it is never polled.
      });
    }
  }

  @Test
  void aCallbackIsNoTaskAndCannotSuspend() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<ExceptionContext> errors = Loops.collectErrors();
      List<Object> current = new ArrayList<>();
      Future<Object> pending = loop.createFuture();

      loop.callSoon(() -> current.add(Loop.currentTask()));
      loop.callSoon(() -> pending.await());
      loop.callSoon(() -> loop.sleep(Duration.ofMillis(1)));
      loop.callSoon(() -> loop.yieldNow());
      Loops.settle();

      assertThat(current).containsExactly((Object) null);
      assertThat(errors)
          .hasSize(3)
          .allSatisfy(error ->
              assertThat(error.exception())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("there is no task to suspend")
                  .hasMessageContaining("loop.createTask(() -> ...)"));
    });
  }

  @Test
  void timersThatAreDueTogetherFireInOneRound() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      loop.callAt(
          Duration.ZERO,
          () -> {
            order.add("first timer");
            loop.callSoon(() -> order.add("callback"));
          });
      loop.callAt(Duration.ofNanos(1), () -> order.add("second timer"));
      Loops.settle();

      assertThat(order).containsExactly("first timer", "second timer", "callback");
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
  void theClockNeverGoesBackAndAnyThreadMayAsk() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Duration before = loop.time();
      Duration elsewhere = loop.<Duration>runInExecutor(loop::time).await();
      Duration after = loop.time();

      assertThat(List.of(before, elsewhere, after)).isSorted();
    });
  }

  @Test
  void schedulingFromAnotherThreadIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.runInExecutor(
              () -> {
                assertNamesTheWayOver(() -> loop.callSoon(() -> {}), "Loop.callSoon()");
                assertNamesTheWayOver(
                    () -> loop.callLater(Duration.ZERO, () -> {}), "Loop.callLater()");
                assertNamesTheWayOver(() -> loop.callAt(Duration.ZERO, () -> {}), "Loop.callAt()");
                assertNamesTheWayOver(() -> loop.createTask(() -> {}), "Loop.createTask()");
                assertNamesTheWayOver(loop::createFuture, "Loop.createFuture()");
                assertNamesTheWayOver(loop::allTasks, "Loop.allTasks()");
                assertNamesTheWayOver(() -> loop.setTaskFactory(null), "Loop.setTaskFactory()");
                assertNamesTheWayOver(
                    () -> loop.setExceptionHandler(null), "Loop.setExceptionHandler()");
                return null;
              })
          .await();
    });
  }

  private static void assertNamesTheWayOver(Runnable call, String name) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("-worker-")
        .hasMessageContaining("loop.callSoonThreadsafe(() -> ...)");
  }

  @Test
  void nothingCannotBeScheduled() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Runnable callback = () -> {};

      assertThatThrownBy(() -> loop.callSoon(null)).hasMessage("callback");
      assertThatThrownBy(() -> loop.callSoon(callback, null)).hasMessage("context");
      assertThatThrownBy(() -> loop.callSoonThreadsafe(null)).hasMessage("callback");
      assertThatThrownBy(() -> loop.callLater(null, callback))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("delay");
      assertThatThrownBy(() -> loop.callLater(Duration.ZERO, null)).hasMessage("callback");
      assertThatThrownBy(() -> loop.callAt(null, callback))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("when");
      assertThatThrownBy(() -> loop.sleep(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("delay");
      assertThatThrownBy(() -> loop.createTask((Coroutine<?>) null))
          .hasMessageContaining("coroutine is null");
      assertThatThrownBy(() -> loop.createTask((Action) null))
          .hasMessageContaining("coroutine is null");
    });
  }

  @Test
  void aTaskFactoryMakesTheTasksUntilNullPutsTheDefaultBack() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      assertThat(loop.taskFactory()).isSameAs(TaskFactory.LAZY);
      TaskFactory naming =
          new TaskFactory() {
            @Override
            public <T> Task<T> createTask(Loop on, Coroutine<T> coroutine, TaskOptions options) {
              assertThat(on).isSameAs(loop);
              return LAZY.createTask(on, coroutine, options.withName("made of " + options.name()));
            }
          };

      loop.setTaskFactory(naming);
      assertThat(loop.taskFactory()).isSameAs(naming);
      assertThat(loop.createTask(() -> {}, "wood").name()).isEqualTo("made of wood");
      assertThat(loop.<String>createTask(() -> "result").await()).isEqualTo("result");

      loop.setTaskFactory(null);
      assertThat(loop.createTask(() -> {}, "wood").name()).isEqualTo("wood");
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
