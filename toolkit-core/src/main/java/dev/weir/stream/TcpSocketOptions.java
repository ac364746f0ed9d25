package dev.weir.stream;

import java.net.SocketOption;
import java.time.Duration;

/**
 * Socket options that neither {@link java.net.StandardSocketOptions} nor {@code
 * jdk.net.ExtendedSocketOptions} has.
 */
public final class TcpSocketOptions {
  /**
   * How long bytes that were sent may stay unacknowledged, and how long a peer that is asked by
   * {@code SO_KEEPALIVE} may stay silent, before the system gives the connection up: reads and
   * writes then throw {@link java.net.SocketTimeoutException}. From a millisecond to 24 days; the
   * system's own default is about a quarter of an hour. On Linux, with the transport {@code epoll};
   * Linux counts from when it first sends again, some tenths of a second after the first time.
   */
  public static final SocketOption<Duration> TCP_USER_TIMEOUT =
      new Option<>("TCP_USER_TIMEOUT", Duration.class);

  private TcpSocketOptions() {}

  private record Option<T>(String name, Class<T> type) implements SocketOption<T> {
    @Override
    public String toString() {
      return name;
    }
  }
}
