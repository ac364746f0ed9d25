package dev.weir.task;

/**
 * Hears when a task suspends and when it is woken. For test kits, which may cancel the task there;
 * see {@link Task#observe}.
 *
 * <p>Its methods are called on the loop, one of them by the loop's own thread perhaps. They must
 * return at once: they must not block, wait for a lock, log or throw.
 */
public interface TaskObserver {
  /** The task is about to suspend: {@link Task#suspensions} counts this time already. */
  void suspending(Task<?> task);

  /** What the task waited for is done. It goes on when the ready queue comes to it. */
  void woken(Task<?> task);
}
