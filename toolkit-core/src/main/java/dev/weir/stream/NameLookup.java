package dev.weir.stream;

import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Objects;

/**
 * From names to addresses, and back: what {@code Asyncio.getaddrinfo} and {@code
 * Asyncio.getnameinfo} stand on, which are what programs call.
 */
public final class NameLookup {
  private NameLookup() {}

  /**
   * Suspends until a host is looked up; see {@code Asyncio.getaddrinfo(String, int)}.
   *
   * @param host a name, or an address, which is returned at once
   * @return at least one address
   * @throws IllegalArgumentException if the port is not from 0 to 65535
   * @throws UnknownHostException if the name has no address, or nobody could say
   * @throws CancelledError if the task is cancelled; the JDK's lookup goes on, on its thread
   */
  public static List<InetSocketAddress> addresses(String host, int port)
      throws UnknownHostException {
    Objects.requireNonNull(host, "host");
    Loop loop = Loop.running();
    loop.ensureMaySuspend("getaddrinfo()");
    return Addresses.resolve(loop, host, port);
  }

  /**
   * The same as {@link #addresses(String, int)}, of one family.
   *
   * @param family {@link StandardProtocolFamily#INET} or {@link StandardProtocolFamily#INET6}
   * @throws IllegalArgumentException also if it is another family
   * @throws UnknownHostException also if the host has addresses of the other family only
   */
  public static List<InetSocketAddress> addresses(String host, int port, ProtocolFamily family)
      throws UnknownHostException {
    Objects.requireNonNull(family, "family");
    Class<? extends InetAddress> wanted = addressType(family);
    List<InetSocketAddress> all = addresses(host, port);
    List<InetSocketAddress> fitting =
        all.stream().filter(address -> wanted.isInstance(address.getAddress())).toList();
    if (fitting.isEmpty()) {
      throw new UnknownHostException(
          host + " has no address of the family " + family.name() + ", but " + all);
    }
    return fitting;
  }

  private static Class<? extends InetAddress> addressType(ProtocolFamily family) {
    if (family == StandardProtocolFamily.INET) {
      return Inet4Address.class;
    }
    if (family == StandardProtocolFamily.INET6) {
      return Inet6Address.class;
    }
    throw new IllegalArgumentException(
        "Names have no addresses of the family "
            + family.name()
            + ": write StandardProtocolFamily.INET or INET6");
  }

  /**
   * Suspends until the names of an address are known; see {@code Asyncio.getnameinfo}.
   *
   * @throws IllegalArgumentException if the address is unresolved
   * @throws CancelledError if the task is cancelled; the JDK's lookup goes on, on its thread
   */
  public static NameInfo names(InetSocketAddress address) {
    Objects.requireNonNull(address, "address");
    InetAddress host = address.getAddress();
    if (host == null) {
      throw new IllegalArgumentException(
          address + " is a name already: look it up with getaddrinfo() first, for its addresses");
    }
    Loop loop = Loop.running();
    loop.ensureMaySuspend("getnameinfo()");
    Future<String> found = loop.createFuture();
    if (!loop.network().resolveName(host, new FutureCompletion<>(found, late -> {}))) {
      return loop.runInExecutor(
              () -> new NameInfo(host.getCanonicalHostName(), ServiceNames.of(address.getPort())))
          .await();
    }
    String service = loop.runInExecutor(() -> ServiceNames.of(address.getPort())).await();
    return new NameInfo(nameOr(host.getHostAddress(), found), service);
  }

  private static String nameOr(String digits, Future<String> name) {
    try {
      return name.await(UnknownHostException.class);
    } catch (UnknownHostException e) {
      return digits;
    }
  }
}
