package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * How a future ended: with a value or an exception. What {@code gatherOutcomes} collects, where
 * asyncio's {@code gather(..., return_exceptions=True)} mixes results and exceptions in one list.
 *
 * @param <T> the type of the value
 */
public sealed interface Outcome<T extends @Nullable Object> {
  /**
   * It ended well.
   *
   * @param value the result
   */
  record Success<T extends @Nullable Object>(T value) implements Outcome<T> {}

  /**
   * It failed, or was cancelled.
   *
   * @param exception the failure; a {@link CancelledError} if it was cancelled
   */
  record Failure<T extends @Nullable Object>(Throwable exception) implements Outcome<T> {}

  /**
   * {@return how {@code future} ended} Called on its loop.
   *
   * @throws InvalidStateException if it is not done
   */
  static <T extends @Nullable Object> Outcome<T> of(Future<T> future) {
    future.loop.ensureHeld("Outcome.of()");
    if (future.isCancelled()) {
      return new Failure<>(future.cancellation());
    }
    Throwable failure = future.failure();
    return failure != null
        ? new Failure<>(failure)
        : new Success<>(Future.<T, RuntimeException>resultOf(future));
  }
}
