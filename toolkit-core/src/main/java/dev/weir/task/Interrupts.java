package dev.weir.task;

import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;

/** How an interrupt shows itself in what blocking code throws. */
final class Interrupts {
  /** Longer chains of causes than this are taken for circular. */
  private static final int CAUSES_MAX = 50;

  private Interrupts() {}

  /**
   * {@return whether {@code thrown} is or was caused by an interrupt, or the calling thread's
   * interrupt is still set}
   */
  static boolean showIn(Throwable thrown) {
    if (Thread.currentThread().isInterrupted()) {
      return true;
    }
    int depth = 0;
    for (Throwable e = thrown; e != null && depth < CAUSES_MAX; e = e.getCause(), depth++) {
      if (e instanceof InterruptedException
          || e instanceof ClosedByInterruptException
          || (e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException))) {
        return true;
      }
    }
    return false;
  }
}
