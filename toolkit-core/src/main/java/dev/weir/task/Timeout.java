package dev.weir.task;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A scope with a deadline: what runs in it is cancelled when the deadline passes, and the scope
 * then throws {@link TimeoutException}. Corresponds to {@code asyncio.timeout()} and {@code
 * asyncio.Timeout}; made by {@code Asyncio.timeout}.
 *
 * <pre>{@code
 * String line = Asyncio.timeout(Duration.ofSeconds(5)).call(timeout -> reader.readLine(UTF_8));
 * }</pre>
 *
 * <p>On expiry the task that runs the body is cancelled, so the body may clean up. If the body ends
 * with that cancellation, it becomes the {@code TimeoutException}. If it ends with another
 * exception, that one is thrown, with a {@code TimeoutException} added as suppressed. If somebody
 * else cancelled the task as well, the cancellation wins. If the body swallows the cancellation and
 * returns, nothing is thrown, and {@link #expired} tells. A body that was interrupted in a blocking
 * call and returns with the interrupt set has not swallowed it.
 *
 * <p>Scopes may be nested. If several expire at once, only the outermost throws {@code
 * TimeoutException}.
 *
 * <p>Used once, on the loop that made it; its methods throw {@link IllegalStateException}
 * elsewhere.
 */
public final class Timeout {
  /*
   *   CREATED --run--> ACTIVE --deadline--> EXPIRING --end of the body--> EXPIRED
   *                       |
   *                       '---end of the body---> FINISHED
   */
  private enum State {
    CREATED,
    ACTIVE,
    EXPIRING,
    EXPIRED,
    FINISHED
  }

  private static final long NEVER = Long.MAX_VALUE;

  private final Loop loop;
  private State state = State.CREATED;

  /** The deadline by the loop's clock, or {@link #NEVER}. */
  private long whenNanos;

  // From ACTIVE on.

  private @Nullable Task<?> task;
  private @Nullable Handle alarm;

  /** How many cancellations the task had heard of when it entered. */
  private int cancellingBefore;

  private Timeout(Loop loop, long whenNanos) {
    this.loop = loop;
    this.whenNanos = whenNanos;
  }

  /**
   * Makes a scope whose deadline is {@code delay} from now, not from its beginning; none if it is
   * null. Called on a loop.
   */
  public static Timeout after(@Nullable Duration delay) {
    Loop loop = Loop.running();
    loop.ensureHeld("Timeout.after()");
    return new Timeout(loop, delay == null ? NEVER : loop.deadlineNanos(delay));
  }

  /**
   * Makes a scope whose deadline is {@code when}, by {@link Loop#time}; none if it is null. Called
   * on a loop.
   */
  public static Timeout at(@Nullable Duration when) {
    Loop loop = Loop.running();
    loop.ensureHeld("Timeout.at()");
    return new Timeout(loop, nanosOf(when));
  }

  private static long nanosOf(@Nullable Duration when) {
    return when == null ? NEVER : Loop.toNanos(when);
  }

  /**
   * Runs {@code body} in the scope.
   *
   * @throws TimeoutException if the deadline passed and the body ended with the cancellation
   * @throws X what the body threw
   * @throws CancelledError if the task was cancelled otherwise
   * @throws IllegalStateException outside a task, or if the scope was used before
   */
  public <X extends Exception> void run(ScopeAction<? super Timeout, X> body)
      throws X, TimeoutException {
    Objects.requireNonNull(body, "body");
    this.<@Nullable Void, X>call(scope -> {
      body.run(scope);
      return null;
    });
  }

  /**
   * Runs {@code body} in the scope; see {@link #run}.
   *
   * @return what the body returned
   */
  public <T extends @Nullable Object, X extends Exception> T call(
      ScopeCall<? super Timeout, T, X> body) throws X, TimeoutException {
    Objects.requireNonNull(body, "body");
    Task<?> running = enter();
    T result;
    try {
      result = body.call(this);
    } catch (Throwable e) {
      throw Sneaky.rethrow(exitWith(running, e));
    }
    if (state == State.EXPIRING && Thread.currentThread().isInterrupted()) {
      // The body was interrupted in a blocking call, and has passed that on in the other way.
      CancelledError cancelled = running.asCancellation(new InterruptedException());
      if (cancelled != null) {
        throw Sneaky.rethrow(exitWith(running, cancelled));
      }
    }
    exit(running);
    return result;
  }

  /** {@return the deadline by {@link Loop#time}, or null if there is none} */
  public @Nullable Duration when() {
    loop.ensureHeld("Timeout.when()");
    return whenNanos == NEVER ? null : Duration.ofNanos(whenNanos);
  }

  /**
   * Moves the deadline to {@code when}, by {@link Loop#time}; null removes it. One that has passed
   * already expires in the loop's next round.
   *
   * @throws IllegalStateException unless the scope's body runs and the deadline has not passed
   */
  public void reschedule(@Nullable Duration when) {
    loop.ensureHeld("Timeout.reschedule()");
    if (state != State.ACTIVE) {
      throw new IllegalStateException(
          "Cannot reschedule a timeout that is "
              + state.name().toLowerCase(java.util.Locale.ROOT)
              + ": do it while its body runs, before it expires");
    }
    whenNanos = nanosOf(when);
    arm();
  }

  /** {@return whether the deadline has passed while the body ran} */
  public boolean expired() {
    loop.ensureHeld("Timeout.expired()");
    return state == State.EXPIRING || state == State.EXPIRED;
  }

  private Task<?> enter() {
    loop.ensureInTask("Timeout.run()");
    if (state != State.CREATED) {
      throw new IllegalStateException(
          "This timeout was used before: make a new one for every scope");
    }
    Task<?> running = Objects.requireNonNull(Loop.currentTask());
    task = running;
    cancellingBefore = running.cancellationsHeard();
    state = State.ACTIVE;
    arm();
    return running;
  }

  private void arm() {
    if (alarm != null) {
      alarm.cancel();
      alarm = null;
    }
    if (whenNanos == NEVER) {
      return;
    }
    alarm =
        whenNanos <= loop.nanoTime()
            ? loop.enqueueInternal(this::expire)
            : loop.addInternalTimer(whenNanos, this::expire);
  }

  private void expire() {
    alarm = null;
    state = State.EXPIRING;
    Objects.requireNonNull(task).requestCancel(null);
  }

  /** Ends the scope. Returns whether it expired and nobody else cancelled the task. */
  private boolean exit(Task<?> running) {
    if (alarm != null) {
      alarm.cancel();
      alarm = null;
    }
    if (state != State.EXPIRING) {
      state = State.FINISHED;
      return false;
    }
    state = State.EXPIRED;
    boolean ownOnly = running.uncancel() <= cancellingBefore;
    if (ownOnly) {
      running.dropPendingCancellation(); // The scope's own, if the body did not suspend any more.
    }
    return ownOnly;
  }

  /** Ends the scope, whose body threw {@code thrown}. Returns what to throw. */
  private Throwable exitWith(Task<?> running, Throwable thrown) {
    if (loop.isOutlived()) {
      return thrown;
    }
    CancelledError cancelled = running.asCancellation(thrown);
    if (!exit(running)) {
      return cancelled == null ? thrown : cancelled;
    }
    if (cancelled != null) {
      return timedOut(cancelled);
    }
    thrown.addSuppressed(timedOut(null));
    if (thrown instanceof ExceptionGroup group) {
      for (Throwable member : group.exceptions()) {
        member.addSuppressed(timedOut(null));
      }
    }
    return thrown;
  }

  private TimeoutException timedOut(@Nullable CancelledError cancelled) {
    Throwable cause =
        cancelled != null && cancelled.getCause() != null ? cancelled.getCause() : cancelled;
    return new TimeoutException("The deadline of a timeout() scope has passed", cause);
  }

  @Override
  public String toString() {
    return "Timeout["
        + state
        + (whenNanos == NEVER ? ", no deadline]" : ", when=" + Duration.ofNanos(whenNanos) + "]");
  }
}
