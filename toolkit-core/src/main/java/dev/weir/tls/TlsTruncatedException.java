package dev.weir.tls;

import org.jspecify.annotations.Nullable;

/**
 * The connection ended without the end of the TLS session: somebody on the way may have cut off
 * what was still to come. Corresponds to {@code ssl.SSLEOFError}.
 *
 * @see TlsOptions#truncationAllowed
 */
public final class TlsTruncatedException extends TlsException {
  private static final long serialVersionUID = 1;

  /**
   * Makes one.
   *
   * @param cause null if there is nothing to tell
   */
  public TlsTruncatedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
