package dev.weir.task;

import dev.weir.spi.EngineProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs main coroutines on a loop of its own, one after another, and closes it, as {@code
 * asyncio.Runner}. Most programs call {@code Asyncio.run}, which is one run on one runner.
 *
 * <pre>{@code
 * try (Runner runner = new Runner()) {
 *   runner.run(() -> first());
 *   runner.run(() -> second()); // On the same loop; what first() left running goes on.
 * }
 * }</pre>
 *
 * <p>The loop is opened by the first run, or by {@link #loop}, and all of them if the options ask
 * for several. Between two runs they stand still. All runs share one context, copied from the
 * thread that makes the runner, so that a later one sees the context variables that an earlier one
 * set.
 *
 * <p>One thread at a time may use it; it must not be on a loop.
 */
public final class Runner implements AutoCloseable {
  /**
   * How long a task that outlived its cancellation may take to end once its thread was interrupted.
   */
  private static final Duration STRAGGLER_TIMEOUT = Duration.ofSeconds(1);

  private final RunOptions options;
  private final Supplier<EngineProvider> engine;
  private final Context context = Context.copyOfCurrent();

  private @Nullable Loop loop;
  private @Nullable ExitHook exitHook;

  /** The main task of the run under way. Written while the loop stands still, read on it. */
  private @Nullable Task<?> mainTask;

  private boolean closed;

  /** Makes a runner with default options. */
  public Runner() {
    this(RunOptions.defaults());
  }

  /** Makes a runner. */
  public Runner(RunOptions options) {
    this(options, Loop::installedEngine);
  }

  /**
   * Makes a runner whose loop has an engine of the caller's choice. Corresponds to {@code
   * Runner(loop_factory=...)}.
   */
  public Runner(RunOptions options, EngineProvider engine) {
    this(options, () -> engine);
    Objects.requireNonNull(engine, "engine");
  }

  private Runner(RunOptions options, Supplier<EngineProvider> engine) {
    this.options = Objects.requireNonNull(options, "options");
    this.engine = engine;
  }

  /**
   * Runs {@code main} as the main task and waits until it is done. Tasks that it leaves go on in
   * the next run, or are cancelled by {@link #close}. Interrupting the calling thread, which may be
   * a platform or a virtual one, cancels the main task.
   *
   * @return what {@code main} returned; what it threw is thrown as it is
   * @throws CancelledError if the main task was cancelled
   * @throws SignalException if a signal cancelled it, see {@link RunOptions#handleSignals}
   * @throws IllegalStateException on a running loop, after {@link #close}, or if there is no engine
   */
  public <T extends @Nullable Object> T run(Coroutine<T> main) {
    return run(main, context);
  }

  /** The same for a body that returns nothing. */
  public void run(Action main) {
    run(Loop.asCoroutine(main));
  }

  /** The same as {@link #run(Coroutine)}, in {@code context}. */
  public <T extends @Nullable Object> T run(Coroutine<T> main, Context context) {
    Loop.ensureCoroutine(main);
    Objects.requireNonNull(context, "context");
    ensureOffLoop();
    Loop running = loop();
    try (Signals signals = handleSignals(running)) {
      running.claimStopped();
      Task<T> task = running.createTask(main, TaskOptions.defaults().withContext(context));
      mainTask = task;
      try {
        return running.runUntilComplete(task);
      } catch (CancelledError e) {
        if (task.isCancelled() && task.uncancel() == 0) {
          throw signals.translate(e);
        }
        throw e;
      } finally {
        mainTask = null;
      }
    }
  }

  /** Cancels the main task, if there is one. On the loop. */
  private void cancelMain(String reason) {
    Task<?> task = mainTask;
    if (task != null) {
      task.requestCancel(reason);
    }
  }

  private static void ensureOffLoop() {
    Fiber fiber = Fiber.current();
    if (fiber != null && !fiber.carrier.loop.isClosed()) {
      throw new IllegalStateException(
          "run() was called on a running loop, which it would block: call the code directly, or in"
              + " a task of its own with Asyncio.createTask(() -> ...)");
    }
  }

  /**
   * {@return the loop, opened if need be; of several the one with the main task, the first of its
   * {@link Loop#group}}
   *
   * @throws IllegalStateException after {@link #close}
   */
  public Loop loop() {
    if (closed) {
      throw new IllegalStateException("This runner is closed: make a new one");
    }
    Loop opened = loop;
    if (opened == null) {
      opened = Loop.openGroup(options, engine.get());
      loop = opened;
      Loop running = opened;
      exitHook =
          ExitHook.install(
              opened,
              () -> running.submitInternal(() -> cancelMain("the JVM exits")),
              options.exitTimeout());
    }
    return opened;
  }

  /**
   * Ends the loop: cancels the tasks that are left and waits for them, reports what they fail with,
   * waits for the default executor, and closes the loop; each for the time that the options give. A
   * second call has no effect. Of several loops all go on until no task is left on any, since one
   * may wait for another; then all are closed.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    Loop opened = loop;
    if (opened != null && !opened.isClosed()) {
      ensureOffLoop();
      opened.claimStopped();
    }
    closed = true;
    try {
      if (opened != null && !opened.isClosed()) {
        end(opened);
      }
    } finally {
      if (exitHook != null) {
        exitHook.uninstall();
      }
    }
  }

  private void end(Loop ending) {
    boolean interrupted = Thread.interrupted(); // Set again when nothing is left to be disturbed.
    try (ending) {
      // Before the loops run again, or what is left would take one more step as if nothing were.
      List<Ending> endings = ending.group().stream().map(Ending::new).toList();
      ending.runUntilComplete(
          ending.startInternalTask(() -> end(endings), "weir-runner"),
          () -> {}); // An interrupt does not keep tasks from cleaning up: it takes a bounded time.
      interrupted |= Thread.interrupted();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void end(List<Ending> endings) {
    do {
      onEachLoop(endings, Ending::awaitLeft);
    } while (onEachLoop(endings, Ending::cancelLeft));
    onEachLoop(endings, Ending::shutDownExecutor);
  }

  /**
   * Takes a step on each loop at the same time and waits for all. On the first loop.
   *
   * @return whether it returned true on any
   */
  private static boolean onEachLoop(List<Ending> endings, Predicate<Ending> step) {
    Ending first = endings.getFirst();
    List<CompletableFuture<Boolean>> others = new ArrayList<>();
    for (Ending other : endings.subList(1, endings.size())) {
      CompletableFuture<Boolean> done = new CompletableFuture<>();
      other.loop.submitInternal(() ->
          other.loop.startInternalTask(
              () -> done.completeAsync(() -> step.test(other), Runnable::run), "weir-runner"));
      others.add(done);
    }
    boolean any = step.test(first);
    for (CompletableFuture<Boolean> done : others) {
      any |= Bridges.fromCompletionStage(first.loop, done).await();
    }
    return any;
  }

  private Duration executorTimeout() {
    ExitHook hook = exitHook;
    return hook != null && hook.exiting() ? Duration.ZERO : options.executorTimeout();
  }

  /** The end of what is left on one loop. Made while the loop stands still, used on it. */
  private final class Ending {
    final Loop loop;
    private final long deadlineNanos;

    /** What was cancelled and is to be waited for. */
    private List<Task<?>> left;

    Ending(Loop loop) {
      this.loop = loop;
      this.deadlineNanos = loop.deadlineNanos(options.shutdownTimeout());
      this.left = cancelTasks();
    }

    private List<Task<?>> cancelTasks() {
      List<Task<?>> tasks = loop.tasks.list();
      for (Task<?> task : tasks) {
        task.requestCancel(null);
      }
      return tasks;
    }

    /** Cancels what clean-up has made since. Returns whether there is any. */
    boolean cancelLeft() {
      left = loop.nanoTime() < deadlineNanos ? cancelTasks() : List.of();
      return !left.isEmpty();
    }

    boolean awaitLeft() {
      if (!left.isEmpty()) {
        awaitAll(left, Duration.ofNanos(deadlineNanos - loop.nanoTime()));
        if (loop.nanoTime() >= deadlineNanos) {
          endStragglers();
        }
        reportFailures(loop, left);
      }
      return false;
    }

    private void awaitAll(List<Task<?>> tasks, Duration timeout) {
      new Waiting<>(loop, new LinkedHashSet<>(tasks), ReturnWhen.ALL_COMPLETED).await(timeout);
    }

    private void endStragglers() {
      List<Task<?>> stragglers = loop.tasks.list();
      for (Task<?> task : stragglers) {
        loop.callExceptionHandler(
            new ExceptionContext(
                task + " was cancelled but did not end within " + options.shutdownTimeout(),
                Stacks.of(task.fiber.thread()),
                task,
                null,
                task.createdAt));
        task.fiber.interruptForeignCode();
      }
      awaitAll(stragglers, STRAGGLER_TIMEOUT);
    }

    boolean shutDownExecutor() {
      loop.shutdownDefaultExecutor(executorTimeout());
      return false;
    }

    @Override
    public String toString() {
      return "Ending[" + loop + ", " + left.size() + " tasks left]";
    }
  }

  private static void reportFailures(Loop ending, List<Task<?>> ended) {
    for (Task<?> task : ended) {
      // One that an awaiter or a scope got is theirs; a second report would not add to it.
      Throwable failure = task.unaskedFailure();
      if (failure != null) {
        ending.callExceptionHandler(
            new ExceptionContext(
                "Unhandled exception during Asyncio.run() shutdown: " + task.label(),
                failure,
                task,
                null,
                task.createdAt));
      }
    }
  }

  private Signals handleSignals(Loop running) {
    if (!options.handleSignals()) {
      return Signals.NONE;
    }
    return Signals.handle(running, this::cancelMain);
  }

  @Override
  public String toString() {
    return "Runner[" + (closed ? "closed" : loop == null ? "no loop yet" : loop) + "]";
  }
}
