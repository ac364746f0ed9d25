package dev.weir.datagram;

import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that wait for one thing each, served in the order in which they came. One that was woken
 * keeps its place until it runs, so that nobody who comes later gets what it was woken for.
 */
final class WaitLine {
  private final Loop loop;
  private final Object owner;
  private final ArrayDeque<Future<@Nullable Void>> waiters = new ArrayDeque<>(1);

  /**
   * @param owner what reports say is waited for
   */
  WaitLine(Loop loop, Object owner) {
    this.loop = loop;
    this.owner = owner;
  }

  boolean isEmpty() {
    return waiters.isEmpty();
  }

  /**
   * Suspends until woken, in vain perhaps. Whoever leaves, be it because the task was cancelled,
   * wakes the next if there is something for it.
   *
   * @param first whether it is the caller's turn, who came before all others: who was woken in vain
   */
  void await(boolean first) {
    Future<@Nullable Void> waiter = loop.createFuture(owner);
    if (first) {
      waiters.addFirst(waiter);
    } else {
      waiters.addLast(waiter);
    }
    try {
      waiter.await();
    } finally {
      waiters.remove(waiter);
    }
  }

  /** Wakes the task whose turn it is, unless it was woken already. */
  void wakeFirst() {
    Future<@Nullable Void> first = waiters.peek();
    if (first != null && !first.done()) {
      first.setResult(null);
    }
  }

  void wakeAll() {
    for (Future<@Nullable Void> waiter : waiters) {
      if (!waiter.done()) {
        waiter.setResult(null);
      }
    }
  }

  @Override
  public String toString() {
    return waiters.size() + " waiting";
  }
}
