package dev.weir.task;

import org.jspecify.annotations.Nullable;

/** The two task factories that differ in when a task begins. */
record StartingTaskFactory(boolean eagerByDefault) implements TaskFactory {
  @Override
  public <T extends @Nullable Object> Task<T> createTask(
      Loop loop, Coroutine<T> coroutine, TaskOptions options) {
    Boolean eager = options.eager();
    return loop.startTask(coroutine, options, eager == null ? eagerByDefault : eager);
  }
}
