package dev.weir.stream;

import java.io.IOException;

/**
 * A line, or what else ends in a separator, is longer than the reader's limit, as {@code
 * asyncio.LimitOverrunError}. Everything that arrived is still in the stream.
 */
public final class LimitOverrunException extends IOException {
  private static final long serialVersionUID = 1;

  private final int consumed;

  /**
   * Creates an exception.
   *
   * @param message what was too long, and the limit
   * @param consumed how many bytes to skip
   */
  public LimitOverrunException(String message, int consumed) {
    super(message);
    this.consumed = consumed;
  }

  /** {@return how many bytes {@code readExactly} can take without touching a separator} */
  public int consumed() {
    return consumed;
  }
}
