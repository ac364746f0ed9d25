package dev.weir.stream;

/**
 * The decision of a server that has a limit: does it accept the next connection, or does the
 * kernel's queue hold it? It goes on at nine tenths of the limit, so that it does not stop and go
 * with every single connection.
 *
 * <p>It tells its caller what to do with the listeners and touches none. Not thread safe; on the
 * loop only.
 */
final class AcceptGate {
  private final int max;
  private final int resumeAt;
  private boolean paused;

  /**
   * @param max how many connections there may be at once, at least 1
   */
  AcceptGate(int max) {
    this.max = max;
    this.resumeAt = (int) (max * 9L / 10);
  }

  /** {@return whether accepting is paused} */
  boolean paused() {
    return paused;
  }

  /** One came, and there are {@code count} now. Returns whether accepting must pause. */
  boolean opened(int count) {
    if (paused || count < max) {
      return false;
    }
    paused = true;
    return true;
  }

  /** One has gone, and there are {@code count} now. Returns whether to accept again. */
  boolean ended(int count) {
    if (!paused || count > resumeAt) {
      return false;
    }
    paused = false;
    return true;
  }

  @Override
  public String toString() {
    return "AcceptGate[" + (paused ? "paused, " : "") + "max " + max + "]";
  }
}
