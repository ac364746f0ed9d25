package dev.weir.sync;

import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import org.jspecify.annotations.Nullable;

/**
 * A number of permits, as {@code asyncio.Semaphore}: how many tasks may do something at a time.
 *
 * <p>Tasks get permits in the order in which they asked. A permit belongs to nobody: any task or
 * callback may release one, and unless the semaphore is bounded it may release more than were
 * acquired.
 */
public final class AsyncSemaphore {
  private static final int UNBOUNDED = Integer.MAX_VALUE;

  private final LoopBinding binding = new LoopBinding("AsyncSemaphore");
  private final Waiters waiters = new Waiters();
  private final int bound;
  private int permits;

  /** Makes a semaphore with one permit. */
  public AsyncSemaphore() {
    this(1);
  }

  /**
   * Makes a semaphore.
   *
   * @throws IllegalArgumentException if {@code permits} is negative
   */
  public AsyncSemaphore(int permits) {
    this(permits, UNBOUNDED);
  }

  private AsyncSemaphore(int permits, int bound) {
    if (permits < 0) {
      throw new IllegalArgumentException("permits is negative: " + permits);
    }
    this.permits = permits;
    this.bound = bound;
  }

  /**
   * Makes a semaphore that never has more than {@code permits}: releasing too often is an error.
   * Corresponds to {@code BoundedSemaphore}.
   *
   * @throws IllegalArgumentException if {@code permits} is negative
   */
  public static AsyncSemaphore bounded(int permits) {
    return new AsyncSemaphore(permits, permits);
  }

  /**
   * Suspends until there is a permit and takes it; does not suspend if there is one and nobody
   * waits.
   *
   * @throws CancelledError if the task is cancelled; it holds no permit then
   * @throws IllegalStateException outside a task, or on another loop than the semaphore's
   */
  public void acquire() {
    binding.ensureInTask("AsyncSemaphore.acquire()");
    if (locked()) {
      awaitPermit();
    } else {
      permits--;
    }
  }

  private void awaitPermit() {
    Future<@Nullable Void> waiter = binding.newWaiter(this);
    try {
      waiters.await(waiter);
    } catch (Throwable e) {
      if (Waiters.wasWoken(waiter)) {
        permits++; // It was woken with a permit that it cannot use any more.
      }
      throw e;
    } finally {
      // Permits may have come that newcomers had to leave to those in the row.
      while (permits > 0 && wakeWithPermit()) {}
    }
  }

  /**
   * Acquires a permit as {@link #acquire} does, for a {@code try} block. Corresponds to {@code
   * async with semaphore}.
   */
  public Held hold() {
    acquire();
    return new Held(this::release);
  }

  /**
   * Adds a permit and wakes the task that has waited longest. Does not suspend.
   *
   * @throws IllegalStateException if the semaphore is bounded and has all its permits
   */
  public void release() {
    binding.ensureHeld("AsyncSemaphore.release()");
    if (permits >= bound) {
      throw new IllegalStateException(
          "AsyncSemaphore.release() too often: all of its "
              + bound
              + " permits are there; release() once for every acquire()");
    }
    permits++;
    wakeWithPermit();
  }

  /** {@return whether {@link #acquire} would wait: there is no permit, or others wait already} */
  public boolean locked() {
    binding.ensureHeld("AsyncSemaphore.locked()");
    return permits == 0 || waiters.any();
  }

  private boolean wakeWithPermit() {
    boolean awoken = waiters.wakeNext();
    if (awoken) {
      permits--;
    }
    return awoken;
  }

  @Override
  public String toString() {
    return "AsyncSemaphore["
        + permits
        + (bound == UNBOUNDED ? "" : " of " + bound)
        + " permits, "
        + waiters.size()
        + " waiting]";
  }
}
