package dev.weir.stream;

import dev.weir.tls.ServerTls;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How {@code Asyncio.startServer} serves. Immutable: each {@code with} returns a copy. */
public final class ServerOptions {
  /** As many connections at once as the system allows. */
  public static final int UNLIMITED = Integer.MAX_VALUE;

  private static final ServerOptions DEFAULTS = new ServerOptions();

  // Set by the withers before anybody sees the copy, and never again.

  private StreamOptions stream = StreamOptions.defaults();
  private int backlog = 100;
  private boolean reuseAddress = true;
  private boolean reusePort;
  private Spread spread = Spread.NONE;
  private int maxConnections = UNLIMITED;
  private Map<SocketOption<?>, Object> socketOptions = Map.of();
  private @Nullable Duration idleTimeout;
  private @Nullable Duration firstByteTimeout;
  private @Nullable TrustedSources proxies;
  private @Nullable ServerTls tls;
  private Duration flushTimeout = Duration.ofSeconds(10);
  private Duration grace = Duration.ofSeconds(5);
  private Set<PosixFilePermission> unixPermissions = PosixFilePermissions.fromString("rw-------");

  private ServerOptions() {}

  private ServerOptions(ServerOptions copied) {
    stream = copied.stream;
    backlog = copied.backlog;
    reuseAddress = copied.reuseAddress;
    reusePort = copied.reusePort;
    spread = copied.spread;
    maxConnections = copied.maxConnections;
    socketOptions = copied.socketOptions;
    idleTimeout = copied.idleTimeout;
    firstByteTimeout = copied.firstByteTimeout;
    proxies = copied.proxies;
    tls = copied.tls;
    flushTimeout = copied.flushTimeout;
    grace = copied.grace;
    unixPermissions = copied.unixPermissions;
  }

  /** {@return the defaults} */
  public static ServerOptions defaults() {
    return DEFAULTS;
  }

  // --- Listening

  /** {@return how many connections the kernel queues before they are accepted, 100 by default} */
  public int backlog() {
    return backlog;
  }

  /**
   * {@return these options with another backlog}
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public ServerOptions withBacklog(int backlog) {
    if (backlog < 1) {
      throw new IllegalArgumentException("backlog < 1: " + backlog);
    }
    ServerOptions copy = new ServerOptions(this);
    copy.backlog = backlog;
    return copy;
  }

  /**
   * {@return whether to listen although connections of an earlier server linger on the port, on by
   * default}
   */
  public boolean reuseAddress() {
    return reuseAddress;
  }

  /** {@return these options with the address reused or not} */
  public ServerOptions withReuseAddress(boolean reuseAddress) {
    ServerOptions copy = new ServerOptions(this);
    copy.reuseAddress = reuseAddress;
    return copy;
  }

  /**
   * {@return whether other servers, of other processes too, may listen on the same address and port
   * with this option; the system then spreads connections over them. Off by default}
   */
  public boolean reusePort() {
    return reusePort;
  }

  /** {@return these options with the port shared or not} As asyncio's {@code reuse_port}. */
  public ServerOptions withReusePort(boolean reusePort) {
    ServerOptions copy = new ServerOptions(this);
    copy.reusePort = reusePort;
    return copy;
  }

  /** {@return which loops serve connections, {@link Spread#NONE} but the starter's by default} */
  public Spread spread() {
    return spread;
  }

  /**
   * {@return these options with connections spread over the {@linkplain dev.weir.task.Loop#group
   * loops of the run}, or not} The handler is then called on all of them.
   */
  public ServerOptions withSpread(Spread spread) {
    ServerOptions copy = new ServerOptions(this);
    copy.spread = Objects.requireNonNull(spread, "spread");
    return copy;
  }

  // --- Connections

  /**
   * {@return how many connections are served at once, {@link #UNLIMITED} by default} At the limit
   * the server accepts no more, and the system queues them, up to the {@linkplain #backlog
   * backlog}; it goes on when a tenth of them has ended. A connection counts until it is closed and
   * its handler has ended. All loops of a server that is {@linkplain #withSpread spread} have no
   * more than that together: with {@link Spread#REUSE_PORT} each has an even share, and if there
   * are fewer than loops, only so many loops listen.
   */
  public int maxConnections() {
    return maxConnections;
  }

  /**
   * {@return these options with another limit of connections}
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public ServerOptions withMaxConnections(int maxConnections) {
    if (maxConnections < 1) {
      throw new IllegalArgumentException("maxConnections < 1: " + maxConnections);
    }
    ServerOptions copy = new ServerOptions(this);
    copy.maxConnections = maxConnections;
    return copy;
  }

  /**
   * {@return what is set on the socket of each connection, each with its value; none by default}
   */
  public Map<SocketOption<?>, Object> socketOptions() {
    return socketOptions;
  }

