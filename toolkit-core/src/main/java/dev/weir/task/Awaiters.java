package dev.weir.task;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which tasks of a loop wait for which futures, at one moment. It is found out when somebody asks,
 * so that an await costs nothing more.
 */
final class Awaiters {
  private final Map<Future<?>, Set<Task<?>>> byFuture = new HashMap<>();

  /** Looks at all tasks of {@code loop}. On the loop. */
  static Awaiters of(Loop loop) {
    Awaiters awaiters = new Awaiters();
    for (Task<?> task : loop.tasks.list()) {
      awaiters.add(task, task.peekAwaited());
    }
    for (TaskGroup group : loop.openGroups) {
      awaiters.addAll(group.owner(), group.unfinished());
    }
    loop.declaredAwaiters.forEach(
        (future, declared) -> declared.tasks.forEach(waiter -> awaiters.add(waiter, future)));
    return awaiters;
  }

  private void add(@Nullable Task<?> awaiter, @Nullable Future<?> awaited) {
    if (awaiter == null
        || awaited == null
        || !byFuture.computeIfAbsent(awaited, future -> new LinkedHashSet<>()).add(awaiter)) {
      return;
    }
    if (awaited instanceof Gathering<?, ?> gathering) {
      addAll(awaiter, gathering.children());
    } else if (awaited.purpose() instanceof Awaiting through) {
      addAll(awaiter, through.awaited());
    }
  }

  private void addAll(@Nullable Task<?> awaiter, Collection<? extends Future<?>> awaited) {
    for (Future<?> each : awaited) {
      if (!each.isDone()) {
        add(awaiter, each);
      }
    }
  }

  /** {@return the tasks that wait for {@code future}, directly or through calls of Weir's} */
  List<Task<?>> awaitersOf(Future<?> future) {
    return new ArrayList<>(byFuture.getOrDefault(future, Set.of()));
  }

  @Override
  public String toString() {
    return "Awaiters" + byFuture;
  }
}
