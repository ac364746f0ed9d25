package dev.weir.task;

import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.Network;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An event loop, as asyncio's: it runs tasks and callbacks one at a time, on a thread of its own.
 *
 * <p>{@code Asyncio.run} opens one and closes it; {@code Asyncio.runningLoop()} returns it. {@link
 * #open} makes one to be run, stopped and closed by hand.
 *
 * <p>Except for {@link #callSoonThreadsafe}, {@link #stop} and where it is said, methods must be
 * called on the loop, that is from one of its tasks or callbacks, and throw {@link
 * IllegalStateException} elsewhere. While the loop does not run, the thread that opened it or ran
 * it last may call them.
 */
public final class Loop implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final AtomicLong TASK_COUNT = new AtomicLong();

  /** Longer delays than this (146 years) are cut to it, so that no sum of times overflows. */
  private static final long DELAY_NANOS_MAX = Long.MAX_VALUE / 2;

  private static final String AWAITED_HERE = "awaited here";

  /** A failure that is awaited again and again, as that of a connection, must not grow for ever. */
  private static final int AWAITING_SITES_MAX = 5;

  /** How long what is attached may take together to get rid of what it has to send. */
  private static final Duration ATTACHMENTS_TIMEOUT = Duration.ofSeconds(10);

  /** How long the loop's thread may take to end once nothing runs on it any more. */
  private static final Duration CARRIER_TIMEOUT = Duration.ofSeconds(20);

  final Carrier carrier;
  private final Workers workers;
  private final ErrorReports errors;
  private final Watchdog watchdog;

  // Written on the loop, read by any thread.
  private volatile boolean closed;
  private volatile boolean debug;

  private final IoDriver driver;

  /** Of several loops, the first runs, stops and closes the others. Set before any of them runs. */
  private List<Loop> group = List.of(this);

  /** Whether timers and work for other threads remember what asked for them. */
  private final boolean keepsPlaces;

  // On the loop only.
  final TaskRegistry tasks = new TaskRegistry();

  /** The few tasks of the loop's own, done or not. */
  private final List<Task<?>> internalTasks = new ArrayList<>();

  /** What others do for this loop. */
  final ForeignWork foreignWork;

  private @Nullable Resolver resolver;

  private final LoopSignals signals = new LoopSignals(this);

  /** Groups whose scope has begun and not ended, for call graphs. */
  final Set<TaskGroup> openGroups = new LinkedHashSet<>();

  /** Who waits for a future by means that are none of Weir's, as long as anybody holds that. */
  final Map<Future<?>, Future.DeclaredAwaiters> declaredAwaiters = new WeakHashMap<>();

  /** What brings it things from outside on threads of its own, in the order of attaching. */
  final Set<Attachment> attachments = new LinkedHashSet<>();

  private TaskFactory taskFactory = TaskFactory.LAZY;

  /** Numbers the tasks without a name. */
  private final AtomicLong taskCount;

  private long timerSequence;

  /**
   * The failures that nobody has asked for. The loop holds these, but not the futures they belong
   * to.
   */
  final Set<UnretrievedFailure> unretrieved = new LinkedHashSet<>();

  private Loop(RunOptions options, EngineProvider engine) {
    String name = "weir-loop-" + COUNT.incrementAndGet();
    this.carrier =
        options.fibers().resolved() == FiberKind.MOUNTED
            ? new MountedCarrier(this, name, engine, options.transport())
            : new PortableCarrier(this, name, engine, options.transport());
    this.driver = carrier.driver;
    this.keepsPlaces = driver.repeatable();
    this.taskCount = keepsPlaces ? new AtomicLong() : TASK_COUNT;
    this.foreignWork = new ForeignWork(this, keepsPlaces);
    this.workers = new Workers(this, name);
    this.errors = new ErrorReports(this);
    this.watchdog = new Watchdog(carrier, options.slowStep());
    setDebug(options.debug());
  }

  /**
   * Opens a loop that does not run yet, with the engine that is installed. Corresponds to {@code
   * asyncio.new_event_loop()}. The calling thread, which may be any, holds it until it runs.
   *
   * @return the loop, to be closed by the caller
   * @throws IllegalArgumentException if the options ask for several loops, which a {@link Runner}
   *     opens
   * @throws IllegalStateException if there is no engine, or mounted fibers are asked for and not to
   *     be had
   */
  public static Loop open(RunOptions options) {
    return open(options, installedEngine());
  }

  /** {@return the engine that is installed} */
  static EngineProvider installedEngine() {
    return ServiceLoader.load(EngineProvider.class)
        .findFirst()
        .orElseThrow(() ->
            new IllegalStateException(
                "No engine found: add the dependency dev.weir:toolkit-netty"));
  }

  /**
   * The same as {@link #open(RunOptions)}, with an engine of the caller's choice: as {@code
   * asyncio.Runner(loop_factory=uvloop.new_event_loop)} chooses uvloop.
   */
  public static Loop open(RunOptions options, EngineProvider engine) {
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(engine, "engine");
    if (options.loops() > 1) {
      throw new IllegalArgumentException(
          "Loop.open() opens one loop, and the options ask for "
              + options.loops()
              + ": use a Runner, or leave withLoops() out");
    }
    return openGroup(options, engine);
  }

  /**
   * Opens as many loops as the options say, or none.
   *
   * @return the first, which runs, stops and closes the others with itself
   */
  static Loop openGroup(RunOptions options, EngineProvider engine) {
    List<Loop> opened = new ArrayList<>();
    try {
      while (opened.size() < options.loops()) {
        opened.add(new Loop(options, engine));
      }
    } catch (Throwable e) { // No descriptor is left, say.
      for (Loop loop : opened) {
        loop.carrier.thread.start(); // It gives back what the driver holds.
        loop.close();
      }
      throw e;
    }
    List<Loop> group = List.copyOf(opened);
    for (Loop loop : group) {
      loop.group = group;
    }
    for (Loop loop : group) {
      loop.carrier.thread.start();
    }
    return group.getFirst();
  }

  /**
   * {@return the loops that run together, the first that of the main task; of a loop alone, itself}
   * Any thread may ask. There are several if {@link RunOptions#withLoops} said so:
   *
   * <pre>{@code
   * Asyncio.run(
   *     () -> {
   *       List<Loop> loops = Asyncio.runningLoop().group();
   *       CompletableFuture<Integer> elsewhere =
   *           Asyncio.runCoroutineThreadsafe(() -> compute(), loops.get(1));
   *       int result = Asyncio.wrapFuture(elsewhere).await();
   *     },
   *     RunOptions.defaults().withLoops(2));
   * }</pre>
   *
   * <p>They run, stop and end together. Each has its own tasks, timers, connections, default
   * executor, task factory and exception handler. Futures, streams, locks and queues belong to the
   * loop on which they were made; what tasks of several loops share otherwise needs locks, as with
   * threads.
   */
  public List<Loop> group() {
    return group;
  }

  private List<Loop> others() {
    return group.subList(1, group.size());
  }

  /** The first of several loops stands for all of them. */
  private void ensureFirst(String call) {
    if (group.getFirst() != this) {
      throw new IllegalStateException(
          call
              + ": "
              + this
              + " runs and ends with the loop of the main task, "
              + group.getFirst());
    }
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

  /**
   * {@return the loop that the calling task or callback runs on, or null elsewhere} Corresponds to
   * {@code asyncio._get_running_loop()}.
   */
  public static @Nullable Loop runningOrNull() {
    Fiber fiber = Fiber.current();
    return fiber == null || fiber.carrier.loop.isClosed() ? null : fiber.carrier.loop;
  }

  /** {@return the task that calls, or null in a callback} */
  public static @Nullable Task<?> currentTask() {
    Loop loop = running();
    loop.ensureHeld("Loop.currentTask()");
    Fiber fiber = Fiber.current();
    return fiber == null ? null : fiber.task;
  }

  /**
   * {@return the tasks of this loop that are not done, in the order of their making} Corresponds to
   * {@code all_tasks()}.
   */
  public Set<Task<?>> allTasks() {
    ensureHeld("Loop.allTasks()");
    return new LinkedHashSet<>(tasks.list());
  }

  // --- Running and stopping

  /**
   * Runs the loop until {@link #stop} is called. The calling thread waits; the loop has a thread of
   * its own. Interrupting the caller stops the loop, and its interrupt is set again. Corresponds to
   * {@code run_forever()}.
   *
   * @throws IllegalStateException if the loop runs already or is closed, or on a loop, which it
   *     would block
   * @throws SignalException if a task or callback threw it
   */
  public void runForever() {
    run("Loop.runForever()", this::stop);
  }

  /**
   * Runs the loop until {@code future} is done. Corresponds to {@code run_until_complete()}.
   * Interrupting the caller cancels the future.
   *
   * @return the future's result; what it failed with is thrown as it is
   * @throws IllegalStateException as in {@link #runForever}; if the future is another loop's; or if
   *     the loop was stopped before the future was done
   */
  public <T extends @Nullable Object> T runUntilComplete(Future<T> future) {
    Objects.requireNonNull(future, "future");
    return runUntilComplete(
        future,
        () ->
            submitInternal(
                () -> future.requestCancel("the thread that runs the loop was interrupted")));
  }

  /** The same, and calls {@code onInterrupt}, on the caller's thread, when that is interrupted. */
  <T extends @Nullable Object> T runUntilComplete(Future<T> future, Runnable onInterrupt) {
    ensureCanRun("Loop.runUntilComplete()");
    claimStopped();
    ensureOwn(future, "Loop.runUntilComplete()");
    StopWhenDone stop = new StopWhenDone();
    future.onDone(stop);
    try {
      run("Loop.runUntilComplete()", onInterrupt);
    } finally {
      future.removeOnDone(stop);
      stop.runIsOver = true;
    }
    if (!future.isDone()) {
      throw new IllegalStateException(
          "The loop was stopped before " + future + " was done: run it again, or do not stop() it");
    }
    return Future.<T, RuntimeException>resultOf(future);
  }

  /**
   * Ends the run that waits for a future. It may be queued when a {@link SignalException} ends that
   * run before it, and must not end the next one.
   */
  private final class StopWhenDone implements Runnable {
    boolean runIsOver;

    @Override
    public void run() {
      if (!runIsOver) {
        stop();
      }
    }
  }

  /** Makes a task of {@code main} and runs the loop until it is done. */
  public <T extends @Nullable Object> T runUntilComplete(Coroutine<T> main) {
    ensureCoroutine(main);
    ensureCanRun("Loop.runUntilComplete()");
    claimStopped();
    return runUntilComplete(createTask(main));
  }

  /** Makes a task of {@code main} and runs the loop until it is done. */
  public void runUntilComplete(Action main) {
    runUntilComplete(asCoroutine(main));
  }

  /**
   * Ends the run when what is ready now has run; what becomes ready meanwhile waits for the next
   * run. If the loop does not run, its next run ends after one round. Stops the whole {@link
   * #group}. Any thread may call this.
   */
  public void stop() {
    for (Loop loop : group) {
      loop.carrier.stop();
    }
  }

  /**
   * Makes the calling thread the holder of the loop's turn, and of its group's.
   *
   * @throws IllegalStateException if one of them runs
   */
  void claimStopped() {
    for (Loop loop : group) {
      loop.carrier.claimStopped();
    }
  }

  /** {@return whether a thread runs it; any thread may ask} */
  public boolean isRunning() {
    return carrier.running();
  }

  /** {@return whether it runs no more; any thread may ask} */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Closes the loop, which must not run: what is ready is dropped, its thread ends, its connections
   * close. A second call has no effect.
   *
   * <p>The first loop of a {@link #group} closes the others as well, and only it can.
   *
   * <p>A task that is not done is reported as destroyed; it ends with the {@link
   * IllegalStateException} that every further call on the loop throws, and if it fails with another
   * exception then, that is reported as well; logged, if it was in blocking code and fails after
   * this call. A callback in blocking code is reported and interrupted. To cancel tasks first and
   * wait for executors, use a {@link Runner}.
   *
   * @throws IllegalStateException if the loop runs, or is not the first of its group
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    ensureFirst("Loop.close()");
    claimStopped();
    closeFrom(group.size() - 1);
  }

  /** Closes the loop of the group with that index, then those before it, also if one fails. */
  private void closeFrom(int index) {
    try {
      group.get(index).closeAlone();
    } finally {
      if (index > 0) {
        closeFrom(index - 1);
      }
    }
  }

  private void closeAlone() {
    try {
      for (Task<?> task : tasks.list()) {
        callExceptionHandler(
            new ExceptionContext(
                "Task was destroyed but it is pending: " + task,
                Stacks.of(task.fiber.thread()),
                task,
                null,
                task.createdAt));
      }
      carrier.callbackFibers.reportBusy();
      reportUnretrieved();
    } finally { // Also if the handler throws.
      end();
    }
  }

  private void end() {
    endAttachments();
    closed = true;
    signals.close();
    workers.shutdown();
    tasks.list().forEach(Task::evict);
    internalTasks.forEach(Task::evict);
    carrier.close();
    if (awaitCarrierEnd()) {
      tasks.clear();
      List.copyOf(unretrieved).forEach(UnretrievedFailure::reportOfEvicted);
    }
  }

  /** In the order of attaching: a child is killed before its pipes are flushed. */
  private void endAttachments() {
    long deadlineNanos = System.nanoTime() + ATTACHMENTS_TIMEOUT.toNanos();
    for (Attachment attachment : List.copyOf(attachments)) {
      try {
        attachment.loopEnds(deadlineNanos);
      } catch (RuntimeException e) { // The others have to end too.
        reportError(ExceptionContext.of(attachment + " could not be ended with its loop", e));
      }
    }
    attachments.clear();
  }

  /**
   * {@return whether the caller, one of the loop's fibers, has outlived it} Then it runs beside
   * others of its kind, and must not touch what they had in common.
   */
  boolean isOutlived() {
    return closed && !carrier.holdsTurn();
  }

  // --- Callbacks and time

  /**
   * Has {@code callback} called soon: after what is ready now, never before this call returns.
   * First in, first out. It runs in a copy of the caller's context.
   *
   * <p>A callback must not suspend: it has no task to suspend. What it throws goes to the exception
   * handler.
   */
  public Handle callSoon(Runnable callback) {
    return callSoon(callback, Context.copyOfCurrent());
  }

  /** The same as {@link #callSoon(Runnable)}, in {@code context}. */
  public Handle callSoon(Runnable callback, Context context) {
    Objects.requireNonNull(callback, "callback");
    Objects.requireNonNull(context, "context");
    ensureOpenAndHeld("Loop.callSoon()");
    return enqueueCallback(callback, context);
  }

  /**
   * The same as {@link #callSoon(Runnable)}, for any thread.
   *
   * @throws IllegalStateException if the loop is closed
   */
  public Handle callSoonThreadsafe(Runnable callback) {
    return callSoonThreadsafe(callback, Context.copyOfCurrent());
  }

  /** The same as {@link #callSoonThreadsafe(Runnable)}, in {@code context}. */
  public Handle callSoonThreadsafe(Runnable callback, Context context) {
    Objects.requireNonNull(callback, "callback");
    Objects.requireNonNull(context, "context");
    ensureOpen();
    Handle handle = new ThreadsafeHandle(this, callback, context);
    carrier.submit(handle);
    return handle;
  }

  /** Has {@code callback} called after {@code delay}, at once if it is zero or negative. */
  public TimerHandle callLater(Duration delay, Runnable callback) {
    return callLater(delay, callback, Context.copyOfCurrent());
  }

  /** The same as {@link #callLater(Duration, Runnable)}, in {@code context}. */
  public TimerHandle callLater(Duration delay, Runnable callback, Context context) {
    Objects.requireNonNull(delay, "delay");
    return callAtNanos(deadlineNanos(delay), callback, context, "Loop.callLater()");
  }

  /**
   * Has {@code callback} called at {@code when}, by {@link #time}. Callbacks of one time are called
   * in the order of registration.
   */
  public TimerHandle callAt(Duration when, Runnable callback) {
    return callAt(when, callback, Context.copyOfCurrent());
  }

  /** The same as {@link #callAt(Duration, Runnable)}, in {@code context}. */
  public TimerHandle callAt(Duration when, Runnable callback, Context context) {
    Objects.requireNonNull(when, "when");
    return callAtNanos(toNanos(when), callback, context, "Loop.callAt()");
  }

  private TimerHandle callAtNanos(long whenNanos, Runnable callback, Context context, String call) {
    Objects.requireNonNull(callback, "callback");
    Objects.requireNonNull(context, "context");
    ensureOpenAndHeld(call);
    return addTimer(
        new TimerHandle(this, callback, context, whenNanos, timerSequence++, placeOfCaller()));
  }

  /**
   * {@return the callbacks that {@link #callLater} and {@link #callAt} registered and that are
   * still to be called, the next first} For diagnosis.
   */
  public List<TimerHandle> pendingTimers() {
    ensureHeld("Loop.pendingTimers()");
    return carrier.timers.pendingOfUser();
  }

  /**
   * {@return the loop's clock: the time since an origin of its own, never going back; any thread
   * may ask}
   */
  public Duration time() {
    return Duration.ofNanos(carrier.holdsTurn() ? nanoTime() : driver.nanoTime());
  }

  // --- Tasks and futures

  /** {@return a new future that is not done} */
  public <T extends @Nullable Object> Future<T> createFuture() {
    ensureOpenAndHeld("Loop.createFuture()");
    return new Future<>(this);
  }

  /**
   * {@return a new future that is not done}
   *
   * @param purpose what it stands for: a report of a task that waits for it shows this
   */
  public <T extends @Nullable Object> Future<T> createFuture(Object purpose) {
    Objects.requireNonNull(purpose, "purpose");
    ensureOpenAndHeld("Loop.createFuture()");
    return new Future<>(this, purpose);
  }

  /**
   * Makes a task that runs {@code coroutine}, beginning in the next round, in a copy of the
   * caller's context. Its name is {@code Task-N}.
   */
  public <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine) {
    return createTask(coroutine, TaskOptions.defaults());
  }

  /** Makes a task with a name that runs {@code coroutine}, beginning in the next round. */
  public <T extends @Nullable Object> Task<T> createTask(Coroutine<T> coroutine, String name) {
    return createTask(coroutine, TaskOptions.defaults().withName(name));
  }

  /** Makes a task as {@code options} say. */
  public <T extends @Nullable Object> Task<T> createTask(
      Coroutine<T> coroutine, TaskOptions options) {
    ensureCoroutine(coroutine);
    Objects.requireNonNull(options, "options");
    ensureOpenAndHeld("Loop.createTask()");
    Task<T> task = taskFactory.createTask(this, coroutine, options);
    if (task == null) { // What the user writes need not know of @Nullable.
      throw new NullPointerException(
          "The task factory "
              + Descriptions.of(taskFactory)
              + " returned null: it has to return a task, as from"
              + " TaskFactory.LAZY.createTask(...)");
    }
    return task;
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

  /** Makes a task as {@code options} say. */
  public Task<@Nullable Void> createTask(Action action, TaskOptions options) {
    return createTask(asCoroutine(action), options);
  }

  /**
   * Makes a task that nobody needs to wait for. If it fails, that is reported to the exception
   * handler at once.
   */
  public void background(Action action) {
    Task<?> task = createTask(action);
    task.onDone(() -> {
      Throwable failure = task.isCancelled() ? null : task.failure();
      if (failure != null && !(failure instanceof SignalException)) { // The run throws that.
        enqueueCallback(() ->
            callExceptionHandler(
                new ExceptionContext(
                    "Background task failed: " + task.label(),
                    failure,
                    task,
                    null,
                    task.createdAt)));
      }
    });
  }

  /**
   * Sets what makes tasks from now on; null restores {@link TaskFactory#LAZY}. Corresponds to
   * {@code set_task_factory()}.
   */
  public void setTaskFactory(@Nullable TaskFactory factory) {
    ensureHeld("Loop.setTaskFactory()");
    taskFactory = factory == null ? TaskFactory.LAZY : factory;
  }

  /** {@return what makes tasks} */
  public TaskFactory taskFactory() {
    ensureHeld("Loop.taskFactory()");
    return taskFactory;
  }

  /**
   * Suspends the calling task for {@code delay}. Zero or less lets everything that is ready run
   * first.
   *
   * @throws CancelledError if the task is cancelled
   * @throws IllegalStateException outside a task
   */
  public void sleep(Duration delay) {
    Objects.requireNonNull(delay, "delay");
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
   * Runs {@code body} and makes sure that nothing else ran on the loop meanwhile. It is a check,
   * not a lock: an await inside throws, and so does this call if the body parked in foreign
   * blocking code, with the stack of where it did.
   *
   * @return what {@code body} returned; what it threw is thrown as it is
   * @throws IllegalStateException outside a task; from an await inside; and after the body, if it
   *     parked
   */
  public <T extends @Nullable Object> T exclusive(Coroutine<T> body) {
    Objects.requireNonNull(body, "body");
    return ensureTask("exclusive()").fiber.runExclusively(body);
  }

  /**
   * Runs {@code body} and makes sure that it does not suspend; see {@link #exclusive(Coroutine)}.
   */
  public void exclusive(Action body) {
    exclusive(asCoroutine(body));
  }

  // --- Work elsewhere

  /**
   * Runs {@code work} on a thread of the default executor, for calls that would block the loop.
   *
   * <p>Cancelling the future takes the work back if it has not begun; else the thread goes on, and
   * its result is dropped. A failure is not: it goes to the exception handler then. Unlike {@link
   * #toThread}, the work does not see the caller's context.
   *
   * @return completes on the loop with what {@code work} returned or threw
   * @throws IllegalStateException if the default executor was shut down
   */
  public <T extends @Nullable Object> Future<T> runInExecutor(Coroutine<T> work) {
    return runInExecutor(null, work);
  }

  /**
   * Runs {@code work} on {@code executor}, or on the default one if it is null; see {@link
   * #runInExecutor(Coroutine)}.
   *
   * @throws java.util.concurrent.RejectedExecutionException if {@code executor} refuses the work
   */
  public <T extends @Nullable Object> Future<T> runInExecutor(
      @Nullable Executor executor, Coroutine<T> work) {
    Objects.requireNonNull(work, "work");
    ensureOpenAndHeld("Loop.runInExecutor()");
    return workers.call(executor, new Work<>(work, work, null, placeOfCaller()), null);
  }

  /**
   * Suspends until {@code work} has run on a thread of the default executor, in a copy of the
   * caller's context. What it throws is thrown as it is.
   *
   * @return what {@code work} returned
   * @throws CancelledError if the task is cancelled; the thread goes on, and if the work fails
   *     then, that is reported to the exception handler
   */
  public <T extends @Nullable Object> T toThread(Coroutine<T> work) {
    Objects.requireNonNull(work, "work");
    return toThread(work, work);
  }

  /** Suspends until {@code work} has run on another thread; see {@link #toThread(Coroutine)}. */
  public void toThread(Action work) {
    toThread(asCoroutine(work), work);
  }

  private <T extends @Nullable Object> T toThread(Coroutine<T> work, Object given) {
    ensureMaySuspend("toThread()"); // Before the work begins.
    Context context = Context.copyOfCurrent();
    return workers.call(null, new Work<>(work, given, context, placeOfCaller()), context).await();
  }

  /**
   * Work for another thread, which reports can name.
   *
   * @param given what the user gave, which {@code work} may be wrapped around
   * @param context what it runs in; null for none
   */
  private record Work<T extends @Nullable Object>(
      Coroutine<T> work, Object given, @Nullable Context context, @Nullable String handedOverAt)
      implements Coroutine<T> {
    @Override
    public T run() throws Exception {
      return context == null ? work.run() : context.callOnOtherThread(work);
    }

    @Override
    public String toString() {
      return Descriptions.of(given) + (handedOverAt == null ? "" : ", made at " + handedOverAt);
    }
  }

  /**
   * Replaces the default executor, a pool of the loop's own with at most 32 platform threads. The
   * new one is shut down with the loop, unless it is replaced again. What the loop's own pool has
   * begun it ends, and {@link #shutdownDefaultExecutor} waits for that as well.
   */
  public void setDefaultExecutor(ExecutorService executor) {
    Objects.requireNonNull(executor, "executor");
    ensureHeld("Loop.setDefaultExecutor()");
    workers.setExecutor(executor);
  }

  /**
   * Suspends until the default executor has ended its work; it takes no more from here on. A
   * warning is logged if that takes longer than {@code timeout}.
   */
  public void shutdownDefaultExecutor(Duration timeout) {
    Objects.requireNonNull(timeout, "timeout");
    ensureMaySuspend("shutdownDefaultExecutor()");
    workers.shutdownAndAwait(timeout).await();
  }

  /**
   * Makes a future that follows {@code stage}, and is followed: cancelling it cancels the stage.
   * Corresponds to {@code asyncio.wrap_future}.
   */
  public <T extends @Nullable Object> Future<T> wrapFuture(CompletionStage<T> stage) {
    Objects.requireNonNull(stage, "stage");
    ensureHeld("Loop.wrapFuture()");
    return Bridges.fromCompletionStage(this, stage);
  }

  // --- Names

  /**
   * Sets who looks host names up from now on, for {@code openConnection}, {@code startServer},
   * {@code getaddrinfo} and all else on this loop that takes a name. Null, as in the beginning,
   * stands for the JDK, which is asked on a thread of the default executor.
   */
  public void setResolver(@Nullable Resolver resolver) {
    ensureHeld("Loop.setResolver()");
    this.resolver = resolver;
  }

  /** {@return what {@link #setResolver} set} */
  public @Nullable Resolver resolver() {
    ensureHeld("Loop.resolver()");
    return resolver;
  }

  // --- Signals

  /**
   * Has {@code callback} called each time a signal comes, as an ordinary callback of this loop, in
   * a copy of the caller's context. Corresponds to {@code add_signal_handler()}.
   *
   * <p>Replaces what this loop had for the signal. A signal belongs to the process: several loops
   * that ask for one get it all. {@link RunOptions#handleSignals} leaves the signal alone as long
   * as a loop of its run has a callback for it. What handled the signal before is put back once the
   * last callback is removed, by {@link #removeSignalHandler} or because its loop closes, unless
   * somebody else has replaced Weir's handler since. A signal that comes while the loop stands
   * still waits for the next run.
   *
   * @param signal its name, {@code "HUP"}, {@code "SIGHUP"} or {@code "hup"} for instance; the JVM
   *     knows no numbers
   * @throws IllegalArgumentException if there is no such signal, or it cannot be handled: {@code
   *     KILL}, {@code STOP}, and those that the JVM needs, {@code QUIT}, {@code SEGV}, {@code
   *     USR2}, {@code BUS} and their like
   * @throws IllegalStateException if the loop is closed, or elsewhere than on it; if the module
   *     jdk.unsupported is missing; for {@code HUP}, {@code INT} and {@code TERM} if the JVM was
   *     started with {@code -Xrs}
   */
  public void addSignalHandler(String signal, Runnable callback) {
    Objects.requireNonNull(signal, "signal");
    Objects.requireNonNull(callback, "callback");
    ensureOpenAndHeld("Loop.addSignalHandler()");
    signals.add(signal, callback, Context.copyOfCurrent());
  }

  /**
   * Takes back what {@link #addSignalHandler} set for {@code signal}. It is not called any more,
   * not even for a signal that has come already. Corresponds to {@code remove_signal_handler()}.
   *
   * @return whether this loop had a callback for it
   * @throws IllegalArgumentException if there is no such signal
   */
  public boolean removeSignalHandler(String signal) {
    Objects.requireNonNull(signal, "signal");
    ensureHeld("Loop.removeSignalHandler()");
    return signals.remove(signal);
  }

  /** {@return whether a callback handles the signal of that name, without SIG} Any thread. */
  boolean handlesSignal(String signal) {
    return signals.handles(signal);
  }

  // --- What brings things from outside

  /**
   * Attaches what brings this loop things from outside on threads of its own, a pipe say. For those
   * who write transports; {@link dev.weir.spi.Transport} is what streams stand on.
   *
   * @param what what it is, for reports
   * @param end called when the loop closes, unless it was detached before
   */
  public Attachment attach(String what, Attachment.LoopEnd end) {
    Objects.requireNonNull(what, "what");
    Objects.requireNonNull(end, "end");
    ensureOpenAndHeld("Loop.attach()");
    Attachment attachment = new Attachment(this, what, end);
    attachments.add(attachment);
    return attachment;
  }

  // --- Errors

  /**
   * Sets who receives errors that reach nobody else; null restores {@link
   * #defaultExceptionHandler}.
   */
  public void setExceptionHandler(@Nullable ExceptionHandler handler) {
    ensureHeld("Loop.setExceptionHandler()");
    errors.handler = handler;
  }

  /** {@return what {@link #setExceptionHandler} set} */
  public @Nullable ExceptionHandler exceptionHandler() {
    ensureHeld("Loop.exceptionHandler()");
    return errors.handler;
  }

  /**
   * Reports an error to the exception handler, in the context of the task or callback concerned. If
   * the handler throws, the default one reports both.
   */
  public void callExceptionHandler(ExceptionContext context) {
    Objects.requireNonNull(context, "context");
    ensureHeld("Loop.callExceptionHandler()");
    reportError(context);
  }

  /** The same without the check: what failed may have outlived the loop. */
  void reportError(ExceptionContext context) {
    errors.report(context);
  }

  /** Reports an error to the exception handler, in {@code where} if it is known. */
  void reportError(ExceptionContext context, @Nullable Context where) {
    errors.report(context, where);
  }

  /** Logs an error to the {@link System.Logger} {@code dev.weir}. Any thread. */
  public void defaultExceptionHandler(ExceptionContext context) {
    ErrorReports.log(context);
  }

  /** {@return whether the loop is in debug mode; any thread may ask} */
  public boolean debug() {
    return debug;
  }

  /**
   * Switches debug mode: steps that take longer than {@link RunOptions#slowStep} are logged with
   * their stack, and so is every blocking call of the JDK's that suspends a task; tasks and
   * callbacks remember where they were made, exceptions the first five places where they were
   * awaited. Any thread.
   */
  public void setDebug(boolean debug) {
    this.debug = debug;
    carrier.watchParks = debug;
    watchdog.setDebug(debug);
  }

  // --- About the loop

  /**
   * {@return the name of the engine's transport, as {@link RunOptions#withTransport} takes it:
   * {@code epoll} or {@code nio} for instance; any thread may ask}
   */
  public String transport() {
    return driver.transport();
  }

  /** {@return the kind of fibers its tasks run on; any thread may ask} */
  public FiberKind fibers() {
    return carrier instanceof MountedCarrier ? FiberKind.MOUNTED : FiberKind.PORTABLE;
  }

  /** {@return the engine's network, on which streams are built; any thread may ask} */
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
    if (!carrier.holdsTurn()) {
      return false;
    }
    Fiber fiber = carrier.turnFiber;
    return fiber != null && fiber.task != null;
  }

  /**
   * Checks that the caller is a task, which can suspend.
   *
   * @param call what was called, for the message
   * @throws IllegalStateException if the caller is not one of this loop's tasks
   */
  public void ensureInTask(String call) {
    ensureTask(call);
  }

  /**
   * Checks that the caller may suspend here: for calls that change something before they do.
   *
   * @param call what was called, for the message
   * @throws IllegalStateException if the caller is not one of this loop's tasks, or in {@link
   *     #exclusive} code
   */
  public void ensureMaySuspend(String call) {
    ensureTask(call).ensureMaySuspend(call);
  }

  // --- For the engine inside

  void ensureOpen() {
    if (closed) {
      throw new ClosedException("The loop '" + carrier.thread.getName() + "' is closed");
    }
  }

  /** For calls that a closed loop refuses even to a task that it is ending. */
  private void ensureOpenAndHeld(String call) {
    ensureOpen();
    ensureHeld(call);
  }

  /** {@return whether {@code failure} says nothing but that the loop is closed} */
  static boolean saysClosed(Throwable failure) {
    return failure instanceof ClosedException
        || (failure instanceof ExceptionGroup group
            && group.exceptions().stream().allMatch(Loop::saysClosed));
  }

  static IllegalStateException notInTask(String call) {
    return new IllegalStateException(
        call
            + " suspends, and there is no task to suspend on thread '"
            + Thread.currentThread().getName()
            + "': call it from a coroutine, as in loop.createTask(() -> ...)");
  }

  private Task<?> ensureTask(String call) {
    ensureOpenAndHeld(call);
    Fiber fiber = carrier.turnFiber;
    if (fiber == null || fiber.task == null) {
      throw notInTask(call);
    }
    return fiber.task;
  }

  private void ensureCanRun(String call) {
    ensureOpen();
    Fiber fiber = Fiber.current();
    if (fiber != null && !fiber.carrier.loop.isClosed()) {
      throw new IllegalStateException(
          call
              + " was called on a running loop, which it would block: await the future, or create"
              + " a task");
    }
  }

  private void run(String call, Runnable onInterrupt) {
    ensureCanRun(call);
    ensureFirst(call);
    others().forEach(loop -> loop.carrier.claimStopped());
    watchdog.start();
    try {
      carrier.beginRun();
      runOthersUntil(() -> carrier.awaitRunEnd(onInterrupt));
    } finally {
      watchdog.stop();
    }
  }

  /** Runs the other loops until {@code end} returns, and throws what that throws, or they. */
  private void runOthersUntil(Runnable end) {
    for (Loop loop : others()) {
      loop.carrier.forgetStop(); // Of the run before, which may have ended first.
      loop.watchdog.start();
      loop.carrier.beginRun();
    }
    Throwable failure = null;
    try {
      end.run();
    } catch (Throwable e) {
      failure = e;
    }
    for (Loop loop : others()) {
      loop.carrier.stop();
    }
    for (Loop loop : others()) {
      try {
        loop.carrier.awaitRunEnd(() -> {}); // They end with the step under way.
      } catch (Throwable e) {
        failure = failure == null ? e : failure;
      }
      loop.watchdog.stop();
    }
    if (failure != null) {
      throw Sneaky.rethrow(failure);
    }
  }

  /**
   * Checks that {@code future} is one of this loop's.
   *
   * @throws IllegalArgumentException if it is another loop's
   */
  void ensureOwn(Future<?> future, String call) {
    if (future.loop != this) {
      throw new IllegalArgumentException(
          call
              + ": "
              + future
              + " belongs to another loop, '"
              + future.loop.carrier.thread.getName()
              + "': futures of one loop only, or runCoroutineThreadsafe");
    }
  }

  /** Queues code of the loop's own that may run the user's, as a report does. On the loop. */
  Handle enqueueCallback(Runnable callback) {
    return enqueue(Handle.ofLoop(this, callback));
  }

  /** Queues a callback of the user's. Called on the loop. */
  Handle enqueueCallback(Runnable callback, Context context) {
    return enqueue(new Handle(this, callback, context));
  }

  /** Queues a step of the loop's own. Called on the loop. */
  Handle enqueueInternal(Runnable step) {
    return enqueue(new Handle(this, step));
  }

  private Handle enqueue(Handle handle) {
    carrier.ready.add(handle);
    return handle;
  }

  /** Runs code of the loop's own that may run the user's on the loop. Any thread. */
  void submitCallback(Runnable callback) {
    carrier.submit(Handle.ofLoop(this, callback));
  }

  /** Runs a step of the loop's own on the loop. Any thread. */
  void submitInternal(Runnable step) {
    carrier.submit(new Handle(this, step));
  }

  TimerHandle addTimer(TimerHandle timer) {
    carrier.timers.add(timer);
    carrier.deadlineAdded();
    return timer;
  }

  /** Runs a step of the loop's own at {@code whenNanos}. */
  TimerHandle addInternalTimer(long whenNanos, Runnable step) {
    return addTimer(new TimerHandle(this, step, whenNanos, timerSequence++));
  }

  /** {@return the time {@code delay} from now, by the driver's clock, which ends some day} */
  long deadlineNanos(Duration delay) {
    long now = nanoTime();
    long deadline = now + toNanos(delay);
    return deadline < now && !delay.isNegative() ? IoDriver.NO_DEADLINE : deadline;
  }

  long nanoTime() {
    return carrier.nanoTime();
  }

  /** Completes {@code future} after {@code delay}, unless it is done then. */
  TimerHandle completeLater(Future<@Nullable Void> future, Duration delay) {
    return addInternalTimer(
        deadlineNanos(delay),
        () -> {
          if (!future.isDone()) {
            future.complete(null);
          }
        });
  }

  void timerCancelled() {
    if (carrier.holdsTurn()) {
      carrier.timers.cancelled();
    } else if (!closed) {
      submitInternal(carrier.timers::cancelled);
    }
  }

  static Coroutine<@Nullable Void> asCoroutine(Action action) {
    ensureCoroutine(action);
    return () -> {
      action.run();
      return null;
    };
  }

  /**
   * Checks that there is something to run.
   *
   * @throws NullPointerException if it is null
   */
  static void ensureCoroutine(@Nullable Object body) {
    if (body == null) {
      throw new NullPointerException(
          "The coroutine is null: write what the task is to do, as in () -> handle(connection)");
    }
  }

  <T extends @Nullable Object> Task<T> startTask(
      Coroutine<T> coroutine, TaskOptions options, boolean eager) {
    String name = options.name();
    Context context = options.context();
    Task<T> task =
        new Task<>(
            this,
            coroutine,
            name == null ? "Task-" + taskCount.incrementAndGet() : name,
            context == null ? Context.copyOfCurrent() : context,
            false);
    tasks.add(task);
    Fiber creator = eager ? Fiber.current() : null;
    if (creator != null && carrier.canRequeue(creator)) {
      creator.startAndReturn(task.fiber);
    } else {
      task.fiber.wake();
    }
    return task;
  }

  /** Starts a task that is none of the user's: it is not listed, cancelled or waited for. */
  Task<@Nullable Void> startInternalTask(Action action, String name) {
    Task<@Nullable Void> task = new Task<>(this, asCoroutine(action), name, Context.empty(), true);
    internalTasks.add(task);
    task.fiber.wake();
    return task;
  }

  void eachInternalTask(Consumer<Task<?>> consumer) {
    internalTasks.forEach(consumer);
  }

  /** Reports the failures that nobody has asked for, and nobody will. */
  void reportUnretrieved() {
    List.copyOf(unretrieved).forEach(UnretrievedFailure::report);
  }

  /** {@return where the caller is, in debug mode} */
  @Nullable Throwable creationSite() {
    return debug ? new Throwable("created here") : null;
  }

  /** {@return what called into Weir, if this loop keeps that without debug mode too} */
  private @Nullable String placeOfCaller() {
    return keepsPlaces ? Stacks.caller() : null;
  }

  /** Adds to {@code failure} where it is awaited, in debug mode. */
  void noteAwaitingSite(Throwable failure) {
    if (debug && mayNoteAwaitingSite(failure)) {
      failure.addSuppressed(new Throwable(AWAITED_HERE));
    }
  }

  private static boolean mayNoteAwaitingSite(Throwable failure) {
    int noted = 0;
    for (Throwable suppressed : failure.getSuppressed()) {
      if (suppressed.getClass() == Throwable.class
          && AWAITED_HERE.equals(suppressed.getMessage())) {
        noted++;
      }
    }
    return noted < AWAITING_SITES_MAX;
  }

  /** Reports a task or callback that suspended in blocking code of the JDK's. On the carrier. */
  void reportForeignPark(Fiber fiber, StackTraceElement[] stack) {
    String who = fiber.task == null ? "A callback" : fiber.task.label();
    enqueueCallback(() -> {
      Fiber reporter = Objects.requireNonNull(Fiber.current());
      reporter.reportsPark = true; // Else a log that parks makes reports without end.
      try {
        ErrorReports.warn(
            who + " suspended in a blocking call that is none of Weir's", Stacks.of(stack));
      } finally {
        reporter.reportsPark = false;
      }
    });
  }

  /** {@return whether the carrier ended in time} An interrupt does not end the wait. */
  private boolean awaitCarrierEnd() {
    boolean interrupted = false;
    boolean ended = false;
    long deadlineNanos = System.nanoTime() + CARRIER_TIMEOUT.toNanos();
    while (true) {
      try {
        ended = carrier.thread.join(Duration.ofNanos(deadlineNanos - System.nanoTime()));
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!ended) {
      ErrorReports.warn(
          "The thread of " + this + " did not end within " + CARRIER_TIMEOUT,
          Stacks.of(carrier.thread));
    }
    return ended;
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

  /** Told apart from other failures of a task whose loop was closed. */
  private static final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    ClosedException(String message) {
      super(message);
    }
  }
}
