package dev.weir.testing;

/**
 * Thrown by the call that runs a {@link VirtualLoop} when nothing can ever happen again: no task is
 * ready, no timer is left, nothing is on its way in the memory network, and no work outside the
 * loop is under way; or when it has not ended in time, because it retries for ever say, or waits
 * for work outside. The message lists every task, where it is and what it waits for, and every
 * connection.
 */
public final class DeadlockError extends AssertionError {
  private static final long serialVersionUID = 1;

  DeadlockError(String message) {
    super(message);
  }
}
