package dev.weir.stream;

import java.net.IDN;
import java.net.Inet6Address;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Where a proxy is to connect to: a name that is safe to send, or an address.
 *
 * @param name in ASCII; the literal if it is an address
 * @param address null if it is a name
 */
record ProxyTarget(String name, @Nullable InetAddress address, int port) {
  /** As long as a name can be, in the domain name system and in SOCKS. */
  private static final int NAME_CHARS_MAX = 255;

  /**
   * {@return the target}
   *
   * @throws IllegalArgumentException if the host is no name that could be sent: with a space or a
   *     line end in it, whoever chooses it would speak to the proxy
   */
  static ProxyTarget of(String host, int port) {
    Addresses.ensurePort(port);
    InetAddress address = Addresses.literal(host);
    if (address == null) {
      return new ProxyTarget(checkedName(host), null, port);
    }
    if (address instanceof Inet6Address scoped && host.indexOf('%') >= 0) {
      throw new IllegalArgumentException(
          "an address with a scope means nothing to a proxy: " + scoped.getHostAddress());
    }
    return new ProxyTarget(address.getHostAddress(), address, port);
  }

  private static String checkedName(String host) {
    boolean ascii = host.chars().allMatch(c -> c < 0x80);
    String name = ascii ? host : IDN.toASCII(host);
    if (name.isEmpty() || name.length() > NAME_CHARS_MAX) {
      throw new IllegalArgumentException(
          "a host's name is not from 1 to 255 characters long: " + name.length());
    }
    for (int i = 0; i < name.length(); i++) {
      if (!isNameChar(name.charAt(i))) {
        throw new IllegalArgumentException(
            "a host's name has the character U+%04X at %d, which a proxy must not be sent"
                .formatted((int) name.charAt(i), i));
      }
    }
    return name;
  }

  private static boolean isNameChar(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '.'
        || c == '_';
  }

  /** {@return host and port, an IPv6 address in brackets} */
  @Override
  public String toString() {
    return Addresses.format(name, port);
  }
}
