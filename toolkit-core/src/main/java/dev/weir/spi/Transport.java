package dev.weir.spi;

import java.net.SocketAddress;

/**
 * One connection's way out, in the shape of asyncio's {@code Transport}. Its methods are called on
 * the loop, never wait, and take effect when the I/O fiber next runs.
 */
public interface Transport {
  /**
   * Takes bytes to be sent. They are copied: the caller may reuse the array at once. Calls {@link
   * TransportProtocol#pauseWriting} before it returns if that takes the buffer above high water.
   * Does nothing once the transport is closing.
   *
   * @throws IllegalStateException after {@link #writeEof}
   */
  void write(byte[] bytes, int offset, int length);

  /**
   * Sends an end of stream after what is buffered; the other direction stays open. A second call
   * has no effect.
   */
  void writeEof();

  /** Sends what is buffered, then closes. Nothing more is received. A second call has no effect. */
  void close();

  /** Drops what is buffered and closes at once. */
  void abort();

  /** {@return whether the transport is closed or about to be} */
  boolean isClosing();

  /** Stops receiving until {@link #resumeReading}; a read under way is still delivered. */
  void pauseReading();

  /** Receives again. */
  void resumeReading();

  /** {@return how many bytes are buffered and not yet with the operating system} */
  long writeBufferSize();

  /**
   * Sets when the protocol is told to pause and to resume writing.
   *
   * @param high more buffered bytes than this pause it
   * @param low as many buffered bytes, or fewer, resume it
   */
  void setWriteBufferLimits(int high, int low);

  /** {@return this end's address} */
  SocketAddress localAddress();

  /** {@return the other end's address} */
  SocketAddress remoteAddress();
}
