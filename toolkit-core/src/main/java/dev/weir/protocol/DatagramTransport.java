package dev.weir.protocol;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The way out of a datagram socket, as {@code asyncio.DatagramTransport}.
 *
 * @see DatagramProtocol
 */
public interface DatagramTransport extends BaseTransport {
  /**
   * Sends a datagram, perhaps an empty one, to the remote address. The array may be reused at once.
   * Does nothing once the transport is closing.
   *
   * <p>With more than 16 MiB unsent, or than high water if that is higher, it drops the datagram.
   * The first one is told to {@link DatagramProtocol#errorReceived}, the others are not until
   * {@code resumeWriting} was called.
   *
   * @throws IllegalArgumentException if the transport has no remote address, or the datagram is
   *     longer than UDP carries
   */
  void sendTo(byte[] data);

  /**
   * Sends a datagram to an address, as {@link #sendTo(byte[])}. If it cannot be sent, {@link
   * DatagramProtocol#errorReceived} is told: before the call returns if {@code address} has port 0,
   * which whoever sends can claim to have; else later.
   *
   * @param address where, not a name that is still to be looked up
   * @throws IllegalArgumentException if the transport has another remote address, the datagram is
   *     longer than UDP carries, or {@code address} cannot be sent to
   */
  void sendTo(byte[] data, InetSocketAddress address);

  /** Drops what is unsent and closes at once; {@code connectionLost} follows, with null. */
  void abort();

  /** {@return how much is unsent: of each datagram its bytes and 8} */
  long writeBufferSize();

  /**
   * Sets when the protocol is told to pause and to resume; 64 and 16 KiB by default.
   *
   * @param high more than this unsent pauses it
   * @param low as much, or less, resumes it
   * @throws IllegalArgumentException unless {@code 0 <= low <= high}
   */
  void setWriteBufferLimits(int high, int low);

  /** {@return when the protocol is told to pause and to resume} */
  WriteBufferLimits writeBufferLimits();

  /** {@return the address that the socket is bound to, with the port that the system chose} */
  InetSocketAddress localAddress();

  /** {@return the address that it was made for; null if there is none} */
  @Nullable InetSocketAddress remoteAddress();

  /** {@return who is told what comes in} */
  DatagramProtocol protocol();

  /**
   * Has another protocol told what comes in from now on. Its {@code connectionMade} is not called.
   */
  void setProtocol(DatagramProtocol protocol);
}
