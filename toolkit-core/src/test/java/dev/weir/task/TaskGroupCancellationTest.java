package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A group whose task is cancelled from outside. */
class TaskGroupCancellationTest {
  private final IOException failure = new IOException("failure");
  private final List<String> order = new ArrayList<>();

  @Test
  void cancellingTheTaskCancelsTheBodyFirstAndThenTheTasks() {
    Loops.run(() -> {
      Task<?> parent =
          runInTask(group -> {
            group.createTask(Bodies.notingCancellation(order, "first task"));
            group.createTask(Bodies.notingCancellation(order, "second task"));
            Bodies.notingCancellation(order, "body").run();
          });

      parent.cancel("from outside");

      assertThatThrownBy(parent::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from outside");
      assertThat(parent.cancelled()).isTrue();
      assertThat(order).containsExactly("body", "first task", "second task");
    });
  }

  @Test
  void cancellingTheTaskWhileTheScopeWaitsCancelsTheTasks() {
    Loops.run(() -> {
      Task<?> parent =
          runInTask(group -> group.createTask(Bodies.notingCancellation(order, "task")));

      parent.cancel("from outside");

      assertThatThrownBy(parent::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from outside");
      assertThat(order).containsExactly("task");
    });
  }

  @Test
  void theScopeWaitsForItsTasksHoweverOftenItIsCancelled() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<?> parent = runInTask(group -> group.createTask(Bodies.endingAfter(gate)));

      for (int i = 0; i < 3; i++) {
        parent.cancel();
        Loops.settle();
        assertThat(parent.done()).isFalse();
      }
      gate.setResult("cleaned up");
      Loops.settle();

      assertThat(parent.cancelled()).isTrue();
      assertThat(parent.cancelling()).isEqualTo(3);
    });
  }

  @Test
  void failuresOfTheTasksWinAndTheCancellationIsThrownAtTheNextSuspension() {
    Loops.run(() -> {
      Task<?> parent =
          Loop.running()
              .createTask(() -> {
                try {
                  new TaskGroup()
                      .run(group -> group.createTask(Bodies.failingWhenCancelled(failure)));
                } catch (ExceptionGroup e) {
                  order.add("failures: " + e.exceptions().size());
                }
                order.add("requests: " + Loop.currentTask().cancelling());
                Loop.running().yieldNow();
                order.add("went on");
              });
      Loops.settle();

      parent.cancel();
      Loops.settle();

      assertThat(order).containsExactly("failures: 1", "requests: 1");
      assertThat(parent.cancelled()).isTrue();
    });
  }

  @Test
  void aBodyThatSwallowsTheCancellationHasItsWay() {
    Loops.run(() -> {
      Task<String> parent =
          Loop.running()
              .createTask(() ->
                  new TaskGroup()
                      .call(group -> {
                        group.createTask(() -> {
                          Loops.settle();
                          order.add("task went on");
                        });
                        try {
                          Bodies.sleepLong();
                        } catch (CancelledError e) {
                          return "swallowed";
                        }
                        return "slept";
                      }));
      Loop.running().yieldNow();

      parent.cancel();

      assertThat(parent.await()).isEqualTo("swallowed");
      assertThat(parent.cancelling()).isEqualTo(1);
      assertThat(order).containsExactly("task went on");
    });
  }

  @Test
  void theBodysAnswerToACancellationIsThrownAndTheCancellationLater() {
    Loops.run(() -> {
      Task<Throwable> parent =
          Loop.running()
              .createTask(() -> {
                Throwable thrown =
                    catchThrowable(() ->
                        new TaskGroup().run(group -> Bodies.failingWhenCancelled(failure).run()));
                assertThatThrownBy(Loop.running()::yieldNow).isInstanceOf(CancelledError.class);
                return thrown;
              });
      Loop.running().yieldNow();

      parent.cancel();

      assertThat(parent.await())
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              thrown -> assertThat(thrown.exceptions()).containsExactly(failure));
    });
  }

  @Test
  void theCountAfterTheScopeIsThatOfBeforeAndWhatCameFromOutside() {
    Loops.run(() -> {
      Task<?> self = Loop.currentTask();
      self.cancel();
      assertThatThrownBy(Loop.running()::yieldNow).isInstanceOf(CancelledError.class);

      assertThatThrownBy(
              () -> new TaskGroup().run(group -> group.createTask(Bodies.failing(failure))))
          .isInstanceOf(ExceptionGroup.class);
      assertThat(self.cancelling()).as("the one of before").isEqualTo(1);

      self.uncancel();
      assertThatThrownBy(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(Bodies.failing(failure));
                    group.createTask(() -> self.cancel());
                  }))
          .isInstanceOf(ExceptionGroup.class);
      assertThat(self.cancelling()).as("the one from outside").isEqualTo(1);
      self.uncancel();
    });
  }

  @Test
  void aTaskThatCancelsTheTaskOfItsGroupIsCancelledWithTheRest() {
    Loops.run(() -> {
      Task<?> parent =
          Loop.running()
              .createTask(() -> {
                Task<?> self = Loop.currentTask();
                new TaskGroup()
                    .run(group -> {
                      group.createTask(Bodies.notingCancellation(order, "other task"));
                      group.createTask(() -> {
                        self.cancel();
                        Bodies.notingCancellation(order, "canceller").run();
                      });
                    });
              });

      assertThatThrownBy(parent::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("other task", "canceller");
    });
  }

  @Test
  void cancellingTheTaskCancelsNestedGroupsFromTheInnermostOut() {
    Loops.run(() -> {
      Task<?> parent =
          runInTask(outer -> {
            outer.createTask(Bodies.notingCancellation(order, "outer task"));
            new TaskGroup()
                .run(inner -> {
                  inner.createTask(Bodies.notingCancellation(order, "inner task"));
                  Bodies.notingCancellation(order, "body").run();
                });
          });

      parent.cancel();

      assertThatThrownBy(parent::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("body", "inner task", "outer task");
    });
  }

  // --- Of a group that was ended by cancel()

  @Test
  void anOutsideCancellationWhileTheTasksCleanUpIsThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<?> parent =
          Loop.running()
              .createTask(() ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(Bodies.endingAfter(gate));
                        Loop.running().yieldNow();
                        group.cancel();
                      }));
      Loops.settle();

      parent.cancel("from outside");
      Loops.settle();
      gate.setResult("cleaned up");

      assertThatThrownBy(parent::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from outside");
      assertThat(parent.cancelling()).isEqualTo(1);
    });
  }

  @Test
  void anOutsideCancellationAfterThatOfTheBodyIsTheOneThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<?> parent =
          Loop.running()
              .createTask(() ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(Bodies.endingAfter(gate));
                        group.createTask(() -> group.cancel());
                        Bodies.sleepLong();
                      }));
      Loops.settle();

      parent.cancel("from outside");
      Loops.settle();
      gate.setResult("cleaned up");

      assertThatThrownBy(parent::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from outside");
    });
  }

  @Test
  void anOutsideCancellationWhileTheBodyCleansUpIsThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<?> parent =
          Loop.running()
              .createTask(() ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(() -> group.cancel());
                        Bodies.endingAfter(gate).run();
                      }));
      Loops.settle();

      parent.cancel("from outside");

      assertThatThrownBy(parent::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from outside");
    });
  }

  @Test
  void anOutsideCancellationThatCameBeforeIsThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      TaskGroup group = new TaskGroup();
      Task<?> parent =
          Loop.running()
              .createTask(() -> group.run(entered -> group.createTask(Bodies.endingAfter(gate))));
      Loops.settle();
      parent.cancel("from outside");
      Loops.settle();

      group.cancel();
      gate.setResult("cleaned up");

      assertThatThrownBy(parent::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from outside");
    });
  }

  @Test
  void aDeadlineThatPassesWhileTheTasksCleanUpIsThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();

      assertThatThrownBy(() ->
              Timeout.at(null)
                  .run(timeout ->
                      new TaskGroup()
                          .run(group -> {
                            group.createTask(Bodies.endingAfter(gate));
                            group.createTask(() -> {
                              group.cancel();
                              timeout.reschedule(Loop.running().time());
                            });
                            Loop.running()
                                .background(() -> {
                                  Loops.settle();
                                  gate.setResult("cleaned up");
                                });
                          })))
          .isInstanceOf(TimeoutException.class);
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  /** Runs a group in a task of its own, up to where everything in it waits. */
  private static Task<?> runInTask(ScopeAction<TaskGroup, Exception> body) {
    Task<?> task = Loop.running().createTask(() -> new TaskGroup().run(body));
    Loops.settle();
    return task;
  }
}