  /**
   * {@return these options with an option of each connection's socket} One of {@link
   * StandardSocketOptions} or of {@code jdk.net.ExtendedSocketOptions}; starting the server fails
   * if the engine does not know it.
   */
  public <T> ServerOptions withSocketOption(SocketOption<T> option, T value) {
    ServerOptions copy = new ServerOptions(this);
    copy.socketOptions = SocketSettings.with(socketOptions, option, value);
    return copy;
  }

  /**
   * {@return these options with the system asking silent peers whether they are still there, or
   * not} As asyncio's {@code keep_alive}; the same as the socket option {@code SO_KEEPALIVE}. How
   * often it asks is the system's to say, by default after two hours.
   */
  public ServerOptions withKeepAlive(boolean keepAlive) {
    return withSocketOption(StandardSocketOptions.SO_KEEPALIVE, keepAlive);
  }

  /**
   * {@return after how long without a byte that arrived or left a connection is aborted; null, the
   * default, for never} Its reads and writes then throw a {@link java.net.SocketTimeoutException}.
   * A byte leaves when the system takes it: to write to a peer that reads nothing counts for as
   * long only as the system has room. That bytes have left is noticed an eighth of the time late at
   * most. What {@code transferTo} and {@code sendFile} hand on counts as well; that these have
   * stopped is noticed within twice the time.
   */
  public @Nullable Duration idleTimeout() {
    return idleTimeout;
  }

  /**
   * {@return these options with another {@linkplain #idleTimeout() idle timeout}; none if it is
   * null}
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerOptions withIdleTimeout(@Nullable Duration idleTimeout) {
    ServerOptions copy = new ServerOptions(this);
    copy.idleTimeout = positive(idleTimeout, "idleTimeout");
    return copy;
  }

  /**
   * {@return after how long a connection on which nothing at all has arrived is aborted; null, the
   * default, for never} Its reads and writes then throw a {@link java.net.SocketTimeoutException}.
   * With TLS it is the first byte behind the handshake that counts.
   */
  public @Nullable Duration firstByteTimeout() {
    return firstByteTimeout;
  }

  /**
   * {@return these options with another timeout of the first byte; none if it is null}
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerOptions withFirstByteTimeout(@Nullable Duration firstByteTimeout) {
    ServerOptions copy = new ServerOptions(this);
    copy.firstByteTimeout = positive(firstByteTimeout, "firstByteTimeout");
    return copy;
  }

  /**
   * {@return from where connections come, with a header of the PROXY protocol, if that is required;
   * none by default, and it is not}
   */
  public List<String> proxyProtocol() {
    return proxies == null ? List.of() : proxies.written();
  }

  /**
   * {@return these options with the PROXY protocol required, version 1 or 2} Each connection must
   * come from one of {@code trustedSources} and begin with a header within 3 s; else it is aborted,
   * which is logged at DEBUG, and no handler sees it. The handler then finds the true client's
   * address as {@link StreamWriter#remoteAddress} and where that connected to as {@link
   * StreamWriter#localAddress}; where the header does not tell, as in that of a health check, they
   * are the socket's own. A header is never guessed: what does not require one takes it for data.
   *
   * @param trustedSources the proxies: addresses, ranges as {@code 10.0.0.0/8} or {@code
   *     2001:db8::/32}, or {@code unix} for whoever can reach a Unix socket. Never more than that:
   *     they can claim to be anybody
   * @throws IllegalArgumentException if there is none, or one is none of these
   */
  public ServerOptions withProxyProtocol(List<String> trustedSources) {
    if (trustedSources.isEmpty()) {
      throw new IllegalArgumentException(
          "no trusted source: nobody could connect; write the addresses of the proxies");
    }
    ServerOptions copy = new ServerOptions(this);
    copy.proxies = new TrustedSources(trustedSources);
    return copy;
  }

  /** {@return whether each connection has to begin with a PROXY header} By default it has not. */
  public boolean requiresProxyProtocol() {
    return proxies != null;
  }

  /** {@return who must send a PROXY header; null if nobody} */
  @Nullable TrustedSources proxies() {
    return proxies;
  }

  /** {@return how connections are secured; null, the default, if they are not} */
  public @Nullable ServerTls tls() {
    return tls;
  }

