package dev.weir.task;

import org.jspecify.annotations.Nullable;

/** The two task factories that differ in when a task begins. */
record StartingTaskFactory(boolean eagerByDefault) implements TaskFactory {
  @Override
  public <T extends @Nullable Object> Task<T> createTask(
      Loop loop, Coroutine<T> coroutine, TaskOptions options) {
    loop.ensureHeld("TaskFactory.createTask()");
    Boolean eager = options.eager();
    boolean wanted = eager == null ? eagerByDefault : eager;
    return loop.startTask(coroutine, options, wanted && canBeginAtOnce(loop));
  }

  /**
   * {@return whether the caller runs on the loop, and does not merely hold one that stands still}
   *
   * @throws IllegalStateException in {@code Asyncio.exclusive}, and before there is a task that
   *     would never begin
   */
  private static boolean canBeginAtOnce(Loop loop) {
    Fiber creator = Fiber.current();
    if (creator == null || creator.carrier != loop.carrier) {
      return false;
    }
    if (creator.task != null) {
      creator.task.ensureMaySuspend("createTask() with an eager start");
    }
    return true;
  }
}
