package dev.weir.task;

import java.time.Duration;
import java.util.List;

/** Bodies of tasks that tests of scopes have in common. */
final class Bodies {
  private static final Duration LONG = Duration.ofHours(1);

  private Bodies() {}

  /** Suspends until it is cancelled. */
  static void sleepLong() {
    Loop.running().sleep(LONG);
  }

  /** Fails in its first step. */
  static Action failing(Throwable failure) {
    return () -> {
      throw Sneaky.rethrow(failure);
    };
  }

  /** Suspends until it is cancelled, and fails with something else then. */
  static Action failingWhenCancelled(Throwable failure) {
    return () -> {
      try {
        sleepLong();
      } catch (CancelledError e) {
        throw Sneaky.rethrow(failure);
      }
    };
  }

  /** Suspends until it is cancelled, and notes that in {@code log} under its name. */
  static Action notingCancellation(List<String> log, String name) {
    return () -> {
      try {
        sleepLong();
      } catch (CancelledError e) {
        log.add(name);
        throw e;
      }
    };
  }

  /** Suspends until it is cancelled, and does not end before {@code gate} is done. */
  static Action endingAfter(Future<?> gate) {
    return () -> {
      try {
        sleepLong();
      } finally {
        gate.await();
      }
    };
  }
}