  /**
   * {@return these options with TLS, or without it if it is null} As asyncio's {@code ssl}. A
   * connection counts from when it is accepted; its handler runs once the peers have shaken hands,
   * for which there is {@linkplain ServerTls#handshakeTimeout a time}. Where that fails the
   * connection is aborted, which is logged at DEBUG, and no handler sees it. A {@linkplain
   * #withProxyProtocol PROXY header} comes first, as it is.
   */
  public ServerOptions withTls(@Nullable ServerTls tls) {
    ServerOptions copy = new ServerOptions(this);
    copy.tls = tls;
    return copy;
  }

  boolean watchesConnections() {
    return idleTimeout != null || firstByteTimeout != null;
  }

  /** {@return what each connection buffers} */
  public StreamOptions stream() {
    return stream;
  }

  /** {@return these options with other buffers} */
  public ServerOptions withStream(StreamOptions stream) {
    ServerOptions copy = new ServerOptions(this);
    copy.stream = Objects.requireNonNull(stream, "stream");
    return copy;
  }

  // --- Ending

  /**
   * {@return how long what a handler left unsent may take to go out before the connection is
   * aborted, 10 s by default}
   */
  public Duration flushTimeout() {
    return flushTimeout;
  }

  /**
   * {@return these options with another time for unsent bytes}
   *
   * @throws IllegalArgumentException if it is negative
   */
  public ServerOptions withFlushTimeout(Duration flushTimeout) {
    ServerOptions copy = new ServerOptions(this);
    copy.flushTimeout = notNegative(flushTimeout, "flushTimeout");
    return copy;
  }

  /**
   * {@return how long handlers may take to end when a {@code serveForever} is cancelled, 5 s by
   * default}
   */
  public Duration grace() {
    return grace;
  }

  /**
   * {@return these options with another time for handlers to end}
   *
   * @throws IllegalArgumentException if it is negative
   */
  public ServerOptions withGrace(Duration grace) {
    ServerOptions copy = new ServerOptions(this);
    copy.grace = notNegative(grace, "grace");
    return copy;
  }

  private static Duration notNegative(Duration duration, String name) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException(name + " is negative: " + duration);
    }
    return duration;
  }

  /**
   * {@return the permissions of a Unix socket's file: whoever may write to it may connect; by
   * default its owner only}
   */
  public Set<PosixFilePermission> unixPermissions() {
    return unixPermissions;
  }

  /**
   * {@return these options with other permissions of a Unix socket's file} They do not apply to
   * abstract names, to which every user of the machine may connect.
   */
  public ServerOptions withUnixPermissions(Set<PosixFilePermission> unixPermissions) {
    ServerOptions copy = new ServerOptions(this);
    copy.unixPermissions = Set.copyOf(unixPermissions);
    return copy;
  }

  private static @Nullable Duration positive(@Nullable Duration duration, String name) {
    if (duration != null && !duration.isPositive()) {
      throw new IllegalArgumentException(name + " is not positive: " + duration);
    }
    return duration;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ServerOptions options
        && stream.equals(options.stream)
        && backlog == options.backlog
        && reuseAddress == options.reuseAddress
        && reusePort == options.reusePort
        && spread == options.spread
        && maxConnections == options.maxConnections
        && socketOptions.equals(options.socketOptions)
        && Objects.equals(idleTimeout, options.idleTimeout)
        && Objects.equals(firstByteTimeout, options.firstByteTimeout)
        && proxyProtocol().equals(options.proxyProtocol())
        && Objects.equals(tls, options.tls)
        && flushTimeout.equals(options.flushTimeout)
        && grace.equals(options.grace)
        && unixPermissions.equals(options.unixPermissions);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        stream,
        backlog,
        reuseAddress,
        reusePort,
        spread,
        maxConnections,
        socketOptions,
        idleTimeout,
        firstByteTimeout,
        proxyProtocol(),
        tls,
        flushTimeout,
        grace,
        unixPermissions);
  }

  @Override
  public String toString() {
    return "ServerOptions[stream="
        + stream
        + ", backlog="
        + backlog
        + ", reuseAddress="
        + reuseAddress
        + ", reusePort="
        + reusePort
        + ", spread="
        + spread
        + ", maxConnections="
        + (maxConnections == UNLIMITED ? "unlimited" : maxConnections)
        + ", socketOptions="
        + socketOptions
        + ", idleTimeout="
        + idleTimeout
        + ", firstByteTimeout="
        + firstByteTimeout
        + ", proxyProtocol="
        + proxyProtocol()
        + ", tls="
        + tls
        + ", flushTimeout="
        + flushTimeout
        + ", grace="
        + grace
        + ", unixPermissions="
        + PosixFilePermissions.toString(unixPermissions)
        + "]";
  }
}
