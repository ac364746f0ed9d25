package dev.weir.testing;

import dev.weir.task.Future;
import dev.weir.task.Task;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

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

  private static final Set<String> API_PACKAGES =
      Set.of("dev.weir", "dev.weir.stream", "dev.weir.sync", "dev.weir.task");

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
    return className.substring(className.lastIndexOf('.') + 1) + "." + frame.getMethodName() + "()";
  }

  /** {@return the index of the call of Weir's that the user's code made, or -1} */
  private static int weirCallAt(List<StackTraceElement> stack) {
    int callAt = -1;
    for (int i = 0; i < stack.size(); i++) {
      String className = stack.get(i).getClassName();
      String packageName = className.substring(0, Math.max(0, className.lastIndexOf('.')));
      if (API_PACKAGES.contains(packageName)) {
        if (!className.contains("$") && !stack.get(i).getMethodName().contains("$")) {
          callAt = i;
        }
      } else if (!packageName.startsWith("java.") && !packageName.startsWith("jdk.")) {
        break;
      }
    }
    return callAt;
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
    return Duration.ofNanos(nanos).toMillis() / 1000.0 + " s";
  }
}
