package dev.weir.task;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request to cancel something that waits for other tasks, on its way to what they wait for in the
 * end. On the loop only, used once.
 *
 * <p>It keeps its way in a list and not on the stack, because chains of tasks may be longer than
 * that is deep. Tasks may also wait for each other in a circle, where nothing is at the end: the
 * first one that is met again is taken out of its wait, and the others get what becomes of it.
 */
final class CancelRequest {
  private final @Nullable String message;

  /** Where the request is, the latest stop first. */
  private final ArrayDeque<Stop> way = new ArrayDeque<>();

  private final Set<Task<?>> onTheWay = new HashSet<>();

  private CancelRequest(@Nullable String message) {
    this.message = message;
  }

  /** A future that passes the request on, to one future or several. */
  private static final class Stop {
    final @Nullable Future<?> future;
    final Iterator<? extends Future<?>> next;

    /** Whether one of them has taken it. */
    boolean taken;

    Stop(@Nullable Future<?> future, List<? extends Future<?>> next) {
      this.future = future;
      this.next = next.iterator();
    }
  }

  /** Sends it to {@code future}. Returns false if that is done, or nothing there takes it. */
  static boolean send(Future<?> future, @Nullable String message) {
    return new CancelRequest(message).send(future);
  }

  private boolean send(Future<?> future) {
    Stop start = new Stop(null, List.of(future));
    way.push(start);
    while (true) {
      Stop stop = way.element();
      if (stop.next.hasNext()) {
        arrive(stop.next.next(), stop);
      } else if (stop == start) {
        return start.taken;
      } else {
        way.pop();
        way.element().taken |= leave(stop);
      }
    }
  }

  private void arrive(Future<?> future, Stop from) {
    if (future.isDone()) {
      return;
    }
    switch (future) {
      case Task<?> task -> {
        if (onTheWay.add(task)) {
          task.countCancelRequest();
          Future<?> awaited = task.peekAwaited();
          way.push(new Stop(task, awaited == null ? List.of() : List.of(awaited)));
        } else {
          task.cancelWait(message);
          from.taken = true;
        }
      }
      case Gathering<?, ?> gathering -> way.push(new Stop(gathering, gathering.children()));
      default -> from.taken |= future.requestCancel(message);
    }
  }

  /** {@return whether the request was taken there} */
  private boolean leave(Stop stop) {
    if (stop.future instanceof Task<?> task) {
      onTheWay.remove(task);
      if (!stop.taken) {
        task.cancelNextStep(message);
      }
      return true;
    }
    if (stop.taken && stop.future instanceof Gathering<?, ?> gathering) {
      gathering.childrenCancelled(message);
    }
    return stop.taken;
  }

  @Override
  public String toString() {
    return "CancelRequest[" + way.size() + " on the way]";
  }
}
