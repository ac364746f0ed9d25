package dev.weir.stream;

import dev.weir.tls.ClientTls;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How {@code Asyncio.openConnection} connects. Immutable: each {@code with} returns a copy. */
public final class ConnectOptions {
  private static final ConnectOptions DEFAULTS = new ConnectOptions();

  // Set by the withers before anybody sees the copy, and never again.

  private StreamOptions stream = StreamOptions.defaults();
  private Duration connectTimeout = Duration.ofSeconds(30);
  private Duration happyEyeballsDelay = Duration.ofMillis(250);
  private @Nullable InetSocketAddress localAddress;
  private Map<SocketOption<?>, Object> socketOptions = Map.of();
  private @Nullable ProxyServer proxy;
  private @Nullable ProxyHeader proxyHeader;
  private @Nullable ClientTls tls;
  private @Nullable String serverHostname;

  private ConnectOptions() {}

  private ConnectOptions(ConnectOptions copied) {
    stream = copied.stream;
    connectTimeout = copied.connectTimeout;
    happyEyeballsDelay = copied.happyEyeballsDelay;
    localAddress = copied.localAddress;
    socketOptions = copied.socketOptions;
    proxy = copied.proxy;
    proxyHeader = copied.proxyHeader;
    tls = copied.tls;
    serverHostname = copied.serverHostname;
  }

  /** {@return the defaults} */
  public static ConnectOptions defaults() {
    return DEFAULTS;
  }

  /** {@return what the connection buffers} */
  public StreamOptions stream() {
    return stream;
  }

  /** {@return these options with other buffers} */
  public ConnectOptions withStream(StreamOptions stream) {
    ConnectOptions copy = new ConnectOptions(this);
    copy.stream = Objects.requireNonNull(stream, "stream");
    return copy;
  }

  // --- Time

  /**
   * {@return how long connecting may take, 30 s by default: the lookup of the name, the attempts at
   * all of its addresses, and a proxy's answers together} Asyncio has no such limit.
   */
  public Duration connectTimeout() {
    return connectTimeout;
  }

  /**
   * {@return these options with another timeout}
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ConnectOptions withConnectTimeout(Duration connectTimeout) {
    if (!connectTimeout.isPositive()) {
      throw new IllegalArgumentException("connectTimeout is not positive: " + connectTimeout);
    }
    ConnectOptions copy = new ConnectOptions(this);
    copy.connectTimeout = connectTimeout;
    return copy;
  }

  /**
   * {@return how long an address may take to answer before the next is tried beside it (RFC 8305),
   * 250 ms by default} Addresses of IPv6 and IPv4 then take turns, beginning with the first that
   * the lookup returned. Zero for one after another, in the order of the lookup. Corresponds to
   * {@code happy_eyeballs_delay}, which is off in asyncio unless it is given.
   */
  public Duration happyEyeballsDelay() {
    return happyEyeballsDelay;
  }

  /**
   * {@return these options with another delay between attempts; zero for one after another}
   *
   * @throws IllegalArgumentException if it is negative
   */
  public ConnectOptions withHappyEyeballsDelay(Duration happyEyeballsDelay) {
    if (happyEyeballsDelay.isNegative()) {
      throw new IllegalArgumentException("happyEyeballsDelay is negative: " + happyEyeballsDelay);
    }
    ConnectOptions copy = new ConnectOptions(this);
    copy.happyEyeballsDelay = happyEyeballsDelay;
    return copy;
  }

  // --- The socket

  /**
   * {@return from where to connect, not resolved; null, the default, if the system is to choose}
   * Corresponds to {@code local_addr}.
   */
  public @Nullable InetSocketAddress localAddress() {
    return localAddress;
  }

  /**
   * {@return these options with an address to connect from} Each address of the target is tried
   * from the first of those of its family that this machine lets us use.
   *
   * @param host a name, which is looked up off the loop, or a literal address
   * @param port from 0 to 65535; 0 lets the system choose
   * @throws IllegalArgumentException if the port is out of range
   */
  public ConnectOptions withLocalAddress(String host, int port) {
    Objects.requireNonNull(host, "host");
    Addresses.ensurePort(port);
    ConnectOptions copy = new ConnectOptions(this);
    copy.localAddress = InetSocketAddress.createUnresolved(host, port);
    return copy;
  }

  /** {@return what is set on the socket, each with its value; none by default} */
  public Map<SocketOption<?>, Object> socketOptions() {
    return socketOptions;
  }

