package dev.weir.testing;

/** Says with which seed a test has failed; the failure itself is the cause. */
public final class SeedError extends AssertionError {
  private static final long serialVersionUID = 1;

  private final long seed;

  SeedError(long seed, Throwable failure) {
    super(
        "Failed with seed "
            + seed
            + " (to run it alone: -Dweir.seed="
            + seed
            + " or VirtualOptions.seed("
            + seed
            + ")): "
            + failure,
        failure);
    this.seed = seed;
  }

  /** {@return the seed} */
  public long seed() {
    return seed;
  }
}
