package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.task.Action;
import dev.weir.task.CancelledError;
import dev.weir.task.ContextVar;
import dev.weir.task.Coroutine;
import dev.weir.task.DoneAndPending;
import dev.weir.task.Future;
import dev.weir.task.ReturnWhen;
import dev.weir.task.Task;
import dev.weir.task.TaskFactory;
import dev.weir.task.TimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

class TaskTraceTest extends TraceTest {
  TaskTraceTest() {
    super("tasks");
  }

  void tasksTakeTurnsInTheOrderOfTheirMaking() {
    List<Task<Void>> tasks =
        Stream.of("a", "b", "c")
            .map(name ->
                Asyncio.createTask(() -> {
                  for (int i = 0; i < 3; i++) {
                    trace(name, i);
                    rounds(1);
                  }
                }))
            .toList();
    trace("made");
    for (Task<Void> task : tasks) {
      task.await();
      trace("awaited");
    }
  }

  void aTaskCancelledBeforeItBeginsNeverBegins() {
    Task<?> task = Asyncio.createTask(() -> trace("began"));
    trace("cancel:", task.cancel());
    try {
      task.await();
    } catch (CancelledError e) {
      trace("cancelled");
    }
    trace("cancel again:", task.cancel());
  }

  void aCancellationGoesDownToTheInnermostWaitAndUpAgain() {
    Future<Object> future = Asyncio.runningLoop().createFuture();
    Task<?> inner =
        Asyncio.createTask(() -> {
          try {
            future.await();
          } finally {
            trace("inner: finally");
            rounds(1);
            trace("inner: after a wait");
          }
        });
    Task<?> middle = Asyncio.createTask(() -> awaitInTheMiddle(inner));
    Task<?> outer = Asyncio.createTask(() -> awaitInTheMiddle(middle));
    rounds(2);
    outer.cancel("from the top");
    trace("asked");
    try {
      outer.await();
    } catch (CancelledError e) {
      trace("outer: cancelled");
    }
    trace("future cancelled:", future.cancelled());
    trace("inner cancelled:", inner.cancelled());
  }

  private void awaitInTheMiddle(Task<?> task) {
    try {
      task.await();
    } finally {
      trace("middle: finally");
    }
  }

  void aCancellationThatIsSwallowedCountsUntilItIsTakenBack() {
    Task<String> task =
        Asyncio.createTask(() -> {
          Task<?> self = Asyncio.currentTask();
          try {
            Asyncio.sleep(LONG);
          } catch (CancelledError e) {
            trace("swallowed, cancelling:", self.cancelling());
          }
          rounds(1);
          trace("went on, cancelling:", self.cancelling());
          trace("uncancel:", self.uncancel());
          rounds(1);
          return "value";
        });
    rounds(1);
    task.cancel();
    trace("result:", task.await());
  }

  void twoRequestsBeforeTheTaskRunsAreThrownOnce() {
    Task<?> task =
        Asyncio.createTask(() -> {
          for (int i = 0; i < 3; i++) {
            try {
              rounds(2);
              trace("slept", i);
            } catch (CancelledError e) {
              trace("cancelled in", i, "by", e.getMessage());
            }
          }
        });
    rounds(1);
    task.cancel("one");
    task.cancel("two");
    trace("cancelling:", task.cancelling());
    task.await();
  }

  void aResultAndACancellationInOneRound() {
    Future<String> future = Asyncio.runningLoop().createFuture();
    Task<?> task =
        Asyncio.createTask(() -> {
          try {
            trace("got", future.await());
          } catch (CancelledError e) {
            trace("cancelled, the future has", future.result());
            throw e;
          }
        });
    rounds(1);
    future.setResult("a value");
    task.cancel();
    Asyncio.wait(List.of(task));
    trace("cancelled:", task.cancelled());
  }

  void uncancelToZeroTakesAnUndeliveredCancellationBack() {
    Asyncio.createTask(
            () -> {
              Task<?> self = Asyncio.currentTask();
              self.cancel();
              trace("uncancel:", self.uncancel());
              rounds(1);
              trace("went on");
            })
        .await();
  }

