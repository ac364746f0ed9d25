package dev.weir.task;

import java.time.Duration;
import java.util.Objects;

/**
 * How {@code Asyncio.run} runs: the keyword arguments of {@code asyncio.run}, and the engine's.
 *
 * @param fibers how tasks run; by default what the system property {@code weir.fibers} says, else
 *     {@link FiberKind#AUTO}
 * @param transport the engine's transport: {@code auto}, {@code epoll} or {@code nio}; by default
 *     what the system property {@code weir.transport} says, else {@code auto}
 * @param handleSignals whether SIGINT and SIGTERM cancel the main task while the loop runs; off by
 *     default, because a library must not take its host's signals
 * @param shutdownTimeout how long tasks that are left when the main task ends may take to end once
 *     they were cancelled, 10 s by default
 */
public record RunOptions(
    FiberKind fibers, String transport, boolean handleSignals, Duration shutdownTimeout) {
  /** Checks the options. */
  public RunOptions {
    Objects.requireNonNull(fibers, "fibers");
    Objects.requireNonNull(transport, "transport");
    if (shutdownTimeout.isNegative()) {
      throw new IllegalArgumentException("shutdownTimeout is negative: " + shutdownTimeout);
    }
  }

  /** {@return the defaults} */
  public static RunOptions defaults() {
    return new RunOptions(
        FiberKind.ofSystemProperty(),
        System.getProperty("weir.transport", "auto"),
        false,
        Duration.ofSeconds(10));
  }

  /** {@return these options with another kind of fibers} */
  public RunOptions withFibers(FiberKind fibers) {
    return new RunOptions(fibers, transport, handleSignals, shutdownTimeout);
  }

  /** {@return these options with another transport} */
  public RunOptions withTransport(String transport) {
    return new RunOptions(fibers, transport, handleSignals, shutdownTimeout);
  }

  /** {@return these options with signals handled or left alone} */
  public RunOptions withHandleSignals(boolean handleSignals) {
    return new RunOptions(fibers, transport, handleSignals, shutdownTimeout);
  }

  /** {@return these options with another time for left tasks to end} */
  public RunOptions withShutdownTimeout(Duration shutdownTimeout) {
    return new RunOptions(fibers, transport, handleSignals, shutdownTimeout);
  }
}
