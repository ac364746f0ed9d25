package dev.weir.spi;

import dev.weir.spi.Network.Completion;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import org.jspecify.annotations.Nullable;

/**
 * One datagram socket's way out, in the shape of asyncio's {@code DatagramTransport}. Its methods
 * are called on the loop, never wait, and take effect when the I/O fiber next runs.
 */
public interface DatagramTransport {
  /**
   * Takes a datagram to be sent, which may be empty. The bytes are copied: the caller may reuse the
   * array at once. Calls {@link DatagramTransportProtocol#pauseWriting} before it returns if that
   * takes the buffer above high water. Does nothing once the transport is closing.
   *
   * <p>If it cannot be sent, {@link DatagramTransportProtocol#sendFailed} is told, and the
   * transport goes on.
   *
   * @param to where, resolved and of the socket's family; null for the remote address of the
   *     request. The latter alone where that is connected
   */
  void send(byte[] bytes, int offset, int length, @Nullable InetSocketAddress to);

  /** Sends what is buffered, then closes. Nothing more is received. A second call has no effect. */
  void close();

  /** Drops what is buffered and closes at once. */
  void abort();

  /** {@return whether the transport is closed or about to be} */
  boolean isClosing();

  /**
   * Stops receiving until {@link #resumeReading}; a read under way, of several datagrams perhaps,
   * is still delivered. The kernel keeps what comes meanwhile, and drops what does not fit.
   */
  void pauseReading();

  /** Receives again. */
  void resumeReading();

  /**
   * {@return how much is buffered and not yet with the operating system: of each datagram its bytes
   * and {@value #OVERHEAD_BYTES}}
   */
  long writeBufferSize();

  /** What a datagram counts in the write buffer besides its bytes. */
  int OVERHEAD_BYTES = 8;

  /**
   * Sets when the protocol is told to pause and to resume writing, for what is buffered now too.
   *
   * @param high more than this pauses it
   * @param low as much, or less, resumes it
   */
  void setWriteBufferLimits(int high, int low);

  /**
   * Receives what is sent to a multicast group from now on.
   *
   * @param on the interface to which it is sent
   * @param source the only sender to receive from; null for all
   * @param outcome receives the group, or why it cannot be joined
   */
  void join(
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Completion<InetAddress> outcome);

  /**
   * Takes a {@link #join} back, given the same arguments.
   *
   * @param outcome receives the group, or why it cannot be left: that it was not joined, say
   */
  void leave(
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Completion<InetAddress> outcome);

  /**
   * {@return what the engine has beneath that is of a type, its channel say; null if it has none}
   */
  default <T> @Nullable T extraInfo(Class<T> type) {
    return null;
  }

  /** {@return the address that it is bound to, with the port that the system chose} */
  InetSocketAddress localAddress();

  /** {@return the remote address of the request; null if it had none} */
  @Nullable InetSocketAddress remoteAddress();
}
