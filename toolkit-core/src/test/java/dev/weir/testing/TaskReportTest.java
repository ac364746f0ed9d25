package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncBarrier;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncLock;
import dev.weir.task.Action;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.TaskGroup;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What reports of a run say: where a task is, what it waits for, where the rest comes from. */
class TaskReportTest {
  private static String deadlockOf(Action body) {
    return catchThrowableOfType(DeadlockError.class, () -> VirtualLoop.run(body)).getMessage();
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
}
