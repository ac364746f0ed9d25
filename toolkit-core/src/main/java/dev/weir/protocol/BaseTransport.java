package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What all transports have, as {@code asyncio.BaseTransport}. A transport is the way out; what
 * comes in is told to its {@linkplain BaseProtocol protocol}.
 *
 * <p>Only tasks and callbacks of its loop may use it, those of its protocol among them; elsewhere
 * its calls throw {@link IllegalStateException}. None of them waits.
 */
public interface BaseTransport {
  /**
   * Sends what is buffered in the background, then closes. Nothing more is received; {@link
   * BaseProtocol#connectionLost} follows, with null. A connection whose peer has not taken
   * everything within 10 s is aborted, and that is the cause then. A second call has no effect.
   */
  void close();

  /** {@return whether it is closed or about to be} */
  boolean isClosing();

  /**
   * {@return what the engine has beneath that is of a type, Netty's channel for instance; null if
   * it has nothing of it} Corresponds to {@code get_extra_info()}.
   */
  <T> @Nullable T extraInfo(Class<T> type);
}
