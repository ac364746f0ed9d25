package dev.weir.task;

import java.util.List;

/**
 * A scope that runs in a task of its own, and what is to be seen of it when it has ended: what it
 * threw, and what it left behind in the task.
 */
final class ObservedScope {
  private final Task<?> task;
  private Throwable thrown;
  private int cancelling;
  private boolean cancelledLater;

  private ObservedScope(Action scope) {
    task = Loop.running().createTask(() -> observe(scope));
  }

  /** Runs {@code scope} up to where everything in it waits. */
  static ObservedScope start(Action scope) {
    ObservedScope observed = new ObservedScope(scope);
    Loops.settle();
    return observed;
  }

  private void observe(Action scope) {
    try {
      scope.run();
    } catch (Throwable e) {
      thrown = e;
    }
    cancelling = Loop.currentTask().cancelling();
    try {
      Loop.running().yieldNow();
    } catch (CancelledError e) {
      cancelledLater = true;
    }
  }

  /** The task that the scope runs in, to be cancelled from outside. */
  Task<?> task() {
    return task;
  }

  /** Waits for the end of the scope. Returns what it threw, or null. */
  Throwable thrown() {
    task.await();
    return thrown;
  }

  /** Waits for the end of the scope. Returns what the group that it threw consists of. */
  List<Throwable> failures() {
    if (thrown() instanceof ExceptionGroup group) {
      return group.exceptions();
    }
    throw new AssertionError("not an ExceptionGroup: " + thrown, thrown);
  }

  /** Waits for the end of the scope. Returns how many requests to cancel the task it left. */
  int cancelling() {
    task.await();
    return cancelling;
  }

  /**
   * Waits for the end of the scope. Returns whether the suspension after it threw a cancellation.
   */
  boolean cancelledLater() {
    task.await();
    return cancelledLater;
  }

  @Override
  public String toString() {
    return "ObservedScope[" + task + ", thrown=" + thrown + ", cancelling=" + cancelling + "]";
  }
}
