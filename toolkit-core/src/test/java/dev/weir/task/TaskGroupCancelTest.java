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

/** {@link TaskGroup#cancel}, which ends a group without an error. */
class TaskGroupCancelTest {
  private final IOException failure = new IOException("failure");
  private final List<String> order = new ArrayList<>();

  @Test
  void theTasksAndTheBodyAreCancelledAndTheScopeEndsNormally() {
    Loops.run(() -> {
      String value =
          new TaskGroup()
              .call(group -> {
                group.createTask(Bodies.notingCancellation(order, "task"));
                group.createTask(() -> group.cancel());
                Bodies.notingCancellation(order, "body").run();
                return "value";
              });
      Loop.running().yieldNow(); // Nothing has leaked.

      assertThat(value).as("the body did not end").isNull();
      assertThat(order).containsExactly("task", "body");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theBodyMayCancelItsOwnGroupAndGoesOnToItsNextSuspension() {
    Loops.run(() -> {
      new TaskGroup()
          .run(group -> {
            group.createTask(Bodies.notingCancellation(order, "task"));
            Loop.running().yieldNow();
            group.cancel();
            order.add("went on");
            Loop.running().yieldNow();
            order.add("past a suspension");
          });
      Loop.running().yieldNow();

      assertThat(order).containsExactly("went on", "task");
    });
  }

  @Test
  void aBodyThatCancelsItsGroupAndReturnsLeavesNothingBehind() {
    Loops.run(() -> {
      String value =
          new TaskGroup()
              .call(group -> {
                group.cancel();
                return "value";
              });
      Loop.running().yieldNow();

      assertThat(value).isEqualTo("value");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void whileTheScopeWaitsOnlyTheTasksAreCancelledAndTheValueStands() {
    Loops.run(() -> {
      String value =
          new TaskGroup()
              .call(group -> {
                group.createTask(Bodies.notingCancellation(order, "task"));
                group.createTask(() -> {
                  Loops.settle();
                  group.cancel();
                });
                return "value";
              });
      Loop.running().yieldNow();

      assertThat(value).isEqualTo("value");
      assertThat(order).containsExactly("task");
    });
  }

  @Test
  void aTaskThatCancelsItsGroupIsCancelledToo() {
    Loops.run(() -> {
      new TaskGroup()
          .run(group ->
              group.createTask(() -> {
                group.cancel();
                order.add("went on");
                Bodies.notingCancellation(order, "cancelled").run();
              }));

      assertThat(order).containsExactly("went on", "cancelled");
    });
  }

  @Test
  void anybodyOnTheLoopMayCancel() {
    Loops.run(() -> {
      for (boolean fromCallback : new boolean[] {true, false}) {
        new TaskGroup()
            .run(group -> {
              if (fromCallback) {
                Loop.running().callSoon(group::cancel);
              } else {
                Loop.running().background(group::cancel);
              }
              Bodies.sleepLong();
            });
      }
    });
  }

  @Test
  void cancellingFromAnotherThreadIsRefusedAndSaysWhatToDo() {
    Loops.run(() ->
        new TaskGroup()
            .run(group -> {
              AtomicReference<Throwable> thrown = new AtomicReference<>();
              Thread.ofPlatform().start(() -> thrown.set(catchThrowable(group::cancel))).join();

              assertThat(thrown.get())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("TaskGroup.cancel()")
                  .hasMessageContaining("callSoonThreadsafe");
            }));
  }

  @Test
  void aSecondCallHasNoEffect() {
    Loops.run(() -> {
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> {
              group.cancel();
              group.cancel();
            });
            try {
              Bodies.sleepLong();
            } finally {
              group.cancel();
              Loops.settle();
              order.add("cleaned up");
            }
          });

      assertThat(order).containsExactly("cleaned up");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aCallAfterTheEndHasNoEffect() {
    Loops.run(() -> {
      TaskGroup group = new TaskGroup();
      group.run(entered -> entered.createTask(() -> {}));

      group.cancel();
      Loop.running().yieldNow();

      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aGroupCancelledBeforeItsScopeEndsTheBodyAtItsFirstSuspension() {
    Loops.run(() -> {
      TaskGroup group = new TaskGroup();
      group.cancel();

      group.run(entered -> {
        order.add("body");
        assertThatThrownBy(() -> entered.createTask(() -> order.add("task")))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("cancelling");
        Loop.running().yieldNow();
        order.add("past a suspension");
      });
      Loop.running().yieldNow();

      assertThat(order).containsExactly("body");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theScopeWaitsForTheTasksToCleanUp() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<?> parent =
          Loop.running()
              .createTask(() ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(Bodies.endingAfter(gate));
                        group.createTask(() -> group.cancel());
                      }));
      Loops.settle();
      assertThat(parent.done()).isFalse();

      gate.setResult("cleaned up");
      parent.await();
    });
  }

  @Test
  void noTaskIsTakenAfterwards() {
    Loops.run(() ->
        new TaskGroup()
            .run(group -> {
              group.cancel();
              assertThatThrownBy(() -> group.createTask(() -> order.add("began")))
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("cancelling");
            }));
    assertThat(order).isEmpty();
  }

  @Test
  void aTaskThatFailsWhileItIsCancelledFailsTheGroup() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          catchThrowableOfType(
              ExceptionGroup.class,
              () ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(Bodies.failingWhenCancelled(failure));
                        Loop.running().yieldNow();
                        group.cancel();
                      }));
      Loop.running().yieldNow();

      assertThat(thrown.exceptions()).containsExactly(failure);
    });
  }

  @Test
  void aBodyThatFailsWhileItIsCancelledFailsTheGroup() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          catchThrowableOfType(
              ExceptionGroup.class,
              () ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(() -> group.cancel());
                        Bodies.failingWhenCancelled(failure).run();
                      }));

