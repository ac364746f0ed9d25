package dev.weir.task;

import java.time.Duration;

/** A callback that a loop will run at a time, as {@code asyncio.TimerHandle}. */
public final class TimerHandle extends Handle {
  final long whenNanos;

  /** Orders timers of one deadline as they were made. */
  final long sequence;

  TimerHandle(Loop loop, Runnable callback, boolean internal, long whenNanos, long sequence) {
    super(loop, callback, internal);
    this.whenNanos = whenNanos;
    this.sequence = sequence;
  }

  /** {@return when the callback is due, by {@link Loop#time}} */
  public Duration when() {
    return Duration.ofNanos(whenNanos);
  }

  @Override
  public void cancel() {
    if (withdraw()) {
      loop.timerCancelled();
    }
  }
}
