package dev.weir.task;

import java.util.Objects;
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
  private static final StackTraceElement[] NO_STACK = {};

  final Fiber fiber;

  /** Whether it is the loop's own and not one of the user's. */
  final boolean internal;

  private final Coroutine<T> coroutine;
  private final Context context;

  // Written on the loop, read by any thread.
  private volatile String name;

  // On the loop only.

  /** What the task waits for; null while it runs, is ready to run, or yields. */
  private @Nullable Future<?> waitingFor;

  /** Whether a cancellation is to be thrown at the next step or suspension. */
  private boolean mustCancel;

  /** Whether a cancellation interrupted the task in foreign code, and has not been thrown yet. */
  private boolean interrupted;

  private @Nullable String cancelMessage;
  private int cancelRequests;
  private long suspensions;
  private @Nullable TaskObserver observer;

  // Links of the TaskRegistry.
  @Nullable Task<?> newer;
  @Nullable Task<?> older;

  Task(Loop loop, Coroutine<T> coroutine, String name, Context context, boolean internal) {
    super(loop);
    this.coroutine = coroutine;
    this.name = name;
    this.context = context;
    this.internal = internal;
    this.fiber = loop.carrier.newFiber(name, this, this::run);
    fiber.context = context;
  }

  /** {@return its name, {@code Task-N} if it was given none; any thread may ask} */
  public String name() {
    return name;
  }

  /** Gives it another name, which its thread takes on as well. */
  public void setName(String name) {
    Objects.requireNonNull(name, "name");
    loop.ensureHeld("Task.setName()");
    this.name = name;
    fiber.thread().setName(name);
  }

  /** {@return the context it runs in; any thread may ask} */
  public Context context() {
    return context;
  }

  /**
   * {@return the future that it waits for, or null if it runs, is about to run, or is in blocking
   * code that is none of Weir's} For diagnosis: what it awaits is its own business.
   */
  public @Nullable Future<?> waitingFor() {
    loop.ensureHeld("Task.waitingFor()");
    return waitingFor;
  }

  /** {@return how often it has suspended so far} For diagnosis. */
  public long suspensions() {
    loop.ensureHeld("Task.suspensions()");
    return suspensions;
  }

  /**
   * Has {@code observer} told from now on when the task suspends and when it is woken; null for
   * nobody. For test kits.
   */
  public void observe(@Nullable TaskObserver observer) {
    loop.ensureHeld("Task.observe()");
    this.observer = observer;
  }

  /**
   * {@return where it is: its whole stack while it is suspended, where it failed if it did, else
   * nothing} Corresponds to {@code Task.get_stack}. Any thread may ask.
   */
  public StackTraceElement[] stackTrace() {
    if (!isDone()) {
      return fiber.thread().getStackTrace();
    }
    Throwable failure = peekFailure();
    return failure == null ? NO_STACK : failure.getStackTrace();
  }

  /**
   * Prints {@link #stackTrace}, under a line with the task. Corresponds to {@code
   * Task.print_stack}. Any thread may ask.
   */
  public void printStack(Appendable to) throws java.io.IOException {
    to.append(toString()).append('\n');
    for (StackTraceElement frame : stackTrace()) {
      to.append("\tat ").append(frame.toString()).append('\n');
    }
  }

  /**
   * Asks the task to end: a {@link CancelledError} is thrown where it waits, or at its next
   * suspension. A task that has not begun never does.
   *
   * <p>A task that is in a blocking call of the JDK's is interrupted there, if fibers are mounted.
   * (On portable fibers it holds the turn, so nobody can cancel it meanwhile.) If its coroutine
   * then ends with an exception that is or comes from an interrupt, or with the interrupt still
   * set, it counts as cancelled; any other exception is the task's failure. If it swallows the
   * interrupt, the cancellation is thrown at the next suspension. Interrupting closes NIO channels
   * and the sockets of virtual threads.
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
   * <p>One that has reached what the task waits for cannot be taken back any more, except in count:
   * a future that it awaits is cancelled, a blocking call of the JDK's is interrupted. If that ends
   * the coroutine, the task counts as cancelled.
   *
   * @return how many requests remain
   */
  public int uncancel() {
    loop.ensureHeld("Task.uncancel()");
    if (cancelRequests > 0) {
      cancelRequests--;
      if (cancelRequests == 0) {
        dropPendingCancellation();
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

  @Override
  boolean requestCancel(@Nullable String message) {
    if (isDone()) {
      return false;
    }
    Future<?> awaited = waitingFor;
    if (awaited instanceof Task<?> || awaited instanceof Gathering<?, ?>) {
      return CancelRequest.send(this, message);
    }
    countCancelRequest();
    if (awaited == null || !awaited.requestCancel(message)) {
      cancelNextStep(message);
    }
    return true;
  }

  // --- For CancelRequest

  void countCancelRequest() {
    cancelRequests++;
  }

  /** {@return what it waits for, without a check of the caller} */
  @Nullable Future<?> peekAwaited() {
    return waitingFor;
  }

  /**
   * Has a cancellation thrown when the task runs again, which takes an interrupt in foreign code.
   */
  void cancelNextStep(@Nullable String message) {
    mustCancel = true;
    cancelMessage = message;
    if (fiber.inForeignCode()) {
      interrupt();
    }
  }

  /** Has a cancellation thrown where the task waits, whatever that is. */
  void cancelWait(@Nullable String message) {
    mustCancel = true;
    cancelMessage = message;
    stopWaiting();
  }

  private void stopWaiting() {
    Future<?> awaited = waitingFor;
    if (awaited != null) {
      awaited.removeWaiter(this);
      wake();
    }
  }

  /** Interrupts the task in foreign code. */
  private void interrupt() {
    if (Fiber.current() == null) {
      // Interrupting may close a channel, and take locks for it, which the carrier must not.
      loop.enqueueCallback(() -> {
        if (mustCancel && fiber.inForeignCode()) {
          interrupt();
        }
      });
      return;
    }
    interrupted = true;
    fiber.interruptForeignCode();
  }

  /** Takes the interrupt back with which a cancellation came. Nothing, if another task calls. */
  private void clearInterrupt() {
    if (interrupted && Thread.currentThread() == fiber.thread()) {
      interrupted = false;
      Thread.interrupted();
    }
  }

  /**
   * {@return how many of its requests for cancellation it has heard of} A scope that begins counts
   * one that was not thrown yet as new: else it could not tell it from its own.
   */
  int cancellationsHeard() {
    return mustCancel ? cancelRequests - 1 : cancelRequests;
  }

  /** Takes back a cancellation that was not thrown yet, whose request was taken back already. */
  void dropPendingCancellation() {
    mustCancel = false;
    clearInterrupt();
  }

  /**
   * {@return the cancellation that {@code thrown}, which reached the end of a scope or of the
   * coroutine, is or stands for; or null if it is something else} Called by the task itself.
   */
  @Nullable CancelledError asCancellation(Throwable thrown) {
    if (thrown instanceof CancelledError cancelled) {
      return cancelled;
    }
    // Not mustCancel: another task may have taken the request back, but not the interrupt.
    if (!interrupted || !Interrupts.showIn(thrown)) {
      return null;
    }
    mustCancel = false;
    clearInterrupt();
    return new CancelledError(cancelMessage, thrown);
  }

  /**
   * Checks that the task may suspend.
   *
   * @throws IllegalStateException in {@code Asyncio.exclusive}
   */
  void ensureMaySuspend(String call) {
    if (fiber.exclusive) {
      throw new IllegalStateException(
          call
              + " suspends, which exclusive code must not: call it before or after"
              + " Asyncio.exclusive(...)");
    }
  }

  /**
   * Suspends until {@code future} is done. With {@link #yieldTurn}, the one place where a task
   * waits.
   *
   * @throws CancelledError if the task was cancelled and the future could not take the cancellation
   *     over
   */
  void suspendUntilDone(Future<?> future) {
    ensureMaySuspend("await()");
    clearInterrupt();
    suspensions++;
    waitingFor = future;
    future.addWaiter(this);
    if (mustCancel && future.requestCancel(cancelMessage)) {
      mustCancel = false;
    }
    if (observer != null) {
      observer.suspending(this);
    }
    fiber.park();
    loop.ensureOpen();
    if (mustCancel) {
      mustCancel = false;
      if (!future.isCancelled()) { // Else it has the message of the first cancellation.
        throw new CancelledError(cancelMessage);
      }
    }
  }

  /** Lets everything that is ready run first. */
  void yieldTurn() {
    ensureMaySuspend("yieldNow()");
    clearInterrupt();
    suspensions++;
    fiber.wake();
    if (observer != null) {
      observer.suspending(this);
    }
    fiber.park();
    loop.ensureOpen();
    if (mustCancel) {
      mustCancel = false;
      throw new CancelledError(cancelMessage);
    }
  }

  /** Lets the task go on: what it waited for is done. */
  void wake() {
    waitingFor = null;
    fiber.wake();
    if (observer != null) {
      observer.woken(this);
    }
  }

  /** Ends the wait of a task whose loop closes; that and every further wait throws. */
  void evict() {
    stopWaiting();
    if (fiber.inForeignCode()) {
      fiber.interruptForeignCode();
    }
  }

  private void run() {
    if (mustCancel) {
      completeCancelled(cancelMessage, null);
      return;
    }
    T result;
    try {
      result = coroutine.run();
    } catch (Throwable e) {
      endWith(e);
      return;
    }
    if (mustCancel) {
      completeCancelled(cancelMessage, null);
    } else {
      complete(result);
    }
  }

  private void endWith(Throwable thrown) {
    CancelledError cancelled = asCancellation(thrown);
    if (cancelled != null) {
      completeCancelled(cancelled.getMessage(), cancelled.getCause());
      return;
    }
    completeExceptionally(thrown);
    if (thrown instanceof SignalException) {
      failure(); // The one who runs the loop gets it.
      loop.carrier.abort(thrown);
    }
  }

  @Override
  String label() {
    return "Task '" + name + "'";
  }

  @Override
  void completed() {
    if (loop.isOutlived()) {
      logFailure();
    } else if (!internal) {
      loop.tasks.remove(this);
    }
  }

  /** Logs the failure of a task that has outlived its loop, if nobody got it. */
  private void logFailure() {
    Throwable failure = unaskedFailure();
    if (failure != null && !Loop.saysClosed(failure)) {
      loop.defaultExceptionHandler(
          new ExceptionContext(
              label() + " failed after its loop had closed", failure, this, null, createdAt));
    }
  }

  @Override
  public String toString() {
    return "Task["
        + name
        + ", "
        + describeState()
        + (cancelRequests > 0 && !isDone() ? ", cancelling" : "")
        + describeOrigin()
        + "]";
  }
}
