package dev.weir.task;

import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.Network;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An event loop, as asyncio's: it runs tasks and callbacks one at a time, on a thread of its own.
 *
 * <p>{@code Asyncio.run} opens one and closes it; {@code Asyncio.runningLoop()} returns it.
 *
 * <p>Except for {@link #callSoonThreadsafe} and where it is said, methods must be called on the
 * loop, that is from one of its tasks or callbacks, and throw {@link IllegalStateException}
 * elsewhere.
 */
public final class Loop {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final AtomicLong TASK_COUNT = new AtomicLong();

  /** Longer delays than this (146 years) are cut to it, so that no sum of times overflows. */
  private static final long DELAY_NANOS_MAX = Long.MAX_VALUE / 2;

  final Carrier carrier;
  private final Workers workers;

  // Written on the loop, read by any thread.
  private volatile boolean closed;

  private final IoDriver driver;

  // On the loop only.
  final TaskRegistry tasks = new TaskRegistry();
  private @Nullable ExceptionHandler exceptionHandler;
  private long timerSequence;

  /**
   * The failures that nobody has asked for. The loop holds these, but not the futures they belong
   * to.
   */
  final Set<UnretrievedFailure> unretrieved = new LinkedHashSet<>();

  private Loop(FiberKind fibers, EngineProvider engine, String transport) {
    String name = "weir-loop-" + COUNT.incrementAndGet();
    this.carrier =
        fibers == FiberKind.MOUNTED
            ? new MountedCarrier(this, name, engine, transport)
            : new PortableCarrier(this, name, engine, transport);
    this.driver = carrier.driver;
    this.workers = new Workers(this, name);
  }

  /** {@return the engine that is installed} */
  static EngineProvider installedEngine() {
    return ServiceLoader.load(EngineProvider.class)
        .findFirst()
        .orElseThrow(() ->
            new IllegalStateException(
                "No engine found: add the dependency dev.weir:toolkit-netty"));
  }

  /** Opens a loop and starts its thread. Any thread. */
  static Loop open(RunOptions options, EngineProvider engine) {
    Loop loop = new Loop(resolve(options.fibers()), engine, options.transport());
    loop.carrier.thread.start();
    return loop;
  }

  private static FiberKind resolve(FiberKind wanted) {
    return switch (wanted) {
      case AUTO -> {
        if (VirtualThreads.schedulerIsOurs()) {
          yield FiberKind.MOUNTED;
        }
        PortableNotice.logOnce();
        yield FiberKind.PORTABLE;
      }
      case MOUNTED -> {
        if (!VirtualThreads.schedulerIsOurs()) {
          throw new IllegalStateException(
              "Mounted fibers need --add-opens java.base/java.lang=ALL-UNNAMED (=dev.weir.core on"
                  + " the module path): add it, or use FiberKind.AUTO; the JVM says: "
                  + VirtualThreads.unavailableBecause());
        }
        yield FiberKind.MOUNTED;
      }
      case PORTABLE -> FiberKind.PORTABLE;
    };
  }

  /**
   * {@return the loop that the calling task or callback runs on}
   *
   * @throws IllegalStateException elsewhere
   */
  public static Loop running() {
    Fiber fiber = Fiber.current();
    if (fiber == null) {
      throw new IllegalStateException(
          "No running loop on thread '"
              + Thread.currentThread().getName()
              + "': call this from a task, as in Asyncio.run(() -> ...)");
    }
    Loop loop = fiber.carrier.loop;
    loop.ensureOpen();
    return loop;
  }

  /** {@return the task that calls, or null in a callback} */
  public static @Nullable Task<?> currentTask() {
    Loop loop = running();
    loop.ensureHeld("Loop.currentTask()");
    Fiber fiber = Fiber.current();
    return fiber == null ? null : fiber.task;
  }

  // --- Callbacks and time

  /**
   * Has {@code callback} called soon: after what is ready now, never before this call returns.
   * First in, first out.
   *
   * <p>A callback must not suspend: it has no task to suspend. What it throws goes to the exception
   * handler.
   */
  public Handle callSoon(Runnable callback) {
    Objects.requireNonNull(callback, "callback");
    ensureHeld("Loop.callSoon()");
    return enqueueCallback(callback);
  }

  /**
   * The same as {@link #callSoon}, for any thread.
   *
   * @throws IllegalStateException if the loop is closed
   */
  public Handle callSoonThreadsafe(Runnable callback) {
    Objects.requireNonNull(callback, "callback");
    ensureOpen();
    Handle handle = new Handle(this, callback, false);
    carrier.submit(handle);
    return handle;
  }

  /** Has {@code callback} called after {@code delay}, at once if it is zero or negative. */
  public TimerHandle callLater(Duration delay, Runnable callback) {
    Objects.requireNonNull(callback, "callback");
    ensureHeld("Loop.callLater()");
    return addTimer(driver.nanoTime() + toNanos(delay), callback, false);
  }

  /**
   * Has {@code callback} called at {@code when}, by {@link #time}. Callbacks of one time are called
   * in the order of registration.
   */
  public TimerHandle callAt(Duration when, Runnable callback) {
    Objects.requireNonNull(callback, "callback");
    ensureHeld("Loop.callAt()");
    return addTimer(toNanos(when), callback, false);
  }

  /**
   * {@return the loop's clock: the time since an origin of its own, never going back; any thread
   * may ask}
   */
  public Duration time() {
    return Duration.ofNanos(driver.nanoTime());
  }

  // --- Tasks and futures

  /** {@return a new future that is not done} */
  public <T extends @Nullable Object> Future<T> createFuture() {
    ensureHeld("Loop.createFuture()");
    return new Future<>(this);
  }

  /**
   * Makes a task that runs {@code coroutine}, beginning in the next round. Its name is {@code
   * Task-N}.
   */
  public <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine) {
    return createTask(coroutine, "Task-" + TASK_COUNT.incrementAndGet());
  }

  /** Makes a task with a name that runs {@code coroutine}, beginning in the next round. */
  public <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine, String name) {
    Objects.requireNonNull(coroutine, "coroutine");
    Objects.requireNonNull(name, "name");
    ensureHeld("Loop.createTask()");
    return startTask(coroutine, name);
  }

  /**
   * Makes a task that runs {@code action}, beginning in the next round. Its name is {@code Task-N}.
   */
  public Task<@Nullable Void> createTask(Action action) {
    return createTask(asCoroutine(action));
  }

  /** Makes a task with a name that runs {@code action}, beginning in the next round. */
  public Task<@Nullable Void> createTask(Action action, String name) {
    return createTask(asCoroutine(action), name);
  }

  /**
   * Suspends the calling task for {@code delay}. Zero or less lets everything that is ready run
   * first.
   *
   * @throws CancelledError if the task is cancelled
   * @throws IllegalStateException outside a task
   */
  public void sleep(Duration delay) {
    if (!delay.isPositive()) {
      yieldNow();
      return;
    }
    Task<?> task = ensureTask("sleep()");
    Future<@Nullable Void> due = new Future<>(this);
    TimerHandle timer = completeLater(due, delay);
    try {
      task.suspendUntilDone(due);
      Future.resultOf(due);
    } finally {
      timer.cancel();
    }
  }

  /**
   * Suspends the calling task until everything that is ready now has run.
   *
   * @throws CancelledError if the task is cancelled
   * @throws IllegalStateException outside a task
   */
  public void yieldNow() {
    ensureTask("yieldNow()").yieldTurn();
  }

  /**
   * Runs {@code work} on a thread of the loop's own pool, for calls that would block the loop.
   *
   * <p>Cancelling the future does not stop the thread; its result is dropped then.
   *
   * @return completes on the loop with what {@code work} returned or threw
   */
  public <T extends @Nullable Object> Future<T> runInExecutor(Coroutine<T> work) {
    Objects.requireNonNull(work, "work");
    ensureHeld("Loop.runInExecutor()");
    return workers.call(work);
  }

  // --- Errors

  /**
   * Sets who receives errors that reach nobody else; null restores {@link
   * #defaultExceptionHandler}.
   */
  public void setExceptionHandler(@Nullable ExceptionHandler handler) {
    ensureHeld("Loop.setExceptionHandler()");
    exceptionHandler = handler;
  }

  /** {@return what {@link #setExceptionHandler} set} */
  public @Nullable ExceptionHandler exceptionHandler() {
    ensureHeld("Loop.exceptionHandler()");
    return exceptionHandler;
  }

  /** Reports an error to the exception handler. If that throws, the default one reports both. */
  public void callExceptionHandler(ExceptionContext context) {
    ExceptionHandler handler = exceptionHandler;
    if (handler == null) {
      defaultExceptionHandler(context);
      return;
    }
    try {
      handler.handle(this, context);
    } catch (Throwable e) {
      if (context.exception() != null) {
        e.addSuppressed(context.exception());
      }
      defaultExceptionHandler(
          ExceptionContext.of(
              "Exception in exception handler, while handling: " + context.message(), e));
    }
  }

  /** Logs an error to the {@link System.Logger} {@code dev.weir}. */
  public void defaultExceptionHandler(ExceptionContext context) {
    Logging.LOGGER.log(System.Logger.Level.ERROR, context.message(), context.exception());
  }

  // --- About the loop

  /**
   * {@return the name of the engine's transport, {@code epoll} or {@code nio}; any thread may ask}
   */
  public String transport() {
    return driver.transport();
  }

  /** {@return the kind of fibers its tasks run on; any thread may ask} */
  public FiberKind fibers() {
    return carrier instanceof MountedCarrier ? FiberKind.MOUNTED : FiberKind.PORTABLE;
  }

  /** {@return whether it runs no more; any thread may ask} */
  public boolean isClosed() {
    return closed;
  }

  /** {@return the engine's network, on which streams are built} */
  public Network network() {
    return driver.network();
  }

  /**
   * Checks that the caller may touch what belongs to this loop.
   *
   * @param call what was called, for the message
   * @throws IllegalStateException if the caller is not one of this loop's tasks or callbacks
   */
  public void ensureHeld(String call) {
    if (!carrier.holdsTurn()) {
      ensureOpen();
      throw new IllegalStateException(
          call
              + " was called on thread '"
              + Thread.currentThread().getName()
              + "', but belongs to loop '"
              + carrier.thread.getName()
              + "': call it from a task or callback of that loop, or hand it over with"
              + " loop.callSoonThreadsafe(() -> ...)");
    }
  }

  /** {@return whether a task of this loop is calling, and not a callback or another thread} */
  public boolean inTask() {
    Fiber fiber = Fiber.current();
    return fiber != null && fiber.task != null && carrier.holdsTurn();
  }

  /**
   * Checks that the caller can suspend here.
   *
   * @param call what was called, for the message
   * @throws IllegalStateException if the caller is not one of this loop's tasks
   */
  public void ensureInTask(String call) {
    ensureTask(call);
  }

  // --- For the engine inside

  void ensureOpen() {
    if (closed) {
      throw new IllegalStateException("The loop '" + carrier.thread.getName() + "' is closed");
    }
  }

  static IllegalStateException notInTask(String call) {
    return new IllegalStateException(
        call
            + " suspends, and there is no task to suspend on thread '"
            + Thread.currentThread().getName()
            + "': call it from a coroutine, as in loop.createTask(() -> ...)");
  }

  private Task<?> ensureTask(String call) {
    ensureOpen();
    Fiber fiber = Fiber.current();
    if (fiber == null || fiber.task == null) {
      throw notInTask(call);
    }
    ensureHeld(call);
    return fiber.task;
  }

  Handle enqueueCallback(Runnable callback) {
    Handle handle = new Handle(this, callback, false);
    carrier.ready.add(handle);
    return handle;
  }

  /** Runs a step of the loop's own on the loop. Any thread. */
  void submitInternal(Runnable step) {
    carrier.submit(new Handle(this, step, true));
  }

  TimerHandle addTimer(long whenNanos, Runnable callback, boolean internal) {
    TimerHandle timer = new TimerHandle(this, callback, internal, whenNanos, timerSequence++);
    carrier.timers.add(timer);
    carrier.ioRequested(); // A poll that sleeps towards a later deadline must start anew.
    return timer;
  }

  /** Completes {@code future} after {@code delay}, unless it is done then. */
  TimerHandle completeLater(Future<@Nullable Void> future, Duration delay) {
    return addTimer(
        driver.nanoTime() + toNanos(delay),
        () -> {
          if (!future.isDone()) {
            future.complete(null);
          }
        },
        true);
  }

  void timerCancelled() {
    if (carrier.holdsTurn()) {
      carrier.timers.cancelled();
    } else if (!closed) {
      submitInternal(carrier.timers::cancelled);
    }
  }

  static Coroutine<@Nullable Void> asCoroutine(Action action) {
    Objects.requireNonNull(action, "action");
    return () -> {
      action.run();
      return null;
    };
  }

  <T extends @Nullable Object> Task<T> startTask(Coroutine<T> coroutine, String name) {
    Task<T> task = new Task<>(this, coroutine, name, false);
    tasks.add(task);
    task.fiber.wake();
    return task;
  }

  /** Starts a task that is none of the user's: it is not listed, cancelled or waited for. */
  void startInternalTask(Action action, String name) {
    new Task<>(this, asCoroutine(action), name, true).fiber.wake();
  }

  /** Reports the failures that nobody has asked for, and nobody will. */
  void reportUnretrieved() {
    List.copyOf(unretrieved).forEach(UnretrievedFailure::report);
  }

  /** Closes the loop: its thread ends when what is ready has run. Called on the loop. */
  void close() {
    closed = true;
    workers.shutdown();
    for (Task<?> task : tasks.list()) {
      task.evict();
    }
    carrier.close();
  }

  static long toNanos(Duration duration) {
    // Compared as durations first: toNanos() of a long one overflows.
    if (duration.compareTo(Duration.ofNanos(DELAY_NANOS_MAX)) > 0) {
      return DELAY_NANOS_MAX;
    }
    if (duration.isNegative()) {
      return Math.max(duration.toSeconds(), -DELAY_NANOS_MAX / 1_000_000_000) * 1_000_000_000;
    }
    return duration.toNanos();
  }

  @Override
  public String toString() {
    return "Loop["
        + carrier.thread.getName()
        + ", "
        + fibers()
        + ", "
        + transport()
        + (closed ? ", closed]" : "]");
  }

  /** Logged lazily, so that a program that logs nothing never sets logging up. */
  private static final class Logging {
    static final System.Logger LOGGER = System.getLogger("dev.weir");
  }

  private static final class PortableNotice {
    static {
      Logging.LOGGER.log(
          System.Logger.Level.INFO,
          "Running on portable fibers: a blocking call of the JDK blocks the loop. For mounted"
              + " fibers, faster and free of that, start Java with --add-opens"
              + " java.base/java.lang=ALL-UNNAMED (=dev.weir.core on the module path)");
    }

    static void logOnce() {}
  }
}
