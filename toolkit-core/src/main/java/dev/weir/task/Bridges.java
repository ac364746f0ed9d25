package dev.weir.task;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Futures of a loop and of the JDK that follow each other. */
final class Bridges {
  private Bridges() {}

  static <T extends @Nullable Object> Future<T> fromCompletionStage(
      Loop loop, CompletionStage<T> stage) {
    Future<T> future = new Future<>(loop);
    future.onDone(() -> {
      if (future.isCancelled()) {
        // A callback: the stage's dependents are user code.
        loop.enqueueCallback(() -> stage.toCompletableFuture().cancel(false));
      }
    });
    loop.foreignWork.waiting(future, "a CompletionStage: " + Descriptions.of(stage));
    stage.whenComplete((result, failure) -> {
      if (!loop.isClosed()) {
        loop.submitInternal(() -> follow(future, result, failure));
      }
    });
    return future;
  }

  private static <T extends @Nullable Object> void follow(
      Future<T> future, T result, @Nullable Throwable failure) {
    if (future.isDone()) {
      return;
    }
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause == null) {
      future.complete(result);
    } else if (cause instanceof CancellationException) {
      future.completeCancelled(cause.getMessage(), cause);
    } else if (cause instanceof java.util.concurrent.TimeoutException) {
      future.completeExceptionally(new TimeoutException(cause.getMessage(), cause));
    } else {
      future.completeExceptionally(cause);
    }
  }

  static <T extends @Nullable Object> CompletableFuture<T> toCompletableFuture(Future<T> future) {
    CompletableFuture<T> follower = new CompletableFuture<>();
    follow(follower, future);
    return follower;
  }

  /** Corresponds to {@code run_coroutine_threadsafe}. Any thread. */
  static <T extends @Nullable Object> CompletableFuture<T> runCoroutineThreadsafe(
      Coroutine<T> coroutine, Loop loop) {
    loop.ensureOpen();
    CompletableFuture<T> follower = new CompletableFuture<>();
    TaskOptions inCallersContext = TaskOptions.defaults().withContext(Context.copyOfCurrent());
    Runnable begin = () -> begin(loop, coroutine, inCallersContext, follower);
    loop.submitCallback(begin);
    if (loop.isClosed()) { // It may have been closed just now, and then nobody else does this.
      begin.run();
    }
    return follower;
  }

  private static <T extends @Nullable Object> void begin(
      Loop loop, Coroutine<T> coroutine, TaskOptions options, CompletableFuture<T> follower) {
    if (follower.isDone()) {
      return; // Cancelled before there was a task.
    }
    try {
      follow(follower, loop.createTask(coroutine, options));
    } catch (Throwable e) { // The loop may be closed, or a task factory of the user's fail.
      follower.completeExceptionally(e);
    }
  }

  /** Completes {@code follower} with {@code future}, and cancels the future with it. */
  private static <T extends @Nullable Object> void follow(
      CompletableFuture<T> follower, Future<T> future) {
    Loop loop = future.loop;
    // A callback, because the follower's dependents are user code; and the loop's own, because a
    // thread may wait for the follower when the loop is closed.
    future.onDoneCall(done -> {
      if (done.isCancelled()) {
        follower.cancel(false);
        return;
      }
      Throwable failure = done.peekFailure();
      if (failure != null) {
        boolean told =
            follower.completeExceptionally(
                failure instanceof CancelledError cancelled
                    ? asCancellationException(cancelled)
                    : failure);
        if (told) { // Else it was cancelled or timed out, and the failure is to be reported.
          done.failure();
        }
      } else {
        follower.complete(Future.<T, RuntimeException>resultOf(done));
      }
    });
    var _ =
        follower.whenComplete((result, failure) -> {
          if (follower.isCancelled() && !loop.isClosed()) {
            loop.submitInternal(() -> future.requestCancel("its CompletableFuture was cancelled"));
          }
        });
  }

  private static CancellationException asCancellationException(CancelledError cancelled) {
    CancellationException exception = new CancellationException(cancelled.getMessage());
    exception.initCause(cancelled);
    return exception;
  }
}
