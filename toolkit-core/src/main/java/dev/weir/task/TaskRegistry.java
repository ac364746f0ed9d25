package dev.weir.task;

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
  }

  /** Lets go of those that outlive the loop. */
  void clear() {
    newest = null;
    size = 0;
  }

  /** {@return the tasks, the oldest first} */
  List<Task<?>> list() {
    List<Task<?>> tasks = new ArrayList<>(size);
    for (Task<?> task = newest; task != null; task = task.older) {
      tasks.add(task);
    }
    return tasks.reversed();
  }

  @Override
  public String toString() {
    return "TaskRegistry" + list();
  }
}
