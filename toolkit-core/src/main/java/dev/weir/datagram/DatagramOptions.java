package dev.weir.datagram;

import java.net.SocketOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * How a datagram endpoint is made, and what it keeps. Immutable: each {@code with} returns a copy.
 *
 * @param broadcast whether it may send to broadcast addresses, as {@code allow_broadcast}; off by
 *     default. An endpoint with a remote address then sends there and receives from everybody
 * @param reusePort whether several sockets may be bound to the same port, as {@code reuse_port};
 *     the system shares out among them what comes. Off by default
 * @param maxSize how long a datagram may be that is received, in bytes; 65,527 by default, so that
 *     none is longer. Longer ones are dropped and counted, never shortened
 * @param queueSize how many datagrams wait to be received; 1,024 by default. One more, and the
 *     oldest is dropped
 * @param queueBytes how many bytes those that wait may have together; 4 MiB by default, and at
 *     least {@code maxSize}
 * @param highWater with more than this unsent, senders wait; 64 KiB by default. Each datagram
 *     counts 8 bytes besides its own
 * @param lowWater with as much unsent, or less, they go on; 16 KiB by default
 * @param socketOptions what is set on the socket; nothing by default
 */
public record DatagramOptions(
    boolean broadcast,
    boolean reusePort,
    int maxSize,
    int queueSize,
    int queueBytes,
    int highWater,
    int lowWater,
    Map<SocketOption<?>, Object> socketOptions) {
  /** As long as a datagram can be: 65,535 bytes of an IPv6 packet, less the header of UDP. */
  private static final int MAX_SIZE = 65_527;

  private static final DatagramOptions DEFAULTS =
      new DatagramOptions(
          false, false, MAX_SIZE, 1024, 4 * 1024 * 1024, 64 * 1024, 16 * 1024, Map.of());

  /** Checks the options. */
  public DatagramOptions {
    if (maxSize < 1 || maxSize > MAX_SIZE) {
      throw new IllegalArgumentException("maxSize is not from 1 to 65527: " + maxSize);
    }
    if (queueSize < 1) {
      throw new IllegalArgumentException("queueSize < 1: " + queueSize);
    }
    if (queueBytes < maxSize) {
      throw new IllegalArgumentException(
          "queueBytes < maxSize, so that a datagram of that size would never fit: "
              + queueBytes
              + " < "
              + maxSize
              + "; set maxSize first");
    }
    if (lowWater < 0 || highWater < lowWater) {
      throw new IllegalArgumentException(
          "not 0 <= lowWater <= highWater: " + lowWater + ", " + highWater);
    }
    for (Map.Entry<SocketOption<?>, Object> option : socketOptions.entrySet()) {
      ensureFits(option.getKey(), option.getValue());
    }
    socketOptions = Collections.unmodifiableMap(new LinkedHashMap<>(socketOptions));
  }

  /** Raw types and casts get values past the compiler. */
  private static void ensureFits(SocketOption<?> option, Object value) {
    Objects.requireNonNull(value, option.name());
    if (!option.type().isInstance(value)) {
      throw new IllegalArgumentException(
          option.name()
              + " takes a value of type "
              + option.type().getSimpleName()
              + ", not "
              + value
              + " of type "
              + value.getClass().getSimpleName());
    }
  }

  /** {@return the defaults} */
  public static DatagramOptions defaults() {
    return DEFAULTS;
  }

  /** {@return these options with datagrams to broadcast addresses allowed, or not} */
  public DatagramOptions withBroadcast(boolean broadcast) {
    return new DatagramOptions(
        broadcast, reusePort, maxSize, queueSize, queueBytes, highWater, lowWater, socketOptions);
  }

  /** {@return these options with a port that others may share, or not} */
  public DatagramOptions withReusePort(boolean reusePort) {
    return new DatagramOptions(
        broadcast, reusePort, maxSize, queueSize, queueBytes, highWater, lowWater, socketOptions);
  }

  /**
   * {@return these options with another longest datagram}
   *
   * @throws IllegalArgumentException if it is not from 1 to 65,527, or above {@code queueBytes}
   */
  public DatagramOptions withMaxSize(int maxSize) {
    return new DatagramOptions(
        broadcast, reusePort, maxSize, queueSize, queueBytes, highWater, lowWater, socketOptions);
  }

  /**
   * {@return these options with other bounds for what waits to be received}
   *
   * @throws IllegalArgumentException if {@code datagrams} is below 1, or {@code bytes} below {@code
   *     maxSize}
   */
  public DatagramOptions withQueue(int datagrams, int bytes) {
    return new DatagramOptions(
        broadcast, reusePort, maxSize, datagrams, bytes, highWater, lowWater, socketOptions);
  }

  /**
   * {@return these options with other water marks}
   *
   * @throws IllegalArgumentException unless {@code 0 <= lowWater <= highWater}
   */
  public DatagramOptions withWriteLimits(int highWater, int lowWater) {
    return new DatagramOptions(
        broadcast, reusePort, maxSize, queueSize, queueBytes, highWater, lowWater, socketOptions);
  }

  /**
   * {@return these options with one more option of the socket, or another value of it} Those of
   * {@link java.net.StandardSocketOptions}: {@code SO_RCVBUF} is how much the kernel keeps until
   * the loop comes by, {@code IP_MULTICAST_IF} where datagrams to groups leave, for instance.
   *
   * @throws IllegalArgumentException if the value is not of the option's type
   */
  public <T> DatagramOptions withSocketOption(SocketOption<T> option, T value) {
    Objects.requireNonNull(option, "option");
    Map<SocketOption<?>, Object> more = new LinkedHashMap<>(socketOptions);
    more.put(option, value);
    return new DatagramOptions(
        broadcast, reusePort, maxSize, queueSize, queueBytes, highWater, lowWater, more);
  }
}
