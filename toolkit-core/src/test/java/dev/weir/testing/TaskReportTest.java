package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.sync.AsyncLock;
import dev.weir.task.Action;
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
