package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * A virtual thread that runs only while it holds its loop's turn: what a task or a row of callbacks
 * runs on.
 *
 * <p>This is the seam between the two ways of running on virtual threads: {@link MountedFiber} and
 * {@link PortableFiber}. {@link #park} is the one place where Weir suspends.
 */
abstract sealed class Fiber implements Step
    permits MountedFiber, PortableFiber, PortableCarrier.IoFiber {
  final Carrier carrier;

  /** The task that runs here; null on a fiber that runs callbacks or I/O. */
  final @Nullable Task<?> task;

  private final Runnable body;

  // On the loop only.

  /** The values of context variables here; a task's own, or the running callback's. */
  Context context = Context.empty();

  /** Whether it waits in {@link #park}, and not in blocking code that is none of Weir's. */
  boolean parked;

  /** Whether {@code Asyncio.exclusive} runs here. */
  boolean exclusive;

  /** Where {@link #exclusive} code parked although it must not. */
  StackTraceElement @Nullable [] exclusiveParkedAt;

  /** Whether it logs that another fiber parked in foreign code; a log may do so itself. */
  boolean reportsPark;

  /** Whether {@link #wake} put this fiber into the ready queue and the step was not taken yet. */
  boolean wakePending;

  Fiber(Carrier carrier, @Nullable Task<?> task, Runnable body) {
    this.carrier = carrier;
    this.task = task;
    this.body = body;
  }

  /** {@return the fiber that the calling thread is, or null} */
  static @Nullable Fiber current() {
    Fiber mounted = MountedFiber.currentMounted();
    return mounted != null ? mounted : PortableFiber.currentPortable();
  }

  /**
   * Called by the fiber's own thread before anything else: {@link #current} finds it from now on.
   */
  abstract void becomeCurrent();

  abstract Thread thread();

  /**
   * Gives the turn away until the step that {@link #wake} queued is taken. A wake-up that comes
   * before is not lost. Called by the fiber itself. An interrupt does not end it and stays set.
   */
  abstract void park();

  /**
   * Lets the fiber start, or go on after {@link #park}, when the ready queue comes to it. Called on
   * the loop.
   */
  final void wake() {
    wakePending = true;
    carrier.ready.add(this);
  }

  /**
   * Starts {@code child} at once and goes on when it has suspended or ended, before anything else
   * runs. Called by the fiber itself.
   */
  final void startAndReturn(Fiber child) {
    wakePending = true;
    child.wakePending = true;
    carrier.ready.addFirst(this);
    carrier.ready.addFirst(child);
    carrier.roundRemaining += 2;
    park();
  }

  /**
   * {@return whether the fiber is in blocking code that is none of Weir's, or about to go on there}
   * Called on the loop by another fiber.
   */
  abstract boolean inForeignCode();

  /**
   * Interrupts the fiber in foreign code. That closes a channel it is in, by code that may be the
   * user's: what this throws is reported, or others would not be interrupted after it.
   */
  final void interruptForeignCode() {
    try {
      thread().interrupt();
    } catch (Throwable e) {
      carrier.report("Interrupting " + this + " failed", e);
    }
  }

  /**
   * Runs {@code body}, in which the task must not suspend. Called by the fiber itself.
   *
   * @throws IllegalStateException after {@code body}, if it parked in foreign code
   */
  final <T extends @Nullable Object> T runExclusively(Coroutine<T> body) {
    if (exclusive) {
      return Sneaky.call(body);
    }
    exclusiveParkedAt = null;
    exclusive = true;
    T result;
    try {
      result = Sneaky.call(body);
    } finally {
      exclusive = false;
    }
    StackTraceElement[] parkedAt = exclusiveParkedAt;
    if (parkedAt != null) {
      exclusiveParkedAt = null;
      throw new IllegalStateException(
          "Exclusive code suspended in a blocking call, so other tasks may have run: move the call"
              + " out of Asyncio.exclusive(...)",
          Stacks.of(parkedAt));
    }
    return result;
  }

  final void runBody() {
    becomeCurrent();
    context.restoreCarried();
    body.run();
  }

  @Override
  public String toString() {
    return "Fiber[" + thread().getName() + (wakePending ? ", ready]" : "]");
  }
}
