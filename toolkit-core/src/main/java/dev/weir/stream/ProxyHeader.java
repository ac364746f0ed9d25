package dev.weir.stream;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a proxy says of the connection behind its own, by the PROXY protocol: from where to where it
 * goes. Immutable.
 */
public final class ProxyHeader {
  private static final ProxyHeader LOCAL = new ProxyHeader(2, null, null);

  private final int version;
  private final @Nullable InetSocketAddress source;
  private final @Nullable InetSocketAddress destination;

  private ProxyHeader(
      int version, @Nullable InetSocketAddress source, @Nullable InetSocketAddress destination) {
    this.version = version;
    this.source = source;
    this.destination = destination;
  }

  /** {@return a header of version 1} */
  public static ProxyHeader v1(InetSocketAddress source, InetSocketAddress destination) {
    return new ProxyHeader(1, source, destination);
  }

  /** {@return a header of version 2} */
  public static ProxyHeader v2(InetSocketAddress source, InetSocketAddress destination) {
    return new ProxyHeader(2, source, destination);
  }

  /** {@return the header of a connection of the proxy's own, a health check say} */
  public static ProxyHeader local() {
    return LOCAL;
  }

  /** {@return from where the client connected; null if the header does not tell} */
  public @Nullable InetSocketAddress source() {
    return source;
  }

  /** {@return where the client connected to; null if the header does not tell} */
  public @Nullable InetSocketAddress destination() {
    return destination;
  }

  @Override
  public String toString() {
    return "ProxyHeader[v" + version + ", " + source + " -> " + destination + "]";
  }
}
