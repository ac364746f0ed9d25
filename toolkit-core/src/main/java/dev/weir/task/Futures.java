package dev.weir.task;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What {@code Asyncio} offers for waiting for futures; described there. */
public final class Futures {
  private static final int NAMED_MAX = 5;

  private Futures() {}

  /** See {@code Asyncio.gather}. */
  public static <T extends @Nullable Object> Future<List<T>> gather(
      Collection<? extends Future<? extends T>> futures) {
    return Gathering.ofResults(held("gather()"), List.copyOf(futures));
  }

  /** See {@code Asyncio.gatherOutcomes}. */
  public static <T extends @Nullable Object> Future<List<Outcome<T>>> gatherOutcomes(
      Collection<? extends Future<? extends T>> futures) {
    return Gathering.ofOutcomes(held("gatherOutcomes()"), List.copyOf(futures));
  }

  /** {@return a task for each coroutine} If one cannot be made, those before it are cancelled. */
  public static <T extends @Nullable Object> List<Task<? extends T>> createTasks(
      Coroutine<? extends T>[] coroutines) {
    Loop loop = Loop.running();
    for (int i = 0; i < coroutines.length; i++) { // Before the first task begins.
      Objects.requireNonNull(coroutines[i], "coroutines[" + i + "]");
    }
    List<Task<? extends T>> tasks = new ArrayList<>(coroutines.length);
    try {
      for (Coroutine<? extends T> coroutine : coroutines) {
        tasks.add(loop.createTask(coroutine));
      }
    } catch (Throwable e) { // Of a task factory: the caller gets no handle of those before.
      for (Task<?> task : tasks) {
        task.requestCancel("another task of the same call could not be made");
      }
      throw e;
    }
    return tasks;
  }

  /** See {@code Asyncio.wait}. */
  public static <F extends Future<?>> DoneAndPending<F> wait(
      Collection<F> futures, ReturnWhen returnWhen, @Nullable Duration timeout) {
    Objects.requireNonNull(returnWhen, "returnWhen");
    Loop loop = suspending("wait()");
    if (futures.isEmpty()) {
      throw new IllegalArgumentException(
          "wait() needs at least one future: the collection is empty");
    }
    Set<F> distinct = distinct(loop, futures, "wait()");
    if (timeout == null && (returnWhen == ReturnWhen.ALL_COMPLETED || distinct.size() == 1)) {
      // Else the others may be enough, or the timeout ends it, as in asyncio.
      Task<?> caller = Objects.requireNonNull(Loop.currentTask());
      distinct.forEach(future -> future.ensureNotWaitingFor(caller));
    }
    return new Waiting<>(loop, distinct, returnWhen).await(timeout);
  }

  /** See {@code Asyncio.asCompleted}. */
  public static <F extends Future<?>> Iterable<F> asCompleted(
      Collection<F> futures, @Nullable Duration timeout) {
    Loop loop = held("asCompleted()");
    AsCompleted<F> iterator =
        new AsCompleted<>(loop, distinct(loop, futures, "asCompleted()"), timeout);
    return () -> iterator;
  }

  private static <F extends Future<?>> Set<F> distinct(
      Loop loop, Collection<F> futures, String call) {
    Set<F> distinct = new LinkedHashSet<>();
    for (F future : futures) {
      loop.ensureOwn(future, call);
      distinct.add(future);
    }
    return distinct;
  }

  /** See {@code Asyncio.waitFor}. */
  public static <T extends @Nullable Object> T waitFor(Future<T> future, @Nullable Duration timeout)
      throws TimeoutException {
    Loop loop = suspending("waitFor()");
    loop.ensureOwn(Objects.requireNonNull(future, "future"), "waitFor()");
    future.ensureNotWaitingFor(Objects.requireNonNull(Loop.currentTask()));
    if (timeout != null && !timeout.isPositive()) {
      return withoutWaiting(loop, future);
    }
    return Timeout.after(timeout).call(scope -> future.await());
  }

  /** See {@code Asyncio.waitFor}. */
  public static <T extends @Nullable Object> T waitFor(
      Coroutine<T> coroutine, @Nullable Duration timeout) throws TimeoutException {
    Loop loop = suspending("waitFor()");
    Loop.ensureCoroutine(coroutine);
    if (timeout != null && !timeout.isPositive()) {
      TaskOptions unbegun = TaskOptions.defaults().withEager(false);
      return withoutWaiting(loop, loop.createTask(coroutine, unbegun));
    }
    try {
      return Timeout.after(timeout).call(scope -> coroutine.run());
    } catch (Exception e) {
      throw Sneaky.rethrow(e); // As it is; TimeoutException alone is declared.
    }
  }

  private static <T extends @Nullable Object> T withoutWaiting(Loop loop, Future<T> future)
      throws TimeoutException {
    if (future.isDone()) {
      return Future.<T, RuntimeException>resultOf(future);
    }
    Future<@Nullable Void> ended = new Future<>(loop);
    future.onDone(() -> {
      if (!ended.isDone()) {
        ended.complete(null);
      }
    });
    future.requestCancel(null);
    ended.await();
    if (future.isCancelled()) {
      throw new TimeoutException("waitFor() had no time to wait", future.cancellation());
    }
    return Future.<T, RuntimeException>resultOf(future);
  }

  /** See {@code Asyncio.shield}. */
  public static <T extends @Nullable Object> Future<T> shield(Future<T> future) {
    Loop loop = held("shield()");
    loop.ensureOwn(future, "shield()");
    return Shielding.of(future);
  }

  /** See {@code Asyncio.runCoroutineThreadsafe}. */
  public static <T extends @Nullable Object> CompletableFuture<T> runCoroutineThreadsafe(
      Coroutine<T> coroutine, Loop loop) {
    Loop.ensureCoroutine(coroutine);
    return Bridges.runCoroutineThreadsafe(coroutine, loop);
  }

  /** See {@code Asyncio.captureCallGraph}. */
  public static @Nullable FutureCallGraph captureCallGraph(@Nullable Future<?> future, int limit) {
    Future<?> asked = future == null ? Loop.currentTask() : future;
    return asked == null ? null : FutureCallGraph.of(asked, limit);
  }

  /** {@return the running loop, whose task calls and may suspend} */
  private static Loop suspending(String call) {
    Loop loop = Loop.running();
    loop.ensureInTask(call);
    Task<?> task = Loop.currentTask();
    if (task != null) {
      task.ensureMaySuspend(call);
    }
    return loop;
  }

  /** {@return for a report, which these are, or the first few of them} */
  static String names(Collection<? extends Future<?>> futures) {
    return futures.stream()
        .limit(NAMED_MAX)
        .map(future -> future instanceof Task<?> task ? "'" + task.name() + "'" : "a future")
        .collect(Collectors.joining(", ", "", futures.size() > NAMED_MAX ? ", ..." : ""));
  }

  private static Loop held(String call) {
    Loop loop = Loop.running();
    loop.ensureHeld(call);
    return loop;
  }
}
