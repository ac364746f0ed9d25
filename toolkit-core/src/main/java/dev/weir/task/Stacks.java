package dev.weir.task;

/** Stacks for reports: exceptions that are never thrown. */
final class Stacks {
  private Stacks() {}

  /** {@return an exception that shows where {@code thread} is} */
  static Throwable of(Thread thread) {
    return named("stack of thread '" + thread.getName() + "'", thread.getStackTrace());
  }

  /** {@return an exception that shows {@code stack}} */
  static Throwable of(StackTraceElement[] stack) {
    return named("the stack", stack);
  }

  private static Throwable named(String name, StackTraceElement[] stack) {
    Throwable shown = new Throwable(name);
    shown.setStackTrace(stack);
    return shown;
  }
}
