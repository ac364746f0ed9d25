package dev.weir.protocol;

import java.nio.ByteBuffer;

/**
 * A protocol that brings the memory for what arrives, as {@code asyncio.BufferedProtocol}: bytes
 * are copied once, to where they are wanted.
 */
public interface BufferedProtocol extends BaseProtocol<Transport> {
  /**
   * {@return where the next bytes go: from its position on, up to its limit} Called before each
   * {@link #bufferUpdated}; until then it belongs to the transport.
   *
   * @param sizeHint how many bytes are there; the buffer may be of any size above 0
   * @throws Exception if it fails, or the buffer is full: goes to the exception handler, and aborts
   *     the connection, of whose loss it is the cause
   */
  ByteBuffer getBuffer(int sizeHint) throws Exception;

  /**
   * Bytes were put into the buffer of the last {@link #getBuffer}, whose position is behind them.
   *
   * @param count how many, above 0
   * @throws Exception as for {@link #getBuffer}
   */
  void bufferUpdated(int count) throws Exception;

  /**
   * The peer will send no more: as {@link Protocol#eofReceived}.
   *
   * @return whether the connection stays open for writing
   * @throws Exception as for {@link #getBuffer}
   */
  default boolean eofReceived() throws Exception {
    return false;
  }
}
