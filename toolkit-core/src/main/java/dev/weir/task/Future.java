package dev.weir.task;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A result that is not there yet, as {@code asyncio.Future}. Made by {@link Loop#createFuture}; a
 * {@link Task} is one too.
 *
 * <p>A failure that nobody asks for goes to the loop's exception handler: when the last handle of
 * the future is gone, or when the loop closes.
 *
 * <p>A future belongs to its loop. Every method but {@link #loop} and {@link #toString} must be
 * called there, from a task or a callback, and throws {@link IllegalStateException} elsewhere; from
 * another thread use {@link Loop#callSoonThreadsafe}.
 *
 * @param <T> the type of the result
 */
public sealed class Future<T extends @Nullable Object> permits Task, Gathering {
  /*
   *                 setResult, setException        FINISHED
   *   PENDING ----------------------------------->  (value or exception)
   *      |
   *      '---------- cancel ---------------------> CANCELLED
   *
   * Listeners exist only in PENDING.
   */
  private enum State {
    PENDING,
    FINISHED,
    CANCELLED
  }

  private static final Context NO_CONTEXT = Context.empty();

  final Loop loop;

  /** Where it was made, in debug mode. */
  final @Nullable Throwable createdAt;

  // On the loop only.

  private State state = State.PENDING;
  private @Nullable T value;

  /** Of a cancelled future: what the cancellation came from, if that is known. */
  private @Nullable Throwable exception;

  private @Nullable String cancelMessage;
  private @Nullable UnretrievedFailure unretrieved;

  /**
   * Who is told of completion, in the order of registration: null, one listener, or a list of them.
   * One is the rule, and a list for it would be the larger part of a future.
   *
   * <p>A listener is a {@link Task} that waits, a {@link DoneCallback} of the user's, or a {@link
   * Runnable}, which is a step of the loop's own.
   */
  private @Nullable Object listeners;

  /** What it stands for, in reports. */
  private final @Nullable Object purpose;

  Future(Loop loop) {
    this(loop, null);
  }

  Future(Loop loop, @Nullable Object purpose) {
    this.loop = loop;
    this.purpose = purpose;
    this.createdAt = loop.creationSite();
  }

  /** {@return the loop it belongs to; any thread may ask} */
  public final Loop loop() {
    return loop;
  }

  /**
   * {@return what it was made for, whose {@code toString} says what a task waits for that waits for
   * this; null if nobody said} Any thread may ask.
   */
  public final @Nullable Object purpose() {
    return purpose;
  }

  /** {@return whether it has a result or an exception or was cancelled} */
  public final boolean done() {
    loop.ensureHeld("Future.done()");
    return isDone();
  }

  /** {@return whether it was cancelled} */
  public final boolean cancelled() {
    loop.ensureHeld("Future.cancelled()");
    return state == State.CANCELLED;
  }

  /**
   * Suspends the calling task until this future is done, then returns its result. Corresponds to
   * {@code await future}.
   *
   * <p>If it is done already, the call does not suspend. Cancelling the waiting task cancels this
   * future.
   *
   * <p>It throws the very exception that the future holds, checked ones included, although it
   * declares none; {@link #await(Class)} lets the compiler know.
   *
   * @return the result
   * @throws CancelledError if this future or the waiting task was cancelled
   * @throws IllegalStateException outside a task, on another loop, or if a task awaits itself, or a
   *     {@code gather} that it is part of
   */
  public final T await() {
    return Future.<T, RuntimeException>resultOf(awaited());
  }

  /**
   * The same as {@link #await()}, and declares a checked exception so that it can be caught.
   *
   * @param declared the class of exceptions that the caller handles
   * @return the result
   * @throws X if the future failed with it; other exceptions are thrown as well
   */
  public final <X extends Exception> T await(Class<X> declared) throws X {
    Objects.requireNonNull(declared, "declared");
    return Future.<T, X>resultOf(awaited());
  }

  /**
   * {@return the result}
   *
   * <p>Throws the exception that the future holds, checked ones included.
   *
   * @throws InvalidStateException if it is not done
   * @throws CancelledError if it was cancelled
   */
  public final T result() {
    loop.ensureHeld("Future.result()");
    return Future.<T, RuntimeException>resultOf(this);
  }

  /**
   * {@return the exception it failed with, or null if it has a result}
   *
   * @throws InvalidStateException if it is not done
   * @throws CancelledError if it was cancelled
   */
  public final @Nullable Throwable exception() {
    loop.ensureHeld("Future.exception()");
    ensureDone("Exception is not set.");
    if (state == State.CANCELLED) {
      throw cancellation();
    }
    return failure();
  }

  /**
   * Completes it with a result and wakes those who wait.
   *
   * @throws InvalidStateException if it is done already
   * @throws IllegalStateException if it is a task, whose body alone completes it
   */
  public void setResult(T result) {
    loop.ensureHeld("Future.setResult()");
    complete(result);
  }

  /**
   * Completes it with an exception and wakes those who wait.
   *
   * @throws InvalidStateException if it is done already
   * @throws IllegalStateException if it is a task, whose body alone completes it
   */
  public void setException(Throwable exception) {
    Objects.requireNonNull(exception, "exception");
    loop.ensureHeld("Future.setException()");
    completeExceptionally(exception);
  }

  /** Cancels without a message; see {@link #cancel(String)}. */
  public final boolean cancel() {
    return cancel(null);
  }

  /**
   * Cancels it and wakes those who wait, who get a {@link CancelledError}.
   *
   * @param message what the error shall say, or null
   * @return false if it is done already, and nothing happened
   */
  public boolean cancel(@Nullable String message) {
    loop.ensureHeld("Future.cancel()");
    return requestCancel(message);
  }

  /**
   * Has {@code callback} called with this future once it is done, by {@link Loop#callSoon}, never
   * before this call returns. Callbacks and waiting tasks follow each other in the order of
   * registration.
   */
  public final void addDoneCallback(Consumer<? super Future<T>> callback) {
    addDoneCallback(callback, Context.copyOfCurrent());
  }

  /** The same as {@link #addDoneCallback(Consumer)}, and runs the callback in {@code context}. */
  public final void addDoneCallback(Consumer<? super Future<T>> callback, Context context) {
    Objects.requireNonNull(callback, "callback");
    Objects.requireNonNull(context, "context");
    loop.ensureHeld("Future.addDoneCallback()");
    addOrTell(new DoneCallback<>(callback, context));
  }

  /** Removes every registration of {@code callback}, and returns how many there were. */
  public final int removeDoneCallback(Consumer<? super Future<T>> callback) {
    Objects.requireNonNull(callback, "callback");
    loop.ensureHeld("Future.removeDoneCallback()");
    return removeListener(new DoneCallback<>(callback, NO_CONTEXT));
  }

  /**
   * Makes a future of the JDK's that follows this one, for code that knows nothing of loops. It
   * completes on the loop; its own dependents that are not {@code Async} run there too.
   *
   * <p>Cancelling it cancels this future or task. If this one is cancelled, it ends with a {@link
   * java.util.concurrent.CancellationException}.
   *
   * <p>Waiting for it with {@code get()} or {@code join()} on the loop would block the loop where
   * fibers are portable: {@link #await} this future instead.
   */
  public final CompletableFuture<T> toCompletableFuture() {
    loop.ensureHeld("Future.toCompletableFuture()");
    return Bridges.toCompletableFuture(this);
  }

  // --- For the loop itself: the same without the check of the caller.

  final boolean isDone() {
    return state != State.PENDING;
  }

  final boolean isCancelled() {
    return state == State.CANCELLED;
  }

  /** {@return what waiting for this cancelled future throws} */
  final CancelledError cancellation() {
    return new CancelledError(cancelMessage, exception);
  }

  /** {@return the failure, without taking over responsibility for it} */
  final @Nullable Throwable peekFailure() {
    return state == State.FINISHED ? exception : null;
  }

  final void complete(T result) {
    ensurePending();
    value = result;
    finish(State.FINISHED);
  }

  final void completeExceptionally(Throwable failure) {
    ensurePending();
    exception = failure;
    if (!(failure instanceof CancelledError)) {
      unretrieved = new UnretrievedFailure(this, failure);
    }
    finish(State.FINISHED);
  }

  final boolean completeCancelled(@Nullable String message, @Nullable Throwable cause) {
    if (isDone()) {
      return false;
    }
    cancelMessage = message;
    exception = cause;
    finish(State.CANCELLED);
    return true;
  }

  /**
   * Says that {@code waiter} waits for this future, by means that Weir does not see, as a callback;
   * for {@code Asyncio.captureCallGraph}. It ends with the future, or with {@link
   * #discardFromAwaitedBy}. Corresponds to {@code future_add_to_awaited_by}.
   */
  public final void addToAwaitedBy(Task<?> waiter) {
    Objects.requireNonNull(waiter, "waiter");
    loop.ensureHeld("Future.addToAwaitedBy()");
    loop.ensureOwn(waiter, "Future.addToAwaitedBy()");
    if (isDone()) {
      return;
    }
    DeclaredAwaiters declared = loop.declaredAwaiters.get(this);
    if (declared == null) {
      declared = new DeclaredAwaiters(this);
      loop.declaredAwaiters.put(this, declared);
      onDone(declared);
    }
    declared.tasks.add(waiter);
  }

  /** Who was said to wait for a future, until it is done. */
  static final class DeclaredAwaiters implements Runnable {
    final Set<Task<?>> tasks = new LinkedHashSet<>();

    /** Weak, or the loop would hold a future that nobody completes any more. */
    private final WeakReference<Future<?>> future;

    DeclaredAwaiters(Future<?> future) {
      this.future = new WeakReference<>(future);
    }

    @Override
    public void run() {
      Future<?> done = future.get();
      if (done != null) {
        done.loop.declaredAwaiters.remove(done);
      }
    }

    @Override
    public String toString() {
      return "DeclaredAwaiters" + tasks;
    }
  }

  /**
   * Takes back what {@link #addToAwaitedBy} said; no effect if it was not said. Corresponds to
   * {@code future_discard_from_awaited_by}.
   */
  public final void discardFromAwaitedBy(Task<?> waiter) {
    Objects.requireNonNull(waiter, "waiter");
    loop.ensureHeld("Future.discardFromAwaitedBy()");
    DeclaredAwaiters declared = loop.declaredAwaiters.get(this);
    if (declared != null && declared.tasks.remove(waiter) && declared.tasks.isEmpty()) {
      loop.declaredAwaiters.remove(this);
      removeOnDone(declared);
    }
  }

  /** Cancels it: by its user's wish, or with the task that waits for it. */
  boolean requestCancel(@Nullable String message) {
    return completeCancelled(message, null);
  }

  /** Has {@code step}, one of the loop's own, run once it is done, as a callback would be. */
  final void onDone(Runnable step) {
    addOrTell(step);
  }

  /**
   * Has {@code callback} called once it is done: code of the loop's own that may run the user's.
   */
  final void onDoneCall(Consumer<? super Future<T>> callback) {
    addOrTell(DoneCallback.ofLoop(callback));
  }

  final void removeOnDone(Runnable step) {
    removeListener(step);
  }

  private void addOrTell(Object listener) {
    if (isDone()) {
      tell(listener);
    } else {
      addListener(listener);
    }
  }

  /** Has {@code task} woken on completion. */
  final void addWaiter(Task<?> task) {
    addListener(task);
  }

  final void removeWaiter(Task<?> task) {
    removeListener(task);
  }

  /**
   * {@return the exception that it failed with, else null} The caller answers for it from here on.
   */
  final @Nullable Throwable failure() {
    if (unretrieved != null) {
      unretrieved.retrieved();
      unretrieved = null;
    }
    return state == State.FINISHED ? exception : null;
  }

  /**
   * {@return the failure if nobody has asked for it yet, else null} The caller answers for it from
   * here on.
   */
  final @Nullable Throwable unaskedFailure() {
    return unretrieved == null ? null : failure();
  }

  private Future<T> awaited() {
    loop.ensureOpen();
    loop.ensureHeld("Future.await()");
    Fiber fiber = loop.carrier.turnFiber;
    Task<?> task = fiber == null ? null : fiber.task;
    if (task == null) {
      throw awaitedOutsideATask();
    }
    ensureNotWaitingFor(task);
    task.ensureMaySuspend("Future.await()");
    if (!isDone()) {
      task.suspendUntilDone(this);
    }
    return this;
  }

  private IllegalStateException awaitedOutsideATask() {
    Fiber fiber = Fiber.current();
    Task<?> task = fiber == null ? null : fiber.task;
    if (task == null || task.loop == loop) {
      return Loop.notInTask("Future.await()");
    }
    // A task may hold another loop, one that stands still.
    return new IllegalStateException(
        "Future.await() was called by "
            + task.label()
            + ", but the future belongs to another loop, '"
            + loop.carrier.thread.getName()
            + "': await it in a task of that loop, as with Asyncio.runCoroutineThreadsafe(...)");
  }

  /**
   * Checks that {@code task} may wait for this.
   *
   * @throws IllegalStateException if this needs that very task to end first
   */
  final void ensureNotWaitingFor(Task<?> task) {
    if (!isDone() && needs(task)) {
      throw new IllegalStateException(
          "Task '"
              + task.name()
              + "' awaits itself"
              + (task == this ? "" : ", in a gather() that it is part of")
              + ", which would never end: await another task");
    }
  }

  /** {@return whether this has no result before {@code task} has, as can be seen at once} */
  boolean needs(Task<?> task) {
    return this == task;
  }

  // unchecked: X is what the caller declares; the exception is thrown as it is, whatever its class.
  // NullAway: a finished future's value is a T, null only where T allows it.
  @SuppressWarnings({"unchecked", "NullAway"})
  static <T extends @Nullable Object, X extends Throwable> T resultOf(Future<T> future) throws X {
    future.ensureDone("Result is not set.");
    if (future.state == State.CANCELLED) {
      throw future.cancellation();
    }
    Throwable failure = future.failure();
    if (failure != null) {
      future.loop.noteAwaitingSite(failure);
      throw (X) failure;
    }
    return future.value;
  }

  private void finish(State end) {
    state = end;
    Object told = listeners;
    listeners = null;
    if (told instanceof ArrayList<?> list) {
      for (Object listener : list) {
        tell(listener);
      }
    } else if (told != null) {
      tell(told);
    }
    completed();
  }

  /** Called once, when the future is done. */
  void completed() {}

  @SuppressWarnings("unchecked") // Only addDoneCallback makes one, and of this T.
  private void tell(Object listener) {
    if (loop.isOutlived()) {
      tellAfterTheEnd(listener);
    } else if (listener instanceof Task<?> waiter) {
      waiter.wake(); // A step of its own and no callback, or each await would cost a second switch.
    } else if (listener instanceof Runnable step) {
      loop.enqueueInternal(step);
    } else {
      ((DoneCallback<T>) listener).schedule(this);
    }
  }

  /** The loop's queue is nobody's any more. A thread may still wait for a CompletableFuture. */
  @SuppressWarnings("unchecked") // As above.
  private void tellAfterTheEnd(Object listener) {
    if (listener instanceof DoneCallback<?> callback && callback.ofLoop()) {
      ((DoneCallback<T>) callback).call(this);
    }
  }

  private void addListener(Object listener) {
    Object present = listeners;
    if (present == null) {
      listeners = listener;
    } else if (present instanceof ArrayList<?>) {
      listenerList(present).add(listener);
    } else {
      listeners = new ArrayList<>(List.of(present, listener));
    }
  }

  private int removeListener(Object listener) {
    Object present = listeners;
    if (present instanceof ArrayList<?>) {
      List<Object> list = listenerList(present);
      int before = list.size();
      list.removeIf(listener::equals);
      return before - list.size();
    }
    if (listener.equals(present)) {
      listeners = null;
      return 1;
    }
    return 0;
  }

  @SuppressWarnings("unchecked") // No other list is ever put there.
  private static List<Object> listenerList(Object listeners) {
    return (List<Object>) listeners;
  }

  private void ensurePending() {
    if (isDone()) {
      throw new InvalidStateException(
          this + " is done already: ask done() before completing it a second time");
    }
  }

  private void ensureDone(String what) {
    if (!isDone()) {
      throw new InvalidStateException(what + " " + this + " is pending: await() it first");
    }
  }

  /**
   * {@return what it is, without a word of the user's exception, whose message may be user code}
   */
  String label() {
    return "Future";
  }

  /** {@return the state in a word or two, for {@code toString}} */
  final String describeState() {
    return switch (state) {
      case PENDING -> "pending";
      case CANCELLED -> "cancelled";
      case FINISHED -> exception == null ? "finished" : "failed: " + Descriptions.of(exception);
    };
  }

  /** {@return for {@code toString} in debug mode, who made it and who is told of its end} */
  final String describeOrigin() {
    if (createdAt == null) {
      return "";
    }
    Object told = listeners;
    int count = told instanceof ArrayList<?> list ? list.size() : told == null ? 0 : 1;
    return ", " + count + " waiting, created at " + Stacks.callerOf(createdAt);
  }

  @Override
  public String toString() {
    return "Future["
        + describeState()
        + (purpose == null ? "" : ", for " + Descriptions.of(purpose))
        + describeOrigin()
        + "]";
  }
}
