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
   * {@return whether the run ends before the next round} The poll under way is the last one for a
   * while then, so it sends what is to be sent. Called on the I/O fiber.
   */
  boolean isStopping();

  /**
   * Reports an error that belongs to nobody else to the loop's exception handler. Called on the
   * loop.
   *
   * @param message what failed
   * @param exception how it failed
   */
  void report(String message, Throwable exception);

  /**
   * {@return what goes on outside the loop} A driver whose clock is not the real one must not let
   * time pass meanwhile. Called on the I/O fiber.
   */
  OutsideWork outsideWork();

  /**
   * Lets the next outcome of work on an executor arrive, if there is one, in the order in which the
   * work was handed over. Only for drivers that are {@linkplain IoDriver#repeatable repeatable},
   * where outcomes do not arrive by themselves. Called on the I/O fiber, when nothing is ready.
   *
   * @return whether one did
   */
  boolean takeOutsideOutcome();

  /**
   * Ends the run under way after this round; the call that runs the loop throws {@code failure}. On
   * the loop.
   */
  void abort(Throwable failure);
}
