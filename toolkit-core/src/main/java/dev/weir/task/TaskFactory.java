package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * Makes the tasks of a loop, as the function that {@code loop.set_task_factory} takes. One's own
 * may wrap the coroutine or change the options, and hands on to {@link #LAZY} or {@link #EAGER}.
 */
public interface TaskFactory {
  /** Starts tasks in the loop's next round, unless their options say otherwise. The default. */
  TaskFactory LAZY = new StartingTaskFactory(false);

  /**
   * Starts tasks at once, unless their options say otherwise. Corresponds to {@code
   * asyncio.eager_task_factory}.
   */
  TaskFactory EAGER = new StartingTaskFactory(true);

  /**
   * Makes a task and starts it. Called on the loop.
   *
   * @param loop the loop it is to run on
   * @param coroutine its body
   * @param options how it is to be made
   * @return the task, not null; what is thrown instead is thrown to the one who wants it
   */
  <T extends @Nullable Object> Task<T> createTask(
      Loop loop, Coroutine<T> coroutine, TaskOptions options);
}
