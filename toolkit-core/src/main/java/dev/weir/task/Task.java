package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * A coroutine that runs on a loop beside others, as {@code asyncio.Task}. Made by {@code
 * Asyncio.createTask}.
 *
 * <p>The loop holds every task until it is done. Tasks of one loop never run at the same time: one
 * runs until it suspends, then another.
 *
 * <p>Threads: as for {@link Future}.
 *
 * @param <T> what the coroutine returns
 */
public final class Task<T extends @Nullable Object> extends Future<T> {
  final Fiber fiber;

  /** Whether it is the loop's own and not one of the user's. */
  final boolean internal;

  private final Coroutine<T> coroutine;
  private final String name;

  // On the loop only.

  /** What the task waits for; null while it runs, is ready to run, or yields. */
  private @Nullable Future<?> waitingFor;

  /** Whether a cancellation is to be thrown at the next step or suspension. */
  private boolean mustCancel;

  private @Nullable String cancelMessage;
  private int cancelRequests;

  // Links of the TaskRegistry.
  @Nullable Task<?> newer;
  @Nullable Task<?> older;

  Task(Loop loop, Coroutine<T> coroutine, String name, boolean internal) {
    super(loop);
    this.coroutine = coroutine;
    this.name = name;
    this.internal = internal;
    this.fiber = loop.carrier.newFiber(name, this, this::run);
  }

  /** {@return its name, {@code Task-N} if it was given none; any thread may ask} */
  public String name() {
    return name;
  }

  /**
   * Asks the task to end: a {@link CancelledError} is thrown where it waits, or at its next
   * suspension. A task that has not begun never does.
   *
   * <p>A task that is in a blocking call of the JDK's gets it when that call has returned.
   *
   * <p>It is a request. The task may clean up first, and may even go on, in which case it calls
   * {@link #uncancel}.
   *
   * @param message what the error shall say, or null
   * @return false if the task is done, and nothing happened
   */
  @Override
  public boolean cancel(@Nullable String message) {
    loop.ensureHeld("Task.cancel()");
    return requestCancel(message);
  }

  /**
   * Takes one cancellation request back, and with the last one also a cancellation that was not
   * thrown yet.
   *
   * @return how many requests remain
   */
  public int uncancel() {
    loop.ensureHeld("Task.uncancel()");
    if (cancelRequests > 0) {
      cancelRequests--;
      if (cancelRequests == 0) {
        mustCancel = false;
      }
    }
    return cancelRequests;
  }

  /**
   * {@return how many times the task was asked to end, less those taken back by {@link #uncancel}}
   */
  public int cancelling() {
    loop.ensureHeld("Task.cancelling()");
    return cancelRequests;
  }

  /**
   * Always throws: a task's result is what its coroutine returns.
   *
   * @throws IllegalStateException always
   */
  @Override
  public void setResult(T result) {
    throw new IllegalStateException(
        "A task gets its result from its coroutine: use loop.createFuture()");
  }

  /**
   * Always throws: a task fails with what its coroutine throws.
   *
   * @throws IllegalStateException always
   */
  @Override
  public void setException(Throwable exception) {
    throw new IllegalStateException(
        "A task fails with what its coroutine throws: use loop.createFuture()");
  }

  boolean requestCancel(@Nullable String message) {
    if (isDone()) {
      return false;
    }
    cancelRequests++;
    Future<?> awaited = waitingFor;
    if (awaited == null || !awaited.cancelAwaited(message)) {
      mustCancel = true;
      cancelMessage = message;
    }
    return true;
  }

  /**
   * Suspends until {@code future} is done. With {@link #yieldTurn}, the one place where a task
   * waits.
   *
   * @throws CancelledError if the task was cancelled and the future could not take the cancellation
   *     over
   */
  void suspendUntilDone(Future<?> future) {
    waitingFor = future;
    future.addWaiter(this);
    if (mustCancel && future.cancelAwaited(cancelMessage)) {
      mustCancel = false;
    }
    fiber.park();
    throwIfCancelled();
  }

  /** Lets everything that is ready run first. */
  void yieldTurn() {
    fiber.wake();
    fiber.park();
    throwIfCancelled();
  }

  /** Lets the task go on: what it waited for is done. */
  void wake() {
    waitingFor = null;
    fiber.wake();
  }

  /** Ends the wait of a task whose loop closes; that and every further wait throws. */
  void evict() {
    Future<?> awaited = waitingFor;
    if (awaited != null) {
      awaited.removeWaiter(this);
      wake();
    }
  }

  private void throwIfCancelled() {
    loop.ensureOpen();
    if (mustCancel) {
      mustCancel = false;
      throw new CancelledError(cancelMessage);
    }
  }

  private void run() {
    if (mustCancel) {
      completeCancelled(cancelMessage);
      return;
    }
    T result;
    try {
      result = coroutine.run();
    } catch (CancelledError e) {
      completeCancelled(e.getMessage());
      return;
    } catch (Throwable e) {
      completeExceptionally(e);
      return;
    }
    if (mustCancel) {
      completeCancelled(cancelMessage);
    } else {
      complete(result);
    }
  }

  @Override
  String label() {
    return "Task '" + name + "'";
  }

  @Override
  void completed() {
    if (!internal) {
      loop.tasks.remove(this);
    }
  }

  @Override
  public String toString() {
    return "Task["
        + name
        + ", "
        + describeState()
        + (cancelRequests > 0 && !isDone() ? ", cancelling]" : "]");
  }
}
