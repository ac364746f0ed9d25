package dev.weir.task;

import dev.weir.spi.IoDriver;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Consumer;

/**
 * A loop's timers: a heap by deadline, ties in the order of making.
 *
 * <p>A cancelled timer stays until it comes up or until a purge; taking it out at once would cost a
 * search of the heap, and most timers (the deadlines of requests that succeed) are cancelled.
 *
 * <p>On the loop only, except {@link #cancelled}.
 */
final class Timers {
  /** Fewer cancelled timers than this are not worth a purge. */
  private static final int PURGE_THRESHOLD = 100;

  private final PriorityQueue<TimerHandle> heap = new PriorityQueue<>();
  private int cancelledCount;

  void add(TimerHandle timer) {
    heap.add(timer);
  }

  /** Notes that a timer in the heap was cancelled. */
  void cancelled() {
    cancelledCount++;
    if (cancelledCount > PURGE_THRESHOLD && cancelledCount > heap.size() / 2) {
      heap.removeIf(t -> !t.pending());
      cancelledCount = 0;
    }
  }

  /** {@return the earliest deadline that is still wanted, or {@link IoDriver#NO_DEADLINE}} */
  long nextDeadlineNanos() {
    dropCancelledHeads();
    TimerHandle first = heap.peek();
    return first == null ? IoDriver.NO_DEADLINE : first.whenNanos;
  }

  /** {@return whether a timer is due, cancelled or not} */
  boolean anyDue(long nowNanos) {
    TimerHandle first = heap.peek();
    return first != null && first.whenNanos <= nowNanos;
  }

  /** Takes out every timer that is due and hands it to {@code ready}, in order. */
  void expire(long nowNanos, Consumer<TimerHandle> ready) {
    for (TimerHandle first = heap.peek();
        first != null && first.whenNanos <= nowNanos;
        first = heap.peek()) {
      heap.remove();
      if (first.pending()) {
        ready.accept(first);
      } else if (cancelledCount > 0) {
        cancelledCount--;
      }
    }
  }

  /** {@return the users' timers that are still wanted, the next first} */
  List<TimerHandle> pendingOfUser() {
    return heap.stream().filter(timer -> timer.pending() && !timer.internal).sorted().toList();
  }

  int size() {
    return heap.size();
  }

  private void dropCancelledHeads() {
    for (TimerHandle first = heap.peek(); first != null && !first.pending(); first = heap.peek()) {
      heap.remove();
      if (cancelledCount > 0) {
        cancelledCount--;
      }
    }
  }

  @Override
  public String toString() {
    return "Timers[" + heap.size() + ", " + cancelledCount + " cancelled]";
  }
}