  void aTaskCancelledWhileItFinishesIsCancelled() {
    Task<?> task =
        Asyncio.createTask(() -> {
          rounds(1);
          Asyncio.currentTask().cancel();
          trace("returns nevertheless");
          return "ignored";
        });
    Asyncio.wait(List.of(task));
    trace("cancelled:", task.cancelled());
  }

  void eagerTasksRunToTheirFirstWaitAtOnce() {
    Asyncio.runningLoop().setTaskFactory(TaskFactory.EAGER);
    trace("before a");
    Task<String> a = Asyncio.createTask(() -> beginAndGoOn("a", 0));
    trace("a done:", a.done());
    Task<String> b = Asyncio.createTask(() -> beginAndGoOn("b", 1));
    trace("b done:", b.done());
    b.addDoneCallback(done -> trace("callback of b"));
    trace("awaited", a.await(), b.await());
    rounds(1);
  }

  private String beginAndGoOn(String name, int waits) {
    trace(name, "begins");
    for (int i = 0; i < waits; i++) {
      rounds(1);
      trace(name, "goes on");
    }
    return name;
  }

  void anEagerTaskMakesAnotherAndCancelsIt() {
    Asyncio.runningLoop().setTaskFactory(TaskFactory.EAGER);
    Task<?> task =
        Asyncio.createTask(() -> {
          trace("parent begins");
          Task<?> child =
              Asyncio.createTask(() -> {
                trace("child begins");
                try {
                  Asyncio.sleep(LONG);
                } finally {
                  trace("child: finally");
                }
              });
          trace("parent cancels");
          child.cancel();
          Asyncio.wait(List.of(child));
          trace("parent ends");
        });
    trace("main goes on");
    task.await();
  }

  void gatherFailsAtTheFirstFailureAndTheOthersGoOn() {
    Asyncio.runningLoop().setExceptionHandler((loop, context) -> {});
    Task<String> a = Asyncio.createTask(() -> endOrFail("a", 1, false));
    Task<String> b = Asyncio.createTask(() -> endOrFail("b", 2, true));
    Task<String> c = Asyncio.createTask(() -> endOrFail("c", 4, false));
    try {
      Asyncio.gather(List.of(a, b, c)).await();
    } catch (IllegalArgumentException e) {
      trace("gather failed:", e.getMessage());
    }
    trace("c done:", c.done());
    trace("c:", c.await());
  }

  private String endOrFail(String name, int waits, boolean fails) {
    rounds(waits);
    trace(name, fails ? "fails" : "ends");
    if (fails) {
      throw new IllegalArgumentException(name);
    }
    return name;
  }

  void cancellingGatherCancelsItsChildrenAndWaitsForThem() {
    Future<List<Object>> gathered =
        Asyncio.gather(() -> cleanUpFor("a", 1), () -> cleanUpFor("b", 3));
    rounds(1);
    trace("cancel:", gathered.cancel());
    try {
      gathered.await();
    } catch (CancelledError e) {
      trace("gather cancelled");
    }
    trace("cancelled():", gathered.cancelled());
  }

  private Object cleanUpFor(String name, int waits) {
    try {
      Asyncio.sleep(LONG);
    } catch (CancelledError e) {
      trace(name, "cancelled");
      rounds(waits);
      trace(name, "ends");
      throw e;
    }
    return name;
  }

  void aChildThatIsCancelledFailsGather() {
    List<Task<Void>> tasks =
        Stream.of("a", "b")
            .map(name ->
                Asyncio.createTask(() -> {
                  try {
                    Asyncio.sleep(LONG);
                  } finally {
                    trace(name, "ends");
                  }
                }))
            .toList();
    rounds(1);
    tasks.getFirst().cancel();
    Future<?> gathered = Asyncio.gather(tasks);
    try {
      gathered.await();
    } catch (CancelledError e) {
      trace("gather: cancelled error");
    }
    trace("gather cancelled():", gathered.cancelled());
    trace("b done:", tasks.getLast().done());
    tasks.getLast().cancel();
    Asyncio.wait(tasks);
  }

