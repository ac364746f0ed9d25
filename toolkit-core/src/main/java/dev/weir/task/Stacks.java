package dev.weir.task;

import java.util.Set;

/** Stacks for reports: exceptions that are never thrown. */
final class Stacks {
  /** Through which tasks and futures are made; who asked for one stands below these. */
  private static final Set<String> MAKERS =
      Set.of(
          "dev.weir.Asyncio",
          Future.class.getName(),
          Futures.class.getName(),
          Gathering.class.getName(),
          Loop.class.getName(),
          Stacks.class.getName(),
          StartingTaskFactory.class.getName(),
          Task.class.getName(),
          TaskGroup.class.getName());

  private Stacks() {}

  /** {@return an exception that shows where {@code thread} is} */
  static Throwable of(Thread thread) {
    return named("stack of thread '" + thread.getName() + "'", thread.getStackTrace());
  }

  /** {@return an exception that shows {@code stack}} */
  static Throwable of(StackTraceElement[] stack) {
    return named("the stack", stack);
  }

  /** {@return the frame of {@code site} that asked for a task or future to be made} */
  static String callerOf(Throwable site) {
    for (StackTraceElement frame : site.getStackTrace()) {
      if (!MAKERS.contains(frame.getClassName())) {
        return frame.toString();
      }
    }
    return "an unknown place";
  }

  /** {@return the method and line that called into Weir; far cheaper than a whole stack} */
  static String caller() {
    return StackWalker.getInstance()
        .walk(frames -> frames.filter(frame -> !MAKERS.contains(frame.getClassName())).findFirst())
        .map(frame ->
            frame.getClassName()
                + "."
                + frame.getMethodName()
                + "("
                + frame.getFileName()
                + ":"
                + frame.getLineNumber()
                + ")")
        .orElse("an unknown place");
  }

  /** {@return the frame of {@code stack} from which the JDK was called} */
  static String callerOfJdk(StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      String module = frame.getModuleName();
      if (module == null || !(module.startsWith("java.") || module.startsWith("jdk."))) {
        return frame.toString();
      }
    }
    return "an unknown place";
  }

  private static Throwable named(String name, StackTraceElement[] stack) {
    Throwable shown = new Throwable(name);
    shown.setStackTrace(stack);
    return shown;
  }
}
