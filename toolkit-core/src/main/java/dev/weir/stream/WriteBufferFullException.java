package dev.weir.stream;

import java.io.IOException;

/**
 * A write that may not wait would take the write buffer above its hard cap: the peer does not read.
 * Nothing of it was written.
 */
public final class WriteBufferFullException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param message how much is buffered, and the cap
   */
  public WriteBufferFullException(String message) {
    super(message);
  }
}
