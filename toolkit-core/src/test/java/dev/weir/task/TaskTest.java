package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TaskTest {
  private static final Duration LONG = Duration.ofHours(1);

  @Test
  void aTaskBeginsInTheNextRoundAndNotInCreateTask() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Task<?> task = Loop.running().createTask(() -> order.add("task"));
      order.add("creator");
      task.await();

      assertThat(order).containsExactly("creator", "task");
    });
  }

  @Test
  void tasksRunInTheOrderOfTheirMaking() {
    Loops.run(() -> {
      List<Integer> order = new ArrayList<>();
      List<Task<?>> tasks = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        int number = i;
        tasks.add(Loop.running().createTask(() -> order.add(number)));
      }
      tasks.forEach(Task::await);

      assertThat(order).isSorted().hasSize(100);
    });
  }

  @Test
  void aTaskFailsWithWhatItsCoroutineThrows() {
    Loops.run(() -> {
      IOException failure = new IOException("x");
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                throw failure;
              });

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.exception()).isSameAs(failure);
    });
  }

  @Test
  void cancelThrowsWhereTheTaskWaits() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                try {
                  Loop.running().sleep(LONG);
                } catch (CancelledError e) {
                  order.add("cancelled: " + e.getMessage());
                  throw e;
                }
              });
      Loops.settle();

      assertThat(task.cancel("stop")).isTrue();
      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("stop");

      assertThat(order).containsExactly("cancelled: stop");
      assertThat(task.cancelled()).isTrue();
      assertThat(task.cancel()).as("done").isFalse();
    });
  }

  @Test
  void aTaskCancelledBeforeItBeginsNeverBegins() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Task<?> task = Loop.running().createTask(() -> order.add("began"));

      task.cancel();
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
      assertThat(order).isEmpty();
    });
  }

  @Test
  void cancellingATaskThatAwaitsAnotherCancelsThatOne() {
    Loops.run(() -> {
      Task<?> inner = Loop.running().createTask(() -> Loop.running().sleep(LONG));
      Task<?> outer = Loop.running().createTask(() -> inner.await());
      Loops.settle();

      outer.cancel();
      Loops.settle();

      assertThat(inner.cancelled()).isTrue();
      assertThat(outer.cancelled()).isTrue();
    });
  }

  @Test
  void aTaskThatSwallowsTheCancellationHasAResultAndKeepsTheCount() {
    Loops.run(() -> {
      Task<String> task =
          Loop.running()
              .createTask(() -> {
                try {
                  Loop.running().sleep(LONG);
                } catch (CancelledError e) {
                  return "stayed";
                }
                return "slept";
              });
      Loops.settle();
      task.cancel();

      assertThat(task.await()).isEqualTo("stayed");
      assertThat(task.cancelled()).isFalse();
      assertThat(task.cancelling()).isEqualTo(1);
    });
  }

  @Test
  void twoCancelsBeforeTheTaskRunsThrowOnceAndCountTwice() {
    Loops.run(() -> {
      List<String> thrown = new ArrayList<>();
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                try {
                  Loop.running().sleep(LONG);
                } catch (CancelledError e) {
                  thrown.add("first");
                }
                Loop.running().yieldNow(); // The second request was thrown with the first.
                thrown.add("went on");
              });
      Loops.settle();
      task.cancel();
      assertThat(task.cancelling()).isEqualTo(1);
      task.cancel();
      assertThat(task.cancelling()).isEqualTo(2);
      Loops.settle();

      assertThat(thrown).containsExactly("first", "went on");
      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void uncancelTakesBackARequestThatWasNotThrownYet() {
    Loops.run(() -> {
      Task<String> task =
          Loop.running()
              .createTask(() -> {
                Task<?> self = Loop.currentTask();
                self.cancel();
                assertThat(self.cancelling()).isEqualTo(1);
                assertThat(self.uncancel()).isZero();
                assertThat(self.uncancel()).as("never below zero").isZero();
                Loop.running().yieldNow();
                return "went on";
              });

      assertThat(task.await()).isEqualTo("went on");
    });
  }

  @Test
  void aTaskThatCancelsItselfIsThrownOutOfItsNextSuspension() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                Loop.currentTask().cancel();
                order.add("before");
                Loop.running().sleep(LONG);
                order.add("after");
              });
      Loops.settle();

      assertThat(order).containsExactly("before");
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void aTaskThatReturnsWithACancellationPendingEndsCancelled() {
    Loops.run(() -> {
      Task<String> task =
          Loop.running()
              .createTask(() -> {
                Loop.currentTask().cancel();
                return "ignored";
              });
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void cancellingInTheRoundInWhichTheResultCameCancels() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> task = Loop.running().createTask(() -> future.await());
      Loops.settle();

      future.setResult("there"); // The task is woken and has not run yet.
      task.cancel();
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
      assertThat(future.result()).isEqualTo("there");
    });
  }

  @Test
  void awaitingItselfIsRefused() {
    Loops.run(() -> {
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                Loop.currentTask().await();
              });

      assertThatThrownBy(task::await)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("awaits itself");
    });
  }

  @Test
  void settingTheResultOfATaskIsRefused() {
    Loops.run(() -> {
      Task<String> task = Loop.running().createTask(() -> "own");

      assertThatThrownBy(() -> task.setResult("other")).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> task.setException(new IOException()))
          .isInstanceOf(IllegalStateException.class);
      assertThat(task.await()).isEqualTo("own");
    });
  }

  @Test
  void namesAreGivenOrNumbered() {
    Loops.run(() -> {
      assertThat(Loop.running().createTask(() -> {}, "mine").name()).isEqualTo("mine");
      assertThat(Loop.running().createTask(() -> {}).name()).matches("Task-\\d+");
    });
  }

  @Test
  void currentTaskIsTheTaskAndNullInACallback() {
    Loops.run(() -> {
      Task<Task<?>> task = Loop.running().createTask(() -> Loop.currentTask());
      assertThat(task.await()).isSameAs(task);

      List<Object> seen = new ArrayList<>();
      Loop.running().callSoon(() -> seen.add(Loop.currentTask() == null));
      Loops.settle();
      assertThat(seen).containsExactly(true);
    });
  }

  @Test
  void twoTasksOfALoopNeverRunAtTheSameTime() {
    int tasks = 50;
    int steps = 200;
    int[] counter = {0};

    Loops.run(() -> {
      List<Task<?>> all = new ArrayList<>();
      for (int i = 0; i < tasks; i++) {
        all.add(
            Loop.running()
                .createTask(() -> {
                  for (int step = 0; step < steps; step++) {
                    int seen = counter[0];
                    Thread.onSpinWait();
                    counter[0] = seen + 1;
                    Loop.running().yieldNow();
                  }
                }));
      }
      all.forEach(Task::await);
    });

    assertThat(counter[0]).isEqualTo(tasks * steps);
  }
}
