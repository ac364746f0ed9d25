package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * A task was asked to end: thrown at the point where it waits, as {@code asyncio.CancelledError}.
 *
 * <p>It is an {@link Error} so that it passes through {@code catch (Exception e)}, as asyncio's
 * derives from {@code BaseException}. Code that catches it to clean up throws it on.
 */
public final class CancelledError extends Error {
  private static final long serialVersionUID = 1;

  /**
   * Creates an error.
   *
   * @param message what the one who cancelled had to say, if anything
   */
  public CancelledError(@Nullable String message) {
    this(message, null);
  }

  /**
   * Creates an error.
   *
   * @param message what the one who cancelled had to say, if anything
   * @param cause how the cancellation showed itself, if otherwise: an {@link InterruptedException},
   *     say
   */
  public CancelledError(@Nullable String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
