package dev.weir.stream;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A header of the PROXY protocol, which tells a server from where to where the connection goes that
 * somebody before it has accepted. Immutable. Asyncio has no such thing.
 *
 * <p>A client writes it by {@link ConnectOptions#withProxyHeader}.
 */
public final class ProxyHeader {
  private static final byte[] SIGNATURE = {
    '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
  };
  private static final byte LOCAL_COMMAND = 0x20;
  private static final byte PROXY_COMMAND = 0x21;
  private static final byte UNSPECIFIED = 0x00;
  private static final byte TCP_OVER_IPV4 = 0x11;
  private static final byte TCP_OVER_IPV6 = 0x21;
  private static final int IPV4_BYTES = 4;

  private static final ProxyHeader LOCAL = new ProxyHeader(2, null, null);
  private static final ProxyHeader UNKNOWN = new ProxyHeader(1, null, null);

  private final int version;
  private final @Nullable InetSocketAddress source;
  private final @Nullable InetSocketAddress destination;

  private ProxyHeader(
      int version, @Nullable InetSocketAddress source, @Nullable InetSocketAddress destination) {
    this.version = version;
    this.source = source;
    this.destination = destination;
  }

  /**
   * {@return a header of version 1, a line of text}
   *
   * @param source from where the client connected
   * @param destination where it connected to
   * @throws IllegalArgumentException if an address is not resolved, or one is of IPv4 and the other
   *     of IPv6
   */
  public static ProxyHeader v1(InetSocketAddress source, InetSocketAddress destination) {
    return of(1, source, destination);
  }

  /**
   * {@return a header of version 2, which is binary}
   *
   * @param source from where the client connected
   * @param destination where it connected to
   * @throws IllegalArgumentException if an address is not resolved, or one is of IPv4 and the other
   *     of IPv6
   */
  public static ProxyHeader v2(InetSocketAddress source, InetSocketAddress destination) {
    return of(2, source, destination);
  }

  /** {@return the header of version 2 of a connection that is the sender's own, a health check} */
  public static ProxyHeader local() {
    return LOCAL;
  }

  /** {@return the header of version 1 that tells nothing, {@code PROXY UNKNOWN}} */
  public static ProxyHeader unknown() {
    return UNKNOWN;
  }

  private static ProxyHeader of(
      int version, InetSocketAddress source, InetSocketAddress destination) {
    if (rawAddress(source, "source").length != rawAddress(destination, "destination").length) {
      throw new IllegalArgumentException(
          "source and destination are not of one family: " + source + ", " + destination);
    }
    return new ProxyHeader(version, source, destination);
  }

  /**
   * {@return a header as it was read} Its addresses may be of two families even if the peer wrote
   * two of IPv6: the JDK makes one of IPv4 of {@code ::ffff:192.0.2.1}.
   */
  static ProxyHeader received(
      int version, InetSocketAddress source, InetSocketAddress destination) {
    return new ProxyHeader(version, source, destination);
  }

  private static byte[] rawAddress(InetSocketAddress address, String name) {
    InetAddress resolved = address.getAddress();
    if (resolved == null) {
      throw new IllegalArgumentException(name + " is not resolved: " + address);
    }
    return resolved.getAddress();
  }

  /** {@return from where the client connected; null if the header does not tell} */
  public @Nullable InetSocketAddress source() {
    return source;
  }

  /** {@return where the client connected to; null if the header does not tell} */
  public @Nullable InetSocketAddress destination() {
    return destination;
  }

  /** {@return the bytes that a connection begins with} */
  byte[] encode() {
    return version == 1 ? line().getBytes(US_ASCII) : binary();
  }

  private String line() {
    if (source == null || destination == null) {
      return "PROXY UNKNOWN\r\n";
    }
    return "PROXY "
        + (source.getAddress().getAddress().length == IPV4_BYTES ? "TCP4 " : "TCP6 ")
        + text(source.getAddress())
        + " "
        + text(destination.getAddress())
        + " "
        + source.getPort()
        + " "
        + destination.getPort()
        + "\r\n";
  }

  /** A scope is this machine's own affair. */
  private static String text(InetAddress address) {
    String text = address.getHostAddress();
    int scope = text.indexOf('%');
    return scope < 0 ? text : text.substring(0, scope);
  }

  private byte[] binary() {
    if (source == null || destination == null) {
      return ByteBuffer.allocate(SIGNATURE.length + 4)
          .put(SIGNATURE)
          .put(LOCAL_COMMAND)
          .put(UNSPECIFIED)
          .array(); // No more follows: the length is zero.
    }
    byte[] from = source.getAddress().getAddress();
    byte[] to = destination.getAddress().getAddress();
    int length = from.length + to.length + 2 * Short.BYTES;
    return ByteBuffer.allocate(SIGNATURE.length + 4 + length)
        .put(SIGNATURE)
        .put(PROXY_COMMAND)
        .put(from.length == IPV4_BYTES ? TCP_OVER_IPV4 : TCP_OVER_IPV6)
        .putShort((short) length)
        .put(from)
        .put(to)
        .putShort((short) source.getPort())
        .putShort((short) destination.getPort())
        .array();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ProxyHeader header
        && version == header.version
        && Objects.equals(source, header.source)
        && Objects.equals(destination, header.destination);
  }

  @Override
  public int hashCode() {
    return Objects.hash(version, source, destination);
  }

  @Override
  public String toString() {
    return "ProxyHeader[v"
        + version
        + ", "
        + (source == null ? "no addresses" : source + " -> " + destination)
        + "]";
  }
}
