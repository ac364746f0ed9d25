package dev.weir.testing;

/**
 * Thrown when the body of a test has ended and something has not: a task, a timer, a connection, a
 * server, or an error that nobody took. The message names each.
 */
public final class LeftBehindError extends AssertionError {
  private static final long serialVersionUID = 1;

  LeftBehindError(String message) {
    super(message);
  }
}
