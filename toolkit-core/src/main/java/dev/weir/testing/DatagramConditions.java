package dev.weir.testing;

import java.time.Duration;

/**
 * What the memory network does to datagrams, to each by itself.
 *
 * @param delayMin how long one takes to the other side, at least; zero by default
 * @param delayMax how long it takes at most; the seed picks, so that datagrams overtake each other
 *     if that differs from the least
 * @param loss how likely it is lost, from 0, the default, to 1
 * @param duplication how likely it arrives twice, from 0, the default, to 1
 */
public record DatagramConditions(
    Duration delayMin, Duration delayMax, double loss, double duplication) {
  private static final DatagramConditions PERFECT =
      new DatagramConditions(Duration.ZERO, Duration.ZERO, 0, 0);

  /** Checks the conditions. */
  public DatagramConditions {
    if (delayMin.isNegative() || delayMax.compareTo(delayMin) < 0) {
      throw new IllegalArgumentException(
          "not 0 <= delayMin <= delayMax: " + delayMin + ", " + delayMax);
    }
    ensureProbability(loss, "loss");
    ensureProbability(duplication, "duplication");
  }

  private static void ensureProbability(double value, String name) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(name + " is not from 0 to 1: " + value);
    }
  }

  /** {@return conditions as good as they get: all arrive, at once and in order} */
  public static DatagramConditions perfect() {
    return PERFECT;
  }

  /** {@return these conditions with one delay for all datagrams, which keeps their order} */
  public DatagramConditions withDelay(Duration delay) {
    return withDelay(delay, delay);
  }

  /** {@return these conditions with delays from {@code min} to {@code max}, picked by the seed} */
  public DatagramConditions withDelay(Duration min, Duration max) {
    return new DatagramConditions(min, max, loss, duplication);
  }

  /** {@return these conditions with another probability of loss} */
  public DatagramConditions withLoss(double loss) {
    return new DatagramConditions(delayMin, delayMax, loss, duplication);
  }

  /** {@return these conditions with another probability of arriving twice} */
  public DatagramConditions withDuplication(double duplication) {
    return new DatagramConditions(delayMin, delayMax, loss, duplication);
  }
}
