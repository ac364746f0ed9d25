package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** What {@link Loop#close} drops, what it ends, and what it says about it. */
class LoopClosingTest {
  private static final Duration LONG = Duration.ofHours(1);

  /** Bounds a wait that takes this long only if the test fails. */
  private static final Duration FAILED = Duration.ofSeconds(10);

  private final List<ExceptionContext> errors = new ArrayList<>();
  private final List<String> order = new CopyOnWriteArrayList<>();

  // --- What is ready

  @Test
  void whatIsReadyNeverRuns() {
    Loop neverRan = open();
    scheduleEveryKind(neverRan);
    neverRan.close();
    Loop ran = open();
    runOneRound(ran);
    scheduleEveryKind(ran);
    ran.close();

    assertThat(order).isEmpty();
  }

  private void scheduleEveryKind(Loop loop) {
    loop.callSoon(() -> order.add("callback"));
    loop.callSoonThreadsafe(() -> order.add("handed over"));
    loop.callLater(Duration.ZERO, () -> order.add("timer"));
    loop.createTask(() -> order.add("task"));
    Future<Object> future = loop.createFuture();
    future.addDoneCallback(done -> order.add("done callback"));
    future.setResult("x");
  }

  @Test
  void aCallbackThatCleaningUpMakesReadyNeverRuns() {
    Loop loop = open();
    Future<Object> future = loop.createFuture();
    future.addDoneCallback(done -> order.add("done callback"));
    loop.createTask(() -> {
      try {
        loop.sleep(LONG);
      } finally {
        future.setResult("x");
        order.add("cleaned up");
      }
    });
    runOneRound(loop);

    loop.close();

    assertThat(order).containsExactly("cleaned up");
  }

  @Test
  void whatTheEngineReportsWhileItClosesIsNotLost() {
    IOException failure = new IOException("cannot close");
    Loop loop =
        Loop.open(
            RunOptions.defaults(),
            (transport, context) ->
                new ObservedDriver(
                    context, () -> {}, () -> context.report("Closing failed", failure)));
    loop.setExceptionHandler((l, context) -> errors.add(context));

    loop.close();

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().exception()).isSameAs(failure);
  }

  // --- Tasks that are not done

  @Test
  void aPendingTaskIsReportedWithItsStackAndADoneOneIsNot() {
    Loop loop = open();
    Task<?> sleeper = loop.createTask(LoopClosingTest::sleepForLong, "sleeper");
    loop.createTask(() -> {}, "done");
    runOneRound(loop);

    loop.close();

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message())
        .contains("destroyed but it is pending")
        .contains("sleeper");
    assertThat(errors.getFirst().future()).isSameAs(sleeper);
    assertThat(errors.getFirst().exception().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("sleepForLong");
  }

  private static void sleepForLong() {
    Loop.running().sleep(LONG);
  }

  @Test
  void aTaskThatHasNotBegunIsReportedToo() {
    Loop loop = open();
    loop.createTask(() -> {}, "not begun");

    loop.close();

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message()).contains("pending").contains("not begun");
  }

  @Test
  void aPendingTaskCleansUpAndEveryCallThereIsRefused() {
    Loop loop = open();
    Task<?> task =
        loop.createTask(() -> {
          try {
            loop.sleep(LONG);
          } finally {
            assertClosed(Loop::running);
            assertClosed(loop::yieldNow);
            assertClosed(() -> loop.sleep(LONG));
            assertClosed(() -> loop.callSoon(() -> {}));
            assertClosed(() -> loop.callLater(LONG, () -> {}));
            assertClosed(() -> loop.callAt(LONG, () -> {}));
            assertClosed(() -> loop.createTask(() -> {}));
            assertClosed(loop::createFuture);
            assertClosed(() -> loop.runInExecutor(() -> "x"));
            order.add("cleaned up");
          }
        });
    runOneRound(loop);

    loop.close();

    assertThat(order).containsExactly("cleaned up");
    assertThat(task.toString()).contains("failed").contains("is closed");
    assertThat(errors).hasSize(1); // That it was pending, and not how that ended.
  }

  @Test
  void aTaskThatYieldedIsEndedAsWell() {
    Loop loop = open();
    Task<?> task =
        loop.createTask(() -> {
          while (true) {
            loop.yieldNow();
          }
        });
    runOneRound(loop);

    loop.close();

    assertThat(task.toString()).contains("is closed");
  }

  @Test
  void aFailureWhileCleaningUpIsReported() {
    IOException failure = new IOException("cannot clean up");
    Loop loop = open();
    loop.createTask(() -> {
      try {
        loop.sleep(LONG);
      } catch (IllegalStateException e) {
        throw failure;
      }
    });
    runOneRound(loop);

    loop.close();

    assertThat(errors).hasSize(2);
    assertThat(errors.getLast().exception()).isSameAs(failure);
  }

  @Test
  void aTaskInBlockingCodeIsInterruptedAndReportedAndNoLongerHoldsTheLoop() {
    assumeTrue(Loops.mounted(), "on portable fibers it holds the turn, so nobody could close");
    Loop loop = open();
    CountDownLatch latch = new CountDownLatch(1);
    loop.createTask(() -> {
      try {
        awaitForeign(latch);
      } catch (InterruptedException e) {
        order.add("interrupted");
      }
    });
    runOneRound(loop);

    loop.close();

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().exception().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("awaitForeign");
    assertThat(order).containsExactly("interrupted");
    assertThat(loop.carrier.thread.isAlive()).isFalse();
  }

  private static void awaitForeign(CountDownLatch latch) throws InterruptedException {
    latch.await();
  }

  // --- Who may close, and what comes after

  @Test
  void aRunningLoopRefusesToBeClosedAndGoesOn() {
    Loop loop = open();

    loop.runUntilComplete(() -> {
      assertRefusedWhileRunning(loop::close);
      loop.runInExecutor(
              () -> {
                assertRefusedWhileRunning(loop::close);
                return null;
              })
          .await();
    });
    assertThat(loop.isClosed()).isFalse();

    loop.close();
  }

  private static void assertRefusedWhileRunning(Runnable close) {
    assertThatThrownBy(close::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("runs: stop() it first");
  }

  @Test
  void anyThreadMayCloseALoopThatStandsStill() throws InterruptedException {
    Loop loop = open();
    runOneRound(loop);

    Thread.ofVirtual().start(loop::close).join();

    assertThat(loop.isClosed()).isTrue();
    assertThat(loop.carrier.thread.isAlive()).isFalse();
  }

  @Test
  void aSecondCloseHasNoEffect() {
    Loop loop = open();
    loop.createTask(() -> {});

    loop.close();
    loop.close();

    assertThat(errors).hasSize(1);
  }

  @Test
  void aClosedLoopRefusesEveryCallAndSaysWhy() {
    Loop loop = open();
    Future<Object> future = loop.createFuture();

    loop.close();

    assertThat(loop.isClosed()).isTrue();
    assertThat(loop.isRunning()).isFalse();
    assertClosed(() -> loop.callSoon(() -> {}));
    assertClosed(() -> loop.callSoonThreadsafe(() -> {}));
    assertClosed(() -> loop.callLater(LONG, () -> {}));
    assertClosed(() -> loop.callAt(LONG, () -> {}));
    assertClosed(() -> loop.createTask(() -> {}));
    assertClosed(loop::createFuture);
    assertClosed(() -> loop.runInExecutor(() -> "x"));
    assertClosed(loop::allTasks);
    assertClosed(loop::runForever);
    assertClosed(() -> loop.runUntilComplete(future));
    assertClosed(() -> loop.runUntilComplete(() -> {}));
    assertClosed(() -> future.setResult("x"));
  }

  private static void assertClosed(Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void stopOnAClosedLoopHasNoEffect() {
    Loop loop = open();
    loop.close();

    loop.stop();

    assertThat(loop.isClosed()).isTrue();
  }

  // --- What is left

  @Test
  void nothingIsLeftOfALoopThatRanTasksCallbacksAndWork() throws InterruptedException {
    List<Thread> threads = new CopyOnWriteArrayList<>();
    Loop loop = open();
    loop.runUntilComplete(() -> {
      loop.createTask(() -> {
        threads.add(Thread.currentThread());
        loop.sleep(LONG);
      });
      loop.callSoon(() -> threads.add(Thread.currentThread()));
      loop.toThread(() -> threads.add(Thread.currentThread()));
      Loops.settle();
    });

    loop.close();

    assertThat(loop.carrier.thread.isAlive()).isFalse();
    assertThat(threads).hasSize(3);
    for (Thread thread : threads) {
      assertThat(thread.join(FAILED)).as(thread.toString()).isTrue();
    }
  }

  @Test
  void theDriverIsClosedOnceByTheThreadThatPolls() {
    List<Thread> pollers = new CopyOnWriteArrayList<>();
    List<Thread> closers = new CopyOnWriteArrayList<>();
    Loop loop =
        Loop.open(
            RunOptions.defaults(),
            (transport, context) ->
                new ObservedDriver(
                    context,
                    () -> pollers.add(Thread.currentThread()),
                    () -> closers.add(Thread.currentThread())));
    runOneRound(loop);

    loop.close();

    assertThat(closers).hasSize(1).isSubsetOf(pollers);
  }

  @Test
  void aLoopThatNeverRanIsClosedToo() {
    Loop loop = open();

    loop.close();

    assertThat(loop.carrier.thread.isAlive()).isFalse();
  }

  @Test
  void anInterruptedCallerWaitsForTheEndAllTheSame() {
    Loop loop = open();
    runOneRound(loop);
    Thread.currentThread().interrupt();

    loop.close();
    boolean alive = loop.carrier.thread.isAlive();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(alive).isFalse();
  }

  @Test
  void anExceptionHandlerThatThrowsDoesNotKeepTheLoopOpen() {
    SignalException signal = new SignalException("INT", 2, null);
    Loop loop = open();
    loop.setExceptionHandler((l, context) -> {
      throw signal;
    });
    loop.createTask(() -> {});

    assertThatThrownBy(loop::close).isSameAs(signal);

    assertThat(loop.isClosed()).isTrue();
    assertThat(loop.carrier.thread.isAlive()).isFalse();
  }

  private Loop open() {
    Loop loop = Loops.open();
    loop.setExceptionHandler((l, context) -> errors.add(context));
    return loop;
  }

  private static void runOneRound(Loop loop) {
    loop.stop();
    loop.runForever();
  }
}
