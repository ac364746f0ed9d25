package dev.weir.stream;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How {@code Asyncio.startServer} serves. Immutable: each {@code with} returns a copy. */
public final class ServerOptions {
  private static final ServerOptions DEFAULTS = new ServerOptions();

  // Set by the withers before anybody sees the copy, and never again.

  private StreamOptions stream = StreamOptions.defaults();
  private int backlog = 100;
  private boolean reuseAddress = true;
  private Duration flushTimeout = Duration.ofSeconds(10);
  private Duration grace = Duration.ofSeconds(5);

  private ServerOptions() {}

  private ServerOptions(ServerOptions copied) {
    stream = copied.stream;
    backlog = copied.backlog;
    reuseAddress = copied.reuseAddress;
    flushTimeout = copied.flushTimeout;
    grace = copied.grace;
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

  // --- Connections

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

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ServerOptions options
        && stream.equals(options.stream)
        && backlog == options.backlog
        && reuseAddress == options.reuseAddress
        && flushTimeout.equals(options.flushTimeout)
        && grace.equals(options.grace);
  }

  @Override
  public int hashCode() {
    return Objects.hash(stream, backlog, reuseAddress, flushTimeout, grace);
  }

  @Override
  public String toString() {
    return "ServerOptions[stream="
        + stream
        + ", backlog="
        + backlog
        + ", reuseAddress="
        + reuseAddress
        + ", flushTimeout="
        + flushTimeout
        + ", grace="
        + grace
        + "]";
  }
}
