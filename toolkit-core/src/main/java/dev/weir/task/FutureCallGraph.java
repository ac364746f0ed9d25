package dev.weir.task;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Where a task is, and who waits for it, as {@code asyncio.FutureCallGraph}. Taken by {@code
 * Asyncio.captureCallGraph}; it does not follow what happens afterwards.
 *
 * <p>Any thread may read it.
 *
 * @param future what it is about
 * @param callStack where it is, the innermost call first; empty if it is no task
 * @param awaitedBy the tasks that wait for it, by {@code await}, {@code gather}, {@code wait},
 *     {@code asCompleted}, {@code shield} or a {@link TaskGroup}; each with those that wait for it,
 *     but only where it turns up first, and except where they wait for each other in a circle
 */
public record FutureCallGraph(
    Future<?> future, List<StackTraceElement> callStack, List<FutureCallGraph> awaitedBy) {
  private static final int FORMAT_DEPTH_MAX = 100;

  /** Copies the lists. */
  public FutureCallGraph {
    Objects.requireNonNull(future, "future");
    callStack = List.copyOf(callStack);
    awaitedBy = List.copyOf(awaitedBy);
  }

  /** Takes the graph of {@code future}; see {@code Asyncio.captureCallGraph(Future, int)}. */
  static FutureCallGraph of(Future<?> future, int limit) {
    future.loop.ensureHeld("captureCallGraph()");
    Awaiters awaiters = Awaiters.of(future.loop);
    Map<Future<?>, Visit> visits = new HashMap<>();
    // By hand, as a chain of tasks can be longer than a stack is deep.
    Deque<Visit> path = new ArrayDeque<>();
    Visit first = new Visit(future, limit, awaiters);
    visits.put(future, first);
    path.push(first);
    while (true) {
      Visit last = path.element();
      if (last.awaiters.hasNext()) {
        Task<?> awaiter = last.awaiters.next();
        Visit before = visits.get(awaiter);
        if (before == null) {
          Visit visit = new Visit(awaiter, limit, awaiters);
          visits.put(awaiter, visit);
          path.push(visit);
        } else if (!before.onPath) {
          last.awaitedBy.add(new FutureCallGraph(awaiter, before.callStack, List.of()));
        }
      } else {
        path.pop();
        FutureCallGraph graph = last.end();
        if (path.isEmpty()) {
          return graph;
        }
        path.element().awaitedBy.add(graph);
      }
    }
  }

  /** A future whose awaiters are looked at, once in a graph. */
  private static final class Visit {
    private final Future<?> future;
    private final List<StackTraceElement> callStack;
    private final Iterator<Task<?>> awaiters;
    private final List<FutureCallGraph> awaitedBy = new ArrayList<>();
    private boolean onPath = true;

    Visit(Future<?> future, int limit, Awaiters awaiters) {
      this.future = future;
      this.callStack = limit == 0 ? List.of() : limited(stackOf(future), limit);
      this.awaiters = awaiters.awaitersOf(future).iterator();
    }

    FutureCallGraph end() {
      onPath = false;
      return new FutureCallGraph(future, callStack, awaitedBy);
    }
  }

  private static List<StackTraceElement> stackOf(Future<?> future) {
    return future instanceof Task<?> task ? usersPart(task.stackTrace()) : List.of();
  }

  /**
   * {@return the stack without what the loop runs a task with, and down to the one call, of Weir's
   * or the JDK's, that waits}
   */
  private static List<StackTraceElement> usersPart(StackTraceElement[] stack) {
    int to = stack.length;
    while (to > 0 && isBeneath(stack[to - 1])) {
      to--;
    }
    int from = 0;
    while (from < to && isBeneath(stack[from])) {
      from++;
    }
    boolean waits = from > 0 && from < to && isCallThatWaits(stack[from - 1]);
    return Arrays.asList(stack).subList(waits ? from - 1 : from, to);
  }

  private static boolean isCallThatWaits(StackTraceElement frame) {
    return !frame.getMethodName().endsWith("CallGraph"); // That one asks.
  }

  private static boolean isBeneath(StackTraceElement frame) {
    String type = frame.getClassName();
    return type.startsWith("java.")
        || type.startsWith("jdk.")
        || type.startsWith("dev.weir.task.")
        || type.equals("dev.weir.Asyncio");
  }

  /** {@return the first of {@code stack}, or the last if the limit is negative} */
  private static List<StackTraceElement> limited(List<StackTraceElement> stack, int limit) {
    if (limit >= 0) {
      return stack.subList(0, Math.min(limit, stack.size()));
    }
    int from = (int) Math.max(0, stack.size() + (long) limit);
    return stack.subList(from, stack.size());
  }

  /**
   * {@return the graph as lines, each awaiter below what it waits for} Corresponds to {@code
   * format_call_graph}. Of a task that was printed already only the name comes again; a chain of
   * more than 100 ends with dots.
   */
  public String format() {
    StringBuilder lines = new StringBuilder();
    format(lines, "", 0, new HashSet<>());
    return lines.toString();
  }

  private void format(StringBuilder lines, String indent, int depth, Set<Future<?>> printed) {
    lines.append(indent).append("* ").append(Descriptions.of(future));
    if (!printed.add(future)) {
      lines.append(", see above\n");
      return;
    }
    lines.append('\n');
    if (!callStack.isEmpty()) {
      lines.append(indent).append("  + Call stack:\n");
      for (StackTraceElement frame : callStack) {
        lines.append(indent).append("  |   at ").append(frame).append('\n');
      }
    }
    if (!awaitedBy.isEmpty()) {
      lines.append(indent).append("  + Awaited by:\n");
      if (depth == FORMAT_DEPTH_MAX) {
        lines.append(indent).append("     ...\n");
        return;
      }
      for (FutureCallGraph awaiter : awaitedBy) {
        awaiter.format(lines, indent + "     ", depth + 1, printed);
      }
    }
  }

  /** {@return what it is about, and how many wait for it} {@link #format} has the rest. */
  @Override
  public String toString() {
    return "FutureCallGraph[" + Descriptions.of(future) + ", awaited by " + awaitedBy.size() + "]";
  }
}
