package dev.weir.sync;

import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import org.jspecify.annotations.Nullable;

/**
 * A lock that one task holds at a time, as {@code asyncio.Lock}: for code that suspends while
 * nobody else may come in between. Code that does not suspend needs none.
 *
 * <p>Tasks get it in the order in which they asked. It is not re-entrant, and it belongs to nobody:
 * any task or callback may release it.
 */
public final class AsyncLock {
  private final LoopBinding binding = new LoopBinding("AsyncLock");
  private final Waiters waiters = new Waiters();
  private boolean locked;

  /** Who acquired it last, for {@code toString}: if it is never released, that is where to look. */
  private @Nullable Task<?> acquirer;

  /** Makes a lock that is free. */
  public AsyncLock() {}

  /**
   * Suspends until the calling task holds the lock; does not suspend if it is free and nobody
   * waits.
   *
   * @throws CancelledError if the task is cancelled; it does not hold the lock then
   * @throws IllegalStateException outside a task, or on another loop than the lock's
   */
  public void acquire() {
    binding.ensureInTask("AsyncLock.acquire()");
    if (locked || waiters.any()) {
      awaitTurn();
    }
    locked = true;
    acquirer = Loop.currentTask();
  }

  private void awaitTurn() {
    Future<@Nullable Void> waiter = binding.newWaiter(this);
    try {
      waiters.await(waiter);
    } catch (Throwable e) {
      if (!locked) {
        waiters.wakeFirst(); // It may have been this task's turn: the next one's then.
      }
      throw e;
    }
  }

  /**
   * Acquires the lock as {@link #acquire} does, for a {@code try} block. Corresponds to {@code
   * async with lock}.
   */
  public Held hold() {
    acquire();
    return new Held(this::release);
  }

  /**
   * Releases the lock and wakes the task that has waited longest. Does not suspend.
   *
   * @throws IllegalStateException if nobody holds it
   */
  public void release() {
    binding.ensureHeld("AsyncLock.release()");
    if (!locked) {
      throw new IllegalStateException(
          "AsyncLock.release() of a lock that is not locked: acquire() it first, and release it"
              + " once");
    }
    locked = false;
    acquirer = null;
    waiters.wakeFirst();
  }

  /**
   * {@return whether somebody holds it} Between a release and the next holder's step nobody does,
   * although newcomers wait.
   */
  public boolean locked() {
    binding.ensureHeld("AsyncLock.locked()");
    return locked;
  }

  /** {@return the state in a word, for {@code toString}, which any thread may call} */
  String describeState() {
    return locked ? "locked" : "unlocked";
  }

  @Override
  public String toString() {
    Task<?> holder = acquirer;
    return "AsyncLock["
        + describeState()
        + ", "
        + waiters.size()
        + " waiting"
        + (holder == null ? "]" : ", acquired by " + holder + "]");
  }
}
