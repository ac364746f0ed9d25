package dev.weir.testing;

import dev.weir.task.RunOptions;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link VirtualLoop} runs.
 *
 * @param seed what all that is left to chance follows from: the order of tasks that are ready at
 *     the same time, delays, cuts and faults of the memory network, and {@link VirtualLoop#random};
 *     null, the default, for tasks in the order in which they became ready, and chance as with seed
 *     0
 * @param runOptions how the loop runs otherwise, one loop only; the transport does not count
 * @param leftBehindAllowed whether tasks, timers and connections may be left when a run ends, and
 *     errors may reach the loop's exception handler; by default not
 * @param foreignGrace how long, in real time, virtual time stands still for what may be woken from
 *     outside or by the loop itself: tasks in blocking calls of the JDK's, stages that are awaited;
 *     100 ms by default. For work on an executor, and for sleeps, it stands still until they end
 * @param timeout how long a run may take in real time: one that never ends, retrying for ever say,
 *     or that waits for work outside the loop; 60 s by default
 */
public record VirtualOptions(
    @Nullable Long seed,
    RunOptions runOptions,
    boolean leftBehindAllowed,
    Duration foreignGrace,
    Duration timeout) {
  /** Checks the options. */
  public VirtualOptions {
    Objects.requireNonNull(runOptions, "runOptions");
    if (runOptions.loops() > 1) {
      throw new IllegalArgumentException(
          "A virtual loop is alone, since runs of several would not be repeatable, and loops is "
              + runOptions.loops()
              + ": leave withLoops() out, or test on real loops");
    }
    if (foreignGrace.isNegative()) {
      throw new IllegalArgumentException("foreignGrace is negative: " + foreignGrace);
    }
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("timeout is not positive: " + timeout);
    }
  }

  /** {@return the defaults} */
  public static VirtualOptions defaults() {
    // No hook in the JVM: a test that is cut off needs no orderly end.
    return new VirtualOptions(
        null,
        RunOptions.defaults().withExitTimeout(Duration.ZERO),
        false,
        Duration.ofMillis(100),
        Duration.ofSeconds(60));
  }

  /** {@return the defaults with a seed} */
  public static VirtualOptions seed(long seed) {
    return defaults().withSeed(seed);
  }

  /** {@return these options with a seed} */
  public VirtualOptions withSeed(long seed) {
    return new VirtualOptions(seed, runOptions, leftBehindAllowed, foreignGrace, timeout);
  }

  /** {@return these options with other options of the loop} */
  public VirtualOptions withRunOptions(RunOptions runOptions) {
    return new VirtualOptions(seed, runOptions, leftBehindAllowed, foreignGrace, timeout);
  }

  /** {@return these options with things left behind allowed or not} */
  public VirtualOptions withLeftBehindAllowed(boolean leftBehindAllowed) {
    return new VirtualOptions(seed, runOptions, leftBehindAllowed, foreignGrace, timeout);
  }

  /** {@return these options with another time for a run to end} */
  public VirtualOptions withTimeout(Duration timeout) {
    return new VirtualOptions(seed, runOptions, leftBehindAllowed, foreignGrace, timeout);
  }

  /** {@return these options with another time for what may be woken from outside} */
  public VirtualOptions withForeignGrace(Duration foreignGrace) {
    return new VirtualOptions(seed, runOptions, leftBehindAllowed, foreignGrace, timeout);
  }
}
