package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.InvalidStateException;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

class FutureTraceTest extends TraceTest {
  FutureTraceTest() {
    super("futures");
  }

  void callbacksAndWaitingTasksFollowTheOrderOfRegistration() {
    Future<String> future = Asyncio.runningLoop().createFuture();
    future.addDoneCallback(_ -> trace("callback 1"));
    Task<?> a = awaiting("a", future);
    rounds(1);
    future.addDoneCallback(_ -> trace("callback 2"));
    Task<?> b = awaiting("b", future);
    rounds(1);
    future.addDoneCallback(_ -> trace("callback 3"));
    future.setResult("x");
    trace("set");
    a.await();
    b.await();
  }

  private Task<?> awaiting(String name, Future<String> future) {
    return Asyncio.createTask(() -> {
      trace(name, "waits");
      trace(name, "got", future.await());
    });
  }

  void aCallbackOfAFutureThatIsDoneComesInTheNextRound() {
    Future<Integer> future = Asyncio.runningLoop().createFuture();
    future.setResult(1);
    future.addDoneCallback(done -> trace("callback:", done.result()));
    trace("added");
    future.await();
    trace("awaiting did not suspend");
    rounds(1);
    trace("a round later");
  }

  void aCallbackThatFailsIsReportedAndTheOthersRun() {
    Loop loop = Asyncio.runningLoop();
    loop.setExceptionHandler((_, context) -> trace("reported:", context.exception().getMessage()));
    Future<Object> future = loop.createFuture();
    future.addDoneCallback(_ -> trace("first"));
    future.addDoneCallback(_ -> {
      throw new IllegalArgumentException("bad callback");
    });
    future.addDoneCallback(_ -> trace("third"));
    future.cancel();
    rounds(1);
  }

  void callbacksAddedByACallbackComeARoundLater() {
    Future<Object> future = Asyncio.runningLoop().createFuture();
    future.addDoneCallback(_ -> {
      trace("outer");
      future.addDoneCallback(_ -> trace("inner"));
    });
    future.addDoneCallback(_ -> trace("sibling"));
    future.setResult(null);
    for (int i = 0; i < 3; i++) {
      rounds(1);
      trace("round", i);
    }
  }

  void cancellingAFutureWakesEverybodyWhoAwaitsIt() {
    Future<Object> future = Asyncio.runningLoop().createFuture();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(
          Asyncio.createTask(() -> {
            try {
              future.await();
            } catch (CancelledError e) {
              trace(name, "cancelled:", e.getMessage());
              rounds(1);
              trace(name, "ends");
            }
          }));
    }
    rounds(1);
    trace("cancel:", future.cancel("gone"), future.cancel("again"));
    Asyncio.wait(tasks);
    trace("cancelled:", tasks.stream().filter(Task::cancelled).count());
  }

  void cancellingOneOfTwoTasksCancelsTheFutureForBoth() {
    Future<Object> future = Asyncio.runningLoop().createFuture();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(
          Asyncio.createTask(() -> {
            try {
              future.await();
            } catch (CancelledError e) {
              trace(name, "cancelled");
              throw e;
            }
          }));
    }
    rounds(1);
    tasks.getFirst().cancel();
    Asyncio.wait(tasks);
    trace("future cancelled:", future.cancelled(), "b cancelling:", tasks.getLast().cancelling());
  }

  void aFailureIsThrownAtEveryAwait() {
    IllegalArgumentException failure = new IllegalArgumentException("broken");
    Future<Object> future = Asyncio.runningLoop().createFuture();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(Asyncio.createTask(() -> awaitFailure(name, future, failure)));
    }
    rounds(1);
    future.setException(failure);
    tasks.forEach(Task::await);
    awaitFailure("main", future, failure);
    try {
      future.setResult(1);
    } catch (InvalidStateException e) {
      trace("done already");
    }
  }

  private void awaitFailure(String name, Future<Object> future, Throwable failure) {
    try {
      future.await();
    } catch (IllegalArgumentException e) {
      trace(name, "failed:", e.getMessage(), "the same:", e == failure);
    }
  }

  void removedCallbacksAreNotCalled() {
    List<String> calls = new ArrayList<>();
    Consumer<Future<Object>> callback = _ -> calls.add("called");
    Future<Object> future = Asyncio.runningLoop().createFuture();
    future.addDoneCallback(callback);
    future.addDoneCallback(_ -> trace("another"));
    future.addDoneCallback(callback);
    trace("removed:", future.removeDoneCallback(callback));
    trace("removed:", future.removeDoneCallback(callback));
    future.setResult(null);
    rounds(1);
    trace("calls:", calls.size());
  }
}
