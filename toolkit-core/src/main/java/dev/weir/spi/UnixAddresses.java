package dev.weir.spi;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.HexFormat;

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

  /**
   * {@return an address for a message} That of a Unix socket without a name has no text itself. In
   * a name, which a client chooses for itself, characters that are not to be seen are escaped: it
   * cannot begin a line of a log.
   */
  public static String describe(SocketAddress address) {
    if (!(address instanceof UnixDomainSocketAddress unix)) {
      return address.toString();
    }
    return isUnnamed(unix) ? "unnamed Unix socket" : escaped(unix.getPath().toString());
  }

  private static String escaped(String name) {
    if (name.chars().noneMatch(UnixAddresses::isInvisible)) {
      return name;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (isInvisible(c)) {
        text.append("\\u").append(HexFormat.of().toHexDigits(c));
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  private static boolean isInvisible(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT, // Turns the direction of what follows, for one.
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
