package dev.weir.protocol;

/** What happens on a connection of bytes, as {@code asyncio.Protocol}. */
public interface Protocol extends BaseProtocol<Transport> {
  /**
   * Bytes arrived, in pieces of any size.
   *
   * @param data the protocol's own from now on
   * @throws Exception if it fails: goes to the exception handler, and aborts the connection, of
   *     whose loss it is the cause
   */
  default void dataReceived(byte[] data) throws Exception {}

  /**
   * The peer will send no more.
   *
   * @return whether the connection stays open for writing; else the transport closes itself. With
   *     TLS it closes in any case
   * @throws Exception as for {@link #dataReceived}
   */
  default boolean eofReceived() throws Exception {
    return false;
  }
}
