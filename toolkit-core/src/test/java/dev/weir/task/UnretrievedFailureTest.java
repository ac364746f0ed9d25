package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A failure reaches an awaiter, its scope or the exception handler, and not two of them. */
class UnretrievedFailureTest {
  private final IOException failure = new IOException("lost?");
  private final List<ExceptionContext> errors = new ArrayList<>();
  private final List<Object> kept = new ArrayList<>();

  // --- Nobody asks

  @Test
  void aFailureThatNobodyAsksForIsReportedWhenTheLoopCloses() {
    runCollectingErrors(() -> {
      kept.add(failingTask());
      Loops.settle();
      assertThat(errors).isEmpty();
    });

    assertReportedOnce();
    assertThat(errors.getFirst().message()).contains("never retrieved").contains("Task-");
  }

  @Test
  void soIsTheFailureOfAFuture() {
    runCollectingErrors(() -> {
      Future<Object> future = Loop.running().createFuture();
      kept.add(future);
      future.setException(failure);
    });

    assertReportedOnce();
    assertThat(errors.getFirst().message()).contains("never retrieved").contains("Future");
  }

  @Test
  void soIsTheFailureOfWorkOnAnotherThread() {
    runCollectingErrors(() -> {
      Future<?> work =
          Loop.running()
              .runInExecutor(() -> {
                throw failure;
              });
      kept.add(work);
      while (!work.done()) {
        Loop.running().yieldNow();
      }
    });

    assertReportedOnce();
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

    assertReportedOnce();
  }

  @Test
  void aFailureThatComesTooLateForItsAwaiterIsReported() {
    runCollectingErrors(() -> {
      Future<Object> future = Loop.running().createFuture();
      kept.add(future);
      Task<?> awaiter = Loop.running().createTask(() -> future.await());
      Loops.settle();

      future.setException(failure);
      awaiter.cancel();

      assertThatThrownBy(awaiter::await).isInstanceOf(CancelledError.class);
    });

    assertReportedOnce();
  }

  @Test
  void waitingForTheEndDoesNotAskForTheFailure() {
    runCollectingErrors(() -> {
      Task<?> task = failingTask();
      kept.add(task);
      Futures.wait(List.of(task), ReturnWhen.ALL_COMPLETED, null);
      task.addDoneCallback(done -> kept.add(done.cancelled()));
      Loops.settle();
    });

    assertReportedOnce();
  }

  // --- Somebody asks

  @Test
  void aFailureThatIsAwaitedIsNotReported() {
    runCollectingErrors(() -> {
      Task<?> task = failingTask();
      assertThatThrownBy(task::await).isSameAs(failure);
      assertThatThrownBy(task::await).isSameAs(failure);
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void aFailureThatIsLookedAtIsNotReported() {
    runCollectingErrors(() -> {
      Task<?> task = failingTask();
      Task<?> another = failingTask();
      Loops.settle();
      assertThat(task.exception()).isSameAs(failure);
      assertThatThrownBy(another::result).isSameAs(failure);
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void aFailureThatADoneCallbackLooksAtIsNotReported() {
    runCollectingErrors(() -> {
      failingTask().addDoneCallback(done -> kept.add(done.exception()));
      Loops.settle();
    });

    assertThat(kept).containsExactly(failure);
    assertThat(errors).isEmpty();
  }

  @Test
  void aFailureThatAGroupGotIsNotReported() {
    runCollectingErrors(() ->
        assertThatThrownBy(() -> new TaskGroup().run(group -> group.createTask(this::fail)))
            .isInstanceOf(ExceptionGroup.class));

    assertThat(errors).isEmpty();
  }

  @Test
  void theFailureOfMainGoesToTheCallerOfRunOnly() {
    assertThatThrownBy(() -> runCollectingErrors(this::fail)).isSameAs(failure);

    assertThat(errors).isEmpty();
  }

  @Test
  void aCancellationIsNoFailure() {
    runCollectingErrors(() -> {
      Task<?> task = Loop.running().createTask(() -> Loop.running().sleep(Duration.ofHours(1)));
      Loops.settle();
      task.cancel();
      Loops.settle();
    });

    assertThat(errors).isEmpty();
  }

  // --- Failures that have no handle, or come second

  @Test
  void aBackgroundTaskIsReportedAtOnce() {
    runCollectingErrors(() -> {
      Loop.running().background(this::fail);
      Loops.settle();

      assertReportedOnce();
      assertThat(errors.getFirst().message()).contains("Background task failed").contains("Task-");
      assertThat(errors.getFirst().future()).isInstanceOf(Task.class);
    });

    assertReportedOnce();
  }

  @Test
  void aBackgroundTaskThatEndsWellOrIsCancelledIsNotReported() {
    runCollectingErrors(() -> {
      Loop.running().background(() -> {});
      Loop.running()
          .background(() -> {
            Loop.currentTask().cancel();
            Loop.running().yieldNow();
          });
      Loops.settle();
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void laterFailuresOfAGatheringAreReportedAndItsFirstIsNot() {
    IOException first = new IOException("first");
    runCollectingErrors(() -> {
      Task<?> failsFirst =
          Loop.running()
              .createTask(() -> {
                throw first;
              });
      Task<?> failsLater =
          Loop.running()
              .createTask(() -> {
                Loops.settle();
                throw failure;
              });

      assertThatThrownBy(() -> Futures.gather(List.of(failsFirst, failsLater)).await())
          .isSameAs(first);
      Loops.settle();
      Loops.settle();
    });

    assertReportedOnce();
  }

  // --- Where it is reported

  @Test
  void aFailureIsReportedInTheContextOfItsTask() {
    ContextVar<String> request = new ContextVar<>("request", "none");
    runCollectingErrors(() -> {
      Loop.running().setExceptionHandler((loop, context) -> kept.add(request.get()));
      kept.add(
          Loop.running()
              .createTask(() -> {
                request.set("of the task");
                throw failure;
              }));
      Loops.settle();
    });

    assertThat(kept).last().isEqualTo("of the task");
  }

  @Test
  void closingALoopByHandReportsToo() {
    Loop loop = Loops.open();
    loop.setExceptionHandler((l, context) -> errors.add(context));
    Future<Object> future = loop.createFuture();
    future.setException(failure);

    loop.close();

    assertReportedOnce();
  }

  private void assertReportedOnce() {
    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  private void runCollectingErrors(Action body) {
    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      body.run();
    });
  }

  private Task<?> failingTask() {
    return Loop.running().createTask(this::fail);
  }

  private void fail() throws IOException {
    throw failure;
  }
}
