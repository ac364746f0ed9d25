package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

/** What debug mode adds to reports. Slow steps are {@code WatchdogTest}'s. */
class DebugModeTest {
  private static final RunOptions DEBUG = RunOptions.defaults().withDebug(true);
  private static final String PARKED = "suspended in a blocking call";

  private final IOException failure = new IOException("x");
  private final List<ExceptionContext> errors = new ArrayList<>();

  // --- Creation sites

  @Test
  void aFailingCallbackIsReportedWithThePlaceThatMadeIt() {
    debug(() -> {
      makeFailingCallback();
      Loops.settle();
    });

    assertMadeIn("makeFailingCallback");
  }

  private void makeFailingCallback() {
    Loop.running()
        .callSoon(() -> {
          throw Sneaky.rethrow(failure);
        });
  }

  @Test
  void tasksAndFuturesTellWhereTheyWereMadeAndHowManyWait() {
    debug(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<?> task = Loop.running().createTask(() -> future.await());
      Loops.settle();
      future.addDoneCallback(done -> {});

      String method = "tasksAndFuturesTellWhereTheyWereMade";
      assertThat(future.toString()).contains("pending", "2 waiting", "created at", method);
      assertThat(task.toString()).contains("pending", "0 waiting", "created at", method);
      future.cancel();
    });

