package dev.weir.process;

/** From what the JVM says of a child's end to what asyncio says. */
final class ReturnCodes {
  /** What a shell adds to a signal's number, and the JVM too. */
  private static final int SIGNALLED = 128;

  private static final int SIGNAL_MAX = 64;

  private ReturnCodes() {}

  /**
   * {@return the exit status, or the number of the signal that killed the child, negative}
   *
   * @param exitValue that of {@link Process}. The JVM reports a child that called {@code exit(137)}
   *     and one that was killed by signal 9 as the same 137, and so do shells of their children
   */
  static int of(int exitValue) {
    boolean signalled = exitValue > SIGNALLED && exitValue <= SIGNALLED + SIGNAL_MAX;
    return signalled ? SIGNALLED - exitValue : exitValue;
  }
}
