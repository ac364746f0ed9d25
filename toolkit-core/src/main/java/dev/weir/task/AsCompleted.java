package dev.weir.task;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The futures of one {@code asCompleted} call, in the order in which they get done. Several tasks
 * may iterate; each gets futures of its own.
 */
final class AsCompleted<F extends Future<?>> implements Iterator<F>, Awaiting {
  private final Loop loop;
  private final ArrayDeque<F> done = new ArrayDeque<>();
  private final Set<F> toCome;
  private final @Nullable Duration timeout;

  /** How many calls of {@link #next} will still return or time out. */
  private int remaining;

  private boolean timedOut;
  private @Nullable TimerHandle timer;

  /** What the callers of {@link #next} wait for, the longest waiting first. */
  private final ArrayDeque<Future<@Nullable Void>> waiting = new ArrayDeque<>();

  AsCompleted(Loop loop, Set<F> futures, @Nullable Duration timeout) {
    this.loop = loop;
    this.toCome = new LinkedHashSet<>(futures);
    this.timeout = timeout;
    this.remaining = futures.size();
    int[] undelivered = {remaining};
    for (F future : futures) {
      future.onDone(() -> {
        undelivered[0]--;
        if (undelivered[0] == 0 && timer != null) {
          timer.cancel();
        }
        arrived(future);
      });
    }
    if (timeout != null && !futures.isEmpty()) {
      timer = loop.addInternalTimer(loop.deadlineNanos(timeout), this::timeOut);
    }
  }

  private void arrived(F future) {
    toCome.remove(future);
    if (!timedOut) {
      done.add(future);
      wakeOne();
    }
  }

  private void timeOut() {
    timedOut = true;
    while (!waiting.isEmpty()) {
      wakeOne();
    }
  }

  private void wakeOne() {
    for (var arrival = waiting.poll(); arrival != null; arrival = waiting.poll()) {
      if (!arrival.isDone()) { // Else its task was cancelled.
        arrival.complete(null);
        return;
      }
    }
  }

  @Override
  public boolean hasNext() {
    return remaining > 0;
  }

  @Override
  public F next() {
    loop.ensureInTask("asCompleted().next()");
    if (remaining == 0) {
      throw new NoSuchElementException("Every future was returned already: ask hasNext() first");
    }
    remaining--; // Before it waits, or two tasks would wait for the last one.
    try {
      awaitArrival();
    } catch (Throwable e) {
      remaining++;
      if (!done.isEmpty()) {
        wakeOne(); // For what this task was woken for.
      }
      throw e;
    }
    F next = done.poll();
    if (next == null) {
      throw new UncheckedIOException(
          new TimeoutException("asCompleted: not done within " + timeout));
    }
    return next;
  }

  private void awaitArrival() {
    while (done.isEmpty() && !timedOut) {
      Future<@Nullable Void> arrival = new Future<>(loop, this);
      waiting.add(arrival);
      try {
        arrival.await();
      } finally {
        waiting.remove(arrival);
      }
    }
  }

  @Override
  public Set<F> awaited() {
    return toCome;
  }

  @Override
  public String toString() {
    return "AsCompleted[" + remaining + " to come" + (timedOut ? ", timed out]" : "]");
  }
}
