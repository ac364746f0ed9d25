package dev.weir.task;

import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.OutsideWork;
import dev.weir.spi.TaskOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A loop's own platform thread, and the order in which everything on the loop runs.
 *
 * <pre>
 * until the loop is stopped
 *   poll: send what was written, handle I/O; block only if nothing is ready
 *   append the timers that are due, and what other threads submitted, to the ready queue
 *   take every step that is ready now, first in, first out
 * </pre>
 *
 * <p>Steps made ready during a round wait for the next, so that I/O is polled in between and no
 * task can starve it. While steps are ready and nothing is to be sent, the poll is left out if
 * there was one within the last {@link #POLL_INTERVAL_NANOS}: it would cost more than a step.
 *
 * <p><em>The turn</em> is the right to run; one thread holds it at a time. The two subclasses
 * differ in how it travels. While the loop is stopped, the thread that opened it or ran it last
 * holds the turn.
 */
abstract sealed class Carrier implements LoopContext permits MountedCarrier, PortableCarrier {
  /** How long I/O may wait for tasks that keep each other ready. */
  private static final long POLL_INTERVAL_NANOS = 50_000;

  /** The same in rounds, for a driver whose clock stands still meanwhile. */
  private static final int POLL_INTERVAL_ROUNDS = 256;

  /** Reading the clock costs as much as a tenth of a step, so it is not read at each of them. */
  private static final int CLOCK_INTERVAL_STEPS = 4;

  final Loop loop;
  final Thread thread;
  final IoDriver driver;
  private final @Nullable TaskOrder taskOrder;
  private final boolean repeatable;

  // Any thread.

  private final ConcurrentLinkedQueue<Step> submitted = new ConcurrentLinkedQueue<>();

  /** Whether the I/O fiber is in a poll that may block. */
  private volatile boolean polling;

  private volatile boolean terminated;

  /** The thread that waits for the run to end; null while the loop is stopped. */
  private final AtomicReference<@Nullable Thread> runner = new AtomicReference<>();

  /** Why the thread that waits for the run does so no longer, although the run goes on. */
  private volatile @Nullable Throwable abandoned;

  /** Whether the run is to end with the round under way, or the next run after its first. */
  private volatile boolean stopping;

  private volatile boolean closing;

  /**
   * The thread that holds the turn. Other threads read it without synchronisation, and only to
   * compare it with themselves: a thread sees its own name here only if it holds the turn, because
   * it loses it by its own doing.
   */
  @Nullable Thread turnHolder;

  /**
   * The fiber that holds the turn; null if a thread does that is none. Only the holder may read it,
   * which thereby learns who it is without a look into its thread locals.
   */
  @Nullable Fiber turnFiber;

  // On the loop only.

  final ArrayDeque<Step> ready = new ArrayDeque<>(64);
  final Timers timers = new Timers();

  /** How many steps of this round are still to be taken. */
  int roundRemaining;

  /** Counts the steps taken. The watchdog reads it, without synchronisation. */
  int steps;

  /** Whether to report tasks that park in code that is none of Weir's. */
  boolean watchParks;

  /** Whether a run is under way, as the carrier thread sees it. */
  private boolean runEntered;

  /** What ends the run with an exception, if anything does. */
  private @Nullable Throwable runFailure;

  /** Whether a poll is needed soon, because there is something to send. */
  private boolean ioPending;

  /** How many rounds there were since the last poll. */
  private int unpolledRounds;

  /** When the clock was first read since the last poll; only if {@link #unpolledSinceKnown}. */
  private long unpolledSinceNanos;

  private boolean unpolledSinceKnown;

  /** What {@link #steps} was when the clock was last read. */
  private int stepsAtClock;

  /**
   * Whether a timer was due when the clock was last read on the loop. The next round takes it then:
   * what is known to be over must not wait for the next look.
   */
  private boolean timerDue;

  final CallbackFibers callbackFibers = new CallbackFibers(this);

  Carrier(Loop loop, String name, EngineProvider engine, String transport) {
    this.loop = loop;
    this.driver = engine.open(transport, this);
    this.taskOrder = driver.taskOrder();
    this.repeatable = driver.repeatable();
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::carry);
    this.turnHolder = Thread.currentThread();
  }

  /** Makes a fiber that has not started; {@link Fiber#wake} starts it. */
  abstract Fiber newFiber(String name, @Nullable Task<?> task, Runnable body);

  /** The carrier thread's life. */
  abstract void carry();

  /**
   * Makes sure that a step submitted just now is not slept over. Any thread; must not block or
   * throw.
   */
  abstract void wakeup();

  final boolean holdsTurn() {
    return Thread.currentThread() == turnHolder;
  }

  /** Queues a step from any thread. Dropped, unless it is a fiber, if the loop is closed. */
  final void submit(Step step) {
    submitted.offer(step);
    if (terminated) {
      releaseSubmitted();
    } else {
      wakeup();
    }
  }

  final boolean anySubmitted() {
    return !submitted.isEmpty();
  }

  final void takeSubmitted() {
    if (repeatable) {
      takeOneSubmittedIfIdle();
      return;
    }
    for (Step step = submitted.poll(); step != null; step = submitted.poll()) {
      ready.add(step);
    }
  }

  /** When something from outside arrives depends on the machine: it must not meet anything else. */
  private void takeOneSubmittedIfIdle() {
    if (ready.isEmpty()) {
      Step step = submitted.poll();
      if (step != null) {
        ready.add(step);
      }
    }
  }

  // --- Running and stopping

  /**
   * Begins a run, which the calling thread is to wait for with {@link #awaitRunEnd}.
   *
   * @throws IllegalStateException if another thread runs the loop
   */
  final void beginRun() {
    if (!runner.compareAndSet(null, Thread.currentThread())) {
      throw new IllegalStateException(
          loop + " runs already: stop() it first, or use a loop of your own");
    }
    LockSupport.unpark(thread);
  }

  /**
   * Forgets that the next run was to end after its first round: for a loop that ends its runs with
   * another's.
   */
  final void forgetStop() {
    stopping = false;
  }

  /**
   * Waits until the run ends that the calling thread began, which holds the turn afterwards.
   *
   * @param onInterrupt called when the calling thread is interrupted; its interrupt is set again in
   *     the end
   */
  final void awaitRunEnd(Runnable onInterrupt) {
    Thread caller = Thread.currentThread();
    boolean interrupted = false;
    while (runner.get() == caller) {
      LockSupport.park(this);
      Throwable reason = abandoned;
      if (reason != null) {
        throw Sneaky.rethrow(reason);
      }
      if (Thread.interrupted()) {
        interrupted = true;
        onInterrupt.run();
      }
    }
    if (interrupted) {
      caller.interrupt();
    }
    Throwable failure = runFailure;
    if (failure != null) {
      runFailure = null;
      throw Sneaky.rethrow(failure);
    }
  }

  /**
   * Makes the calling thread the holder of the turn, which a thread that ran the loop before may
   * have left.
   *
   * @throws IllegalStateException if the loop runs
   */
  final void claimStopped() {
    if (running()) {
      throw new IllegalStateException(loop + " runs: stop() it first");
    }
    turnHolder = Thread.currentThread();
    turnFiber = null;
  }

  /** Ends the run when the round under way has ended. Any thread. */
  final void stop() {
    stopping = true;
    wakeup();
  }

  @Override
  public final OutsideWork outsideWork() {
    return loop.foreignWork.describe();
  }

  @Override
  public final boolean takeOutsideOutcome() {
    return loop.foreignWork.takeOutcome();
  }

  @Override
  public final void abort(Throwable failure) {
    if (runFailure == null) {
      runFailure = failure;
    }
    loop.stop();
    roundRemaining = 0;
  }

  /**
   * Has the call that runs the loop throw {@code reason}, although a step under way does not end.
   * The loop is left as it is. Any thread.
   */
  final void abandon(Throwable reason) {
    interruptStep(); // It may yet end so, and free its thread.
    abandoned = reason;
    Thread waiting = runner.get();
    if (waiting != null) {
      LockSupport.unpark(waiting);
    }
  }

  /**
   * Interrupts the step under way, if a fiber takes one: it may be in a blocking call. Any thread.
   */
  final void interruptStep() {
    Thread waiting = runner.get(); // Gets the turn when the run ends, and is no step of it.
    Thread holder = turnHolder;
    if (waiting != null
        && holder != null
        && holder != waiting
        && holder != thread
        && holder != ioThread()) {
      holder.interrupt();
    }
  }

  final boolean running() {
    return runner.get() != null;
  }

  /** Whether the run ends here. Called by the carrier thread between two rounds. */
  final boolean runEnds() {
    return stopping && !closing;
  }

  /**
   * Waits for the next run, or for the end. Called by the carrier thread, which gives the turn to
   * the thread whose run ended.
   */
  final void awaitRun() {
    Thread waiting = runEntered ? runner.get() : null;
    if (waiting != null) {
      runEntered = false;
      stopping = false;
      turnHolder = waiting;
      turnFiber = null;
      runner.set(null);
      LockSupport.unpark(waiting);
    }
    while (runner.get() == null && !closing) {
      LockSupport.park(this);
      Thread.interrupted(); // A leftover interrupt would turn the wait into a spin.
    }
    runEntered = true;
    turnHolder = null;
  }

  /**
   * Begins another round without a poll, if something is ready and the last poll was not long ago.
   * Called by the holder of the turn at the end of a round.
   *
   * @return whether a round began
   */
  final boolean beginRoundUnpolled() {
    if (ioPending || stopping || closing || unpolledRounds >= POLL_INTERVAL_ROUNDS) {
      return false;
    }
    takeSubmitted();
    if (ready.isEmpty()) {
      return false;
    }
    if ((timerDue || steps - stepsAtClock >= CLOCK_INTERVAL_STEPS) && pollIsDue()) {
      return false;
    }
    unpolledRounds++;
    takeAllReady();
    return true;
  }

  /** Reads the clock, for the timers and for the next poll. */
  private boolean pollIsDue() {
    stepsAtClock = steps;
    long nowNanos = driver.nanoTime();
    expireTimers(nowNanos);
    if (!unpolledSinceKnown) {
      unpolledSinceKnown = true;
      unpolledSinceNanos = nowNanos;
    }
    return nowNanos - unpolledSinceNanos > POLL_INTERVAL_NANOS;
  }

  /** Makes what is ready now the round. */
  final void beginRound() {
    if (timers.size() > 0) {
      expireTimers(driver.nanoTime());
    }
    takeSubmitted();
    takeAllReady();
  }

  private void takeAllReady() {
    roundRemaining = ready.size();
    if (taskOrder != null && roundRemaining > 1) {
      reorder(taskOrder);
    }
  }

  /** Shuffles what is ready, but for callbacks, which keep their order among each other. */
  private void reorder(TaskOrder order) {
    List<Step> unordered = new ArrayList<>(ready);
    ArrayDeque<Handle> callbacks = new ArrayDeque<>();
    for (Step step : ready) {
      if (step instanceof Handle callback) {
        callbacks.add(callback);
      }
    }
    ready.clear();
    while (!unordered.isEmpty()) {
      int count = unordered.size();
      Step chosen = unordered.remove(count == 1 ? 0 : order.choose(count));
      ready.add(chosen instanceof Handle ? callbacks.remove() : chosen);
    }
  }

  /** {@return the time by the driver's clock} Called on the loop. */
  final long nanoTime() {
    long nowNanos = driver.nanoTime();
    if (timers.anyDue(nowNanos)) {
      timerDue = true;
    }
    return nowNanos;
  }

  private void expireTimers(long nowNanos) {
    timerDue = false;
    if (timers.size() > 0) {
      timers.expire(nowNanos, ready::add);
    }
  }

  // --- The I/O fiber

  /** Sends, and handles the I/O that is ready. */
  final void pollOnce() {
    ioPending = false;
    unpolledRounds = 0;
    unpolledSinceKnown = false;
    try {
      driver.poll(timers.nextDeadlineNanos());
    } catch (Throwable e) {
      report(
          "Error while polling for I/O", e); // The loop must outlive it, or every connection dies.
    }
    if (polling) {
      polling = false;
    }
  }

  @Override
  public final boolean mayBlock() {
    // First announce, then look: a submitter first queues, then looks whether we announced.
    polling = true;
    return ready.isEmpty() && submitted.isEmpty() && !stopping && !closing;
  }

  @Override
  public final boolean isStopping() {
    return stopping;
  }

  /** {@return whether tasks have left something for the I/O fiber since it last polled} */
  final boolean ioPending() {
    return ioPending;
  }

  final boolean polling() {
    return polling;
  }

  /** {@return the thread that polls} */
  abstract Thread ioThread();

  @Override
  public final void ioRequested() {
    ioPending = true;
    if (polling) {
      driver.wakeup();
    }
  }

  /** Notes a new deadline: a poll that sleeps towards a later one must start anew. */
  final void deadlineAdded() {
    nanoTime(); // It may be over already.
    if (polling) {
      driver.wakeup();
    }
  }

  @Override
  public final void report(String message, Throwable exception) {
    // The handler is user code and may park, which the I/O fiber must not.
    loop.enqueueCallback(() -> loop.reportError(ExceptionContext.of(message, exception)));
  }

  /** {@return whether the I/O fiber has to go on polling} */
  final boolean open() {
    return !closing || !ready.isEmpty() || !submitted.isEmpty();
  }

  /** {@return whether the calling fiber can be queued, as every one can but the I/O fiber} */
  abstract boolean canRequeue(Fiber fiber);

  /** {@return the next step of this round if it is a callback, else null} It counts as taken. */
  final @Nullable Handle takeCallbackOfRound() {
    if (roundRemaining > 0 && ready.peek() instanceof Handle callback) {
      roundRemaining--;
      steps++;
      ready.remove();
      return callback;
    }
    return null;
  }

  // --- The end

  /**
   * Ends the loop as soon as nothing is ready any more; tasks that have not begun never do. Called
   * by the holder of the turn.
   */
  final void close() {
    ready.removeIf(Carrier::hasNotBegun);
    callbackFibers.end();
    closing = true; // From here on the turn may be the carrier's.
    wakeup();
    LockSupport.unpark(thread);
  }

  private static boolean hasNotBegun(Step step) {
    return step instanceof Fiber fiber && fiber.thread().getState() == Thread.State.NEW;
  }

  /**
   * Marks the end: from here on continuations go to the JDK's scheduler. Called by the carrier
   * thread, last.
   */
  final void terminate() {
    turnHolder = null;
    terminated = true;
    for (Step step = ready.poll(); step != null; step = ready.poll()) {
      release(step);
    }
    releaseSubmitted(); // For those that looked at terminated just before.
  }

  private void releaseSubmitted() {
    for (Step step = submitted.poll(); step != null; step = submitted.poll()) {
      release(step);
    }
  }

  private static void release(Step step) {
    if (step instanceof MountedFiber fiber) {
      fiber.releaseToDefaultScheduler();
    }
  }

  @Override
  public String toString() {
    return getClass().getSimpleName()
        + "["
        + thread.getName()
        + ", "
        + ready.size()
        + " ready"
        + (polling ? ", polling" : "")
        + (terminated ? ", terminated]" : "]");
  }
}
