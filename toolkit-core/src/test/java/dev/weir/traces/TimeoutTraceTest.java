package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import dev.weir.task.Timeout;
import dev.weir.task.TimeoutException;
import java.time.Duration;
import java.util.List;

class TimeoutTraceTest extends TraceTest {
  TimeoutTraceTest() {
    super("timeouts");
  }

  void aDeadlineCancelsTheWaitAndBecomesATimeout() {
    Task<?> task = Asyncio.currentTask();
    try {
      Asyncio.timeout(SOON)
          .run(scope -> {
            try {
              Asyncio.sleep(LONG);
            } finally {
              trace("finally, expired:", scope.expired(), "cancelling:", task.cancelling());
              rounds(2);
              trace("finally after waits");
            }
          });
    } catch (TimeoutException e) {
      trace("timed out, cancelling:", task.cancelling());
    }
    rounds(1);
    trace("went on");
  }

  void aDeadlineInThePastExpiresAtTheFirstWait() throws TimeoutException {
    try {
      Asyncio.timeout(Duration.ZERO)
          .run(scope -> {
            trace("body runs, expired:", scope.expired());
            rounds(1);
            trace("first wait over, expired:", scope.expired());
            rounds(1);
            trace("second wait over");
          });
    } catch (TimeoutException e) {
      trace("timed out");
    }
    Timeout scope = Asyncio.timeout(Duration.ofSeconds(-1));
    scope.run(_ -> trace("no wait"));
    trace("no error, expired:", scope.expired());
  }

  void aBodyThatSwallowsTheCancellationHasNoTimeout() throws TimeoutException {
    Task<?> task = Asyncio.currentTask();
    Timeout scope = Asyncio.timeout(SOON);
    scope.run(_ -> {
      try {
        Asyncio.sleep(LONG);
      } catch (CancelledError e) {
        trace("swallowed, cancelling:", task.cancelling());
      }
      rounds(1);
      trace("went on");
    });
    trace("no error, expired:", scope.expired(), "cancelling:", task.cancelling());
  }

  void aBodyThatFailsInItsCleanUpFailsWithThat() throws TimeoutException {
    Timeout scope = Asyncio.timeout(SOON);
    try {
      scope.run(_ -> {
        try {
          Asyncio.sleep(LONG);
        } catch (CancelledError e) {
          rounds(1);
          throw new IllegalArgumentException("clean-up");
        }
      });
    } catch (IllegalArgumentException e) {
      trace("failed:", e.getMessage(), "expired:", scope.expired());
    }
    trace("cancelling:", Asyncio.currentTask().cancelling());
  }

  void theInnerOfTwoScopesExpiresFirst() {
    Timeout outer = Asyncio.timeout(LONG);
    Timeout inner = Asyncio.timeout(SOON);
    try {
      outer.run(_ -> {
        try {
          inner.run(_ -> Asyncio.sleep(LONG));
        } catch (TimeoutException e) {
          trace("inner timed out");
        }
        rounds(1);
        trace("outer body goes on");
      });
    } catch (TimeoutException e) {
      trace("outer timed out");
    }
    trace("expired:", inner.expired(), outer.expired());
  }

  void theOuterOfTwoScopesExpiresFirst() {
    Timeout outer = Asyncio.timeout(SOON);
    Timeout inner = Asyncio.timeout(LONG);
    try {
      outer.run(_ -> {
        try {
          inner.run(_ -> Asyncio.sleep(LONG));
        } catch (CancelledError e) {
          trace("inner passes the cancellation on");
          throw e;
        }
      });
    } catch (TimeoutException e) {
      trace("outer timed out");
    }
    trace("expired:", inner.expired(), outer.expired());
  }

  void ofTwoScopesWithOneDeadlineTheOuterTimesOut() {
    Task<?> task = Asyncio.currentTask();
    Duration when = Asyncio.runningLoop().time().plus(SOON);
    Timeout outer = Asyncio.timeoutAt(when);
    Timeout inner = Asyncio.timeoutAt(when);
    try {
      outer.run(_ -> {
        try {
          inner.run(_ -> Asyncio.sleep(LONG));
        } catch (CancelledError e) {
          trace("inner passes the cancellation on, cancelling:", task.cancelling());
          throw e;
        } catch (TimeoutException e) {
          trace("inner timed out");
          throw e;
        }
      });
    } catch (TimeoutException e) {
      trace("outer timed out, cancelling:", task.cancelling());
    }
    trace("expired:", inner.expired(), outer.expired());
  }

  void somebodyElsesCancellationWinsOverTheTimeout() {
    Task<?> task =
        Asyncio.createTask(() -> {
          Task<?> self = Asyncio.currentTask();
          Timeout scope = Asyncio.timeout(SOON);
          try {
            scope.run(_ -> {
              try {
                Asyncio.sleep(LONG);
              } finally {
                self.cancel("outside");
                trace("cancelled from outside as well");
              }
            });
          } catch (TimeoutException e) {
            trace("timed out");
          } finally {
            trace("expired:", scope.expired(), "cancelling:", self.cancelling());
          }
        });
    Asyncio.wait(List.of(task));
    trace("cancelled:", task.cancelled());
  }

  void reschedulingMovesTheDeadline() {
    Loop loop = Asyncio.runningLoop();
    Timeout scope = Asyncio.timeout(LONG);
    try {
      scope.run(_ -> {
        rounds(1);
        scope.reschedule(null);
        trace("no deadline:", scope.when() == null);
        Asyncio.sleep(SOON);
        scope.reschedule(loop.time());
        trace("now, expired:", scope.expired());
        rounds(1);
        trace("one wait, expired:", scope.expired());
        rounds(1);
        trace("two waits");
      });
    } catch (TimeoutException e) {
      trace("timed out");
    }
    try {
      scope.reschedule(null);
    } catch (IllegalStateException e) {
      trace("too late to reschedule");
    }
  }

  void aTimeoutCancelsTheTaskOfAGroup() {
    try {
      Asyncio.timeout(SOON)
          .run(_ ->
              new TaskGroup()
                  .run(group ->
                      group.createTask(() -> {
                        try {
                          Asyncio.sleep(LONG);
                        } finally {
                          trace("child cancelled");
                          rounds(3);
                          trace("child ends");
                        }
                      })));
    } catch (TimeoutException e) {
      trace("timed out, cancelling:", Asyncio.currentTask().cancelling());
    }
  }
}
