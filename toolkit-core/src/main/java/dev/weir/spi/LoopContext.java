package dev.weir.spi;

/** One loop, as its {@link IoDriver} sees it. */
public interface LoopContext {
  /**
   * {@return whether a poll may block now: nothing is ready to run and nothing was submitted}
   *
   * <p>The driver asks on the I/O fiber, as the last thing before it blocks and after it has
   * arranged that {@link IoDriver#wakeup} will end the poll. In the other order a submission could
   * slip between the two and be slept over.
   */
  boolean mayBlock();

  /**
   * Says that a task left work for the I/O fiber, bytes to flush for instance. Ends a poll that is
   * under way. Called on the loop.
   */
  void ioRequested();

  /**
   * Reports an error that belongs to nobody else to the loop's exception handler. Called on the
   * loop.
   *
   * @param message what failed
   * @param exception how it failed
   */
  void report(String message, Throwable exception);
}
