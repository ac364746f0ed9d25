package dev.weir.spi;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What happens on one datagram socket, in the shape of asyncio's {@code DatagramProtocol}. The
 * engine calls it on the I/O fiber, except where {@link DatagramTransport#send} says otherwise.
 * Implementations must return soon and never wait.
 */
public interface DatagramTransportProtocol {
  /** The socket is there. The first call. */
  void connectionMade(DatagramTransport transport);

  /**
   * A datagram arrived, perhaps an empty one.
   *
   * @param data its bytes, valid during the call only
   * @param sender who sent it, or who says so: the address of a datagram can be forged
   * @param cutOff whether it was longer than the request's largest, and {@code data} is only its
   *     beginning
   */
  void datagramReceived(ByteBuffer data, InetSocketAddress sender, boolean cutOff);

  /**
   * The system has reported an error: {@link java.net.PortUnreachableException} on a connected
   * socket, if nobody receives there. The socket goes on.
   */
  void errorReceived(IOException cause);

  /**
   * A datagram could not be sent. The socket goes on.
   *
   * @param to where it was to go
   */
  void sendFailed(InetSocketAddress to, IOException cause);

  /**
   * The socket is closed. The last call, made exactly once.
   *
   * @param cause null if this side closed or aborted it, or the loop ends
   */
  void connectionLost(@Nullable IOException cause);

  /** The write buffer went above high water. */
  void pauseWriting();

  /** The write buffer went down to low water. */
  void resumeWriting();
}
