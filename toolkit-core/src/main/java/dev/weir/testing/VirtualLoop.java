package dev.weir.testing;

import dev.weir.task.Action;
import dev.weir.task.Coroutine;
import dev.weir.task.Loop;
import java.time.Duration;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs code on a loop without sockets and without waiting: its clock jumps to the next deadline as
 * soon as nothing is ready, and {@code openConnection} and {@code startServer} connect within the
 * process, see {@link MemoryNetwork}. What is tested is the same code as on a real loop.
 *
 * <pre>{@code
 * VirtualLoop.run(() -> {
 *   Asyncio.sleep(Duration.ofHours(2)); // Takes no time.
 * });
 * }</pre>
 *
 * <p>A run that can never go on fails with a {@link DeadlockError} instead of hanging, and one that
 * leaves something behind with a {@link LeftBehindError}. While work outside the loop is under way
 * (on an executor, in a blocking call), virtual time stands still.
 *
 * <p>With a seed, the order of tasks that are ready at the same time is left to chance, as are the
 * delays and faults of the network; the same seed gives the same run. Callbacks keep their order,
 * which is promised.
 */
public final class VirtualLoop {
  private static final String SEED_PROPERTY = "weir.seed";

  private VirtualLoop() {}

  /**
   * Runs {@code body} on a virtual loop and waits until it is done, as {@code Asyncio.run} does.
   * Any thread that is not on a loop may call it.
   *
   * @return what {@code body} returned; what it threw is thrown as it is
   * @throws DeadlockError if nothing can ever happen again before it is done
   * @throws LeftBehindError if something was left behind when it was
   */
  public static <T extends @Nullable Object> T run(Coroutine<T> body) {
    return run(body, VirtualOptions.defaults());
  }

  /** The same for a body that returns nothing. */
  public static void run(Action body) {
    run(body, VirtualOptions.defaults());
  }

  /** The same as {@link #run(Coroutine)}, as {@code options} say. */
  public static <T extends @Nullable Object> T run(Coroutine<T> body, VirtualOptions options) {
    try (TestRunner runner = TestRunner.onVirtualLoop(options)) {
      return runner.run(body);
    }
  }

  /** The same for a body that returns nothing. */
  public static void run(Action body, VirtualOptions options) {
    try (TestRunner runner = TestRunner.onVirtualLoop(options)) {
      runner.run(body);
    }
  }

  /**
   * Runs {@code scenario} once for each seed from 0 on, each time on a loop of its own. If the
   * system property {@code weir.seed} is set, only with that seed.
   *
   * @param count how many seeds
   * @throws SeedError if it fails with a seed: which one, and how
   */
  public static void runSeeds(int count, Action scenario) {
    runSeeds(count, scenario, VirtualOptions.defaults());
  }

  /** The same as {@link #runSeeds(int, Action)}; {@code options} say all but the seed. */
  public static void runSeeds(int count, Action scenario, VirtualOptions options) {
    Objects.requireNonNull(scenario, "scenario");
    Objects.requireNonNull(options, "options");
    seeds(count).forEach(seed -> runSeed(seed, scenario, options));
  }

  /**
   * {@return the seeds with which {@link #runSeeds} runs a scenario: the first {@code count} from 0
   * on, or only that of the system property {@code weir.seed}} For test frameworks.
   *
   * @throws IllegalArgumentException if {@code count} is less than one, or the property is no seed
   */
  public static LongStream seeds(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("count < 1: " + count);
    }
    String only = System.getProperty(SEED_PROPERTY);
    return only == null ? LongStream.range(0, count) : LongStream.of(parseSeed(only));
  }

  private static long parseSeed(String text) {
    try {
      return Long.decode(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "-D"
              + SEED_PROPERTY
              + "="
              + text
              + " is no seed: give a whole number, as in -D"
              + SEED_PROPERTY
              + "=7, or leave it out",
          e);
    }
  }

  private static void runSeed(long seed, Action scenario, VirtualOptions options) {
    try {
      run(scenario, options.withSeed(seed));
    } catch (Throwable e) {
      throw new SeedError(seed, e);
    }
  }

  /**
   * Lets virtual time pass as if the calling code had been busy for so long. Nothing runs
   * meanwhile: timers and bytes that become due are late, and have their turn when the caller next
   * suspends.
   *
   * @throws IllegalArgumentException if {@code time} is negative
   * @throws IllegalStateException off the loop, or if the running loop is not a virtual one
   */
  public static void advance(Duration time) {
    VirtualDriver driver = VirtualDriver.ofRunningLoop("VirtualLoop.advance()");
    if (time.isNegative()) {
      throw new IllegalArgumentException("time is negative: " + time);
    }
    driver.advance(time);
    Loop.running().time(); // The loop notices: it takes what is due in the next round.
  }

  /**
   * {@return chance that follows from the seed: for what the test itself leaves to chance}
   *
   * @throws IllegalStateException if the running loop is not a virtual one
   */
  public static RandomGenerator random() {
    return VirtualDriver.ofRunningLoop("VirtualLoop.random()").userRandom();
  }
}
