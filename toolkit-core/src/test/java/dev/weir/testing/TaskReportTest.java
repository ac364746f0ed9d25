package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncBarrier;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncLock;
import dev.weir.task.Action;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.TaskGroup;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What reports of a run say: where a task is, what it waits for, where the rest comes from. */
class TaskReportTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final String IDENTITY_HASH = "(?s).*@[0-9a-f]{4,}.*";
  private static final String LAMBDA_ADDRESS = "0x";

  private static String deadlockOf(Action body) {
    return catchThrowableOfType(DeadlockError.class, () -> VirtualLoop.run(body)).getMessage();
  }

  private static String leftBehindBy(Action body) {
    return catchThrowableOfType(LeftBehindError.class, () -> VirtualLoop.run(body)).getMessage();
  }

  // --- The call

  @Test
  void aTaskThatIteratesOverLinesWaitsInTheMethodThatReadsThem() {
    String report =
        deadlockOf(() -> {
          try (StreamPair pair = StreamPair.open()) {
            for (String line : pair.left().reader().lines(UTF_8)) {
              assertThat(line).isNull();
            }
          }
        });

    assertThat(report).contains("task 'Task-1' waits in StreamReader.readLine() for StreamReader[");
    assertThat(report).doesNotContain("StreamReader.unchecked()");
  }

  @Test
  void theOutermostCallOfTheUsersIsTheOneThatIsTold() {
    String report =
        deadlockOf(() -> {
          AsyncLock lock = new AsyncLock();
          lock.acquire();
          lock.hold();
        });

    assertThat(report).contains("waits in AsyncLock.hold() for AsyncLock[locked");
  }

  // --- What for

  @Test
  void theEndOfATaskGroupNamesItsUnfinishedTasks() {
    String report =
        deadlockOf(() -> {
          AsyncEvent never = new AsyncEvent();
          new TaskGroup()
              .run(group -> {
                group.createTask(() -> {}, "done");
                group.createTask(() -> never.await(), "one");
                group.createTask(() -> never.await(), "other");
              });
        });

    assertThat(report)
        .contains("waits in TaskGroup.run() for TaskGroup[2 unfinished: 'one', 'other']");
  }

  @Test
  void aLongTaskGroupNamesTheFirstFewOnly() {
    String report =
        deadlockOf(() -> {
          AsyncEvent never = new AsyncEvent();
          new TaskGroup()
              .run(group -> {
                for (int i = 1; i <= 7; i++) {
                  group.createTask(() -> never.await(), "t" + i);
                }
              });
        });

    assertThat(report).contains("[7 unfinished: 't1', 't2', 't3', 't4', 't5', ...]");
  }

  @Test
  void waitNamesWhatIsUnfinished() {
    String report =
        deadlockOf(() -> {
          Future<String> never = Loop.running().createFuture();
          Future<String> done = Loop.running().createFuture();
          done.setResult("x");
          Asyncio.wait(
              List.<Future<?>>of(
                  done, never, Asyncio.createTask(() -> new AsyncEvent().await(), "stuck")));
        });

    assertThat(report)
        .contains(
            "waits in Asyncio.wait() for Waiting[ALL_COMPLETED, 2 of 3 unfinished: a future,"
                + " 'stuck']");
  }

  @Test
  void asCompletedSaysHowManyAreToCome() {
    String report =
        deadlockOf(() -> {
          Future<String> never = Loop.running().createFuture();
          for (Future<String> next : Asyncio.asCompleted(List.of(never))) {
            next.await();
          }
        });

    assertThat(report).contains(" for AsCompleted[");
  }

  @Test
  void aBarrierSaysHowManyAreMissing() {
    String report = deadlockOf(() -> new AsyncBarrier(3).await());

    assertThat(report)
        .contains("waits in AsyncBarrier.await() for AsyncBarrier[FILLING, 1 of 3 parties]");
  }

  // --- Timers and work on other threads

  @Test
  void aTimerSaysWhatMadeIt() {
    Action body = () -> Loop.running().callLater(HOUR, () -> {});

    String report = leftBehindBy(body);

    assertThat(report)
        .contains("timer: Handle[a lambda of dev.weir.testing.TaskReportTest] due at 3600.0 s")
        .containsPattern("made at dev.weir.testing.TaskReportTest\\.lambda\\$\\w+\\$\\d+")
        .contains("(TaskReportTest.java:")
        .doesNotMatch(IDENTITY_HASH)
        .doesNotContain(LAMBDA_ADDRESS)
        .isEqualTo(leftBehindBy(body));
  }

  @Test
  void aCallbackOfAClassIsNamedByItWithoutItsIdentity() {
    Runnable callback =
        new Runnable() {
          @Override
          public void run() {}
        };

    String report = leftBehindBy(() -> Loop.running().callAt(HOUR, callback));

    assertThat(report).contains("Handle[" + callback.getClass().getName() + "] due at");
  }

  @Test
  void workOnAThreadSaysWhatHandedItOver() {
    assertThat(reportOfWork(never -> Asyncio.toThread(() -> never.await())))
        .containsPattern(
            "work on an executor: a lambda of dev.weir.testing.TaskReportTest, made at"
                + " dev.weir.testing.TaskReportTest\\.lambda\\$")
        .doesNotMatch(IDENTITY_HASH);
    assertThat(
            reportOfWork(never ->
                Loop.running()
                    .runInExecutor(() -> {
                      never.await();
                      return null;
                    })
                    .await()))
        .contains("work on an executor: a lambda of dev.weir.testing.TaskReportTest, made at");
  }

  /** Work that is to end when its latch is released. */
  private interface Work {
    void begin(CountDownLatch never) throws Exception;
  }

  private static String reportOfWork(Work work) {
    CountDownLatch never = new CountDownLatch(1);
    VirtualOptions impatient = VirtualOptions.defaults().withTimeout(Duration.ofMillis(20));
    try {
      return catchThrowableOfType(
              DeadlockError.class, () -> VirtualLoop.run(() -> work.begin(never), impatient))
          .getMessage();
    } finally {
      never.countDown();
    }
  }

  // --- Times

  @Test
  void timesAreToldAsExactlyAsTheyAre() {
    assertThat(TaskReport.time(0)).isEqualTo("0.0 s");
    assertThat(TaskReport.time(1)).isEqualTo("1 ns");
    assertThat(TaskReport.time(250_000)).isEqualTo("250000 ns");
    assertThat(TaskReport.time(20_000_000)).isEqualTo("0.02 s");
    assertThat(TaskReport.time(7_000_000_000L)).isEqualTo("7.0 s");
    assertThat(TaskReport.time(1_000_000_001L)).isEqualTo("1.000000001 s");
  }

  // --- A scenario that hangs once it was cancelled

  @Test
  void aCheckThatHangsIsReportedWithTheCancellationBeforeIt() {
    String report =
        deadlockOf(() ->
            CancelEverywhere.run(
                AsyncLock::new,
                lock -> {
                  lock.acquire();
                  Asyncio.sleep(HOUR);
                  lock.release();
                },
                lock -> lock.acquire()));

    assertThat(report)
        .contains("task 'Task-1' waits in AsyncLock.acquire()")
        .contains("CancelEverywhere, after a cancellation at suspension 1 here:")
        .contains("dev.weir.Asyncio.sleep");
  }

  @Test
  void aScenarioThatIsDeafToItsCancellationIsReportedWithIt() {
    Supplier<AsyncEvent> fixture = AsyncEvent::new;

    String report =
        deadlockOf(() ->
            CancelEverywhere.run(
                fixture::get,
                never -> {
                  while (true) {
                    try {
                      never.await();
                    } catch (CancelledError e) {
                      // Deaf.
                    }
                  }
                },
                never -> {}));

    assertThat(report)
        .contains("task 'scenario' waits in AsyncEvent.await()")
        .contains("CancelEverywhere, after a cancellation at suspension 1 here:");
  }

  @Test
  void aScenarioThatHasEndedIsReportedNoMore() {
    String report =
        deadlockOf(() -> {
          CancelEverywhere.run(AsyncEvent::new, event -> Asyncio.yieldNow(), event -> {});
          new AsyncEvent().await();
        });

    assertThat(report).doesNotContain("CancelEverywhere");
  }
}
