package dev.weir.task;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The futures of one {@code asCompleted} call, in the order in which they get done. */
final class AsCompleted<F extends Future<?>> implements Iterator<F> {
  private final Loop loop;
  private final ArrayDeque<F> done = new ArrayDeque<>();
  private final @Nullable Duration timeout;
  private int remaining;
  private boolean timedOut;
  private @Nullable TimerHandle timer;

  /** What the caller of {@link #next} waits for; null if nobody waits. */
  private @Nullable Future<@Nullable Void> arrival;

  AsCompleted(Loop loop, Set<F> futures, @Nullable Duration timeout) {
    this.loop = loop;
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
    if (!timedOut) {
      done.add(future);
      wake();
    }
  }

  private void timeOut() {
    timedOut = true;
    wake();
  }

  private void wake() {
    if (arrival != null && !arrival.isDone()) {
      arrival.complete(null);
    }
  }

  @Override
  public boolean hasNext() {
    return remaining > 0;
  }

  @Override
  public F next() {
    if (remaining == 0) {
      throw new NoSuchElementException("Every future was returned already: ask hasNext() first");
    }
    while (done.isEmpty() && !timedOut) {
      Future<@Nullable Void> awaited = new Future<>(loop);
      arrival = awaited;
      try {
        awaited.await();
      } finally {
        arrival = null;
      }
    }
    remaining--;
    F next = done.poll();
    if (next == null) {
      throw new UncheckedIOException(
          new TimeoutException("asCompleted: not done within " + timeout));
    }
    return next;
  }

  @Override
  public String toString() {
    return "AsCompleted[" + remaining + " to come" + (timedOut ? ", timed out]" : "]");
  }
}
