package dev.weir.task;

import dev.weir.spi.EngineProvider;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Runs a main coroutine on a loop of its own, from its opening to its closing. Most programs call
 * {@code Asyncio.run}.
 *
 * <p>The thread that calls {@link #run} waits; a task of the loop's own supervises: it starts the
 * main task, and when that is done it cancels what is left, waits for it, and closes the loop.
 */
public final class Runner<T extends @Nullable Object> {
  /**
   * How long a task that outlived its cancellation may take to end once its thread was interrupted.
   */
  private static final Duration STRAGGLER_TIMEOUT = Duration.ofSeconds(1);

  /** How long the loop's thread may take to end once nothing runs on it any more. */
  private static final Duration CARRIER_TIMEOUT = Duration.ofSeconds(20);

  private final Coroutine<T> main;
  private final RunOptions options;
  private final Loop loop;
  private final CountDownLatch closed = new CountDownLatch(1);

  // On the loop until it is closed, then the caller's.
  private @Nullable Task<T> mainTask;

  /** Why the main task is to be cancelled, if somebody said so before there was one. */
  private @Nullable String cancelledEarly;

  private @Nullable Throwable supervisorFailure;

  private Runner(Coroutine<T> main, RunOptions options, EngineProvider engine) {
    this.main = main;
    this.options = options;
    this.loop = Loop.open(options, engine);
  }

  /**
   * Runs {@code main} as the main task of a new loop and waits until it is done and the loop is
   * closed. Corresponds to {@code asyncio.run}.
   *
   * <p>Tasks that are left then are cancelled and waited for. Interrupting the calling thread,
   * which may be a platform or a virtual one, cancels the main task.
   *
   * @return what {@code main} returned
   * @throws CancelledError if the main task was cancelled
   * @throws SignalException if a signal cancelled it
   * @throws IllegalStateException on a loop, because it would block that loop; or if there is no
   *     engine
   */
  public static <T extends @Nullable Object> T run(Coroutine<T> main, RunOptions options) {
    return run(main, options, Loop.installedEngine());
  }

  static <T extends @Nullable Object> T run(
      Coroutine<T> main, RunOptions options, EngineProvider engine) {
    Objects.requireNonNull(main, "main");
    Objects.requireNonNull(options, "options");
    Fiber fiber = Fiber.current();
    if (fiber != null && !fiber.carrier.loop.isClosed()) {
      throw new IllegalStateException(
          "run() was called on a running loop, which it would block: call the code directly, or in"
              + " a task of its own with Asyncio.createTask(() -> ...)");
    }
    return new Runner<>(main, options, engine).runToEnd();
  }

  /** The same for a body that returns nothing. */
  public static void run(Action main, RunOptions options) {
    run(Loop.asCoroutine(main), options);
  }

  private T runToEnd() {
    try (Signals signals = handleSignals()) {
      loop.submitInternal(() -> loop.startInternalTask(this::supervise, "weir-runner"));
      boolean interrupted = awaitClosed();
      joinCarrier();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      return outcome(signals);
    }
  }

  private Signals handleSignals() {
    try {
      return options.handleSignals() ? Signals.handle(this::cancelMain) : Signals.NONE;
    } catch (RuntimeException e) {
      loop.submitInternal(loop::close); // It runs already.
      throw e;
    }
  }

  private T outcome(Signals signals) {
    Task<T> task = mainTask;
    if (task == null) {
      throw new IllegalStateException(
          "The loop ended before its main task began", supervisorFailure);
    }
    try {
      return Future.<T, RuntimeException>resultOf(task);
    } catch (CancelledError e) {
      throw signals.translate(e);
    }
  }

  /**
   * Waits for the loop to close; an interrupt meanwhile cancels the main task. Returns whether
   * there was one.
   */
  private boolean awaitClosed() {
    boolean interrupted = false;
    while (true) {
      try {
        closed.await();
        return interrupted;
      } catch (InterruptedException e) {
        interrupted = true;
        cancelMain("the thread that called run() was interrupted");
      }
    }
  }

  private void joinCarrier() {
    boolean interrupted = false;
    try {
      if (!loop.carrier.thread.join(CARRIER_TIMEOUT)) {
        loop.defaultExceptionHandler(
            ExceptionContext.of(
                "The thread of " + loop + " did not end within " + CARRIER_TIMEOUT,
                stackOf(loop.carrier.thread)));
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void cancelMain(String reason) {
    loop.submitInternal(() -> {
      if (mainTask != null) {
        mainTask.requestCancel(reason);
      } else {
        cancelledEarly = reason;
      }
    });
  }

  private void supervise() {
    try {
      Task<T> task = loop.createTask(main);
      mainTask = task;
      if (cancelledEarly != null) {
        task.requestCancel(cancelledEarly);
      }
      Task<?> self = Objects.requireNonNull(Loop.currentTask());
      if (!task.isDone()) {
        self.suspendUntilDone(task);
      }
      task.failure(); // The caller of run() gets it.
      endTasks(self);
      loop.reportUnretrieved();
    } catch (Throwable e) {
      supervisorFailure = e;
      throw e;
    } finally {
      loop.close();
      closed.countDown();
    }
  }

  private void endTasks(Task<?> self) {
    for (Task<?> task : loop.tasks.list()) {
      task.requestCancel(null);
    }
    if (!loop.tasks.awaitEmpty(self, options.shutdownTimeout())) {
      endStragglers(self);
    }
  }

  private void endStragglers(Task<?> self) {
    for (Task<?> task : loop.tasks.list()) {
      loop.callExceptionHandler(
          new ExceptionContext(
              task + " was cancelled but did not end within " + options.shutdownTimeout(),
              stackOf(task.fiber.thread()),
              task,
              null));
      task.fiber.thread().interrupt();
    }
    loop.tasks.awaitEmpty(self, STRAGGLER_TIMEOUT);
  }

  /** {@return an exception that is never thrown and shows where {@code thread} is} */
  private static Throwable stackOf(Thread thread) {
    Throwable stack = new Throwable("stack of thread '" + thread.getName() + "'");
    stack.setStackTrace(thread.getStackTrace());
    return stack;
  }
}
