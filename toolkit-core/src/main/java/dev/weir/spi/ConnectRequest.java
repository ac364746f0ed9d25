package dev.weir.spi;

import java.net.SocketAddress;
import java.net.SocketOption;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A connection that is wanted.
 *
 * @param remote where to: a resolved {@link java.net.InetSocketAddress}, or a {@link
 *     java.net.UnixDomainSocketAddress}, which may be {@linkplain UnixAddresses abstract}
 * @param local where from, of the same kind; null if the system is to choose
 * @param timeout how long the attempt may take; then it fails with {@link
 *     java.net.SocketTimeoutException}
 * @param socketOptions what is set on the socket, each with a value of its type
 */
public record ConnectRequest(
    SocketAddress remote,
    @Nullable SocketAddress local,
    Duration timeout,
    Map<SocketOption<?>, Object> socketOptions) {
  /** Takes a copy of the options. */
  public ConnectRequest {
    socketOptions = Map.copyOf(socketOptions);
  }
}
