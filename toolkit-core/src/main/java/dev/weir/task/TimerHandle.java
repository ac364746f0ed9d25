package dev.weir.task;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A callback that a loop will run at a time, as {@code asyncio.TimerHandle}. */
public final class TimerHandle extends Handle implements Comparable<TimerHandle> {
  final long whenNanos;

  /** Orders timers of one deadline as they were made. */
  final long sequence;

  /** What asked for it, if the loop keeps that for its reports. */
  private final @Nullable String madeAt;

  /** Makes the handle of a user's callback. */
  TimerHandle(
      Loop loop,
      Runnable callback,
      Context context,
      long whenNanos,
      long sequence,
      @Nullable String madeAt) {
    super(loop, callback, context);
    this.whenNanos = whenNanos;
    this.sequence = sequence;
    this.madeAt = madeAt;
  }

  /** Makes the handle of a step of the loop's own. */
  TimerHandle(Loop loop, Runnable internalStep, long whenNanos, long sequence) {
    super(loop, internalStep);
    this.whenNanos = whenNanos;
    this.sequence = sequence;
    this.madeAt = null;
  }

  /** {@return when the callback is due, by {@link Loop#time}} */
  public Duration when() {
    return Duration.ofNanos(whenNanos);
  }

  @Override
  public String toString() {
    return super.toString()
        + " due at "
        + when().toMillis() / 1000.0
        + " s"
        + (madeAt == null ? "" : ", made at " + madeAt);
  }

  /** Orders by {@link #when}, then by the order of making. Not consistent with equals. */
  @Override
  public int compareTo(TimerHandle other) {
    int byTime = Long.compare(whenNanos, other.whenNanos);
    return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
  }

  @Override
  public void cancel() {
    if (withdraw()) {
      loop.timerCancelled();
    }
  }
}
