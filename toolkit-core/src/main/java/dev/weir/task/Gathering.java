package dev.weir.task;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What {@code gather} returns: done when all its children are, or one has failed. Cancelling it
 * cancels the children; if a child then ends as cancelled, that is its failure.
 */
final class Gathering<C extends @Nullable Object, R extends @Nullable Object> extends Future<R> {
  private final List<? extends Future<? extends C>> children;
  private final Function<List<? extends Future<? extends C>>, R> collect;

  /** Whether the failure of one child is the failure of all. */
  private final boolean failing;

  private int unfinished;

  /** Why {@link #requestCancel} was called; set with {@link #cancelRequested}. */
  private @Nullable String cancelMessage;

  private boolean cancelRequested;

  private Gathering(
      Loop loop,
      List<? extends Future<? extends C>> children,
      boolean failing,
      Function<List<? extends Future<? extends C>>, R> collect) {
    super(loop);
    this.children = children;
    this.failing = failing;
    this.collect = collect;
  }

  /** Gathers results; the first failure is the failure of all. */
  static <T extends @Nullable Object> Future<List<T>> ofResults(
      Loop loop, List<? extends Future<? extends T>> children) {
    return new Gathering<T, List<T>>(loop, children, true, Gathering::results).begin();
  }

  /** Gathers outcomes, failures among them. */
  static <T extends @Nullable Object> Future<List<Outcome<T>>> ofOutcomes(
      Loop loop, List<? extends Future<? extends T>> children) {
    return new Gathering<T, List<Outcome<T>>>(loop, children, false, Gathering::outcomes).begin();
  }

  private Future<R> begin() {
    Set<Future<?>> distinct = new HashSet<>();
    List<Future<? extends C>> done = new ArrayList<>();
    for (Future<? extends C> child : children) {
      loop.ensureOwn(child, "gather()");
    }
    for (Future<? extends C> child : children) {
      if (!distinct.add(child)) {
        continue;
      }
      unfinished++;
      if (child.isDone()) {
        done.add(child);
      } else {
        child.onDone(() -> childDone(child));
      }
    }
    if (children.isEmpty()) {
      complete(collect.apply(children));
    }
    done.forEach(this::childDone);
    return this;
  }

  @Override
  boolean needs(Task<?> task) {
    return children.contains(task);
  }

  private void childDone(Future<? extends C> child) {
    unfinished--;
    if (isDone()) {
      return; // A failure that comes late is the child's own, and reported if nobody asks for it.
    }
    Throwable failure =
        !failing ? null : child.isCancelled() ? child.cancellation() : child.failure();
    if (failure != null) {
      completeExceptionally(failure);
    } else if (unfinished == 0 && cancelRequested) {
      completeExceptionally(new CancelledError(cancelMessage));
    } else if (unfinished == 0) {
      complete(collect.apply(children));
    }
  }

  @Override
  boolean requestCancel(@Nullable String message) {
    if (isDone()) {
      return false;
    }
    return CancelRequest.send(this, message);
  }

  List<? extends Future<? extends C>> children() {
    return children;
  }

  /** Notes that a child, or several, have taken a request to cancel this. */
  void childrenCancelled(@Nullable String message) {
    cancelRequested = true;
    cancelMessage = message;
  }

  private static <T extends @Nullable Object> List<T> results(
      List<? extends Future<? extends T>> children) {
    List<T> results = new ArrayList<>(children.size());
    for (Future<? extends T> child : children) {
      results.add(Future.<T, RuntimeException>resultOf(Gathering.<T>widen(child)));
    }
    return results;
  }

  private static <T extends @Nullable Object> List<Outcome<T>> outcomes(
      List<? extends Future<? extends T>> children) {
    List<Outcome<T>> outcomes = new ArrayList<>(children.size());
    for (Future<? extends T> child : children) {
      outcomes.add(Outcome.of(Gathering.<T>widen(child)));
    }
    return outcomes;
  }

  @SuppressWarnings("unchecked") // A future only hands results out, so its type may be widened.
  private static <T extends @Nullable Object> Future<T> widen(Future<? extends T> future) {
    return (Future<T>) future;
  }

  @Override
  String label() {
    return "gather() of " + children.size();
  }
}
