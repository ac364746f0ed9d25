package dev.weir.task;

import java.time.Duration;
import java.util.Objects;

/**
 * How {@code Asyncio.run} runs: the keyword arguments of {@code asyncio.run}, and the engine's.
 *
 * @param fibers how tasks run; by default what the system property {@code weir.fibers} says, else
 *     {@link FiberKind#AUTO}
 * @param transport the engine's transport: {@code epoll}, {@code kqueue}, {@code nio} or {@code
 *     io_uring}, or {@code auto} for the first of the former three that works here; by default what
 *     the system property {@code weir.transport} says, else {@code auto}. io_uring and kqueue take
 *     a jar of Netty's that the engine does not bring along; io_uring has no Unix sockets. A run on
 *     a transport that does not work here fails with {@link IllegalStateException}, which says why
 * @param handleSignals whether SIGINT and SIGTERM cancel the main task while the loop runs, and a
 *     second one ends the run at once and interrupts whatever holds up the loop; a third is handled
 *     as it would be without this. Off by default, because a library must not take its host's
 *     signals. A signal that {@link Loop#addSignalHandler} asks for goes there instead
 * @param shutdownTimeout how long tasks that are left when the main task ends may take to end once
 *     they were cancelled, 10 s by default
 * @param executorTimeout how long work on the default executor may take to end after that, 300 s by
 *     default
 * @param exitTimeout how long the end of the JVM waits, in a shutdown hook, for the main task to
 *     end once it was cancelled, 10 s by default; zero for no hook
 * @param debug whether the loop begins in debug mode, see {@link Loop#setDebug}; by default what
 *     the system property {@code weir.debug} says, else not
 * @param slowStep in debug mode, how long a step may take before it is logged with its stack, 100
 *     ms by default; otherwise it is one second
 * @param loops how many loops run, 1 by default: the main task on the first of them, and beside it
 *     the others, each on a thread of its own and with these same options; see {@link Loop#group}
 */
public record RunOptions(
    FiberKind fibers,
    String transport,
    boolean handleSignals,
    Duration shutdownTimeout,
    Duration executorTimeout,
    Duration exitTimeout,
    boolean debug,
    Duration slowStep,
    int loops) {
  /** Checks the options. */
  public RunOptions {
    Objects.requireNonNull(fibers, "fibers");
    Objects.requireNonNull(transport, "transport");
    ensureNotNegative(shutdownTimeout, "shutdownTimeout");
    ensureNotNegative(executorTimeout, "executorTimeout");
    ensureNotNegative(exitTimeout, "exitTimeout");
    if (!slowStep.isPositive()) {
      throw new IllegalArgumentException("slowStep is not positive: " + slowStep);
    }
    if (loops < 1) {
      throw new IllegalArgumentException("loops < 1: " + loops);
    }
  }

  private static void ensureNotNegative(Duration duration, String name) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException(name + " is negative: " + duration);
    }
  }

  /** {@return the defaults} */
  public static RunOptions defaults() {
    return new RunOptions(
        FiberKind.ofSystemProperty(),
        System.getProperty("weir.transport", "auto"),
        false,
        Duration.ofSeconds(10),
        Duration.ofSeconds(300),
        Duration.ofSeconds(10),
        Boolean.getBoolean("weir.debug"),
        Duration.ofMillis(100),
        1);
  }

  /** {@return these options with another kind of fibers} */
  public RunOptions withFibers(FiberKind fibers) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options with another transport} */
  public RunOptions withTransport(String transport) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options with signals handled or left alone} */
  public RunOptions withHandleSignals(boolean handleSignals) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options with another time for left tasks to end} */
  public RunOptions withShutdownTimeout(Duration shutdownTimeout) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options with another time for work on the default executor to end} */
  public RunOptions withExecutorTimeout(Duration executorTimeout) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options with another time for the end of the JVM to wait} */
  public RunOptions withExitTimeout(Duration exitTimeout) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options in debug mode or not} */
  public RunOptions withDebug(boolean debug) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /** {@return these options with another limit for slow steps in debug mode} */
  public RunOptions withSlowStep(Duration slowStep) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }

  /**
   * {@return these options with another number of loops}
   *
   * <p>Tasks of one loop never run at the same time, those of several do: what they share needs
   * locks. So one loop is the default, and what spreads over several says so, as {@code
   * ServerOptions.withSpread} does. More loops than processors gain nothing.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public RunOptions withLoops(int loops) {
    return new RunOptions(
        fibers,
        transport,
        handleSignals,
        shutdownTimeout,
        executorTimeout,
        exitTimeout,
        debug,
        slowStep,
        loops);
  }
}
