package dev.weir.task;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A scope that ends when all the tasks made in it have ended, as {@code asyncio.TaskGroup}.
 *
 * <pre>{@code
 * new TaskGroup().run(group -> {
 *   group.createTask(() -> fetch("a"));
 *   group.createTask(() -> fetch("b"));
 * }); // Both have ended here.
 * }</pre>
 *
 * <p>When a task of the group fails, the others and the body are cancelled, and the scope throws an
 * {@link ExceptionGroup} of all failures, in the order in which they came, the body's own last. A
 * task that is cancelled does not count as failed. The body's own failure cancels the tasks and is
 * thrown in a group, too, even if it is the only one. If the task that runs the scope is cancelled
 * from outside, so are the tasks of the group; the scope then throws {@link CancelledError}, unless
 * tasks failed: their failures win, and the cancellation is thrown at the next suspension.
 *
 * <p>A {@link SignalException} of a task or the body is thrown alone, not in a group; failures
 * beside it go to the loop's exception handler.
 *
 * <p>Used once, on one loop; its methods throw {@link IllegalStateException} elsewhere.
 */
public final class TaskGroup {
  private final Set<Task<?>> tasks = new LinkedHashSet<>();
  private final List<Throwable> failures = new ArrayList<>();

  /** The task that runs the scope; null before that. */
  private @Nullable Task<?> parent;

  /** Whether the body has ended. */
  private boolean exiting;

  /** Whether the tasks were cancelled, so that no more may be made. */
  private boolean aborting;

  /** Whether the group itself cancelled the parent, which it has to take back. */
  private boolean parentCancelRequested;

  /** Whether {@link #cancel} was called before the scope began. */
  private boolean cancelledBefore;

  /** How many cancellations the parent had heard of when it entered. */
  private int cancellingBefore;

  private @Nullable SignalException signal;

  /** What the parent waits for at the end of the scope. */
  private @Nullable Future<@Nullable Void> allDone;

  /** Makes a group; {@link #run} or {@link #call} enters it. */
  public TaskGroup() {}

  /**
   * Runs {@code body} in the scope, and suspends until all tasks of the group have ended.
   *
   * @throws ExceptionGroup if tasks or the body failed
   * @throws CancelledError if the calling task was cancelled
   * @throws IllegalStateException outside a task, or if the group was used before
   */
  public void run(ScopeAction<? super TaskGroup, ?> body) {
    Objects.requireNonNull(body, "body");
    this.<@Nullable Void>call(scope -> {
      body.run(scope);
      return null;
    });
  }

  /**
   * The same as {@link #run} for a body with a value.
   *
   * @return what the body returned; null if {@link #cancel} ended it
   */
  @SuppressWarnings("NullAway") // Null only after cancel(), as documented.
  public <T extends @Nullable Object> T call(ScopeCall<? super TaskGroup, T, ?> body) {
    Objects.requireNonNull(body, "body");
    Task<?> entered = enter();
    T result = null;
    Throwable thrown = null;
    try {
      result = body.call(this);
    } catch (Throwable e) {
      if (entered.loop.isOutlived()) {
        throw Sneaky.rethrow(e); // There is nothing to wait with, and nobody to cancel.
      }
      CancelledError cancellation = entered.asCancellation(e);
      thrown = cancellation == null ? e : cancellation;
    }
    try {
      exit(entered, thrown);
    } finally {
      entered.loop.openGroups.remove(this);
    }
    return result;
  }

