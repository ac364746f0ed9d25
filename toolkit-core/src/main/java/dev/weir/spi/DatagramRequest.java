package dev.weir.spi;

import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A datagram socket that is wanted. It has a local address, a remote one, or both; of one family.
 *
 * @param local where it receives, resolved; port 0 lets the system choose, as null does for all of
 *     it
 * @param remote where datagrams without an address go, resolved. The socket is connected to it,
 *     which means that nobody else's datagrams are received and that errors are reported, unless it
 *     is for {@code broadcast}
 * @param broadcast whether datagrams may go to broadcast addresses
 * @param reusePort whether other sockets may be bound to the same port
 * @param maxSize how long a datagram may be that is received whole, in bytes, above 0
 * @param socketOptions what is set on the socket, each with a value of its type
 */
public record DatagramRequest(
    @Nullable InetSocketAddress local,
    @Nullable InetSocketAddress remote,
    boolean broadcast,
    boolean reusePort,
    int maxSize,
    Map<SocketOption<?>, Object> socketOptions) {
  /** Takes a copy of the options. */
  public DatagramRequest {
    if (local == null && remote == null) {
      throw new IllegalArgumentException("neither a local nor a remote address");
    }
    socketOptions = Map.copyOf(socketOptions);
  }

  /** {@return whether the socket is connected to its remote address} */
  public boolean isConnected() {
    return remote != null && !broadcast;
  }
}
