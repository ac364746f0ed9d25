package dev.weir.stream;

import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** What is to be set on a socket: options with their values, checked when they are given. */
final class SocketSettings {
  private static final Duration USER_TIMEOUT_MAX = Duration.ofMillis(Integer.MAX_VALUE);

  private SocketSettings() {}

  /**
   * {@return {@code settings} and one more, or another value of one that is there}
   *
   * @throws IllegalArgumentException if the value is not of the option's type, or out of range
   */
  static <T> Map<SocketOption<?>, Object> with(
      Map<SocketOption<?>, Object> settings, SocketOption<T> option, T value) {
    Objects.requireNonNull(option, "option");
    Objects.requireNonNull(value, "value");
    ensureFits(option, value);
    Map<SocketOption<?>, Object> more = new LinkedHashMap<>(settings);
    more.put(option, value);
    return Collections.unmodifiableMap(more);
  }

  /** Raw types and casts get values past the compiler. */
  private static void ensureFits(SocketOption<?> option, Object value) {
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
    if (value instanceof Integer number
        && number < 0
        && !option.equals(StandardSocketOptions.SO_LINGER)) { // There it means: do not linger.
      throw new IllegalArgumentException(option.name() + " is negative: " + number);
    }
    if (option.equals(TcpSocketOptions.TCP_USER_TIMEOUT)) {
      Duration timeout = (Duration) value;
      if (timeout.compareTo(Duration.ofMillis(1)) < 0 || timeout.compareTo(USER_TIMEOUT_MAX) > 0) {
        throw new IllegalArgumentException(
            "TCP_USER_TIMEOUT is not from 1 ms to " + USER_TIMEOUT_MAX + ": " + timeout);
      }
    }
  }
}
