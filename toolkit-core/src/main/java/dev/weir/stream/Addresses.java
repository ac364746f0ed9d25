package dev.weir.stream;

import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Resolver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From what a user writes to socket addresses; what looks names up for all of Weir. */
public final class Addresses {
  static final int PORT_MAX = 65_535;

  private Addresses() {}

  /**
   * Suspends until a host was looked up, off the loop, because that blocks. A literal address is
   * its own, at once. If the task is cancelled, the lookup goes on unheard.
   *
   * @param host a name or a literal address
   * @param port from 0 to 65535
   * @return the addresses of the host with that port, at least one
   * @throws IllegalArgumentException if the port is out of range
   * @throws UnknownHostException if the name has no address
   */
  public static List<InetSocketAddress> resolve(Loop loop, String host, int port)
      throws UnknownHostException {
    ensurePort(port);
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (InetAddress address : inetAddresses(loop, host)) {
      addresses.add(new InetSocketAddress(address, port));
    }
    return addresses;
  }

  static void ensurePort(int port) {
    if (port < 0 || port > PORT_MAX) {
      throw new IllegalArgumentException("port out of range: " + port + " is not from 0 to 65535");
    }
  }

  private static List<InetAddress> inetAddresses(Loop loop, String host)
      throws UnknownHostException {
    InetAddress literal = literal(host);
    return literal == null ? lookUp(loop, host) : List.of(literal);
  }

  /** {@return the address that {@code host} is, or null if it is a name} */
  static @Nullable InetAddress literal(String host) {
    try {
      return InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** {@return an address as users write it, of IPv6 in brackets} */
  public static String format(InetSocketAddress address) {
    InetAddress resolved = address.getAddress();
    return format(
        resolved == null ? address.getHostString() : resolved.getHostAddress(), address.getPort());
  }

  static String format(String host, int port) {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  private static List<InetAddress> lookUp(Loop loop, String host) throws UnknownHostException {
    Resolver resolver = loop.resolver();
    if (resolver != null) {
      return lookUp(resolver, host);
    }
    Future<List<InetAddress>> found = loop.createFuture();
    if (loop.network().resolve(host, new FutureCompletion<>(found, late -> {}))) {
      return found.await(UnknownHostException.class);
    }
    try {
      return BlockingWork.run(loop, () -> List.of(InetAddress.getAllByName(host)));
    } catch (UnknownHostException e) {
      throw e;
    } catch (IOException e) { // Which a lookup does not throw.
      throw new UncheckedIOException(e);
    }
  }

  private static List<InetAddress> lookUp(Resolver resolver, String host)
      throws UnknownHostException {
    List<InetAddress> found = resolver.resolve(host);
    if (found == null || found.isEmpty()) { // What the user writes need not know of @Nullable.
      throw new UnknownHostException(
          host + ": the loop's resolver, " + resolver + ", returned no address and did not throw");
    }
    return found;
  }
}
