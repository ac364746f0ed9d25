package dev.weir.netty;

import java.util.concurrent.TimeUnit;

/**
 * How long a listener waits before it tries again after accepting failed, and whether that is worth
 * a report. The usual reason is that no descriptor is left; trying at once would only fail again,
 * and in its log nobody would find anything else.
 *
 * <p>Not thread safe; on the loop only.
 */
final class AcceptBackoff {
  static final long FIRST_PAUSE_MILLIS = 100;
  static final long LONGEST_PAUSE_MILLIS = 1000;
  static final long REPORT_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private long nextPauseMillis = FIRST_PAUSE_MILLIS;
  private boolean reported;
  private long reportedNanos;

  /** Accepting failed. Returns how long to wait, in milliseconds. */
  long failed() {
    long pauseMillis = nextPauseMillis;
    nextPauseMillis = Math.min(LONGEST_PAUSE_MILLIS, 2 * pauseMillis);
    return pauseMillis;
  }

  /** Accepting works. */
  void succeeded() {
    nextPauseMillis = FIRST_PAUSE_MILLIS;
  }

  /** {@return whether to report the failure now; then it counts as reported} */
  boolean takeReport(long nowNanos) {
    if (reported && nowNanos - reportedNanos < REPORT_INTERVAL_NANOS) {
      return false;
    }
    reported = true;
    reportedNanos = nowNanos;
    return true;
  }

  @Override
  public String toString() {
    return "AcceptBackoff[next pause " + nextPauseMillis + " ms]";
  }
}
