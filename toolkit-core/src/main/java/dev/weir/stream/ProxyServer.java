package dev.weir.stream;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A proxy through which {@code Asyncio.openConnection} connects, see {@link
 * ConnectOptions#withProxy}. Immutable. Asyncio has no such thing.
 *
 * <p>The name of the target goes to the proxy as it is, and is not looked up here; a literal
 * address goes as an address. What the proxy answers is bounded, and the whole exchange counts
 * against the connect timeout.
 */
public final class ProxyServer {
  /** How one talks to it. */
  enum Kind {
    SOCKS5("SOCKS5 proxy"),
    HTTP_CONNECT("HTTP proxy");

    final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  /** What the length byte of SOCKS can say. */
  private static final int SOCKS_BYTES_MAX = 255;

  private final Kind kind;
  private final String host;
  private final int port;
  private final @Nullable Credentials credentials;

  /** Who asks. Never shown. */
  record Credentials(String user, String password) {
    @Override
    public String toString() {
      return "Credentials[not shown]";
    }
  }

  private ProxyServer(Kind kind, String host, int port, @Nullable Credentials credentials) {
    this.kind = kind;
    this.host = host;
    this.port = port;
    this.credentials = credentials;
  }

  /**
   * {@return a proxy that speaks SOCKS5 (RFC 1928)}
   *
   * @param host a name, which is looked up off the loop, or a literal address
   * @param port from 1 to 65535
   * @throws IllegalArgumentException if the host is empty or the port out of range
   */
  public static ProxyServer socks5(String host, int port) {
    return at(Kind.SOCKS5, host, port);
  }

  /**
   * {@return a proxy that speaks HTTP and takes {@code CONNECT} (RFC 9110, section 9.3.6)}
   *
   * @param host a name, which is looked up off the loop, or a literal address
   * @param port from 1 to 65535
   * @throws IllegalArgumentException if the host is empty or the port out of range
   */
  public static ProxyServer httpConnect(String host, int port) {
    return at(Kind.HTTP_CONNECT, host, port);
  }

  private static ProxyServer at(Kind kind, String host, int port) {
    if (host.isEmpty()) {
      throw new IllegalArgumentException("the proxy's host is empty");
    }
    if (port < 1 || port > Addresses.PORT_MAX) {
      throw new IllegalArgumentException(
          "the proxy's port is out of range: " + port + " is not from 1 to 65535");
    }
    return new ProxyServer(kind, host, port, null);
  }

  /**
   * {@return this proxy, asked in a user's name} With SOCKS5 by RFC 1929, with HTTP by {@code
   * Basic}; both show the password to whoever listens on the way to the proxy.
   *
   * @throws IllegalArgumentException if one of them has a control character; with SOCKS5, if one is
   *     empty or longer than 255 bytes in UTF-8; with HTTP, if the user has a colon. The message
   *     does not show the password
   */
  public ProxyServer withCredentials(String user, String password) {
    ensureNoControl(user, "user");
    ensureNoControl(password, "password");
    if (kind == Kind.SOCKS5) {
      ensureSocksLength(user, "user");
      ensureSocksLength(password, "password");
    } else if (user.indexOf(':') >= 0) {
      throw new IllegalArgumentException(
          "the proxy's user has a colon, which ends it in HTTP: " + user);
    }
    return new ProxyServer(kind, host, port, new Credentials(user, password));
  }

  /** A line end would let who chooses the name speak to the proxy. */
  private static void ensureNoControl(String text, String name) {
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("the proxy's " + name + " has a control character");
    }
  }

  private static void ensureSocksLength(String text, String name) {
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    if (length < 1 || length > SOCKS_BYTES_MAX) {
      throw new IllegalArgumentException(
          "the proxy's " + name + " is not from 1 to 255 bytes long: " + length);
    }
  }

  /** {@return its host, as it was written} */
  public String host() {
    return host;
  }

  /** {@return its port} */
  public int port() {
    return port;
  }

  @Nullable Credentials credentials() {
    return credentials;
  }

  /** {@return how to ask it for a connection} */
  ProxyHandshake handshake() {
    return switch (kind) {
      case SOCKS5 -> new Socks5Handshake(this);
      case HTTP_CONNECT -> new HttpConnectHandshake(this);
    };
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ProxyServer proxy
        && kind == proxy.kind
        && host.equals(proxy.host)
        && port == proxy.port
        && Objects.equals(credentials, proxy.credentials);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, host, port, credentials);
  }

  /** {@return what it is and where, without the credentials} */
  @Override
  public String toString() {
    return kind.words + " " + Addresses.format(host, port);
  }
}
