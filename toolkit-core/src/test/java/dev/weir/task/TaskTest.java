package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TaskTest {
  @Test
  void aTaskBeginsInTheNextRoundAndNotInCreateTask() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Task<?> task = Asyncio.createTask(() -> order.add("task"));
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
        tasks.add(Asyncio.createTask(() -> order.add(number)));
      }
      tasks.forEach(Task::await);

      assertThat(order).isSorted().hasSize(100);
    });
  }

  @Test
  void aTaskHasTheResultOfItsCoroutineForEverybodyWhoAwaitsIt() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "result");
      Task<String> first = Asyncio.createTask(() -> "first " + task.await());
      Task<String> second = Asyncio.createTask(() -> "second " + task.await());

      assertThat(first.await()).isEqualTo("first result");
      assertThat(second.await()).isEqualTo("second result");
      assertThat(task.await()).isEqualTo("result");
      assertThat(task.result()).isEqualTo("result");
      assertThat(task.exception()).isNull();
    });
  }

  @Test
  void aTaskFailsWithWhatItsCoroutineThrows() {
    Loops.run(() -> {
      IOException failure = new IOException("x");
      Task<?> task = Loops.failing(failure);

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.exception()).isSameAs(failure);
      assertThat(task.done()).isTrue();
      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void anErrorOfACoroutineIsItsFailureAndLeavesTheLoopRunning() {
    Loops.run(() -> {
      StackOverflowError error = new StackOverflowError();
      Task<?> task =
          Asyncio.createTask(() -> {
            throw error;
          });

      assertThatThrownBy(task::await).isSameAs(error);
      assertThat(Asyncio.<String>createTask(() -> "runs").await()).isEqualTo("runs");
    });
  }

  @Test
  void askingATaskThatIsNotDoneForItsResultIsRefused() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      assertThatThrownBy(task::result)
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("Result is not set.")
          .hasMessageContaining("await()");
      assertThatThrownBy(task::exception)
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("Exception is not set.");
      assertThat(task.done()).isFalse();
    });
  }

  @Test
  void doneCallbacksOfATaskAreCalledWithItAndCanBeTakenBack() {
    Loops.run(() -> {
      List<Object> calls = new ArrayList<>();
      Task<String> task = Asyncio.createTask(() -> "x");
      Consumer<Future<String>> takenBack = future -> calls.add("taken back");
      task.addDoneCallback(calls::add);
      task.addDoneCallback(takenBack);

      assertThat(task.removeDoneCallback(takenBack)).isEqualTo(1);
      Loops.settle();

      assertThat(calls).containsExactly(task);
    });
  }

  @Test
  void aTaskNeedsARunningLoop() {
    assertThatThrownBy(() -> Asyncio.createTask(() -> "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop")
        .hasMessageContaining("Asyncio.run");
  }

  @Test
  void aTaskCanBeMadeInACallback() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Loop.running().callSoon(() -> Asyncio.createTask(() -> order.add("task")));
      Loops.settle();

      assertThat(order).containsExactly("task");
    });
  }

  @Test
  void aNullCoroutineIsRefusedAndMakesNoTask() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Asyncio.createTask((Coroutine<String>) null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");
      assertThatThrownBy(() -> Asyncio.createTask((Action) null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");
      assertThatThrownBy(() -> Asyncio.background(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");

      assertThat(Asyncio.allTasks()).containsExactly(Asyncio.currentTask());
    });
  }

  @Test
  void settingTheResultOfATaskIsRefusedAndSaysWhatToUse() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "own");

      assertThatThrownBy(() -> task.setResult("other"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("its coroutine")
          .hasMessageContaining("createFuture()");
      assertThatThrownBy(() -> task.setException(new IOException()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("its coroutine")
          .hasMessageContaining("createFuture()");
      assertThat(task.await()).isEqualTo("own");
    });
  }

  @Test
  void awaitingItselfIsRefused() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(() -> Asyncio.currentTask().await(), "narcissus");

      assertThatThrownBy(task::await)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("narcissus")
          .hasMessageContaining("awaits itself")
          .hasMessageContaining("await another task");
    });
  }

  @Test
  void awaitingAFutureOfAnotherLoopThatRunsIsRefused() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThat(ForeignThread.TASK_OF_ANOTHER_LOOP.thrownBy(future::await))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("belongs to loop");
    });
  }

  @Test
  void awaitingAFutureOfAnotherLoopThatStandsStillIsRefused() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> future = other.createFuture();

        assertThatThrownBy(future::await)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("another loop")
            .hasMessageContaining(other.carrier.thread.getName())
            .hasMessageContaining("runCoroutineThreadsafe");
      }
    });
  }

  @Test
  void currentTaskIsTheTaskThatCalls() {
    Loops.run(() -> {
      Task<Task<?>> task = Asyncio.createTask(() -> Asyncio.currentTask());
      Task<?> main = Asyncio.currentTask();

      assertThat(task.await()).isSameAs(task);
      assertThat(Asyncio.currentTask()).as("after a switch").isSameAs(main).isNotSameAs(task);
    });
  }

  @Test
  void thereIsNoCurrentTaskInACallback() {
    Loops.run(() -> {
      CompletableFuture<Object> seen = new CompletableFuture<>();
      Loop.running().callSoon(() -> seen.complete(Asyncio.currentTask()));
      Loops.settle();

      assertThat(seen).isCompletedWithValue(null);
    });
  }

  @Test
  void currentTaskNeedsARunningLoop() {
    assertThatThrownBy(Asyncio::currentTask)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  @Test
  void allTasksAreThoseThatAreNotDoneInTheOrderOfTheirMaking() {
    Loops.run(() -> {
      Task<?> main = Asyncio.currentTask();
      Task<?> first = Loops.sleeper();
      Task<?> ended = Asyncio.createTask(() -> "x");
      Task<?> last = Asyncio.createTask(() -> {});
      assertThat(Asyncio.allTasks()).containsExactly(main, first, ended, last);

      ended.await();
      first.cancel();

      assertThat(Asyncio.allTasks()).as("asked to end, not done").contains(first);
      Loops.settle();
      assertThat(Asyncio.allTasks()).containsExactly(main);
    });
  }

  @Test
  void allTasksIsACopyOfTheCallers() {
    Loops.run(() -> {
      Set<Task<?>> before = Asyncio.allTasks();
      Task<?> task = Loops.sleeper();

      assertThat(before).doesNotContain(task);
      before.clear();
      assertThat(Asyncio.allTasks()).contains(task);
    });
  }

  @Test
  void aSignalExceptionIsTheFailureOfItsTaskAndEndsTheRunOfTheLoop() {
    SignalException signal = new SignalException("INT", 2, null);
    List<String> order = new ArrayList<>();
    try (Loop loop = Loops.open()) {
      Task<?> task =
          loop.createTask(() -> {
            throw signal;
          });
      loop.callSoon(() -> order.add("behind it"));

      assertThatThrownBy(loop::runForever).isSameAs(signal);
      assertThat(order).as("the run ended at once").isEmpty();
      assertThat(task.exception()).isSameAs(signal);

      loop.runUntilComplete(() -> order.add("next run"));
      assertThat(order).containsExactly("behind it", "next run");
    }
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
            Asyncio.createTask(() -> {
              for (int step = 0; step < steps; step++) {
                int seen = counter[0];
                Thread.onSpinWait();
                counter[0] = seen + 1;
                Asyncio.yieldNow();
              }
            }));
      }
      all.forEach(Task::await);
    });

    assertThat(counter[0]).isEqualTo(tasks * steps);
  }
}
