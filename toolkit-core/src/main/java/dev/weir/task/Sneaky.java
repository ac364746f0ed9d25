package dev.weir.task;

import org.jspecify.annotations.Nullable;

/** Throws exceptions as they are, whatever the caller declares. */
final class Sneaky {
  private Sneaky() {}

  /** Throws {@code exception}. Declared to return, so that callers can say {@code throw}. */
  static RuntimeException rethrow(Throwable exception) {
    Sneaky.<RuntimeException>raise(exception);
    throw new AssertionError();
  }

  @SuppressWarnings("unchecked") // Erased: the exception is thrown as it is.
  private static <X extends Throwable> void raise(Throwable exception) throws X {
    throw (X) exception;
  }

  /** Runs {@code body}; what it throws is thrown as it is. */
  static <T extends @Nullable Object> T call(Coroutine<T> body) {
    try {
      return body.run();
    } catch (Throwable e) {
      throw Sneaky.rethrow(e);
    }
  }
}
