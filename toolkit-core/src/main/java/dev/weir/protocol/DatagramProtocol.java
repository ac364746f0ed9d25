package dev.weir.protocol;

import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * What a datagram socket tells, as {@code asyncio.DatagramProtocol}. A callback that fails goes to
 * the loop's exception handler, and the socket goes on.
 */
public interface DatagramProtocol extends BaseProtocol<DatagramTransport> {
  /**
   * A datagram arrived.
   *
   * @param data its bytes, perhaps none; the protocol's own
   * @param sender who sent it, or who says so: whoever can send at all can forge this
   * @throws Exception if it fails: goes to the exception handler
   */
  default void datagramReceived(byte[] data, InetSocketAddress sender) throws Exception {}

  /**
   * A datagram could not be sent, was dropped because too much is unsent, did not arrive as the
   * system has learned, or was too long to be received.
   *
   * @param cause says which; {@link java.net.PortUnreachableException} on a socket with a remote
   *     address where nobody receives
   * @throws Exception if it fails: goes to the exception handler
   */
  default void errorReceived(IOException cause) throws Exception {}
}