  void waitReturnsAtTheFirstThatCompletes() {
    List<Task<String>> tasks = List.of(ending("a", 9), ending("b", 1), ending("c", 5));
    DoneAndPending<Task<String>> sets = Asyncio.wait(tasks, ReturnWhen.FIRST_COMPLETED);
    trace("done:", sets.done().size(), "pending:", sets.pending().size());
    sets = Asyncio.wait(sets.pending());
    trace("done:", sets.done().size(), "pending:", sets.pending().size());
  }

  private Task<String> ending(String name, int waits) {
    return Asyncio.createTask(() -> endOrFail(name, waits, false));
  }

  void waitForAnExceptionOverlooksACancellation() {
    Task<?> a = endingInAnyCase("a", 9, false);
    Task<?> b = endingInAnyCase("b", 3, true);
    Task<?> c = endingInAnyCase("c", 9, false);
    rounds(1);
    a.cancel();
    DoneAndPending<Task<?>> sets =
        Asyncio.wait(List.<Task<?>>of(a, b, c), ReturnWhen.FIRST_EXCEPTION);
    trace(
        "done:",
        sets.done().size(),
        "pending:",
        sets.pending().size(),
        "failed:",
        b.exception().getMessage());
    c.await();
  }

  private Task<?> endingInAnyCase(String name, int waits, boolean fails) {
    return Asyncio.createTask(() -> {
      try {
        rounds(waits);
      } finally {
        trace(name, "ends");
      }
      if (fails) {
        throw new IllegalArgumentException(name);
      }
    });
  }

  void asCompletedGivesTasksAsTheyEnd() {
    List<Task<String>> tasks = List.of(ending("a", 4), ending("b", 2), ending("c", 6));
    for (Task<String> task : Asyncio.asCompleted(tasks)) {
      trace("got", task.await());
    }
  }

  void aShieldIsCancelledAndWhatItCoversGoesOn() {
    Task<String> covered =
        Asyncio.createTask(() -> {
          rounds(4);
          trace("covered ends");
          return "value";
        });
    Task<?> waiting =
        Asyncio.createTask(() -> {
          try {
            Asyncio.shield(covered).await();
          } catch (CancelledError e) {
            trace("waiter: cancelled");
            trace("waiter: got", covered.await());
          }
        });
    rounds(2);
    waiting.cancel();
    waiting.await();
    trace("covered cancelled:", covered.cancelled());
  }

  void waitForWaitsUntilTheCancelledWorkHasEnded() {
    Coroutine<Object> work =
        () -> {
          try {
            Asyncio.sleep(LONG);
            return "slept";
          } finally {
            trace("work: cleaning up");
            rounds(2);
            trace("work: ends");
          }
        };

    try {
      Asyncio.waitFor(work, SOON);
    } catch (TimeoutException e) {
      trace("timed out");
    }
  }

  void waitForReturnsWhatTheWorkReturnsInSpiteOfItsCancellation() throws TimeoutException {
    Coroutine<String> work =
        () -> {
          try {
            Asyncio.sleep(LONG);
            return "slept";
          } catch (CancelledError e) {
            rounds(1);
            return "nevertheless";
          }
        };

    trace("returned:", Asyncio.waitFor(work, SOON));
    trace("cancelling:", Asyncio.currentTask().cancelling());
  }

  void waitForWithoutTimeDoesNotBegin() {
    Action work = () -> trace("began");

    try {
      Asyncio.waitFor(
          () -> {
            work.run();
            return null;
          },
          Duration.ZERO);
    } catch (TimeoutException e) {
      trace("timed out");
    }
    rounds(1);
  }

  void aTaskHasACopyOfItsMakersContext() {
    ContextVar<String> variable = new ContextVar<>("variable", "unset");
    variable.set("by main");
    Task<?> task =
        Asyncio.createTask(() -> {
          trace("child sees", variable.get());
          variable.set("by the child");
          rounds(1);
          trace("child sees", variable.get());
        });
    Asyncio.runningLoop().callSoon(() -> trace("callback sees", variable.get()));
    variable.set("by main, later");
    rounds(1);
    trace("main sees", variable.get());
    task.await();
    trace("main sees", variable.get());
  }
}
