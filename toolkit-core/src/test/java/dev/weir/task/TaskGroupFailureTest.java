package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a group does, and throws, when a task of it or its body fails. */
class TaskGroupFailureTest {
  private final IOException failure = new IOException("failure");
  private final IOException second = new IOException("second");
  private final IOException third = new IOException("third");

  // --- A task fails

  @Test
  void theFirstFailureCancelsTheOtherTasks() {
    Loops.run(() -> {
      List<String> cancelled = new ArrayList<>();

      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.notingCancellation(cancelled, "first"));
            group.createTask(Bodies.notingCancellation(cancelled, "second"));
            group.createTask(Bodies.failing(failure));
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(thrown).hasMessage("unhandled errors in a TaskGroup (1 sub-exception)");
      assertThat(cancelled).containsExactly("first", "second");
    });
  }

  @Test
  void aTaskThatHasNotBegunWhenAnotherFailsNeverDoes() {
    Loops.run(() -> {
      List<String> began = new ArrayList<>();

      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.failing(failure), TaskOptions.defaults().withEager(true));
            group.createTask(() -> began.add("late"));
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(began).isEmpty();
    });
  }

  @Test
  void theFirstFailureCancelsTheBodyWhichSeesItOnce() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();

      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.failing(failure));
            try {
              Bodies.sleepLong();
            } catch (CancelledError e) {
              order.add("body cancelled");
              Loops.settle(); // A second one would be thrown here.
              order.add("body cleaned up");
              throw e;
            }
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(order).containsExactly("body cancelled", "body cleaned up");
    });
  }

  @Test
  void aSecondFailureDoesNotCancelTheBodyAgain() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Future<String> gate = Loop.running().createFuture();

      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.failing(failure));
            group.createTask(() -> {
              try {
                Bodies.sleepLong();
              } catch (CancelledError e) {
                gate.setResult("the body cleans up");
                throw second;
              }
            });
            try {
              Bodies.sleepLong();
            } finally {
              gate.await();
              Loops.settle();
              order.add("body cleaned up");
            }
          });

      assertThat(thrown.exceptions()).containsExactly(failure, second);
      assertThat(order).containsExactly("body cleaned up");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aFailureWhileTheScopeWaitsIsThrownAndItsCancellationIsNot() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          failureOf(group ->
              group.createTask(() -> {
                Loops.settle();
                throw failure;
              }));
      Loop.running().yieldNow();

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theScopeWaitsForTheTasksItCancelled() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> gate = loop.createFuture();
      Task<?> parent =
          loop.createTask(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(Bodies.endingAfter(gate));
                    group.createTask(Bodies.failing(failure));
                  }));
      Loops.settle();
      assertThat(parent.done()).isFalse();

      gate.setResult("cleaned up");

      assertThatThrownBy(parent::await).isInstanceOf(ExceptionGroup.class);
    });
  }

  @Test
  void failuresStandInTheOrderInWhichTheyCameTheBodysLast() {
    Loops.run(() -> {
      IOException bodys = new IOException("body");

      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(() -> {
              try {
                Bodies.sleepLong();
              } catch (CancelledError e) {
                Loops.settle();
                throw third;
              }
            });
            group.createTask(Bodies.failingWhenCancelled(second));
            group.createTask(Bodies.failing(failure));
            Bodies.failingWhenCancelled(bodys).run();
          });

      assertThat(thrown.exceptions()).containsExactly(failure, second, third, bodys);
      assertThat(thrown).hasMessage("unhandled errors in a TaskGroup (4 sub-exceptions)");
    });
  }

  @Test
  void everyKindOfThrowableIsAFailure() {
    Loops.run(() -> {
      AssertionError error = new AssertionError("error");

      ExceptionGroup thrown = failureOf(group -> group.createTask(Bodies.failing(error)));

      assertThat(thrown.exceptions()).containsExactly(error);
    });
  }

  @Test
  void aBodyThatSwallowsTheCancellationDoesNotHideTheFailure() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.failing(failure));
            try {
              Bodies.sleepLong();
            } catch (CancelledError e) {
              return;
            }
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aFailureOfTheGroupReachesNobodyElse() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();

      failureOf(group -> {
        group.createTask(Bodies.failingWhenCancelled(second));
        group.createTask(Bodies.failing(failure));
      });
      Loop.running().reportUnretrieved();
      Loops.settle();

      assertThat(errors).isEmpty();
    });
  }

  // --- A task is cancelled

  @Test
  void aTaskThatIsCancelledDoesNotEndTheGroup() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();

      new TaskGroup()
          .run(group -> {
            Task<?> cancelled = group.createTask(Bodies::sleepLong);
            group.createTask(() -> {
              throw new CancelledError("by itself");
            });
            group.createTask(() -> {
              Loops.settle();
              order.add("other task");
            });
            Loop.running().yieldNow();
            cancelled.cancel();
            Loops.settle();
            order.add("body");
            group.createTask(() -> order.add("later task"));
          });

      assertThat(order).containsExactlyInAnyOrder("other task", "body", "later task");
    });
  }

  // --- The body fails

  @Test
  void theBodysFailureCancelsTheTasksAndIsThrownInAGroup() {
    Loops.run(() -> {
      List<String> cancelled = new ArrayList<>();

      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.notingCancellation(cancelled, "task"));
            Loop.running().yieldNow();
            throw failure;
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(cancelled).containsExactly("task");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theBodysFailureStandsBehindThoseOfTheTasksItCancelled() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.failingWhenCancelled(second));
            Loop.running().yieldNow();
            throw failure;
          });

      assertThat(thrown.exceptions()).containsExactly(second, failure);
    });
  }

  @Test
  void aCancelledErrorOfTheBodyItselfCancelsTheTasksAndIsThrownAsItIs() {
    Loops.run(() -> {
      List<String> cancelled = new ArrayList<>();
      CancelledError own = new CancelledError("own");

      Throwable thrown =
          catchThrowable(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(Bodies.notingCancellation(cancelled, "task"));
                    Loop.running().yieldNow();
                    throw own;
                  }));

      assertThat(thrown).isSameAs(own);
      assertThat(cancelled).containsExactly("task");
    });
  }

  @Test
  void failuresOfTasksWinOverACancelledErrorOfTheBodyItself() {
    Loops.run(() -> {
      ExceptionGroup thrown =
          failureOf(group -> {
            group.createTask(Bodies.failingWhenCancelled(failure));
            Loop.running().yieldNow();
            throw new CancelledError("own");
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
    });
  }

  // --- Groups in groups

  @Test
  void aGroupThatFailsIsOneFailureOfTheGroupAroundIt() {
    Loops.run(() -> {
      List<String> cancelled = new ArrayList<>();

      ExceptionGroup thrown =
          failureOf(outer -> {
            outer.createTask(Bodies.notingCancellation(cancelled, "outer task"));
            Loop.running().yieldNow();
            new TaskGroup().run(inner -> inner.createTask(Bodies.failing(failure)));
          });

      assertThat(thrown.exceptions())
          .singleElement()
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              inner -> assertThat(inner.exceptions()).containsExactly(failure));
      assertThat(cancelled).containsExactly("outer task");
    });
  }

  @Test
  void aFailureInTheOuterGroupCancelsTheInnerOneWhichThrowsNoGroup() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();

      ExceptionGroup thrown =
          failureOf(outer -> {
            outer.createTask(Bodies.failing(failure));
            try {
              new TaskGroup()
                  .run(inner -> inner.createTask(Bodies.notingCancellation(order, "inner task")));
            } catch (CancelledError e) {
              order.add("inner group");
              throw e;
            }
          });

      assertThat(thrown.exceptions()).containsExactly(failure);
      assertThat(order).containsExactly("inner task", "inner group");
    });
  }

  @Test
  void anInnerFailureThatIsHandledLeavesTheOuterGroupAlone() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();

      new TaskGroup()
          .run(outer -> {
            outer.createTask(() -> {
              Loops.settle();
              order.add("outer task");
            });
            failureOf(inner -> inner.createTask(Bodies.failing(failure)));
            Loops.settle();
            order.add("outer body");
          });

      assertThat(order).containsExactlyInAnyOrder("outer task", "outer body");
    });
  }

  private static ExceptionGroup failureOf(ScopeAction<TaskGroup, Exception> body) {
    return catchThrowableOfType(ExceptionGroup.class, () -> new TaskGroup().run(body));
  }
}
