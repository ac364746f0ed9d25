package dev.weir.spi;

import org.jspecify.annotations.Nullable;

/**
 * What waits for I/O on behalf of one loop.
 *
 * <p>Unless a method says otherwise, it is called on the I/O fiber: the one thread that {@link
 * #attach} announced.
 */
public interface IoDriver {
  /** A deadline that never comes. */
  long NO_DEADLINE = Long.MAX_VALUE;

  /** {@return the transport in use, {@code epoll} for instance; any thread may ask} */
  String transport();

  /** {@return the network that this driver serves; its methods are called on the loop} */
  Network network();

  /**
   * {@return the loop's clock, in nanoseconds from an origin of its own, never going back; any
   * thread may ask}
   */
  long nanoTime();

  /**
   * {@return who decides in which order tasks run that are ready at the same time, or null for
   * first come, first served} Asked once.
   */
  default @Nullable TaskOrder taskOrder() {
    return null;
  }

  /**
   * {@return whether runs of one program are to be alike to the last letter} Then what the loop
   * numbers, as it does tasks without a name, begins anew with each loop; what comes from other
   * threads is taken one by one, when nothing is ready; and timers and work for other threads,
   * which have no name, say in reports what asked for them. Asked once.
   */
  default boolean repeatable() {
    return false;
  }

  /**
   * Asked now and then while the loop runs, by a thread that watches it: whether the run has taken
   * too long and does not come back to be polled.
   *
   * @param turnHolder the thread that runs on the loop
   * @return what the call that runs the loop is to throw, or null if it may go on; then the loop is
   *     left as it is, and cannot be closed
   */
  default @Nullable Throwable overdue(Thread turnHolder) {
    return null;
  }

  /**
   * Makes the calling thread the I/O fiber and runs the loop's polling on it until that returns.
   * Called once.
   *
   * @param polling calls {@link #poll} again and again, then {@link #close}
   */
  void attach(Runnable polling);

  /**
   * Sends what tasks wrote, handles the I/O that is ready, and calls the protocols concerned.
   * Blocks until there is some, until the deadline, or until {@link #wakeup}, but only while {@link
   * LoopContext#mayBlock} says so.
   *
   * @param deadlineNanos the time by {@link #nanoTime} at which to return at the latest, or {@link
   *     #NO_DEADLINE}
   */
  void poll(long deadlineNanos);

  /**
   * Ends the poll under way, or else the next one, without delay. Any thread; never blocks, never
   * throws.
   */
  void wakeup();

  /**
   * Lets connections that were closed before go on sending for a bounded time, then ends every
   * connection and listener and gives back what the driver holds. A connection with bytes unsent is
   * reset, so that its peer does not take what was cut off for the whole.
   */
  void close();
}