  /**
   * {@return these options with one of the socket's} One of {@link java.net.StandardSocketOptions},
   * of {@code jdk.net.ExtendedSocketOptions} or of {@link TcpSocketOptions}; connecting fails if
   * the transport in use does not have it. {@code TCP_NODELAY} is on unless it is set here. In the
   * memory network of tests they have no effect.
   *
   * @throws IllegalArgumentException if the value is not of the option's type, or out of range
   */
  public <T> ConnectOptions withSocketOption(SocketOption<T> option, T value) {
    ConnectOptions copy = new ConnectOptions(this);
    copy.socketOptions = SocketSettings.with(socketOptions, option, value);
    return copy;
  }

  // --- Proxies

  /** {@return through which proxy to connect; null, the default, for none} */
  public @Nullable ProxyServer proxy() {
    return proxy;
  }

  /**
   * {@return these options with a proxy, or without one if it is null} The other options are about
   * the connection with the proxy, and so is {@link StreamWriter#remoteAddress}.
   */
  public ConnectOptions withProxy(@Nullable ProxyServer proxy) {
    ConnectOptions copy = new ConnectOptions(this);
    copy.proxy = proxy;
    return copy;
  }

  /** {@return with which header of the PROXY protocol to begin; null, the default, for none} */
  public @Nullable ProxyHeader proxyHeader() {
    return proxyHeader;
  }

  /**
   * {@return these options with a header of the PROXY protocol, or without one if it is null} It is
   * the first that the target receives, through a {@linkplain #proxy proxy} too. For servers that
   * require it: others take it for data.
   */
  public ConnectOptions withProxyHeader(@Nullable ProxyHeader proxyHeader) {
    ConnectOptions copy = new ConnectOptions(this);
    copy.proxyHeader = proxyHeader;
    return copy;
  }

  // --- TLS

  /** {@return how the connection is secured; null, the default, if it is not} */
  public @Nullable ClientTls tls() {
    return tls;
  }

  /**
   * {@return these options with TLS, or without it if it is null} As asyncio's {@code ssl}. The
   * server's certificate has to be for the host that is connected to; through a {@linkplain #proxy
   * proxy} too, which sees nothing of what is sent then.
   */
  public ConnectOptions withTls(@Nullable ClientTls tls) {
    ConnectOptions copy = new ConnectOptions(this);
    copy.tls = tls;
    return copy;
  }

  /**
   * {@return for which name the server's certificate has to be; null, the default, for the host
   * that is connected to}
   */
  public @Nullable String serverHostname() {
    return serverHostname;
  }

  /**
   * {@return these options with another name of the server than its host} As asyncio's {@code
   * server_hostname}. Without {@link #withTls TLS} it has no effect.
   *
   * @throws IllegalArgumentException if it is empty
   */
  public ConnectOptions withServerHostname(@Nullable String serverHostname) {
    if (serverHostname != null && serverHostname.isEmpty()) {
      throw new IllegalArgumentException(
          "serverHostname is empty: the certificate has to be for somebody, or use"
              + " ClientTls.withoutHostnameCheck()");
    }
    ConnectOptions copy = new ConnectOptions(this);
    copy.serverHostname = serverHostname;
    return copy;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ConnectOptions options
        && stream.equals(options.stream)
        && connectTimeout.equals(options.connectTimeout)
        && happyEyeballsDelay.equals(options.happyEyeballsDelay)
        && Objects.equals(localAddress, options.localAddress)
        && socketOptions.equals(options.socketOptions)
        && Objects.equals(proxy, options.proxy)
        && Objects.equals(proxyHeader, options.proxyHeader)
        && Objects.equals(tls, options.tls)
        && Objects.equals(serverHostname, options.serverHostname);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        stream,
        connectTimeout,
        happyEyeballsDelay,
        localAddress,
        socketOptions,
        proxy,
        proxyHeader,
        tls,
        serverHostname);
  }

  @Override
  public String toString() {
    return "ConnectOptions[stream="
        + stream
        + ", connectTimeout="
        + connectTimeout
        + ", happyEyeballsDelay="
        + happyEyeballsDelay
        + ", localAddress="
        + localAddress
        + ", socketOptions="
        + socketOptions
        + ", proxy="
        + proxy
        + ", proxyHeader="
        + proxyHeader
        + ", tls="
        + tls
        + ", serverHostname="
        + serverHostname
        + "]";
  }
}
