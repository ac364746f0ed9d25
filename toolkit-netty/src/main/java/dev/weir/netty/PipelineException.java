package dev.weir.netty;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A connection has failed in the handlers of its pipeline: a decoder could not make sense of what
 * the peer sent, an encoder not of what was to be sent, or the handlers do not fit what stands
 * behind them. The cause, if there is one, is what the handler threw.
 */
public final class PipelineException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param message what was wrong
   * @param cause what a handler threw, or null
   */
  public PipelineException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
