package dev.weir.spi;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/**
 * How Weir spells the addresses of Unix sockets. A path that begins with {@code @} stands for a
 * name in Linux's abstract namespace, which has no file; {@code ./@name} is a file.
 */
public final class UnixAddresses {
  /** The longest path in bytes: Linux keeps it in 108, of which the JDK uses no more. */
  public static final int PATH_BYTES_MAX = 106;

  private UnixAddresses() {}

  /** {@return whether {@code path} stands for an abstract name} */
  public static boolean isAbstract(Path path) {
    return path.toString().startsWith("@");
  }

  /** {@return whether nobody gave the socket a name, as is usual for a client's} */
  public static boolean isUnnamed(UnixDomainSocketAddress address) {
    return address.getPath().toString().isEmpty();
  }

  /** {@return an address for a message; that of a Unix socket without a name has no text itself} */
  public static String describe(SocketAddress address) {
    return address instanceof UnixDomainSocketAddress unix && isUnnamed(unix)
        ? "unnamed Unix socket"
        : address.toString();
  }
}
