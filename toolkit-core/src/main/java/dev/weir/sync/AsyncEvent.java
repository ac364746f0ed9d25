package dev.weir.sync;

import dev.weir.task.CancelledError;

/**
 * Something that has happened or not, as {@code asyncio.Event}: tasks wait until it is set.
 *
 * <p>Java's {@code Object} owns the name {@code wait}, so waiting is called {@link #await} here,
 * and in every other class of this package.
 */
public final class AsyncEvent {
  private final LoopBinding binding = new LoopBinding("AsyncEvent");
  private final Waiters waiters = new Waiters();
  private boolean set;

  /** Makes an event that is not set. */
  public AsyncEvent() {}

  /**
   * Suspends until the event is set; does not suspend if it is. Corresponds to {@code Event.wait}.
   *
   * @throws CancelledError if the task is cancelled
   * @throws IllegalStateException outside a task, or on another loop than the event's
   */
  public void await() {
    binding.ensureInTask("AsyncEvent.await()");
    if (!set) {
      waiters.await(binding.newWaiter(this));
    }
  }

  /**
   * Sets it and wakes every task that waits; they go on even if it is cleared before they run. No
   * effect if it is set.
   */
  public void set() {
    binding.ensureHeld("AsyncEvent.set()");
    set = true;
    waiters.wakeAll();
  }

  /** Makes tasks wait again. No effect if it is not set. */
  public void clear() {
    binding.ensureHeld("AsyncEvent.clear()");
    set = false;
  }

  /** {@return whether it is set} */
  public boolean isSet() {
    binding.ensureHeld("AsyncEvent.isSet()");
    return set;
  }

  @Override
  public String toString() {
    return "AsyncEvent[" + (set ? "set, " : "unset, ") + waiters.size() + " waiting]";
  }
}
