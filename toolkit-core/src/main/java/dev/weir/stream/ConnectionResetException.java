package dev.weir.stream;

import java.net.SocketException;
import org.jspecify.annotations.Nullable;

/**
 * The connection was lost: reset by the peer, or aborted on this side. As Python's {@code
 * ConnectionResetError}.
 */
public final class ConnectionResetException extends SocketException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param message what happened
   * @param cause what the transport reported, or null
   */
  public ConnectionResetException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
