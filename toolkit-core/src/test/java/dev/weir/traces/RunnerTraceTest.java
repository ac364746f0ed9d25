package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.ContextVar;
import dev.weir.task.Coroutine;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import java.util.List;
import java.util.function.Consumer;

class RunnerTraceTest extends TraceTest {
  RunnerTraceTest() {
    super("runners");
  }

  /** These scenarios run loops by themselves. */
  @Override
  void run(Runnable scenario) {
    scenario.run();
  }

  void runsShareTheLoopAndTheContext() {
    ContextVar<String> variable = new ContextVar<>("variable", "unset");

    try (Runner runner = Loops.newRunner()) {
      Loop loop = runner.loop();
      runner.run(() -> {
        variable.set("by the first");
        rounds(1);
        trace("first:", variable.get());
      });
      runner.run(() -> {
        rounds(1);
        trace("second:", variable.get());
      });
      trace("same loop:", runner.loop() == loop);
    }
    trace("outside:", variable.get());
  }

  void aTaskThatIsLeftGoesOnInTheNextRun() {
    try (Runner runner = Loops.newRunner()) {
      runner.run(() -> {
        Asyncio.createTask(() -> {
          for (int i = 0; i < 6; i++) {
            trace("tick", i);
            rounds(1);
          }
        });
        rounds(1);
        trace("first ends");
      });
      trace("between");
      runner.run(() -> {
        trace("second begins");
        rounds(2);
        trace("second ends");
      });
    }
  }

  void closingCancelsWhatIsLeftAndWaitsForItsCleanUp() {
    Loops.run(() -> {
      Asyncio.createTask(() -> {
        try {
          Asyncio.sleep(LONG);
        } catch (CancelledError e) {
          trace("left: cancelled");
          rounds(3);
          trace("left: cleaned up");
          throw e;
        }
      });
      rounds(1);
      trace("main ends");
    });
    trace("run ended");
  }

  void aLeftTaskThatSwallowsItsCancellationIsWaitedFor() {
    Loops.run(() -> {
      Asyncio.createTask(() -> {
        try {
          Asyncio.sleep(LONG);
        } catch (CancelledError e) {
          trace("stubborn: goes on");
        }
        rounds(1);
        Asyncio.sleep(SOON);
        trace("stubborn: ends by itself");
      });
      rounds(1);
    });
    trace("run ended");
  }

  void anErrorDuringTheClosingGoesToTheExceptionHandler() {
    Coroutine<String> main =
        () -> {
          Asyncio.runningLoop()
              .setExceptionHandler(
                  (loop, context) -> trace("reported:", context.exception().getMessage()));
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(LONG);
            } catch (CancelledError e) {
              rounds(1);
              throw new IllegalArgumentException("bad clean-up");
            }
          });
          rounds(1);
          return "value";
        };

    String returned;
    try (Runner runner = Loops.newRunner()) {
      returned = runner.run(main);
    }
    trace("run returned:", returned);
  }

  void aLeftTaskThatHasNotBegunBeginsBeforeItIsCancelled() {
    Loops.run(() -> {
      Asyncio.createTask(() -> {
        trace("late: begins");
        try {
          rounds(1);
        } catch (CancelledError e) {
          trace("late: cancelled at its first wait");
        }
      });
      trace("main ends");
    });
    trace("run ended");
  }

  void aCancelledMainEndsTheRunWithTheCancellation() {
    try {
      Loops.run(() -> {
        Task<?> self = Asyncio.currentTask();
        Asyncio.runningLoop().callSoon(() -> self.cancel("enough"));
        try {
          Asyncio.sleep(LONG);
        } finally {
          trace("main: finally");
          rounds(1);
          trace("main: finally after a wait");
        }
      });
    } catch (CancelledError e) {
      trace("run was cancelled:", e.getMessage());
    }
  }

  void stopEndsTheRunWithTheRound() {
    try (Loop loop = Loops.open()) {
      Task<?> task =
          loop.createTask(() -> {
            for (int i = 0; i < 4; i++) {
              trace("tick", i);
              rounds(1);
            }
          });
      Consumer<String> callback =
          name -> {
            trace("callback", name);
            if (name.equals("b")) {
              loop.stop();
              loop.callSoon(() -> trace("callback", "d"));
            }
          };
      List.of("a", "b", "c").forEach(name -> loop.callSoon(() -> callback.accept(name)));
      loop.runForever();
      trace("stopped");
      loop.runUntilComplete(task);
      trace("completed");
    }
  }

  void aLoopThatIsStoppedTooEarlyHasNoResult() {
    try (Loop loop = Loops.open()) {
      Task<?> task =
          loop.createTask(() -> {
            rounds(1);
            Asyncio.runningLoop().stop();
            rounds(3);
            trace("main ends");
          });
      try {
        loop.runUntilComplete(task);
      } catch (IllegalStateException e) {
        trace("stopped before the task was done");
      }
      loop.runUntilComplete(task);
    }
  }
}
