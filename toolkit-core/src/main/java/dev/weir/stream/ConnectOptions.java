package dev.weir.stream;

import java.time.Duration;
import java.util.Objects;

/**
 * How {@code Asyncio.openConnection} connects.
 *
 * @param stream what the connection buffers
 * @param connectTimeout how long the attempt at one address may take, 30 s by default
 */
public record ConnectOptions(StreamOptions stream, Duration connectTimeout) {
  private static final ConnectOptions DEFAULTS =
      new ConnectOptions(StreamOptions.defaults(), Duration.ofSeconds(30));

  /** Checks the options. */
  public ConnectOptions {
    Objects.requireNonNull(stream, "stream");
    if (!connectTimeout.isPositive()) {
      throw new IllegalArgumentException("connectTimeout is not positive: " + connectTimeout);
    }
  }

  /** {@return the defaults} */
  public static ConnectOptions defaults() {
    return DEFAULTS;
  }

  /** {@return these options with other buffers} */
  public ConnectOptions withStream(StreamOptions stream) {
    return new ConnectOptions(stream, connectTimeout);
  }

  /** {@return these options with another timeout} */
  public ConnectOptions withConnectTimeout(Duration connectTimeout) {
    return new ConnectOptions(stream, connectTimeout);
  }
}
