package dev.weir.stream;

import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** From what a user writes to socket addresses. */
final class Addresses {
  private static final int PORT_MAX = 65_535;

  private Addresses() {}

  /**
   * {@return the addresses of a host, at least one; a name is looked up off the loop, because that
   * blocks}
   */
  static List<InetSocketAddress> resolve(Loop loop, String host, int port)
      throws UnknownHostException {
    if (port < 0 || port > PORT_MAX) {
      throw new IllegalArgumentException("port out of range: " + port + " is not from 0 to 65535");
    }
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (InetAddress address : inetAddresses(loop, host)) {
      addresses.add(new InetSocketAddress(address, port));
    }
    return addresses;
  }

  private static List<InetAddress> inetAddresses(Loop loop, String host)
      throws UnknownHostException {
    try {
      return List.of(InetAddress.ofLiteral(host));
    } catch (IllegalArgumentException e) {
      return lookUp(loop, host).await(UnknownHostException.class);
    }
  }

  private static Future<List<InetAddress>> lookUp(Loop loop, String host) {
    Future<List<InetAddress>> found = loop.createFuture();
    return loop.network().resolve(host, new FutureCompletion<>(found, late -> {}))
        ? found
        : loop.runInExecutor(() -> List.of(InetAddress.getAllByName(host)));
  }
}
