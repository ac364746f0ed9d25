package dev.weir.task;

import org.jspecify.annotations.Nullable;

/** A future that follows another one, whose cancellation does not reach the other. */
final class Shielding<T extends @Nullable Object> {
  private final Future<T> inner;
  private final Future<T> outer;

  private Shielding(Future<T> inner) {
    this.inner = inner;
    this.outer = new Future<>(inner.loop);
  }

  static <T extends @Nullable Object> Future<T> of(Future<T> inner) {
    if (inner.isDone()) {
      return inner;
    }
    Shielding<T> shielding = new Shielding<>(inner);
    inner.onDone(shielding::innerDone);
    return shielding.outer;
  }

  private void innerDone() {
    if (outer.isDone()) {
      reportLate();
    } else if (inner.isCancelled()) {
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
   * Nobody waits for the inner one through this shield any more. If nobody does otherwise, its
   * failure is reported: once, however many shields were cancelled.
   */
  private void reportLate() {
    if (!outer.isCancelled()) {
      return;
    }
    Loop loop = inner.loop;
    loop.enqueueCallback(() -> { // Behind those who were woken with this step, and may ask for it.
      Throwable failure = inner.unaskedFailure();
      if (failure != null) {
        loop.callExceptionHandler(
            new ExceptionContext(
                "Exception in shielded future: " + inner.label(), failure, inner, null, null));
      }
    });
  }

  @Override
  public String toString() {
    return "Shielding[" + inner + "]";
  }
}
