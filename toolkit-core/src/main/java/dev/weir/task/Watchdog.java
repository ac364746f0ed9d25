package dev.weir.task;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reports a step that holds the turn for too long, with its stack, while it does: a task that
 * computes, or blocks the loop's thread.
 *
 * <p>It looks from outside, a few times per limit, whether the loop is still in the step it was in
 * before. So the loop itself pays one addition per step and reads no clock.
 */
final class Watchdog {
  /** How long a turn may be held outside debug mode. */
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private static final int LOOKS_PER_LIMIT = 4;
  private static final long LOOK_NANOS_MIN = 5_000_000;

  private final Carrier carrier;
  private final Duration debugLimit;

  // Guarded by this.
  private boolean debug;

  /** How many threads run the loop: one, and for a moment those that the loop refuses. */
  private int runners;

  private @Nullable ScheduledFuture<?> looks;

  /** Looks from one thread, one after another. */
  private static final class Look implements Runnable {
    private final Carrier carrier;
    private final Duration limit;
    private int step;
    private long sinceNanos;
    private boolean reported;

    Look(Carrier carrier, Duration limit) {
      this.carrier = carrier;
      this.limit = limit;
      this.step = carrier.steps;
      this.sinceNanos = System.nanoTime();
    }

    @Override
    public void run() {
      Thread holder = carrier.turnHolder;
      Throwable overdue = holder == null ? null : carrier.driver.overdue(holder);
      if (overdue != null) {
        carrier.abandon(overdue);
      }
      int current = carrier.steps;
      long nowNanos = System.nanoTime();
      // Not polling alone: another fiber may hold the turn while the I/O fiber is parked in its
      // poll.
      if (holder == null
          || current != step
          || (carrier.polling() && holder == carrier.ioThread())) {
        step = current;
        sinceNanos = nowNanos;
        reported = false;
      } else if (!reported && nowNanos - sinceNanos >= limit.toNanos()) {
        reported = true;
        report(holder);
      }
    }

    private void report(Thread holder) {
      Throwable stack = Stacks.of(holder);
      if (carrier.steps == step) { // Else the stack is of another step.
        ErrorReports.warn(
            "'"
                + holder.getName()
                + "' has held the turn of "
                + carrier.loop
                + " for over "
                + limit.toMillis()
                + " ms; nothing else can run there: suspend more often, or use toThread()",
            stack);
      }
    }
  }

  Watchdog(Carrier carrier, Duration debugLimit) {
    this.carrier = carrier;
    this.debugLimit = debugLimit;
  }

  /** Watches from here on. Any thread. */
  synchronized void start() {
    runners++;
    restart();
  }

  synchronized void stop() {
    runners--;
    restart();
  }

  synchronized void setDebug(boolean debug) {
    this.debug = debug;
    restart();
  }

  private void restart() {
    if (looks != null) {
      looks.cancel(false);
      looks = null;
    }
    if (runners > 0) {
      Duration limit = debug ? debugLimit : LIMIT;
      long periodNanos = Math.max(limit.toNanos() / LOOKS_PER_LIMIT, LOOK_NANOS_MIN);
      looks =
          Looks.EXECUTOR.scheduleAtFixedRate(
              new Look(carrier, limit), periodNanos, periodNanos, TimeUnit.NANOSECONDS);
    }
  }

  @Override
  public String toString() {
    return "Watchdog[" + carrier.thread.getName() + (debug ? ", debug]" : "]");
  }

  /** One thread for all loops, which ends when none has run for a while. */
  private static final class Looks {
    static final ScheduledThreadPoolExecutor EXECUTOR = newExecutor();

    private static ScheduledThreadPoolExecutor newExecutor() {
      ScheduledThreadPoolExecutor executor =
          new ScheduledThreadPoolExecutor(
              1, look -> Thread.ofPlatform().name("weir-watchdog").daemon().unstarted(look));
      executor.setRemoveOnCancelPolicy(true);
      executor.setKeepAliveTime(1, TimeUnit.SECONDS);
      executor.allowCoreThreadTimeOut(true);
      return executor;
    }
  }
}
