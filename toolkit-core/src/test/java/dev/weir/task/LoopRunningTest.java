package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Running and stopping a loop by hand. */
class LoopRunningTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final List<Loop> opened = new ArrayList<>();
  private final List<String> order = new ArrayList<>();

  @AfterEach
  void closeLoops() {
    opened.forEach(Loop::close);
  }

  /** Opens a loop that the calling thread holds. */
  private Loop open() {
    Loop loop = Loops.open();
    opened.add(loop);
    return loop;
  }

  // --- runForever and stop

  @Test
  void runForeverRunsUntilStop() {
    Loop loop = open();
    loop.callSoon(() -> order.add("running: " + loop.isRunning()));
    loop.callSoon(loop::stop);

    assertThat(loop.isRunning()).isFalse();
    loop.runForever();

    assertThat(order).containsExactly("running: true");
    assertThat(loop.isRunning()).isFalse();
  }

  @Test
  void stopLetsTheRoundEndAndLeavesWhatIsNewForTheNextRun() {
    Loop loop = open();
    loop.callSoon(() -> {
      loop.callSoon(() -> order.add("new"));
      loop.stop();
      order.add("stops");
    });
    loop.callSoon(() -> order.add("same round"));

    loop.runForever();
    assertThat(order).containsExactly("stops", "same round");

    runOneRound(loop);
    assertThat(order).containsExactly("stops", "same round", "new");
  }

  @Test
  void stopBeforeARunGrantsItOneRound() {
    Loop loop = open();
    loop.callSoon(() -> {
      order.add("ready");
      loop.callSoon(() -> order.add("new"));
    });
    loop.callLater(Duration.ZERO, () -> order.add("due"));
    loop.callSoonThreadsafe(() -> order.add("submitted"));

    loop.stop();
    loop.stop();
    loop.runForever();

    assertThat(order).containsExactlyInAnyOrder("ready", "due", "submitted");
  }

  @Test
  void aRunStoppedBeforeItBeganPollsOnceAndDoesNotBlock() {
    List<Boolean> mayBlock = new ArrayList<>();
    Loop observed =
        Loop.open(
            RunOptions.defaults(),
            (transport, context) ->
                new ObservedDriver(context, () -> mayBlock.add(context.mayBlock()), () -> {}));

    observed.stop();
    observed.runForever(); // Hangs if the poll blocks.
    assertThat(mayBlock).containsExactly(false);

    observed.close();
  }

  @Test
  void stopFromAnotherThreadIsNeverSleptOver() {
    Loop loop = open();
    try (ExecutorService stopper = Executors.newSingleThreadExecutor()) {
      for (int i = 0; i < 1_000; i++) {
        boolean afterTheBeginning = i % 2 == 0;
        stopper.execute(() -> {
          while (afterTheBeginning && !loop.isRunning()) {
            Thread.onSpinWait();
          }
          loop.stop();
        });
        loop.runForever(); // Hangs if the stop is lost.
      }
    }
  }

  @Test
  void interruptingTheCallerStopsRunForeverAndTheInterruptIsSetAgain() throws InterruptedException {
    Loop loop = open();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              loop.runForever();
              order.add("interrupted: " + Thread.currentThread().isInterrupted());
            });
    awaitRunning(loop);

    caller.interrupt();
    caller.join();

    assertThat(order).containsExactly("interrupted: true");
  }

  @Test
  void whatIsHandedOverBetweenTwoRunsWaitsForTheNext() {
    Loop loop = open();
    runOneRound(loop);

    loop.callSoonThreadsafe(() -> order.add("handed over"));
    assertThat(order).isEmpty();
    runOneRound(loop);

    assertThat(order).containsExactly("handed over");
  }

  @Test
  void tasksGoOnInTheNextRunWhereTheyWere() {
    Loop loop = open();
    Future<String> future = loop.createFuture();
    Task<String> task = loop.createTask(() -> "got " + future.await());
    runOneRound(loop);
    runOneRound(loop);
    assertThat(task.done()).isFalse();

    future.setResult("it");

    assertThat(loop.runUntilComplete(task)).isEqualTo("got it");
  }

  // --- Who may run it

  @Test
  void aRunInsideARunIsRefusedAndSaysWhatToDo() {
    Loop loop = open();
    Loop other = open();
    loop.runUntilComplete(() -> {
      Future<Object> pending = loop.createFuture();
      assertRefusedOnALoop(loop::runForever);
      assertRefusedOnALoop(() -> loop.runUntilComplete(pending));
      assertRefusedOnALoop(() -> loop.runUntilComplete(() -> {}));
      assertRefusedOnALoop(other::runForever);
      assertRefusedOnALoop(() -> other.runUntilComplete(() -> {}));

      loop.callSoon(() -> {
        assertRefusedOnALoop(other::runForever);
        order.add("refused in a callback");
      });
      Loops.settle();
    });

    assertThat(order).containsExactly("refused in a callback");
  }

  private static void assertRefusedOnALoop(Runnable run) {
    assertThatThrownBy(run::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("running loop")
        .hasMessageContaining("await the future, or create a task");
  }

  @Test
  void aSecondThreadCannotRunARunningLoopNorDisturbIt() {
    Loop loop = open();
    loop.runUntilComplete(() -> {
      String refusal =
          loop.runInExecutor(() ->
                  messageOf(loop::runForever) + messageOf(() -> loop.runUntilComplete(() -> {})))
              .await();

      assertThat(refusal).contains("runs already").contains("runs: stop() it first");
      Loops.settle();
    });
  }

  @Test
  void theThreadThatRanTheLoopLastMayCallItAndNoOther() throws InterruptedException {
    Loop loop = open();
    loop.callSoon(() -> order.add("by the opener"));
    Thread runner =
        Thread.ofPlatform()
            .start(() -> {
              runOneRound(loop);
              loop.callSoon(() -> order.add("by the runner"));
            });
    runner.join();

    assertThatThrownBy(() -> loop.callSoon(() -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Loop.callSoon()")
        .hasMessageContaining("callSoonThreadsafe");
    runOneRound(loop); // Makes this thread the one.
    loop.callSoon(() -> order.add("by the opener again"));
    runOneRound(loop);

    assertThat(order).containsExactly("by the opener", "by the runner", "by the opener again");
  }

  // --- runUntilComplete

  @Test
  void runUntilCompleteReturnsTheResultOfATaskOrFuture() {
    Loop loop = open();
    Future<String> future = loop.createFuture();
    loop.callSoon(() -> future.setResult("future"));

    assertThat(loop.runUntilComplete(future)).isEqualTo("future");
    assertThat(loop.runUntilComplete(future)).isEqualTo("future");
    assertThat(loop.<String>runUntilComplete(() -> "coroutine")).isEqualTo("coroutine");
  }

  @Test
  void runUntilCompleteThrowsTheVeryFailureAndNobodyElseGetsIt() {
    Loop loop = open();
    IOException failure = new IOException("x");
    List<ExceptionContext> errors = new ArrayList<>();
    loop.setExceptionHandler((l, context) -> errors.add(context));

    assertThatThrownBy(() ->
            loop.runUntilComplete(() -> {
              throw failure;
            }))
        .isSameAs(failure);
    loop.close();

    assertThat(errors).isEmpty();
  }

  @Test
  void runUntilCompleteThrowsTheCancellation() {
    Loop loop = open();
    Future<Object> future = loop.createFuture();
    loop.callSoon(() -> future.cancel("no longer wanted"));

    assertThatThrownBy(() -> loop.runUntilComplete(future))
        .isInstanceOf(CancelledError.class)
        .hasMessage("no longer wanted");
  }

  @Test
  void runUntilCompleteRefusesAFutureOfAnotherLoop() {
    Loop loop = open();
    Loop other = open();
    Future<Object> foreign = other.createFuture();

    assertThatThrownBy(() -> loop.runUntilComplete(foreign))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("belongs to another loop")
        .hasMessageContaining("runCoroutineThreadsafe");
  }

  @Test
  void aLoopStoppedBeforeTheFutureIsDoneSaysSoAndCanGoOn() {
    Loop loop = open();
    Task<String> task =
        loop.createTask(() -> {
          loop.stop();
          loop.yieldNow();
          return "done";
        });

    assertThatThrownBy(() -> loop.runUntilComplete(task))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("stopped before")
        .hasMessageContaining(task.name());

    assertThat(loop.runUntilComplete(task)).isEqualTo("done");
  }

  @Test
  void aFutureOfAnEarlierRunDoesNotStopALaterOne() {
    Loop loop = open();
    Future<String> earlier = loop.createFuture();
    loop.stop();
    assertThatThrownBy(() -> loop.runUntilComplete(earlier)).hasMessageContaining("stopped before");

    loop.callSoon(() -> earlier.setResult("late"));
    loop.runUntilComplete(Loops::settle);
  }

  @Test
  void interruptingTheCallerCancelsTheFuture() throws InterruptedException {
    Loop loop = open();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread caller =
        Thread.ofVirtual()
            .start(() -> {
              try {
                loop.runUntilComplete(() -> loop.sleep(LONG));
              } catch (CancelledError e) {
                thrown.set(e);
              }
              order.add("interrupted: " + Thread.currentThread().isInterrupted());
            });
    awaitRunning(loop);

    caller.interrupt();
    caller.join();

    assertThat(thrown.get()).hasMessageContaining("interrupted");
    assertThat(order).containsExactly("interrupted: true");
  }

  @Test
  void aTaskThatRefusesTheCancellationOfAnInterruptKeepsItsResult() {
    Loop loop = open();
    Thread.currentThread().interrupt();

    String result =
        loop.runUntilComplete(() -> {
          try {
            loop.sleep(LONG);
            return "slept";
          } catch (CancelledError e) {
            return "refused";
          }
        });

    assertThat(Thread.interrupted()).isTrue();
    assertThat(result).isEqualTo("refused");
  }

  // --- The exception that ends a run

  @Test
  void aSignalExceptionOfATaskIsItsFailureAndEndsTheRunAtOnce() {
    Loop loop = open();
    SignalException signal = new SignalException("INT", 2, null);
    List<ExceptionContext> errors = new ArrayList<>();
    loop.setExceptionHandler((l, context) -> errors.add(context));
    Task<?> task =
        loop.createTask(() -> {
          throw signal;
        });
    loop.callSoon(() -> order.add("same round"));

    assertThatThrownBy(loop::runForever).isSameAs(signal);
    assertThat(order).isEmpty();
    assertThat(task.exception()).isSameAs(signal);

    runOneRound(loop);
    assertThat(order).containsExactly("same round");
    loop.close();
    assertThat(errors).isEmpty();
  }

  @Test
  void aSignalExceptionOfACallbackEndsTheRunAtOnce() {
    Loop loop = open();
    SignalException signal = new SignalException("TERM", 15, null);
    loop.callSoon(() -> {
      throw signal;
    });
    loop.callSoon(() -> order.add("same round"));

    assertThatThrownBy(loop::runForever).isSameAs(signal);
    assertThat(order).isEmpty();

    runOneRound(loop);
    assertThat(order).containsExactly("same round");
  }

  @Test
  void aMainTaskThatThrowsASignalExceptionDoesNotStopTheNextRun() {
    Loop loop = open();
    SignalException signal = new SignalException("INT", 2, null);

    assertThatThrownBy(() ->
            loop.runUntilComplete(() -> {
              throw signal;
            }))
        .isSameAs(signal);

    loop.runUntilComplete(Loops::settle);
  }

  private static void runOneRound(Loop loop) {
    loop.stop();
    loop.runForever();
  }

  private static void awaitRunning(Loop loop) {
    while (!loop.isRunning()) {
      Thread.onSpinWait();
    }
  }

  private static String messageOf(Runnable refused) {
    try {
      refused.run();
      return "not refused";
    } catch (IllegalStateException e) {
      return e.getMessage();
    }
  }
}
