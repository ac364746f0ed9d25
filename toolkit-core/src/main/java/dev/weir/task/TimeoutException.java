package dev.weir.task;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A deadline has passed, of {@link Timeout} or {@code waitFor}; as {@code asyncio.TimeoutError}. An
 * {@link IOException}, so that scopes around I/O need to declare nothing else.
 */
public final class TimeoutException extends IOException {
  private static final long serialVersionUID = 1;

  /** Creates an exception. */
  public TimeoutException(@Nullable String message) {
    super(message);
  }

  /**
   * Creates an exception.
   *
   * @param cause the cancellation that ended the wait
   */
  public TimeoutException(@Nullable String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
