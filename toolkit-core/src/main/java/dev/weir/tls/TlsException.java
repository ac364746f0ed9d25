package dev.weir.tls;

import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A connection cannot be secured, or what came over a secured one cannot be right. Corresponds to
 * {@code ssl.SSLError}.
 */
public sealed class TlsException extends SSLException
    permits CertificateRejectedException, TlsTruncatedException {
  private static final long serialVersionUID = 1;

  /** Makes one without a cause. */
  public TlsException(String message) {
    super(message);
  }

  /**
   * Makes one with what the engine reported.
   *
   * @param cause null if there is nothing to tell
   */
  public TlsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
