package dev.weir.spi;

import java.net.SocketAddress;
import java.net.SocketOption;
import java.util.Map;

/**
 * A listener that is wanted.
 *
 * @param local where: a resolved {@link java.net.InetSocketAddress}, whose port 0 lets the system
 *     choose, or a {@link java.net.UnixDomainSocketAddress}, which may be {@linkplain UnixAddresses
 *     abstract}; if it is a file, nothing is there, and the caller removes what the listener makes
 * @param backlog how many connections the kernel queues before they are accepted
 * @param reuseAddress whether to listen although connections of an earlier listener linger on the
 *     port
 * @param reusePort whether other listeners may share the port
 * @param socketOptions what is set on each accepted socket, each with a value of its type
 */
public record ListenRequest(
    SocketAddress local,
    int backlog,
    boolean reuseAddress,
    boolean reusePort,
    Map<SocketOption<?>, Object> socketOptions) {
  /** Takes a copy of the options. */
  public ListenRequest {
    socketOptions = Map.copyOf(socketOptions);
  }
}
