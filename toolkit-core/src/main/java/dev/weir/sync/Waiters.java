package dev.weir.sync;

import dev.weir.task.Future;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that wait for a primitive, the longest first. On the loop only.
 *
 * <p>A task that was woken counts until it runs, so that nobody overtakes it in between.
 */
final class Waiters {
  private final ArrayDeque<Future<@Nullable Void>> row = new ArrayDeque<>();

  /** How many were woken and have not run yet. */
  private int woken;

  /** Suspends the calling task until {@code waiter}, which is new, was woken. */
  void await(Future<@Nullable Void> waiter) {
    row.add(waiter);
    try {
      waiter.await();
    } finally {
      if (wasWoken(waiter)) {
        woken--;
      } else {
        row.remove(waiter);
      }
    }
  }

  /** {@return whether {@code waiter} was woken, even if its task was cancelled after that} */
  static boolean wasWoken(Future<?> waiter) {
    return waiter.done() && !waiter.cancelled();
  }

  /**
   * Wakes the first that still waits.
   *
   * @return whether there was one
   */
  boolean wakeNext() {
    for (Future<@Nullable Void> waiter = row.poll(); waiter != null; waiter = row.poll()) {
      if (!waiter.done()) {
        woken++;
        waiter.setResult(null);
        return true;
      }
    }
    return false;
  }

  /** Wakes the first in the row, unless one was woken or cancelled that has not run yet. */
  void wakeFirst() {
    Future<@Nullable Void> first = row.peek();
    if (woken == 0 && first != null && !first.done()) {
      wakeNext();
    }
  }

  void wakeAll() {
    while (wakeNext()) {}
  }

  /** {@return whether anybody waits, or was woken and has not run yet} */
  boolean any() {
    if (woken > 0) {
      return true;
    }
    for (Future<?> waiter : row) {
      if (!waiter.cancelled()) {
        return true;
      }
    }
    return false;
  }

  int size() {
    return row.size() + woken;
  }

  @Override
  public String toString() {
    return "Waiters[" + row.size() + " waiting, " + woken + " woken]";
  }
}
