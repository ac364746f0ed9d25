package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * What an {@link ExceptionHandler} is told.
 *
 * @param message what failed, for a log
 * @param exception the failure, if there is one
 * @param future the future or task concerned, if there is one
 * @param handle the callback concerned, if there is one
 * @param createdAt in debug mode, where the task or callback concerned was made, if there is one
 */
public record ExceptionContext(
    String message,
    @Nullable Throwable exception,
    @Nullable Future<?> future,
    @Nullable Handle handle,
    @Nullable Throwable createdAt) {

  /** {@return a context of a message and an exception only} */
  public static ExceptionContext of(String message, @Nullable Throwable exception) {
    return new ExceptionContext(message, exception, null, null, null);
  }
}
