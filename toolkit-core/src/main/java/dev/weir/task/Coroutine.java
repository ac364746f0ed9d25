package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * The body of a task: plain sequential code that may call the suspending functions of Weir.
 *
 * <p>Corresponds to a call of an {@code async def} function that returns a value; {@link Action} is
 * one that does not.
 *
 * @param <T> what the body returns
 */
@FunctionalInterface
public interface Coroutine<T extends @Nullable Object> {
  /**
   * Runs the body on its task.
   *
   * @throws Exception becomes the task's failure
   */
  T run() throws Exception;
}
