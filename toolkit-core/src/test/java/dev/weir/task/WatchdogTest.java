package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Steps that hold the turn for too long. Each of them here ends when the report has come, so no
 * test depends on how long that takes.
 */
class WatchdogTest {
  private static final RunOptions DEBUG =
      RunOptions.defaults().withDebug(true).withSlowStep(Duration.ofMillis(20));

  /**
   * A limit that no loop here has. All watchdogs look from one thread, so when one that started
   * later has reported, those that started before have looked as often.
   */
  private static final Duration SENTINEL_LIMIT = Duration.ofMillis(40);

  private CapturedLog log;

  @BeforeEach
  void openLog() {
    log = CapturedLog.open();
  }

  @AfterEach
  void closeLog() {
    log.close();
  }

  @Test
  void aTaskThatComputesForTooLongIsReportedWithItsStackInDebugMode() {
    Loops.call(
        DEBUG,
        () -> {
          Loop.running().createTask(this::hogUntilReported, "hog").await();
          return null;
        });

    assertThat(reports("20 ms")).hasSize(1);
    assertThat(reports("20 ms").getFirst().getLevel()).isEqualTo(Level.WARNING);
    assertThat(reports("20 ms").getFirst().getMessage())
        .contains("'hog' has held the turn")
        .contains("weir-loop-")
        .contains("toThread()");
  }

  @Test
  void aCallbackThatComputesForTooLongIsReportedToo() {
    Loops.call(
        DEBUG,
        () -> {
          Loop.running().callSoon(this::hogUntilReported);
          Loops.settle();
          return null;
        });

    assertThat(reports("20 ms")).hasSize(1);
  }

  @Test
  void aStepAfterAnIdleTimeIsReportedToo() {
    Loops.call(
        DEBUG,
        () -> {
          Loop loop = Loop.running();
          Future<Object> future = loop.createFuture();
          loop.runInExecutor(() -> {
            while (!loop.carrier.polling()
                || loop.carrier.thread.getState() == Thread.State.RUNNABLE) {
              Thread.onSpinWait();
            }
            return loop.callSoonThreadsafe(() -> future.setResult("x"));
          });
          future.await();
          hogUntilReported();
          return null;
        });

    assertThat(reports("20 ms")).hasSize(1);
  }

  @Test
  void aBlockingCallOnPortableFibersIsReported() {
    assumeFalse(Loops.mounted(), "on mounted fibers it does not hold the turn");
    CountDownLatch reported = new CountDownLatch(1);
    log.tee(new CountingDown(reported));

    Loops.call(
        DEBUG,
        () -> {
          hogInBlockingCall(reported);
          return null;
        });

    assertThat(reports("20 ms")).hasSize(1);
  }

  private static void hogInBlockingCall(CountDownLatch latch) throws InterruptedException {
    latch.await();
  }

  /** Counts down when a report shows {@link #hogInBlockingCall}. */
  private static final class CountingDown extends Handler {
    private final CountDownLatch latch;

    CountingDown(CountDownLatch latch) {
      this.latch = latch;
    }

    @Override
    public void publish(LogRecord entry) {
      if (showsHog(entry)) {
        latch.countDown();
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void oneStepIsReportedOnceHoweverLongItTakes() {
    Loops.call(
        DEBUG,
        () -> {
          hogUntilReported();
          hogUntilSentinelReports();
          return null;
        });

    assertThat(reports("20 ms")).hasSize(1);
  }

  @Test
  void eachSlowStepIsReportedAnew() {
    Loops.call(
        DEBUG,
        () -> {
          hogUntilReported();
          Loop.running().yieldNow();
          hogUntil(2, "20 ms");
          return null;
        });

    assertThat(reports("20 ms")).hasSize(2);
  }

  @Test
  void aLoopThatIsIdleOrStandsStillIsNotReported() throws InterruptedException {
    try (Loop idle = Loops.open(DEBUG);
        Loop stopped = Loops.open(DEBUG)) {
      stopped.stop();
      stopped.runForever();
      Thread runner = Thread.ofPlatform().start(idle::runForever);
      while (!idle.carrier.polling()) {
        Thread.onSpinWait();
      }
      int before = log.records().size(); // A slow machine may have made it slow up to here.

      Loops.run(this::hogUntilSentinelReports);

      assertThat(log.records()).hasSize(before + 1);
      idle.stop();
      runner.join();
    }
  }

  @Test
  void debugModeCanBeSwitchedOnAndOffWhileTheLoopRuns() {
    Loops.call(
        DEBUG,
        () -> {
          Loop loop = Loop.running();
          loop.setDebug(false);
          assertThat(loop.debug()).isFalse();
          hogUntilSentinelReports();
          assertThat(reports("20 ms")).isEmpty();

          loop.runInExecutor(
                  () -> {
                    loop.setDebug(true);
                    return null;
                  })
              .await();
          hogUntilReported();
          return null;
        });
  }

  @Test
  void aRunThatIsRefusedLeavesTheOneUnderWayWatched() {
    Loops.call(
        DEBUG,
        () -> {
          Loop loop = Loop.running();
          loop.runInExecutor(
                  () -> {
                    assertThatThrownBy(loop::runForever).hasMessageContaining("runs already");
                    return null;
                  })
              .await();

          hogUntilReported(); // Hangs if nobody watches.
          return null;
        });
  }

  @Test
  void theLimitInDebugModeIsATenthOfASecondByDefault() {
    assertThat(RunOptions.defaults().slowStep()).isEqualTo(Duration.ofMillis(100));
  }

  @Test
  @Tag("slow") // The limit outside debug mode is a second.
  void outsideDebugModeAStepOfOverASecondIsReported() {
    Loops.run(() -> hogUntil(1, "1000 ms"));

    assertThat(reports("1000 ms")).hasSize(1);
  }

  @Test
  @Tag("slow") // Its thread stays for a second, for the next loop.
  void nobodyWatchesOnceNoLoopRuns() throws InterruptedException {
    Loops.run(() -> {});

    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("weir-watchdog")) {
        assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
      }
    }
  }

  /** Holds the turn until that has been reported, with this method in the stack. */
  private void hogUntilReported() {
    hogUntil(1, "20 ms");
  }

  private void hogUntil(int times, String limit) {
    while (reports(limit).size() < times) {
      Thread.onSpinWait();
    }
  }

  /** Holds the turn until a watchdog that starts now has reported that. */
  private void hogUntilSentinelReports() {
    Watchdog sentinel = new Watchdog(Loop.running().carrier, SENTINEL_LIMIT);
    sentinel.setDebug(true);
    sentinel.start();
    hogUntil(1, "40 ms");
    sentinel.stop();
  }

  /** {@return the reports of the hogs; on a slow machine there may be others} */
  private List<LogRecord> reports(String limit) {
    return log.containing("for over " + limit).stream().filter(WatchdogTest::showsHog).toList();
  }

  private static boolean showsHog(LogRecord report) {
    return Stream.of(report.getThrown().getStackTrace())
        .anyMatch(frame -> frame.getMethodName().startsWith("hog"));
  }
}
