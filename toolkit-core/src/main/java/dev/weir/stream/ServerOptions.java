package dev.weir.stream;

import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;

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
 * @param unixPermissions who may connect to a Unix socket: whoever may write to its file; by
 *     default its owner only
 */
public record ServerOptions(
    StreamOptions stream,
    int backlog,
    boolean reuseAddress,
    Duration flushTimeout,
    Duration grace,
    Set<PosixFilePermission> unixPermissions) {
  private static final ServerOptions DEFAULTS =
      new ServerOptions(
          StreamOptions.defaults(),
          100,
          true,
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          PosixFilePermissions.fromString("rw-------"));

  /** Checks the options. */
  public ServerOptions {
    Objects.requireNonNull(stream, "stream");
    unixPermissions = Set.copyOf(unixPermissions);
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
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace, unixPermissions);
  }

  /** {@return these options with another backlog} */
  public ServerOptions withBacklog(int backlog) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace, unixPermissions);
  }

  /** {@return these options with the address reused or not} */
  public ServerOptions withReuseAddress(boolean reuseAddress) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace, unixPermissions);
  }

  /** {@return these options with another time for unsent bytes} */
  public ServerOptions withFlushTimeout(Duration flushTimeout) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace, unixPermissions);
  }

  /** {@return these options with another time for handlers to end} */
  public ServerOptions withGrace(Duration grace) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace, unixPermissions);
  }

  /**
   * {@return these options with other permissions of a Unix socket's file} Whoever may write to it
   * may connect. They do not apply to abstract names, to which every user of the machine may
   * connect.
   */
  public ServerOptions withUnixPermissions(Set<PosixFilePermission> unixPermissions) {
    return new ServerOptions(stream, backlog, reuseAddress, flushTimeout, grace, unixPermissions);
  }
}
