package dev.weir.task;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A future that follows another one, whose cancellation does not reach the other. */
final class Shielding<T extends @Nullable Object> implements Awaiting {
  private final Future<T> inner;
  private final Future<T> outer;
  private final Runnable innerDone = this::innerDone;
  private final Runnable outerDone = this::outerDone;

  private Shielding(Future<T> inner) {
    this.inner = inner;
    this.outer = new Future<>(inner.loop, this);
  }

  static <T extends @Nullable Object> Future<T> of(Future<T> inner) {
    if (inner.isDone()) {
      return inner;
    }
    Shielding<T> shielding = new Shielding<>(inner);
    inner.onDone(shielding.innerDone);
    shielding.outer.onDone(shielding.outerDone);
    return shielding.outer;
  }

  private void innerDone() {
    if (outer.isDone()) {
      new LateFailure(inner).run();
      return;
    }
    outer.removeOnDone(outerDone);
    if (inner.isCancelled()) {
      outer.completeCancelled(inner.cancellation().getMessage(), null);
    } else {
      Throwable failure = inner.failure();
      if (failure != null) {
        outer.completeExceptionally(failure);
      } else {
        outer.complete(Future.<T, RuntimeException>resultOf(inner));
      }
    }
  }

  /**
   * Nobody waits for the inner one through this shield any more. One listener is left there for all
   * such shields, or a future that is awaited again and again with a timeout would collect them.
   */
  private void outerDone() {
    if (!inner.isDone()) {
      inner.removeOnDone(innerDone);
      LateFailure late = new LateFailure(inner);
      inner.removeOnDone(late);
      inner.onDone(late);
    }
  }

  @Override
  public List<Future<T>> awaited() {
    return List.of(inner);
  }

  @Override
  public String toString() {
    return "shield() of " + inner.label();
  }

  /**
   * Reports the failure of a future whose shield is done already, unless somebody else asks for it:
   * once, however many shields there were.
   */
  private record LateFailure(Future<?> inner) implements Runnable {
    @Override
    public void run() {
      Loop loop = inner.loop;
      // Behind those who were woken with this step, and may ask for it.
      loop.enqueueCallback(() -> {
        Throwable failure = inner.unaskedFailure();
        if (failure != null) {
          loop.callExceptionHandler(
              new ExceptionContext(
                  "Exception in shielded future: " + inner.label(), failure, inner, null, null));
        }
      });
    }
  }
}