    assertThat(Loops.<String>call(() -> Loop.currentTask().toString()))
        .doesNotContain("waiting", "created at");
  }

  @Test
  void aFailedTaskThatNobodyAsksForIsReportedWithThePlaceThatMadeIt() {
    debug(this::makeFailingTask);

    assertMadeIn("makeFailingTask");
  }

  private void makeFailingTask() {
    Loop.running()
        .createTask(() -> {
          throw failure;
        });
  }

  @Test
  void aFailedBackgroundTaskIsReportedWithThePlaceThatMadeIt() {
    debug(() -> {
      makeFailingBackgroundTask();
      Loops.settle();
    });

    assertMadeIn("makeFailingBackgroundTask");
  }

  private void makeFailingBackgroundTask() {
    Loop.running()
        .background(() -> {
          throw failure;
        });
  }

  @Test
  void aPendingTaskOfAClosedLoopIsReportedWithThePlaceThatMadeIt() {
    Loop loop = Loops.open(DEBUG);
    loop.setExceptionHandler((l, context) -> errors.add(context));
    makePendingTask(loop);

    loop.close();

    assertMadeIn("makePendingTask");
  }

  private static void makePendingTask(Loop loop) {
    loop.createTask(() -> {});
  }

  private void assertMadeIn(String method) {
    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().createdAt().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains(method);
  }

  @Test
  void theLogShowsThePlaceToo() {
    try (CapturedLog log = CapturedLog.open()) {
      Loops.call(
          DEBUG,
          () -> {
            makeFailingCallback();
            Loops.settle();
            return null;
          });

      LogRecord report = log.containing("Exception in callback").getFirst();
      assertThat(report.getThrown()).isSameAs(failure);
      assertThat(failure.getSuppressed()).hasSize(1);
      assertThat(failure.getSuppressed()[0].getStackTrace())
          .extracting(StackTraceElement::getMethodName)
          .contains("makeFailingCallback");
    }
  }

  @Test
  void aFailureShowsWhereItWasAwaited() {
    debug(() -> {
      Future<Object> future = Loop.running().createFuture();
      future.setException(failure);

      assertThatThrownBy(() -> awaitFailure(future)).isSameAs(failure);
    });

    assertThat(failure.getSuppressed()).hasSize(1);
    assertThat(failure.getSuppressed()[0].getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("awaitFailure");
  }

  @Test
  void aFailureThatIsAwaitedOftenShowsTheFirstPlacesOnly() {
    failure.addSuppressed(new IOException("the user's own"));
    debug(() -> {
      Future<Object> future = Loop.running().createFuture();
      future.setException(failure);

      for (int i = 0; i < 100; i++) {
        assertThatThrownBy(() -> awaitFailure(future)).isSameAs(failure);
      }
    });

    assertThat(failure.getSuppressed())
        .filteredOn(suppressed -> suppressed.toString().contains("awaited here"))
        .hasSize(5);
  }

  private static void awaitFailure(Future<?> future) {
    future.await();
  }

  @Test
  void outsideDebugModeNothingIsRemembered() {
    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      makeFailingCallback();
      makeFailingTask();
      makeFailingBackgroundTask();
      Loops.settle();
      Future<Object> future = Loop.running().createFuture();
      future.setException(failure);
      assertThatThrownBy(() -> awaitFailure(future)).isSameAs(failure);
    });

    assertThat(errors).hasSize(3).extracting(ExceptionContext::createdAt).containsOnlyNulls();
    assertThat(failure.getSuppressed()).isEmpty();
  }

  // --- Blocking calls that are none of Weir's

  @Test
  void aTaskThatSuspendsInABlockingCallIsReportedWithItsStack() {
    needMountedFibers();
    try (CapturedLog log = CapturedLog.open()) {
      debug(() -> {
        CountDownLatch latch = new CountDownLatch(1);
        Task<?> blocked = Loop.running().createTask(() -> block(latch), "blocked");
        Loops.settle();
        latch.countDown();
        blocked.await();
        Loops.settle();
      });

      assertReportedOnce(log, "Task 'blocked' " + PARKED);
    }
  }

  @Test
  void aCallbackThatSuspendsInABlockingCallIsReportedWithItsStack() {
    needMountedFibers();
    try (CapturedLog log = CapturedLog.open()) {
      debug(() -> {
        CountDownLatch latch = new CountDownLatch(1);
        Loop.running().callSoon(() -> blockQuietly(latch));
        Loops.settle();
        latch.countDown();
        Loops.settle();
      });

      assertReportedOnce(log, "A callback " + PARKED);
    }
  }

  @Test
  void aLogThatSuspendsIsNotReportedForReportingThat() {
    needMountedFibers();
    Semaphore gate = new Semaphore(0);
    try (CapturedLog log = CapturedLog.open()) {
      log.tee(new GatedLog(gate));
      debug(() -> {
        CountDownLatch latch = new CountDownLatch(1);
        Task<?> blocked = Loop.running().createTask(() -> block(latch), "blocked");
        Loops.settle();
        assertThat(gate.hasQueuedThreads()).isTrue();
        Loops.settle();

        assertReportedOnce(log, "Task 'blocked' " + PARKED);
        gate.release(1_000);
        latch.countDown();
        blocked.await();
      });
    }
  }

  @Test
  void waitingForWeirIsNotReportedNorIsAnythingOutsideDebugMode() {
    needMountedFibers();
    try (CapturedLog log = CapturedLog.open()) {
      debug(() -> {
        Loop loop = Loop.running();
        Future<Object> future = loop.createFuture();
        loop.callSoon(() -> future.setResult("x"));
        future.await();
        loop.sleep(Duration.ofNanos(1));
        Loops.settle();
      });
      Loops.run(() -> {
        CountDownLatch latch = new CountDownLatch(1);
        Task<?> blocked = Loop.running().createTask(() -> block(latch));
        Loops.settle();
        latch.countDown();
        blocked.await();
      });

      assertThat(log.containing(PARKED)).isEmpty();
    }
  }

  private static void needMountedFibers() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call is a slow step");
  }

  private static void block(CountDownLatch latch) throws InterruptedException {
    latch.await();
  }

  private static void blockQuietly(CountDownLatch latch) {
    try {
      block(latch);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertReportedOnce(CapturedLog log, String message) {
    assertThat(log.containing(PARKED)).hasSize(1);
    LogRecord report = log.containing(PARKED).getFirst();
    assertThat(report.getMessage()).contains(message);
    assertThat(report.getThrown().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("block");
  }

  private void debug(Action body) {
    Loops.call(
        DEBUG,
        Loop.asCoroutine(() -> {
          Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
          body.run();
        }));
  }

  /** A log that blocks, as one that writes to a socket does. */
  private static final class GatedLog extends Handler {
    private final Semaphore gate;

    GatedLog(Semaphore gate) {
      this.gate = gate;
    }

    @Override
    public void publish(LogRecord entry) {
      gate.acquireUninterruptibly();
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
