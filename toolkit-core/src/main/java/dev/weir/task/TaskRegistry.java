package dev.weir.task;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of a loop that are not done: the loop holds every one of them, so none can vanish. On
 * the loop only.
 *
 * <p>A list linked through the tasks themselves, because tasks come and go by the million.
 */
final class TaskRegistry {
  private @Nullable Task<?> newest;
  private int size;
  private @Nullable Future<@Nullable Void> empty;

  void add(Task<?> task) {
    Task<?> older = newest;
    if (older != null) {
      older.newer = task;
      task.older = older;
    }
    newest = task;
    size++;
  }

  void remove(Task<?> task) {
    Task<?> newer = task.newer;
    Task<?> older = task.older;
    if (newer == null) {
      newest = older;
    } else {
      newer.older = older;
    }
    if (older != null) {
      older.newer = newer;
    }
    task.newer = null;
    task.older = null;
    size--;
    if (size == 0 && empty != null && !empty.isDone()) {
      empty.complete(null);
    }
  }

  /** {@return the tasks, the oldest first} */
  List<Task<?>> list() {
    List<Task<?>> tasks = new ArrayList<>(size);
    for (Task<?> task = newest; task != null; task = task.older) {
      tasks.add(task);
    }
    return tasks.reversed();
  }

  /**
   * Suspends {@code waiting}, which must not be listed here itself, until no task is left.
   *
   * @return whether none is left, false if the timeout came first
   */
  boolean awaitEmpty(Task<?> waiting, Duration timeout) {
    if (size > 0) {
      Future<@Nullable Void> awaited = new Future<>(waiting.loop);
      empty = awaited;
      TimerHandle timer = waiting.loop.completeLater(awaited, timeout);
      waiting.suspendUntilDone(awaited);
      timer.cancel();
      empty = null;
    }
    return size == 0;
  }

  @Override
  public String toString() {
    return "TaskRegistry" + list();
  }
}
