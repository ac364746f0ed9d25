package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionGroup;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import java.util.List;
import java.util.stream.Collectors;

class GroupTraceTest extends TraceTest {
  GroupTraceTest() {
    super("groups");
  }

  private String child(String name, int waits) {
    return child(name, waits, false, 0);
  }

  private String child(String name, int waits, boolean fails, int cleanUpWaits) {
    try {
      rounds(waits);
    } catch (CancelledError e) {
      trace(name, "cancelled");
      rounds(cleanUpWaits);
      trace(name, "cleaned up");
      throw e;
    }
    trace(name, fails ? "fails" : "ends");
    if (fails) {
      throw new IllegalArgumentException(name);
    }
    return name;
  }

  private static String traced(ExceptionGroup group) {
    return group.exceptions().stream().map(Throwable::getMessage).collect(Collectors.joining(", "));
  }

  void aGroupWaitsForAllItsTasks() {
    List<Task<String>> tasks =
        new TaskGroup()
            .call(group -> {
              Task<String> a = group.createTask(() -> child("a", 3));
              Task<String> b = group.createTask(() -> child("b", 1));
              trace("body ends");
              return List.of(a, b);
            });
    trace("after:", tasks.getFirst().result(), tasks.getLast().result());
  }

  void aFailureCancelsTheOthersAndTheBody() {
    Task<?> task = Asyncio.currentTask();
    try {
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> child("a", 1, true, 0));
            group.createTask(() -> child("b", 9, false, 2));
            try {
              Asyncio.sleep(LONG);
            } catch (CancelledError e) {
              trace("body cancelled, cancelling:", task.cancelling());
              throw e;
            }
          });
    } catch (ExceptionGroup e) {
      trace("group:", traced(e));
    }
    trace("cancelling:", task.cancelling());
    rounds(1);
    trace("main goes on");
  }

  void failuresComeInTheOrderOfCompletionAndTheBodysLast() {
    try {
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> failInCleanUp("a", 3));
            group.createTask(() -> failInCleanUp("b", 1));
            rounds(2);
            trace("body fails");
            throw new IllegalArgumentException("body");
          });
    } catch (ExceptionGroup e) {
      trace("group:", traced(e));
    }
  }

  private void failInCleanUp(String name, int waits) {
    try {
      Asyncio.sleep(LONG);
    } catch (CancelledError e) {
      rounds(waits);
      trace(name, "fails in its clean-up");
      throw new IllegalArgumentException(name);
    }
  }

  void aFailureAfterTheBodyHasEndedIsNoCancellationOfTheParent() {
    Task<?> task = Asyncio.currentTask();
    try {
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> child("a", 4, true, 0));
            group.createTask(() -> child("b", 9));
            trace("body ends");
          });
    } catch (ExceptionGroup e) {
      trace("group:", traced(e), "cancelling:", task.cancelling());
    }
    rounds(1);
    trace("main goes on");
  }

  void aCancelledChildLeavesTheGroupAlone() {
    Task<String> cancelled =
        new TaskGroup()
            .call(group -> {
              Task<String> a = group.createTask(() -> child("a", 9));
              group.createTask(() -> child("b", 4));
              rounds(2);
              a.cancel();
              trace("body ends");
              return a;
            });
    trace("a cancelled:", cancelled.cancelled());
  }

  void aCancellationFromOutsideGoesThroughTheGroup() {
    Task<?> task =
        Asyncio.createTask(() -> {
          try {
            new TaskGroup()
                .run(group -> {
                  group.createTask(() -> child("a", 9, false, 3));
                  try {
                    Asyncio.sleep(LONG);
                  } finally {
                    trace("body: finally");
                  }
                });
          } finally {
            trace("parent: finally, cancelling:", Asyncio.currentTask().cancelling());
          }
        });
    rounds(3);
    task.cancel("outside");
    try {
      task.await();
    } catch (CancelledError e) {
      trace("cancelled");
    }
  }

  void aCancellationFromOutsideReachesAGroupThatWaitsForItsTasks() {
    Task<?> task =
        Asyncio.createTask(() ->
            new TaskGroup()
                .run(group -> {
                  group.createTask(() -> child("a", 9, false, 2));
                  trace("body ends");
                }));
    rounds(3);
    task.cancel();
    trace("asked");
    Asyncio.wait(List.of(task));
    trace("cancelled:", task.cancelled());
  }

  void aChildsFailureWinsOverACancellationThatStaysPending() {
    Task<?> task =
        Asyncio.createTask(() -> {
          Task<?> self = Asyncio.currentTask();
          try {
            new TaskGroup()
                .run(group -> {
                  group.createTask(() -> {
                    try {
                      Asyncio.sleep(LONG);
                    } catch (CancelledError e) {
                      throw new IllegalArgumentException("clean-up");
                    }
                  });
                  Asyncio.sleep(LONG);
                });
          } catch (ExceptionGroup e) {
            trace("group:", traced(e), "cancelling:", self.cancelling());
          }
          try {
            rounds(1);
            trace("not cancelled again");
          } catch (CancelledError e) {
            trace("cancelled at the next wait, cancelling:", self.cancelling());
            throw e;
          }
        });
    rounds(3);
    task.cancel();
    Asyncio.wait(List.of(task));
    trace("cancelled:", task.cancelled());
  }

  void aChildFailsInTheRoundOfTheOutsideCancellation() {
    for (int waits = 2; waits < 8; waits++) {
      trace("cancelled from outside after", waits, "rounds");
      Task<?> task = Asyncio.createTask(this::runAGroupWithAFailingChild);
      rounds(waits);
      task.cancel();
      Asyncio.wait(List.of(task));
      trace("cancelled:", task.cancelled());
    }
  }

  private void runAGroupWithAFailingChild() {
    Task<?> self = Asyncio.currentTask();
    try {
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> child("a", 3, true, 0));
            group.createTask(() -> child("b", 9, false, 1));
            try {
              Asyncio.sleep(LONG);
            } finally {
              trace("body: finally, cancelling:", self.cancelling());
            }
          });
    } catch (ExceptionGroup e) {
      trace("group:", traced(e), "cancelling:", self.cancelling());
    }
    try {
      rounds(1);
      trace("went on");
    } catch (CancelledError e) {
      trace("cancelled at the next wait");
      throw e;
    }
  }

  void childrenMakeChildrenWhileTheGroupWaits() {
    TaskGroup grown = new TaskGroup();
    grown.run(group -> {
      group.createTask(() -> grow(group, 1));
      trace("body ends");
    });
    trace("after");
    try {
      grown.createTask(() -> rounds(1));
    } catch (IllegalStateException e) {
      trace("takes no more");
    }
  }

  private void grow(TaskGroup group, int depth) {
    trace("depth", depth, "begins");
    rounds(1);
    if (depth < 3) {
      group.createTask(() -> grow(group, depth + 1));
    }
    trace("depth", depth, "ends");
  }

  void anInnerGroupFailsAndTakesTheOuterOneWithIt() {
    try {
      new TaskGroup()
          .run(outer -> {
            outer.createTask(() -> child("outer child", 20, false, 1));
            try {
              new TaskGroup()
                  .run(inner -> {
                    inner.createTask(() -> child("inner child", 2, true, 0));
                    inner.createTask(() -> child("its sibling", 20));
                    Asyncio.sleep(LONG);
                  });
            } finally {
              trace("inner group ended");
            }
          });
    } catch (ExceptionGroup e) {
      trace(
          "outer group:",
          e.exceptions().size(),
          "inner group:",
          traced((ExceptionGroup) e.exceptions().getFirst()));
    }
    trace("cancelling:", Asyncio.currentTask().cancelling());
  }

  void theOuterGroupFailsWhileTheInnerOneWaits() {
    try {
      new TaskGroup()
          .run(outer -> {
            outer.createTask(() -> child("outer child", 4, true, 0));
            try {
              new TaskGroup()
                  .run(inner -> {
                    inner.createTask(() -> child("inner child", 20, false, 2));
                    trace("inner body ends");
                  });
            } catch (CancelledError e) {
              trace("inner group cancelled");
              throw e;
            }
          });
    } catch (ExceptionGroup e) {
      trace("outer group:", traced(e));
    }
    trace("cancelling:", Asyncio.currentTask().cancelling());
  }
}
