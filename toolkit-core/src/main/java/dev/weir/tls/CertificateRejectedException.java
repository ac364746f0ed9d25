package dev.weir.tls;

import org.jspecify.annotations.Nullable;

/**
 * The peer's certificate is not to be trusted, or is for somebody else; the message says which
 * check failed and for which name. Corresponds to {@code ssl.SSLCertVerificationError}.
 */
public final class CertificateRejectedException extends TlsException {
  private static final long serialVersionUID = 1;

  /**
   * Makes one.
   *
   * @param cause what the check reported
   */
  public CertificateRejectedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
