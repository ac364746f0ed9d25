package dev.weir.task;

/**
 * Receives the errors of a loop that reach nobody else, as {@code loop.set_exception_handler} in
 * asyncio.
 */
@FunctionalInterface
public interface ExceptionHandler {
  /**
   * Handles one error. Called on the loop, on the task or callback that met it.
   *
   * @param loop the loop
   * @param context what failed, and how
   */
  void handle(Loop loop, ExceptionContext context);
}
