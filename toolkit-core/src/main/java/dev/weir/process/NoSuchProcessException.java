package dev.weir.process;

/** A signal was to be sent to a process that has ended, as {@code ProcessLookupError}. */
public final class NoSuchProcessException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /** Creates an exception that says which process. */
  public NoSuchProcessException(String message) {
    super(message);
  }
}
