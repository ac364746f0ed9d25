package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/**
 * What a group takes, waits for and throws. Cancellation is in {@link TaskGroupCancellationTest}.
 */
class TaskGroupTest {
  private final IOException failure = new IOException("failure");
  private final IOException second = new IOException("second");

  // --- The scope

  @Test
  void theScopeEndsWhenAllItsTasksHaveEnded() {
    Loops.run(() -> {
      List<Task<String>> tasks = new ArrayList<>();

      new TaskGroup()
          .run(group -> {
            tasks.add(group.createTask(() -> "at once"));
            tasks.add(
                group.createTask(() -> {
                  Loops.settle();
                  return "later";
                }));
          });

      assertThat(tasks).extracting(Task::result).containsExactly("at once", "later");
    });
  }

  @Test
  void aScopeWithoutTasksDoesNotSuspend() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Loop.running().callSoon(() -> order.add("other"));

      new TaskGroup().run(group -> order.add("body"));
      order.add("after");
      Loops.settle();

      assertThat(order).containsExactly("body", "after", "other");
    });
  }

  @Test
  void callReturnsWhatTheBodyReturnedOnceTheTasksHaveEnded() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();

      String value =
          new TaskGroup()
              .call(group -> {
                group.createTask(() -> order.add("task"));
                return "value";
              });

      assertThat(value).isEqualTo("value");
      assertThat(order).containsExactly("task");
    });
  }

  @Test
  void theBodyRunsInTheTaskThatEntered() {
    Loops.run(() -> {
      Task<?> task = new TaskGroup().call(group -> Loop.currentTask());

      assertThat(task).isSameAs(Loop.currentTask());
    });
  }

  @Test
  void aGroupIsEnteredOnlyOnce() {
    Loops.run(() -> {
      TaskGroup used = new TaskGroup();
      used.run(group ->
          assertThatThrownBy(() -> group.run(again -> {}))
              .as("while it runs")
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("entered before")
              .hasMessageContaining("new one"));

      assertThatThrownBy(() -> used.run(again -> {}))
          .as("after its end")
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("entered before");
    });
  }

  @Test
  void aGroupNeedsATaskToRunIn() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      TaskGroup group = new TaskGroup();

      Loop.running().callSoon(() -> group.run(entered -> {}));
      Loops.settle();
      group.run(entered -> {}); // The attempt has not used it up.

      assertThat(errors)
          .singleElement()
          .satisfies(error ->
              assertThat(error.exception())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("TaskGroup.run()")
                  .hasMessageContaining("no task to suspend")
                  .hasMessageContaining("createTask"));
    });
    assertThatThrownBy(() -> new TaskGroup().run(group -> {}))
        .as("off the loop")
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  @Test
  void aGroupInExclusiveCodeIsRefusedBeforeItHasTasks() {
    Loops.run(() -> {
      List<String> began = new ArrayList<>();

      assertThatThrownBy(() ->
              Loop.running()
                  .exclusive(() ->
                      new TaskGroup().run(group -> group.createTask(() -> began.add("task")))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("TaskGroup.run() suspends")
          .hasMessageContaining("exclusive");
      Loops.settle();

      assertThat(began).isEmpty();
    });
  }

  @Test
  void aGroupNeedsABody() {
    Loops.run(() -> {
      assertThatThrownBy(() -> new TaskGroup().run(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("body");
      assertThatThrownBy(() -> new TaskGroup().call(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("body");
    });
  }

  // --- Making tasks

  @Test
  void aTaskBeforeTheScopeIsRefusedAndNeverBegins() {
    Loops.run(() -> {
      List<String> began = new ArrayList<>();
      TaskGroup group = new TaskGroup();

      assertThatThrownBy(() -> group.createTask(() -> began.add("task")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not been entered")
          .hasMessageContaining("run(group -> ...)");
      Loops.settle();

      assertThat(began).isEmpty();
    });
  }

  @Test
  void aTaskAfterTheScopeIsRefusedAndNeverBegins() {
    Loops.run(() -> {
      List<String> began = new ArrayList<>();
      TaskGroup group = new TaskGroup();
      group.run(entered -> entered.createTask(Loops::settle));

      assertThatThrownBy(() -> group.createTask(() -> began.add("task")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("finished")
          .hasMessageContaining("in its body");
      Loops.settle();

      assertThat(began).isEmpty();
    });
  }

  @Test
  void aTaskWhileTheGroupCancelsIsRefusedAndNeverBegins() {
    Loops.run(() -> {
      List<String> began = new ArrayList<>();
      List<Throwable> refusals = new ArrayList<>();

      assertThatThrownBy(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> {
                      try {
                        Bodies.sleepLong();
                      } catch (CancelledError e) {
                        refusals.add(
                            catchThrowable(() -> group.createTask(() -> began.add("task"))));
                      }
                    });
                    group.createTask(Bodies.failing(failure));
                  }))
          .isInstanceOf(ExceptionGroup.class);
      Loops.settle();

      assertThat(refusals)
          .singleElement()
          .satisfies(refusal ->
              assertThat(refusal)
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("cancelling"));
      assertThat(began).isEmpty();
    });
  }

  @Test
  void tasksMayBeAddedWhileTheScopeWaits() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();

      new TaskGroup()
          .run(group ->
              group.createTask(() -> {
                Loops.settle();
                order.add("child");
                group.createTask(() -> {
                  Loops.settle();
                  order.add("grandchild");
                  group.createTask(() -> order.add("great-grandchild"));
                });
              }));
      order.add("end");

      assertThat(order).containsExactly("child", "grandchild", "great-grandchild", "end");
    });
  }

  @Test
  void optionsAreThoseOfTheLoopsTasks() {
    Loops.run(() -> {
      Context context = Context.empty();
      List<String> order = new ArrayList<>();
      new TaskGroup()
          .run(group -> {
            Task<?> named = group.createTask(() -> "coroutine", "mine");
            Task<?> action = group.createTask(() -> {}, "mine too");
            Task<?> inContext =
                group.createTask(() -> {}, TaskOptions.defaults().withContext(context));
            Task<?> eager =
                group.createTask(() -> order.add("eager"), TaskOptions.defaults().withEager(true));
            order.add("body");

            assertThat(named.name()).isEqualTo("mine");
            assertThat(action.name()).isEqualTo("mine too");
            assertThat(inContext.context()).isSameAs(context);
            assertThat(eager.done()).isTrue();
          });

      assertThat(order).containsExactly("eager", "body");
    });
  }

  @Test
  void aNullCoroutineIsRefused() {
    Loops.run(() ->
        new TaskGroup()
            .run(group -> {
              assertThatThrownBy(() -> group.createTask((Coroutine<String>) null))
                  .isInstanceOf(NullPointerException.class)
                  .hasMessageContaining("The coroutine is null: write");
              assertThatThrownBy(() -> group.createTask((Action) null))
                  .isInstanceOf(NullPointerException.class)
                  .hasMessageContaining("The coroutine is null: write");
            }));
  }

  @Test
  void aTaskFromAnotherThreadIsRefusedAndSaysWhatToDo() {
    Loops.run(() ->
        new TaskGroup()
            .run(group -> {
              AtomicReference<Throwable> thrown = new AtomicReference<>();
              Thread.ofPlatform()
                  .start(() -> thrown.set(catchThrowable(() -> group.createTask(() -> {}))))
                  .join();

              assertThat(thrown.get())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("TaskGroup.createTask()")
                  .hasMessageContaining("callSoonThreadsafe");
            }));
  }

  // --- Eager tasks

  @Test
  void anEagerTaskThatEndsAtOnceIsATaskOfTheGroup() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);

      Task<String> task = new TaskGroup().call(group -> group.createTask(() -> "at once"));

      assertThat(task.result()).isEqualTo("at once");
    });
  }

  @Test
  void anEagerTaskThatFailsAtOnceFailsTheGroup() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);
      List<ExceptionContext> errors = Loops.collectErrors();

      ExceptionGroup thrown =
          catchThrowableOfType(
              ExceptionGroup.class,
              () -> new TaskGroup().run(group -> group.createTask(Bodies.failing(failure))));
      Loop.running().yieldNow(); // The group's own cancellation has not leaked out of it.

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(Loop.currentTask().cancelling()).isZero();
      assertThat(errors).isEmpty();
    });
  }

  @Test
  void anEagerFailureLetsTheBodyGoOnToItsNextSuspension() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);
      List<String> order = new ArrayList<>();

      ExceptionGroup thrown =
          catchThrowableOfType(
              ExceptionGroup.class,
              () ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(Bodies.failing(failure));
                        group.createTask(Bodies.failing(second)); // As a lazy one would be taken.
                        order.add("went on");
                        Bodies.sleepLong();
                        order.add("slept");
                      }));

      assertThat(thrown.exceptions()).containsExactly(failure, second);
      assertThat(order).containsExactly("went on");
    });
  }

  @Test
  void anEagerTaskWhoseOwnChildFailsIsCancelled() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);
      List<String> cancelled = new ArrayList<>();

      ExceptionGroup thrown =
          catchThrowableOfType(
              ExceptionGroup.class,
              () ->
                  new TaskGroup()
                      .run(group ->
                          group.createTask(() -> {
                            group.createTask(Bodies.failing(failure));
                            Bodies.notingCancellation(cancelled, "maker").run();
                          })));

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(cancelled).containsExactly("maker");
    });
  }
}
