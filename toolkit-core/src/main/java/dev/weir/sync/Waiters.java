package dev.weir.sync;

import dev.weir.task.Future;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that wait for a primitive, the longest first. On the loop only.
 *
 * <p>A task that was woken counts until it runs, so that nobody overtakes it in between.
 */
final class Waiters {
  /**
   * A place in the row. Places are linked, because a task that is cancelled may leave from anywhere
   * in a long row.
   */
  private final class Place {
    final @Nullable Future<@Nullable Void> waiter;
    Place ahead = this;
    Place behind = this;

    Place(@Nullable Future<@Nullable Void> waiter) {
      this.waiter = waiter;
    }

    /** Closes the gap. No effect on a place that has left already. */
    void leave() {
      if (behind != this) {
        ahead.behind = behind;
        behind.ahead = ahead;
        ahead = this;
        behind = this;
        waiting--;
      }
    }
  }

  /** Nobody's place, which makes the row a circle: the first is behind it, the last ahead of it. */
  private final Place ends = new Place(null);

  /** How many are in the row. A count, because toString may be called by any thread. */
  private int waiting;

  /** How many were woken and have not run yet. */
  private int woken;

  /** Suspends the calling task until {@code waiter}, which is new, was woken. */
  void await(Future<@Nullable Void> waiter) {
    Place place = append(waiter);
    try {
      waiter.await();
    } finally {
      if (wasWoken(waiter)) {
        woken--;
      } else {
        place.leave();
      }
    }
  }

  private Place append(Future<@Nullable Void> waiter) {
    Place place = new Place(waiter);
    place.ahead = ends.ahead;
    place.behind = ends;
    ends.ahead.behind = place;
    ends.ahead = place;
    waiting++;
    return place;
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
    for (Future<@Nullable Void> waiter = poll(); waiter != null; waiter = poll()) {
      if (!waiter.done()) {
        woken++;
        waiter.setResult(null);
        return true;
      }
    }
    return false;
  }

  private @Nullable Future<@Nullable Void> poll() {
    Place first = ends.behind;
    first.leave();
    return first.waiter;
  }

  /** Wakes the first in the row, unless one was woken or cancelled that has not run yet. */
  void wakeFirst() {
    Future<@Nullable Void> first = ends.behind.waiter;
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
    for (Place place = ends.behind; place.waiter != null; place = place.behind) {
      if (!place.waiter.cancelled()) {
        return true;
      }
    }
    return false;
  }

  int size() {
    return waiting + woken;
  }

  @Override
  public String toString() {
    return "Waiters[" + waiting + " waiting, " + woken + " woken]";
  }
}
