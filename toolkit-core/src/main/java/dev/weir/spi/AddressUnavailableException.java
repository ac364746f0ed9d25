package dev.weir.spi;

import java.net.BindException;
import org.jspecify.annotations.Nullable;

/** An address cannot be listened on because it, or its whole family, is not this machine's. */
public final class AddressUnavailableException extends BindException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param message which address
   * @param cause what the system reported, or null
   */
  public AddressUnavailableException(String message, @Nullable Throwable cause) {
    super(message);
    initCause(cause);
  }
}
