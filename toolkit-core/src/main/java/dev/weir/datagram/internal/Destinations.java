package dev.weir.datagram.internal;

import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.stream.Addresses;
import java.net.InetSocketAddress;
import java.net.SocketException;
import org.jspecify.annotations.Nullable;

/** Checks what is to be sent, before it is too late to tell who asked for it. */
public final class Destinations {
  /** As much as an IPv4 packet of 65,535 bytes carries, less its header and UDP's. */
  private static final int IPV4_BYTES_MAX = 65_507;

  /** As much as an IPv6 packet with 65,535 bytes behind its header carries. */
  private static final int IPV6_BYTES_MAX = 65_527;

  private Destinations() {}

  /**
   * Checks one datagram.
   *
   * @param call what was called, for the message
   * @param to as it was given; null for the remote address
   * @return where the engine is to send it; null for the remote address
   * @throws IllegalArgumentException if that cannot be
   * @throws SocketException if it is port 0: whoever sends can claim to be there, and so it is no
   *     mistake of who answers
   */
  public static @Nullable InetSocketAddress ensure(
      String call,
      DatagramTransport transport,
      DatagramRequest request,
      int length,
      @Nullable InetSocketAddress to)
      throws SocketException {
    InetSocketAddress remote = request.remote();
    InetSocketAddress meant = to == null ? remote : to;
    if (meant == null) {
      throw new IllegalArgumentException(
          call + " without an address, on an endpoint that has no remote one: say where to");
    }
    if (remote != null && !meant.equals(remote)) {
      throw new IllegalArgumentException(
          call
              + " to "
              + Addresses.format(meant)
              + " on an endpoint whose remote address is "
              + Addresses.format(remote));
    }
    if (meant.isUnresolved()) {
      throw new IllegalArgumentException(
          call
              + " looks up no names, and "
              + Addresses.format(meant)
              + " is one: look it up once, before");
    }
    if (meant.getPort() == 0) {
      throw new SocketException(
          call + " to port 0, where nobody can be: " + Addresses.format(meant));
    }
    boolean ipv6 = DatagramOpening.isIpv6(meant.getAddress());
    if (ipv6 && !DatagramOpening.isIpv6(transport.localAddress().getAddress())) {
      throw new IllegalArgumentException(
          call
              + " to "
              + Addresses.format(meant)
              + " of IPv6 on an endpoint of IPv4, "
              + Addresses.format(transport.localAddress())
              + ": bind it to ::");
    }
    int max = ipv6 ? IPV6_BYTES_MAX : IPV4_BYTES_MAX;
    if (length > max) {
      throw new IllegalArgumentException(
          "A datagram of " + length + " bytes: UDP carries " + max + " at most");
    }
    return remote == null ? meant : null;
  }
}
