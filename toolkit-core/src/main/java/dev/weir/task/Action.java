package dev.weir.task;

/** The body of a task that returns nothing. */
@FunctionalInterface
public interface Action {
  /**
   * Runs the body on its task.
   *
   * @throws Exception becomes the task's failure
   */
  void run() throws Exception;
}
