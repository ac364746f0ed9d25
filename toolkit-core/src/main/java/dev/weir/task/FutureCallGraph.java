package dev.weir.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
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
 *     except where they wait for each other in a circle
 */
public record FutureCallGraph(
    Future<?> future, List<StackTraceElement> callStack, List<FutureCallGraph> awaitedBy) {
  /** Copies the lists. */
  public FutureCallGraph {
    Objects.requireNonNull(future, "future");
    callStack = List.copyOf(callStack);
    awaitedBy = List.copyOf(awaitedBy);
  }

  /** Takes the graph of {@code future}; see {@code Asyncio.captureCallGraph(Future, int)}. */
  static FutureCallGraph of(Future<?> future, int limit) {
    future.loop.ensureHeld("captureCallGraph()");
    return of(future, limit, Awaiters.of(future.loop), new LinkedHashSet<>());
  }

  private static FutureCallGraph of(
      Future<?> future, int limit, Awaiters awaiters, Set<Future<?>> path) {
    path.add(future);
    List<FutureCallGraph> awaitedBy = new ArrayList<>();
    for (Task<?> awaiter : awaiters.awaitersOf(future)) {
      if (!path.contains(awaiter)) {
        awaitedBy.add(of(awaiter, limit, awaiters, path));
      }
    }
    path.remove(future);
    return new FutureCallGraph(future, limited(stackOf(future), limit), awaitedBy);
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
   * format_call_graph}.
   */
  public String format() {
    StringBuilder lines = new StringBuilder();
    format(lines, "");
    return lines.toString();
  }

  private void format(StringBuilder lines, String indent) {
    lines.append(indent).append("* ").append(Descriptions.of(future)).append('\n');
    if (!callStack.isEmpty()) {
      lines.append(indent).append("  + Call stack:\n");
      for (StackTraceElement frame : callStack) {
        lines.append(indent).append("  |   at ").append(frame).append('\n');
      }
    }
    if (!awaitedBy.isEmpty()) {
      lines.append(indent).append("  + Awaited by:\n");
      for (FutureCallGraph awaiter : awaitedBy) {
        awaiter.format(lines, indent + "     ");
      }
    }
  }
}
