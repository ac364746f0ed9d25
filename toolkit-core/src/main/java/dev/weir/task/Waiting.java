package dev.weir.task;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One call of {@code wait}: counts the futures down, and wakes the caller when it has enough. */
final class Waiting<F extends Future<?>> implements Awaiting {
  private final Loop loop;
  private final Set<F> futures;
  private final ReturnWhen returnWhen;
  private final Future<@Nullable Void> enough;
  private int unfinished;

  Waiting(Loop loop, Set<F> futures, ReturnWhen returnWhen) {
    this.loop = loop;
    this.futures = futures;
    this.returnWhen = returnWhen;
    this.unfinished = futures.size();
    this.enough = new Future<>(loop, this);
  }

  /** Suspends until there is enough, or the timeout is over. */
  DoneAndPending<F> await(@Nullable Duration timeout) {
    if (!enoughAlready()) {
      suspend(timeout);
    }
    Set<F> done = new LinkedHashSet<>();
    Set<F> pending = new LinkedHashSet<>();
    for (F future : futures) {
      (future.isDone() ? done : pending).add(future);
    }
    return new DoneAndPending<>(
        Collections.unmodifiableSet(done), Collections.unmodifiableSet(pending));
  }

  private void suspend(@Nullable Duration timeout) {
    Runnable[] steps = new Runnable[futures.size()];
    int i = 0;
    for (F future : futures) {
      Runnable step = () -> oneDone(future);
      steps[i++] = step;
      future.onDone(step);
    }
    TimerHandle timer = timeout == null ? null : loop.completeLater(enough, timeout);
    try {
      enough.await();
    } finally {
      if (timer != null) {
        timer.cancel();
      }
      i = 0;
      for (F future : futures) {
        future.removeOnDone(steps[i++]);
      }
    }
  }

  private boolean enoughAlready() {
    boolean all = true;
    boolean any = false;
    for (F future : futures) {
      all &= future.isDone();
      any |= isEnough(future);
    }
    return all || any;
  }

  private void oneDone(F future) {
    unfinished--;
    if ((unfinished == 0 || isEnough(future)) && !enough.isDone()) {
      enough.complete(null);
    }
  }

  /** {@return whether this one alone is what is waited for} */
  private boolean isEnough(F future) {
    return switch (returnWhen) {
      case FIRST_COMPLETED -> future.isDone();
      case FIRST_EXCEPTION -> future.peekFailure() != null;
      case ALL_COMPLETED -> false;
    };
  }

  @Override
  public Set<F> awaited() {
    return futures;
  }

  @Override
  public String toString() {
    List<F> pending = futures.stream().filter(future -> !future.isDone()).toList();
    return "Waiting["
        + returnWhen
        + ", "
        + pending.size()
        + " of "
        + futures.size()
        + " unfinished: "
        + Futures.names(pending)
        + "]";
  }
}
