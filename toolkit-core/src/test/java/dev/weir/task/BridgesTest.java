package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class BridgesTest {
  private final IOException failure = new IOException("broken");

  // --- wrapFuture

  @Test
  void aWrappedStageHasTheResultOfTheStage() {
    Loops.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Future<String> future = Asyncio.wrapFuture(stage);
      Thread.ofPlatform().start(() -> stage.complete("x"));

      assertThat(future.await()).isEqualTo("x");
    });
  }

  @Test
  void aStageMayBeDoneAlreadyAndItsResultNull() {
    Loops.run(() -> {
      assertThat(Asyncio.wrapFuture(CompletableFuture.completedStage("x")).await()).isEqualTo("x");
      assertThat(Asyncio.<String>wrapFuture(CompletableFuture.completedStage(null)).await())
          .isNull();
    });
  }

  @Test
  void theResultArrivesInARoundOfTheLoopAndNotInsideComplete() {
    Loops.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Future<String> future = Asyncio.wrapFuture(stage);

      stage.complete("x");
      assertThat(future.done()).isFalse();
      Loops.settle();

      assertThat(future.result()).isEqualTo("x");
    });
  }

  @Test
  void aWrappedStageFailsWithTheVeryExceptionAndNotItsWrapper() {
    Loops.run(() -> {
      CompletableFuture<String> failed = CompletableFuture.failedFuture(failure);

      assertThatThrownBy(() -> Asyncio.wrapFuture(failed).await()).isSameAs(failure);
      assertThatThrownBy(() -> Asyncio.wrapFuture(failed.thenApply(x -> x)).await())
          .as("a dependent stage wraps it into a CompletionException")
          .isSameAs(failure);
    });
  }

  @Test
  void aCompletionExceptionWithoutACauseIsTheFailureItself() {
    Loops.run(() -> {
      CompletionException bare = new CompletionException("bare", null);

      assertThatThrownBy(() -> Asyncio.wrapFuture(CompletableFuture.failedStage(bare)).await())
          .isSameAs(bare);
    });
  }

  @Test
  void aStageThatIsCancelledCancelsTheFuture() {
    Loops.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Future<String> future = Asyncio.wrapFuture(stage);

      stage.cancel(true);
      Loops.settle();

      assertThat(future.cancelled()).isTrue();
      assertThatThrownBy(future::await)
          .isInstanceOf(CancelledError.class)
          .hasCauseInstanceOf(CancellationException.class);
    });
  }

  @Test
  void aTimeoutOfTheStageIsATimeoutOfWeirs() {
    Loops.run(() -> {
      var timeout = new java.util.concurrent.TimeoutException("too slow");

      assertThatThrownBy(() -> Asyncio.wrapFuture(CompletableFuture.failedStage(timeout)).await())
          .isInstanceOf(TimeoutException.class)
          .hasMessage("too slow")
          .hasCause(timeout);
    });
  }

  @Test
  void cancellingTheFutureCancelsTheStage() {
    Loops.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Future<String> future = Asyncio.wrapFuture(stage);

      future.cancel();
      Loops.settle();

      assertThat(stage).isCancelled();
    });
  }

  @Test
  void cancellingTheTaskThatAwaitsCancelsTheStage() {
    Loops.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Task<?> task = Asyncio.createTask(() -> Asyncio.wrapFuture(stage).await());
      Loops.settle();

      task.cancel();
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
      assertThat(stage).isCancelled();
    });
  }

  @Test
  void aResultThatCrossesACancellationIsDropped() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      CompletableFuture<String> stage = new CompletableFuture<>();
      Future<String> future = Asyncio.wrapFuture(stage);

      stage.complete("x");
      future.cancel();
      Loops.settle();

      assertThat(future.cancelled()).isTrue();
      assertThat(stage).isCompletedWithValue("x");
      assertThat(errors).isEmpty();
    });
  }

  @Test
  void aStageThatGetsDoneAfterTheLoopHasClosedIsIgnored() {
    CompletableFuture<String> stage = new CompletableFuture<>();
    Loops.run(() -> Asyncio.wrapFuture(stage));

    assertThat(stage.complete("x")).isTrue();
  }

  @Test
  void aNullStageIsRefused() {
    Loops.run(() ->
        assertThatThrownBy(() -> Asyncio.wrapFuture(null))
            .isInstanceOf(NullPointerException.class)
            .hasMessageContaining("stage"));
  }

  // --- toCompletableFuture

  @Test
  void aCompletableFutureFollowsTheTaskToItsResult() {
    Loops.run(() -> {
      CompletableFuture<String> follower = Asyncio.createTask(() -> "x").toCompletableFuture();
      Loops.settle();

      assertThat(follower).isCompletedWithValue("x");
    });
  }

  @Test
  void aCompletableFutureFollowsTheTaskToItsFailure() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      CompletableFuture<String> follower = Loops.failing(failure).toCompletableFuture();
      Loops.settle();

      assertThatThrownBy(follower::get).isInstanceOf(ExecutionException.class).hasCause(failure);
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void aFutureThatIsDoneCompletesItsFollowerSoon() {
    Loops.run(() -> {
      CompletableFuture<String> follower = Loops.done("x").toCompletableFuture();
      Loops.settle();

      assertThat(follower).isCompletedWithValue("x");
    });
  }

  @Test
  void aCancelledFutureCancelsItsFollower() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      CompletableFuture<String> follower = future.toCompletableFuture();

      future.cancel();
      Loops.settle();

      assertThat(follower).isCancelled();
    });
  }

  @Test
  void aCancelledErrorThatIsAFailureBecomesACancellationException() {
    Loops.run(() -> {
      Future<String> child = Loop.running().createFuture();
      CompletableFuture<List<String>> follower =
          Asyncio.gather(List.of(child)).toCompletableFuture();

      child.cancel("the child");
      Loops.settle();

      assertThat(follower).isCancelled();
      assertThat(follower.handle((result, thrown) -> thrown).join())
          .isInstanceOf(CancellationException.class)
          .hasMessage("the child")
          .hasCauseInstanceOf(CancelledError.class);
    });
  }

  @Test
  void cancellingTheFollowerCancelsTheTaskWhicheverThreadDoes() {
    Loops.run(() -> {
      for (ForeignThread thread : ForeignThread.values()) {
        Task<?> task = Loops.sleeper();
        CompletableFuture<?> follower = task.toCompletableFuture();

        assertThat(thread.thrownBy(() -> follower.cancel(true))).isNull();

        assertThatThrownBy(task::await)
            .isInstanceOf(CancelledError.class)
            .hasMessageContaining("CompletableFuture");
      }
    });
  }

  @Test
  void completingTheFollowerOtherwiseLeavesTheTaskAlone() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "own");
      CompletableFuture<String> follower = task.toCompletableFuture();

      follower.complete("other");

      assertThat(task.await()).isEqualTo("own");
      assertThat(task.cancelling()).isZero();
      assertThat(follower).isCompletedWithValue("other");
    });
  }

  @Test
  void aFailureAfterTheFollowerWasCancelledIsReported() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      CompletableFuture<?> follower =
          Asyncio.createTask(this::failWhenCancelled).toCompletableFuture();
      Loops.settle();
      follower.cancel(true);
      Loops.settle();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void aFailureAfterTheCallOfAnotherThreadWasCancelledIsReported() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      CompletableFuture<?> follower =
          Asyncio.runCoroutineThreadsafe(this::failWhenCancelled, Loop.running());
      Loops.settle();
      follower.cancel(true);
      Loops.settle();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  private Object failWhenCancelled() throws IOException {
    try {
      Asyncio.sleep(Loops.LONG);
    } catch (CancelledError e) {
      throw failure;
    }
    return "slept";
  }

  @Test
  void aFailureAfterTheFollowerGotATimeoutIsReported() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Future<String> future = Loop.running().createFuture();
      CompletableFuture<String> follower = future.toCompletableFuture();
      follower.completeExceptionally(new java.util.concurrent.TimeoutException("too slow"));

      future.setException(failure);
      Loops.settle();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void theDependentsOfAFollowerAreUserCodeAndMayUseTheLoop() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Asyncio.createTask(() -> "x")
          .toCompletableFuture()
          .thenAccept(x -> Asyncio.createTask(() -> order.add("task")));
      Loops.settle();

      assertThat(order).containsExactly("task");
    });
  }

  @Test
  void cancellingAFollowerAfterTheLoopHasClosedIsHarmless() {
    CompletableFuture<String> follower =
        Loops.call(() -> Loop.running().<String>createFuture().toCompletableFuture());

    assertThat(follower.cancel(true)).isTrue();
  }

  @Test
  void aRoundTripThroughTheJdkEndsAsItBegan() {
    Loops.run(() -> {
      Task<?> task = Loops.sleeper();
      Future<?> roundTrip = Asyncio.wrapFuture(task.toCompletableFuture());

      roundTrip.cancel();
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
    });
  }
}
