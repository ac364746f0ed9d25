package dev.weir.stream;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The addresses that a server believes what they say of others. Immutable. */
final class TrustedSources {
  /** Whoever may connect to a server's Unix socket. */
  private static final String UNIX = "unix";

  private static final int IPV4_BYTES = 4;

  private final List<String> written;
  private final List<Range> ranges = new ArrayList<>();
  private final boolean trustsUnix;

  /**
   * @param written addresses, ranges, or {@code unix}
   * @throws IllegalArgumentException if one is none of these
   */
  TrustedSources(List<String> written) {
    this.written = List.copyOf(written);
    this.trustsUnix = this.written.contains(UNIX);
    for (String source : this.written) {
      if (!source.equals(UNIX)) {
        ranges.add(Range.of(source));
      }
    }
  }

  boolean contain(SocketAddress address) {
    if (address instanceof UnixDomainSocketAddress) {
      return trustsUnix;
    }
    if (address instanceof InetSocketAddress inet) {
      return ranges.stream().anyMatch(range -> range.contains(inet.getAddress()));
    }
    return false;
  }

  List<String> written() {
    return written;
  }

  @Override
  public String toString() {
    return written.toString();
  }

  private record Range(InetAddress network, int prefixLength) {
    static Range of(String source) {
      int slash = source.indexOf('/');
      InetAddress network = address(slash < 0 ? source : source.substring(0, slash), source);
      int bits = network.getAddress().length * Byte.SIZE;
      return new Range(
          network, slash < 0 ? bits : prefix(source.substring(slash + 1), bits, source));
    }

    private static InetAddress address(String written, String source) {
      boolean ipv6 = written.indexOf(':') >= 0;
      // The JDK's parser takes 10 for 0.0.0.10.
      if (ipv6 || written.chars().filter(c -> c == '.').count() == IPV4_BYTES - 1) {
        try {
          return InetAddress.ofLiteral(written);
        } catch (IllegalArgumentException e) {
          // Said below.
        }
      }
      throw wrong(source, "'" + written + "' is no address");
    }

    private static int prefix(String written, int bits, String source) {
      try {
        int length = Integer.parseInt(written);
        if (length >= 0 && length <= bits) {
          return length;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw wrong(source, "'" + written + "' is not from 0 to " + bits);
    }

    private static IllegalArgumentException wrong(String source, String why) {
      return new IllegalArgumentException(
          "trusted source '"
              + source
              + "': "
              + why
              + "; write an address, a range as 10.0.0.0/8 or 2001:db8::/32, or unix");
    }

    boolean contains(InetAddress address) {
      byte[] wanted = network.getAddress();
      byte[] actual = address.getAddress();
      if (actual.length != wanted.length) {
        return false;
      }
      int whole = prefixLength / Byte.SIZE;
      int rest = prefixLength % Byte.SIZE;
      return Arrays.equals(actual, 0, whole, wanted, 0, whole)
          && (rest == 0 || ((actual[whole] ^ wanted[whole]) & 0xff) >> (Byte.SIZE - rest) == 0);
    }
  }
}
