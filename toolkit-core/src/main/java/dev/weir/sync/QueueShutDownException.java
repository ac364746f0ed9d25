package dev.weir.sync;

/** An {@link AsyncQueue} was shut down; as {@code asyncio.QueueShutDown}. */
public final class QueueShutDownException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /** Creates an exception. */
  public QueueShutDownException(String message) {
    super(message);
  }
}
