package dev.weir.testing;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a listener or a datagram socket of the memory network receives.
 *
 * @param host whose it is; null for the default host
 * @param address the address that it was bound to, which may be a wildcard
 * @param reusePort whether others may be bound there that want to share it
 */
record BoundAddress(@Nullable InetAddress host, InetSocketAddress address, boolean reusePort) {
  /** {@return whether no kernel would let both be bound} */
  boolean isInTheWayOf(BoundAddress other) {
    if (address.getPort() != other.address.getPort() || (reusePort && other.reusePort)) {
      return false;
    }
    if (isWildcard() && other.isWildcard()) {
      return Objects.equals(host, other.host) && isLikeFamily(other);
    }
    return address.equals(other.address) || covers(other) || other.covers(this);
  }

  boolean isWildcard() {
    return address.getAddress().isAnyLocalAddress();
  }

  private boolean isLikeFamily(BoundAddress other) {
    return address.getAddress().getAddress().length
        == other.address.getAddress().getAddress().length;
  }

  /** {@return whether this is on the wildcard address of the host whose address that one has} */
  private boolean covers(BoundAddress other) {
    InetAddress precise = other.address.getAddress();
    return isWildcard()
        && isLikeFamily(other)
        && (host == null ? MemoryNetwork.isDefaultHost(precise) : host.equals(precise));
  }

  /** {@return whether this answers at {@code to}: 0 for not, the highest if it alone is meant} */
  int precision(InetAddress from, InetSocketAddress to) {
    if (address.getPort() != to.getPort()) {
      return 0;
    }
    InetAddress asked = to.getAddress();
    boolean toItself = asked.isAnyLocalAddress() || asked.isLoopbackAddress();
    if (host != null && isWildcard()) {
      return host.equals(asked) || (toItself && host.equals(from)) ? 3 : 0;
    }
    return address.equals(to) ? 2 : isWildcard() ? 1 : 0;
  }
}
