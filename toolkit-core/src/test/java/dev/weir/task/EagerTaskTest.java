package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EagerTaskTest {
  private static final TaskOptions EAGER = TaskOptions.defaults().withEager(true);

  private final List<String> order = new ArrayList<>();

  @Test
  void anEagerTaskRunsToItsFirstSuspensionInsideCreateTask() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(
              () -> {
                order.add("begins");
                Asyncio.yieldNow();
                order.add("goes on");
              },
              EAGER);
      order.add("creator");
      task.await();

      assertThat(order).containsExactly("begins", "creator", "goes on");
    });
  }

  @Test
  void anEagerTaskThatNeverSuspendsIsDoneWhenCreateTaskReturns() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x", EAGER);

      assertThat(task.done()).isTrue();
      assertThat(task.result()).isEqualTo("x");
      assertThat(Asyncio.allTasks()).containsExactly(Asyncio.currentTask());
    });
  }

  @Test
  void nothingElseRunsBetweenAnEagerTaskAndItsCreator() {
    Loops.run(() -> {
      Asyncio.createTask(() -> order.add("ready task"));
      Loop.running().callSoon(() -> order.add("ready callback"));

      Asyncio.createTask(() -> order.add("eager"), EAGER);
      order.add("creator");
      Loops.settle();

      assertThat(order).containsExactly("eager", "creator", "ready task", "ready callback");
    });
  }

  @Test
  void anEagerTaskThatFailsDoesNotThrowIntoItsCreator() {
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(
              () -> {
                throw failure;
              },
              EAGER);

      assertThat(task.exception()).isSameAs(failure);
    });
  }

  @Test
  void currentTaskIsTheEagerTaskAndThenTheCreatorAgain() {
    Loops.run(() -> {
      Task<?> creator = Asyncio.currentTask();
      Task<Task<?>> task = Asyncio.createTask(() -> Asyncio.currentTask(), EAGER);

      assertThat(task.result()).isSameAs(task);
      assertThat(Asyncio.currentTask()).isSameAs(creator);
    });
  }

  @Test
  void eagerTasksMayMakeEagerTasks() {
    Loops.run(() -> {
      Asyncio.createTask(
          () -> {
            order.add("outer begins");
            Asyncio.createTask(() -> order.add("inner"), EAGER);
            order.add("outer ends");
          },
          EAGER);
      order.add("creator");

      assertThat(order).containsExactly("outer begins", "inner", "outer ends", "creator");
    });
  }

  @Test
  void doneCallbacksOfAnEagerTaskAreCalledSoonAndNotAtOnce() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x", EAGER);

      task.addDoneCallback(done -> order.add("done callback"));
      order.add("creator");
      Loops.settle();

      assertThat(order).containsExactly("creator", "done callback");
    });
  }

  @Test
  void anEagerTaskRunsInACopyOfTheContextOfItsCreator() {
    ContextVar<String> variable = new ContextVar<>("variable", "default");

    Loops.run(() -> {
      variable.set("creator's");
      Task<String> task =
          Asyncio.createTask(
              () -> {
                String seen = variable.get();
                variable.set("task's");
                return seen;
              },
              EAGER);

      assertThat(task.result()).isEqualTo("creator's");
      assertThat(variable.get()).isEqualTo("creator's");
    });
  }

  @Test
  void anEagerTaskMayCancelItsCreatorWhichIsThrownAtItsNextSuspension() {
    Loops.run(() -> {
      Task<?> creator =
          Asyncio.createTask(() -> {
            Task<?> self = Asyncio.currentTask();
            Asyncio.createTask(() -> self.cancel("by the child"), EAGER);
            order.add("went on");
            Asyncio.sleep(Loops.LONG);
          });

      assertThatThrownBy(creator::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("went on");
    });
  }

  @Test
  void anEagerTaskMayAwaitItsCreator() {
    Loops.run(() -> {
      Task<Task<String>> creator =
          Asyncio.createTask(() -> {
            Task<?> self = Asyncio.currentTask();
            return Asyncio.createTask(
                () -> {
                  self.await();
                  return "the creator is done: " + self.done();
                },
                EAGER);
          });

      assertThat(creator.await().await()).isEqualTo("the creator is done: true");
    });
  }

  @Test
  void aCallbackMayMakeEagerTasks() {
    Loops.run(() -> {
      Loop.running()
          .callSoon(() -> {
            Asyncio.createTask(
                () -> {
                  order.add("begins");
                  Asyncio.yieldNow();
                  order.add("goes on");
                },
                EAGER);
            order.add("callback");
          });
      Loop.running().callSoon(() -> order.add("next callback"));
      Loops.settle();

      assertThat(order).containsExactly("begins", "callback", "next callback", "goes on");
    });
  }

  @Test
  void onALoopThatStandsStillATaskBeginsLazily() {
    try (Loop loop = Loops.open()) {
      Task<?> task = loop.createTask(() -> order.add("began"), EAGER);
      assertThat(order).isEmpty();

      loop.runUntilComplete(task);

      assertThat(order).containsExactly("began");
    }
  }

  @Test
  void onAnotherLoopThatStandsStillATaskBeginsLazily() {
    Loops.run(() -> {
      Loop other = Loops.open();
      Task<?> task = other.createTask(() -> order.add(Thread.currentThread().getName()), EAGER);
      task.setName("of the other loop");
      Loops.settle();
      assertThat(order).isEmpty();

      Thread.ofPlatform()
          .start(() -> {
            other.runUntilComplete(task);
            other.close();
          })
          .join();

      assertThat(order).containsExactly("of the other loop");
    });
  }

  @Test
  void anEagerStartInExclusiveCodeIsRefusedAndLeavesNoTaskBehind() {
    Loops.run(() -> {
      assertThatThrownBy(
              () -> Asyncio.exclusive(() -> Asyncio.createTask(() -> order.add("began"), EAGER)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("eager start")
          .hasMessageContaining("Asyncio.exclusive");
      Loops.settle();

      assertThat(order).isEmpty();
      assertThat(Asyncio.allTasks()).containsExactly(Asyncio.currentTask());
    });
  }

  @Test
  void aLazyTaskMayBeMadeInExclusiveCode() {
    Loops.run(() -> {
      Task<?> task =
          Loop.running().<Task<?>>exclusive(() -> Asyncio.createTask(() -> order.add("began")));
      task.await();

      assertThat(order).containsExactly("began");
    });
  }
}
