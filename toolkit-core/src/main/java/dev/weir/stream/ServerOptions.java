package dev.weir.stream;

import java.time.Duration;
import java.util.Objects;

/**
 * How {@code Asyncio.startServer} serves.
 *
 * @param stream what each connection buffers
 * @param backlog how many connections the kernel queues before they are accepted, 100 by default
 * @param reuseAddress whether to listen although connections of an earlier server linger on the
 *     port, on by default
 * @param flushTimeout how long what a handler left unsent may take to go out before the connection
 *     is aborted, 10 s by default
 * @param grace how long handlers may take to end when a {@code serveForever} is cancelled, 5 s by
 *     default
 */
public record ServerOptions(
    StreamOptions stream,
    int backlog,
    boolean reuseAddress,
    Duration flushTimeout,
    Duration grace) {
  private static final ServerOptions DEFAULTS =
      new ServerOptions(
          StreamOptions.defaults(), 100, true, Duration.ofSeconds(10), Duration.ofSeconds(5));

  /** Checks the options. */
  public ServerOptions {
    Objects.requireNonNull(stream, "stream");
    if (backlog < 1) {
      throw new IllegalArgumentException("backlog < 1: " + backlog);
    }
    if (flushTimeout.isNegative()) {
      throw new IllegalArgumentException("flushTimeout is negative: " + flushTimeout);
    }
    if (grace.isNegative()) {
      throw new IllegalArgumentException("grace is negative: " + grace);
    }
  }

  /** {@return the defaults} */
  public static ServerOptions defaults() {
    return DEFAULTS;
  }

  /** {@return these options with other buffers} */
  public ServerOptions withStream(StreamOptions stream) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace);
  }

  /** {@return these options with another backlog} */
  public ServerOptions withBacklog(int backlog) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace);
  }

  /** {@return these options with the address reused or not} */
  public ServerOptions withReuseAddress(boolean reuseAddress) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace);
  }

  /** {@return these options with another time for unsent bytes} */
  public ServerOptions withFlushTimeout(Duration flushTimeout) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace);
  }

  /** {@return these options with another time for handlers to end} */
  public ServerOptions withGrace(Duration grace) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace);
  }
}
