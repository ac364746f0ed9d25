package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnretrievedFailureTest {
  private final IOException failure = new IOException("lost?");
  private final List<ExceptionContext> errors = new ArrayList<>();

  @Test
  void aFailureThatNobodyAsksForIsReportedWhenTheLoopCloses() {
    List<Task<?>> kept = new ArrayList<>();

    runCollectingErrors(() -> kept.add(failingTask()));

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
    assertThat(errors.getFirst().message()).contains("never retrieved").contains("Task-");
  }

  @Test
  void aFailureIsReportedWhenTheLastHandleIsGone() {
    runCollectingErrors(() -> {
      failingTask();
      Loops.settle();
      while (errors.isEmpty()) {
        System.gc(); // Until the collector has seen it; the test's time limit bounds this.
        Loop.running().yieldNow();
      }
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void aFailureThatIsAwaitedIsNotReported() {
    runCollectingErrors(() -> assertThatThrownBy(() -> failingTask().await()).isSameAs(failure));

    assertThat(errors).isEmpty();
  }

  @Test
  void aFailureThatIsLookedAtIsNotReported() {
    runCollectingErrors(() -> {
      Task<?> task = failingTask();
      Loops.settle();
      assertThat(task.exception()).isSameAs(failure);
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void theFailureOfMainGoesToTheCallerOfRunOnly() {
    assertThatThrownBy(() ->
            runCollectingErrors(() -> {
              throw failure;
            }))
        .isSameAs(failure);

    assertThat(errors).isEmpty();
  }

  private void runCollectingErrors(Action body) {
    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      body.run();
    });
  }

  private Task<?> failingTask() {
    return Loop.running()
        .createTask(() -> {
          throw failure;
        });
  }
}