      assertThat(thrown.exceptions()).containsExactly(failure);
    });
  }

  @Test
  void aGroupThatFailsAlreadyStillThrowsItsFailures() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          catchThrowableOfType(
              ExceptionGroup.class,
              () ->
                  new TaskGroup()
                      .run(group -> {
                        group.createTask(Bodies.failing(failure));
                        try {
                          Bodies.sleepLong();
                        } finally {
                          group.cancel();
                        }
                      }));

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theBodysAnswerToTheCancellationStands() {
    Loops.run(() -> {
      String value =
          new TaskGroup()
              .call(group -> {
                group.createTask(() -> group.cancel());
                try {
                  Bodies.sleepLong();
                } catch (CancelledError e) {
                  return "answer";
                }
                return "slept";
              });

      assertThat(value).isEqualTo("answer");
    });
  }

  @Test
  void anInnerGroupEndsAndTheOuterOneGoesOn() {
    Loops.run(() -> {
      new TaskGroup()
          .run(outer -> {
            outer.createTask(() -> {
              Loops.settle();
              order.add("outer task");
            });
            new TaskGroup()
                .run(inner -> {
                  inner.createTask(() -> inner.cancel());
                  Bodies.sleepLong();
                });
            Loops.settle();
            order.add("outer body");
          });

      assertThat(order).containsExactlyInAnyOrder("outer task", "outer body");
    });
  }

  @Test
  void anOuterGroupEndsTheInnerOneWithIt() {
    Loops.run(() -> {
      new TaskGroup()
          .run(outer -> {
            outer.createTask(() -> outer.cancel());
            new TaskGroup()
                .run(inner -> inner.createTask(Bodies.notingCancellation(order, "inner task")));
            order.add("outer body went on");
          });

      assertThat(order).containsExactly("inner task");
    });
  }

  @Test
  void aTaskThatWasCancelledBeforeEndsItsGroupsAsWell() {
    Loops.run(() -> {
      Task<?> self = Loop.currentTask();
      self.cancel();
      assertThatThrownBy(Loop.running()::yieldNow).isInstanceOf(CancelledError.class);

      // Cleaning up after that, with the request still counted.
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> group.cancel());
            Bodies.sleepLong();
          });
      Loop.running().yieldNow();

      assertThat(self.cancelling()).isEqualTo(1);
      self.uncancel();
    });
  }

  /** Not even where an older request that was swallowed keeps the count above zero. */
  @Test
  void theGroupsOwnCancellationIsNotLeftToTheNextAwait() {
    Loops.run(() -> {
      Task<?> self = Loop.currentTask();
      self.cancel();
      assertThatThrownBy(Loop.running()::yieldNow).isInstanceOf(CancelledError.class);

      new TaskGroup().run(group -> group.cancel());
      Loop.running().yieldNow();

      assertThat(self.cancelling()).isEqualTo(1);
      self.uncancel();
    });
  }

  @Test
  void aCancellationThatWasPendingWhenTheScopeBeganIsThrownAllTheSame() {
    Loops.run(() -> {
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                Loop.currentTask().cancel("from outside");
                new TaskGroup()
                    .run(group -> {
                      group.cancel();
                      Loop.running().yieldNow();
                    });
                Loop.running().yieldNow();
              });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
    });
  }

  // --- Eager tasks

  @Test
  void anEagerTaskMayCancelItsGroupBeforeItSuspends() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);

      new TaskGroup()
          .run(group ->
              group.createTask(() -> {
                group.cancel();
                order.add("went on");
                Bodies.notingCancellation(order, "cancelled").run();
              }));

      assertThat(order).containsExactly("went on", "cancelled");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void anEagerTaskMayCancelItsGroupAndEndAtOnce() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);

      new TaskGroup()
          .run(group -> {
            group.createTask(() -> group.cancel());
            order.add("body");
            Loop.running().yieldNow();
            order.add("past a suspension");
          });
      Loop.running().yieldNow();

      assertThat(order).containsExactly("body");
    });
  }
}