  /**
   * Makes a task in the group, as {@code Asyncio.createTask}. From the body, or from another task
   * of the group.
   *
   * @throws IllegalStateException before the scope has begun, after its end, or while it is
   *     cancelling its tasks
   */
  public <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine) {
    return createTask(coroutine, TaskOptions.defaults());
  }

  /** Makes a task with a name; see {@link #createTask(Coroutine)}. */
  public <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine, String name) {
    return createTask(coroutine, TaskOptions.defaults().withName(name));
  }

  /** Makes a task as {@code options} say; see {@link #createTask(Coroutine)}. */
  public <T extends @Nullable Object> Task<T> createTask(
      Coroutine<T> coroutine, TaskOptions options) {
    Loop.ensureCoroutine(coroutine);
    Task<?> owner = ensureTakesTasks();
    Task<T> task = owner.loop.createTask(coroutine, options);
    // A task that began eagerly and has failed already is dealt with in the next round, as any
    // other: dealt with here, it would cancel the body in the middle of a step.
    tasks.add(task);
    task.onDone(() -> taskDone(task));
    if (aborting) {
      task.requestCancel(null); // It aborted the group while it began.
    }
    return task;
  }

  /** Makes a task in the group; see {@link #createTask(Coroutine)}. */
  public Task<@Nullable Void> createTask(Action action) {
    return createTask(Loop.asCoroutine(action));
  }

  /** Makes a task with a name; see {@link #createTask(Coroutine)}. */
  public Task<@Nullable Void> createTask(Action action, String name) {
    return createTask(Loop.asCoroutine(action), name);
  }

  /** Makes a task as {@code options} say; see {@link #createTask(Coroutine)}. */
  public Task<@Nullable Void> createTask(Action action, TaskOptions options) {
    return createTask(Loop.asCoroutine(action), options);
  }

  /**
   * Cancels the tasks and the body; the scope then ends as if they had ended by themselves. A
   * cancellation that comes from elsewhere, before or after, is thrown all the same. Once the scope
   * has ended, or was cancelled before, a call has no effect.
   *
   * <p>A group that is cancelled before its scope has begun takes no tasks, and its body ends at
   * its first suspension.
   */
  public void cancel() {
    Task<?> owner = parent;
    if (owner == null) {
      cancelledBefore = true;
      return;
    }
    owner.loop.ensureHeld("TaskGroup.cancel()");
    if (aborting || (exiting && tasks.isEmpty())) {
      return;
    }
    abort();
    if (!exiting) {
      cancelParent(owner);
    }
  }

  private Task<?> enter() {
    Loop loop = Loop.running();
    loop.ensureInTask("TaskGroup.run()");
    if (parent != null) {
      throw new IllegalStateException(
          "This task group was entered before: make a new one for every scope");
    }
    Task<?> entered = Objects.requireNonNull(Loop.currentTask());
    entered.ensureMaySuspend("TaskGroup.run()"); // Or its tasks would outlive it.
    parent = entered;
    loop.openGroups.add(this);
    cancellingBefore = entered.cancellationsHeard();
    if (cancelledBefore) {
      cancel();
    }
    return entered;
  }

  /** {@return the task that waits for this group} */
  @Nullable Task<?> owner() {
    return parent;
  }

  /** {@return its tasks that are not done} */
  Collection<Task<?>> unfinished() {
    return tasks;
  }

  private Task<?> ensureEntered() {
    Task<?> owner = parent;
    if (owner == null) {
      throw new IllegalStateException(
          "This task group has not been entered: use it in new TaskGroup().run(group -> ...)");
    }
    return owner;
  }

  private Task<?> ensureTakesTasks() {
    Task<?> owner = ensureEntered();
    owner.loop.ensureHeld("TaskGroup.createTask()");
    if (exiting && tasks.isEmpty()) {
      throw new IllegalStateException(
          "This task group is finished: create tasks in its body, or in a task of its own");
    }
    if (aborting) {
      throw new IllegalStateException(
          "This task group is cancelling its tasks: it takes no more of them");
    }
    return owner;
  }

  private void abort() {
    aborting = true;
    for (Task<?> task : List.copyOf(tasks)) {
      task.requestCancel(null);
    }
  }

  private void cancelParent(Task<?> owner) {
    if (!parentCancelRequested) {
      parentCancelRequested = true;
      owner.requestCancel(null);
    }
  }

  private void taskDone(Task<?> task) {
    tasks.remove(task);
    if (tasks.isEmpty() && allDone != null && !allDone.isDone()) {
      allDone.complete(null);
    }
    Throwable failure = task.isCancelled() ? null : task.failure();
    if (failure == null) {
      return;
    }
    failures.add(failure);
    noteSignal(failure);
    if (!aborting) {
      abort();
      cancelParent(Objects.requireNonNull(parent));
    }
  }

  private void noteSignal(Throwable failure) {
    if (signal == null && failure instanceof SignalException first) {
      signal = first;
    }
  }

  /** Ends the scope, whose body threw {@code thrown}, if anything. */
  private void exit(Task<?> owner, @Nullable Throwable thrown) {
    exiting = true;
    CancelledError cancellation = thrown instanceof CancelledError c ? c : null;
    if (thrown != null) {
      noteSignal(thrown);
      if (!aborting) {
        abort();
      }
    }
    while (!tasks.isEmpty()) {
      try {
        awaitTasks(owner);
      } catch (CancelledError e) {
        if (!aborting) {
          abort();
        }
        if (cancellation == null || parentCancelRequested) {
          cancellation = e; // The one before may be the group's own.
        }
      }
    }
    int requests = owner.cancelling();
    if (parentCancelRequested) {
      requests = owner.uncancel();
    }
    if (thrown != null && !(thrown instanceof CancelledError)) {
      failures.add(thrown);
    }
    if (signal != null) {
      reportDisplaced(owner.loop, signal);
      throw signal;
    }
    boolean fromOutside = requests > cancellingBefore;
    if (parentCancelRequested && !fromOutside) {
      owner.dropPendingCancellation(); // The group's own, if the body did not suspend any more.
    }
    if (!failures.isEmpty()) {
      throwFailures(owner);
    }
    if (cancellation != null && (!parentCancelRequested || fromOutside)) {
      throw cancellation;
    }
  }

  private void awaitTasks(Task<?> owner) {
    Future<@Nullable Void> done = new Future<>(owner.loop, new Unfinished());
    allDone = done;
    try {
      done.await();
    } finally {
      allDone = null;
    }
  }

  /** What the end of the scope waits for, in reports, which are made on the loop. */
  private final class Unfinished {
    @Override
    public String toString() {
      return "TaskGroup[" + tasks.size() + " unfinished: " + Futures.names(tasks) + "]";
    }
  }

  /** Reports the failures that are not thrown, because {@code thrown} is. */
  private void reportDisplaced(Loop loop, SignalException thrown) {
    for (Throwable failure : failures) {
      if (!(failure instanceof SignalException)) {
        loop.callExceptionHandler(
            ExceptionContext.of("Failure in a TaskGroup that was " + thrown.getMessage(), failure));
      }
    }
  }

  private void throwFailures(Task<?> owner) {
    if (owner.cancelling() > 0) {
      // A cancellation from outside was delivered here and lost to the failures: have it thrown
      // again at the next suspension, with the count as it was.
      owner.uncancel();
      owner.requestCancel(null);
    }
    throw new ExceptionGroup("unhandled errors in a TaskGroup", failures);
  }

  @Override
  public String toString() {
    return "TaskGroup["
        + tasks.size()
        + " tasks, "
        + failures.size()
        + " failures"
        + (aborting ? ", cancelling]" : parent == null ? ", not entered]" : "]");
  }
}
