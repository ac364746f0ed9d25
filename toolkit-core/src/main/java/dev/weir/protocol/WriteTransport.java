package dev.weir.protocol;

import java.util.Collection;

/** A transport that something goes out by, as {@code asyncio.WriteTransport}. */
public interface WriteTransport extends BaseTransport {
  /**
   * Sends bytes behind what is buffered. They are copied. Never waits: with more than high water
   * buffered, the protocol is told to {@linkplain BaseProtocol#pauseWriting pause}. Does nothing
   * once the transport is closing.
   *
   * @throws IllegalStateException after {@link #writeEof}; or above high water, if it would take
   *     the buffer above the hard cap of the options: the protocol did not pause
   */
  void write(byte[] data);

  /** Sends {@code length} bytes of an array from {@code offset} on, as {@link #write(byte[])}. */
  void write(byte[] data, int offset, int length);

  /**
   * Sends several pieces one after the other. Corresponds to {@code writelines}.
   *
   * @throws IllegalStateException as {@link #write(byte[])}; the pieces before are sent
   */
  default void writeLines(Collection<byte[]> pieces) {
    for (byte[] piece : pieces) {
      write(piece);
    }
  }

  /**
   * Ends the stream towards the peer after what is buffered; receiving goes on. Without effect once
   * it was called, or the transport is closing.
   *
   * @throws UnsupportedOperationException unless {@link #canWriteEof}
   */
  void writeEof();

  /** {@return whether this direction can end alone} It cannot with TLS. */
  boolean canWriteEof();

  /**
   * Drops what is buffered and closes at once; {@link BaseProtocol#connectionLost} follows, with
   * null.
   */
  void abort();

  /**
   * Says when the protocol is told to pause and to resume writing.
   *
   * @param high more buffered bytes than this pause it
   * @param low as many buffered bytes, or fewer, resume it
   * @throws IllegalArgumentException if not 0 &lt;= low &lt;= high
   */
  void setWriteBufferLimits(int high, int low);

  /**
   * Sets high water, and a quarter of it as low water; 64 KiB are usual.
   *
   * @throws IllegalArgumentException if it is negative
   */
  default void setWriteBufferLimits(int high) {
    setWriteBufferLimits(high, high / 4);
  }

  /** {@return when the protocol is told to pause and to resume writing} */
  WriteBufferLimits writeBufferLimits();

  /** {@return how many bytes are buffered and not yet with the operating system} */
  long writeBufferSize();
}
