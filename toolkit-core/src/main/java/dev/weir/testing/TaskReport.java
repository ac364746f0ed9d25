package dev.weir.testing;

import dev.weir.task.Future;
import dev.weir.task.Task;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Says of tasks where they are and what they wait for. On the loop only. */
final class TaskReport {
  /** What starts a task, below its first line. */
  private static final Set<String> STARTERS =
      Set.of(
          "dev.weir.task.Fiber",
          "dev.weir.task.Loop",
          "dev.weir.task.MountedFiber",
          "dev.weir.task.PortableFiber",
          "dev.weir.task.Task",
          "dev.weir.testing.TestRunner",
          "java.lang.VirtualThread");

  private static final long NANOS_PER_MILLI = 1_000_000;

  private static final Set<String> API_PACKAGES =
      Set.of("dev.weir", "dev.weir.stream", "dev.weir.sync", "dev.weir.task");

  /** By the name of a class in these packages: the methods that users can call. */
  private static final Map<String, Set<String>> PUBLIC_METHODS = new ConcurrentHashMap<>();

  private TaskReport() {}

  /** {@return what {@code task} waits for, in which call, and its stack from there on} */
  static String of(Task<?> task) {
    List<StackTraceElement> stack = userStack(task.stackTrace());
    int callAt = weirCallAt(stack);
    StringBuilder report = new StringBuilder("task '").append(task.name()).append("' ");
    report.append(state(task, stack, callAt));
    for (StackTraceElement frame : stack.subList(Math.max(0, callAt), stack.size())) {
      report.append("\n    at ").append(withoutModule(frame));
    }
    return report.toString();
  }

  private static String state(Task<?> task, List<StackTraceElement> stack, int callAt) {
    if (stack.isEmpty()) {
      return "has not begun";
    }
    Future<?> awaited = task.waitingFor();
    if (awaited == null) {
      return callAt < 0
          ? "is in a blocking call"
          : "is about to go on after " + call(stack, callAt);
    }
    String what =
        awaited instanceof Task<?> other
            ? " for task '" + other.name() + "'"
            : awaited.purpose() == null ? "" : " for " + awaited.purpose();
    return "waits" + (callAt < 0 ? "" : " in " + call(stack, callAt)) + what;
  }

  private static String call(List<StackTraceElement> stack, int at) {
    StackTraceElement frame = stack.get(at);
    String className = frame.getClassName();
    String simpleName = className.substring(className.lastIndexOf('.') + 1).replace('$', '.');
    return simpleName + "." + frame.getMethodName() + "()";
  }

  /** {@return the index of the call of Weir's that the user's code made, or -1} */
  private static int weirCallAt(List<StackTraceElement> stack) {
    int callAt = -1;
    for (int i = 0; i < stack.size(); i++) {
      String className = stack.get(i).getClassName();
      String packageName = className.substring(0, Math.max(0, className.lastIndexOf('.')));
      if (API_PACKAGES.contains(packageName)) {
        if (publicMethods(className).contains(stack.get(i).getMethodName())) {
          callAt = i;
        }
      } else if (!packageName.startsWith("java.") && !packageName.startsWith("jdk.")) {
        break;
      }
    }
    return callAt;
  }

  private static Set<String> publicMethods(String className) {
    return PUBLIC_METHODS.computeIfAbsent(className, TaskReport::findPublicMethods);
  }

  private static Set<String> findPublicMethods(String className) {
    Class<?> type;
    try {
      type = Class.forName(className, false, TaskReport.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      return Set.of(); // A hidden class, as that of a lambda.
    }
    for (Class<?> outer = type; outer != null; outer = outer.getEnclosingClass()) {
      if (!Modifier.isPublic(outer.getModifiers())) {
        return Set.of();
      }
    }
    return Arrays.stream(type.getDeclaredMethods())
        .filter(method -> Modifier.isPublic(method.getModifiers()))
        .map(Method::getName)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static String withoutModule(StackTraceElement frame) {
    return frame.getClassName()
        + "."
        + frame.getMethodName()
        + "("
        + frame.getFileName()
        + ":"
        + frame.getLineNumber()
        + ")";
  }

  private static List<StackTraceElement> userStack(StackTraceElement[] stack) {
    int to = stack.length;
    while (to > 0 && STARTERS.contains(stack[to - 1].getClassName())) {
      to--;
    }
    return Arrays.asList(stack).subList(0, to);
  }

  /** {@return a virtual time as people say it} */
  static String time(long nanos) {
    if (nanos % NANOS_PER_MILLI == 0) {
      long millis = nanos / NANOS_PER_MILLI;
      return millis / 1000.0 + " s";
    }
    return nanos < NANOS_PER_MILLI
        ? nanos + " ns"
        : BigDecimal.valueOf(nanos, 9).stripTrailingZeros().toPlainString() + " s";
  }
}
