package dev.weir.stream;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A proxy did not open the connection: it refused, answered what is no answer, or went away. The
 * message says which proxy, and the proxy's own reason.
 */
public final class ProxyException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param message which proxy, and why
   * @param cause what the connection with the proxy met, or null
   */
  public ProxyException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
