package dev.weir.task;

/**
 * A future was asked for what its state does not allow: its result before it has one, or a second
 * result.
 */
public final class InvalidStateException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param message what was wrong, and what to write instead
   */
  public InvalidStateException(String message) {
    super(message);
  }
}
