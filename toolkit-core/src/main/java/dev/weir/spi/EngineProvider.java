package dev.weir.spi;

/**
 * Opens the engine of a loop. Found by {@link java.util.ServiceLoader}, so adding an engine's jar
 * is all a user does.
 */
public interface EngineProvider {
  /**
   * Opens a driver for one loop.
   *
   * @param transport {@code auto} for the best this machine has, or the name of one of the engine's
   *     transports
   * @param loop the loop as the driver sees it
   * @return a driver that nobody has polled yet
   * @throws IllegalArgumentException if the engine has no transport of that name
   * @throws IllegalStateException if the transport exists but does not work on this machine; the
   *     message says why
   */
  IoDriver open(String transport, LoopContext loop);
}
