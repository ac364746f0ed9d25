package dev.weir.testing;

import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.OutsideWork;
import dev.weir.spi.TaskOrder;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Waits for nothing: when no task is ready it moves the clock to whatever comes next, a timer or
 * something on its way in the memory network. If there is neither, the run ends in a {@link
 * DeadlockError}.
 *
 * <p>While work outside the loop is under way the clock stands still, and the driver waits in real
 * time. So a deadline never passes because the machine is slow, and the times that a test sees are
 * the same in every run. For what may wait for the loop itself the clock stands still for a moment
 * only.
 */
final class VirtualDriver implements IoDriver {
  private static final String TRANSPORT = "memory";

  /** How often to look whether what the loop waits for in real time has ended unheard. */
  private static final long OUTSIDE_LOOK_NANOS = 5_000_000;

  /** After so long the log says what is waited for. */
  private static final long OUTSIDE_NOTICE_NANOS = 1_000_000_000;

  /**
   * How long after its timeout a run may take to come back to the driver, which ends it in order.
   */
  private static final long OVERDUE_NANOS = 500_000_000;

  private final LoopContext loop;
  private final Agenda agenda;
  private final MemorySockets sockets;
  private final RandomGenerator userRandom;
  private final @Nullable RandomGenerator taskRandom;
  private final Duration timeout;
  private final Duration foreignGrace;
  private final @Nullable Long seed;

  private volatile Thread ioThread = Thread.currentThread();
  private volatile boolean woken;

  // On the loop only.

  private @Nullable Loop attachedLoop;

  /** What reports tell besides tasks and connections. */
  private final Set<Object> reported = new LinkedHashSet<>();

  /** Completes when nothing is ready and nothing is on its way in the network. */
  private @Nullable Future<@Nullable Void> quiet;

  /** Since when, in real time, work outside is waited for; only if {@link #outsideAwaited}. */
  private long outsideSinceNanos;

  private boolean outsideAwaited;
  private boolean outsideNoticed;

  /** What waits for somebody, and since when, in real time, it has been the same. */
  private List<String> graceFor = List.of();

  private long graceSinceNanos;

  /** When, in real time, the run under way began. Written while the loop stands still. */
  private volatile long begunNanos = System.nanoTime();

  private boolean timedOut;

  VirtualDriver(LoopContext loop, VirtualOptions options) {
    this.loop = loop;
    this.seed = options.seed();
    SplittableRandom random = new SplittableRandom(seed == null ? 0 : seed);
    this.userRandom = random.split();
    RandomGenerator networkRandom = random.split();
    this.taskRandom = seed == null ? null : random.split();
    this.agenda = new Agenda(seed == null ? null : random.split());
    this.sockets = new MemorySockets(this, loop, agenda, networkRandom);
    this.timeout = options.timeout();
    this.foreignGrace = options.foreignGrace();
  }

  /**
   * {@return the driver of the running loop}
   *
   * @param call what was called, for the message
   * @throws IllegalStateException if that is no virtual loop
   */
  static VirtualDriver ofRunningLoop(String call) {
    Loop running = Loop.running();
    VirtualDriver driver = ofLoop(running);
    if (driver != null) {
      return driver;
    }
    throw new IllegalStateException(
        call + " on " + running + ", which is no virtual loop: run the test in VirtualLoop.run()");
  }

  /** {@return the driver of {@code loop}, or null if that is no virtual one} */
  static @Nullable VirtualDriver ofLoop(Loop loop) {
    // By its name first: a driver without I/O has no network to ask for.
    return loop.transport().equals(TRANSPORT) && loop.network() instanceof MemorySockets sockets
        ? sockets.driver
        : null;
  }

  /** Has reports of a run that cannot go on tell {@code situation} too. On the loop. */
  void reportAlso(Object situation) {
    reported.add(situation);
  }

  void reportNoMore(Object situation) {
    reported.remove(situation);
  }

  /**
   * Notes that a run begins. While the loop stands still.
   *
   * @param patience how long it may take in real time, if less than the options say; or null
   */
  void beginRun(@Nullable Duration patience) {
    boolean hurried = patience != null && patience.compareTo(timeout) < 0;
    begunNanos = System.nanoTime() - (hurried ? timeout.minus(patience).toNanos() : 0);
    timedOut = false;
  }

  /** Says which loop this is. Before it first runs. */
  void attachTo(Loop attached) {
    attachedLoop = attached;
  }

  @Override
  public String transport() {
    return TRANSPORT;
  }

  @Override
  public Network network() {
    return sockets;
  }

  MemorySockets sockets() {
    return sockets;
  }

  RandomGenerator userRandom() {
    return userRandom;
  }

  @Override
  public long nanoTime() {
    return agenda.nowNanos();
  }

  @Override
  public @Nullable TaskOrder taskOrder() {
    return taskRandom == null ? null : taskRandom::nextInt;
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void attach(Runnable polling) {
    ioThread = Thread.currentThread();
    polling.run();
  }

  @Override
  public void poll(long deadlineNanos) {
    if (!timedOut && System.nanoTime() - begunNanos >= timeout.toNanos()) {
      timedOut = true; // Once: what is to be cleaned up after it may take its time.
      loop.abort(new DeadlockError(notEnded()));
    }
    sockets.serveRequests();
    if (!agenda.runDue(loop::report) && loop.mayBlock()) {
      passTime(deadlineNanos);
    }
    woken = false;
  }

  /** Lets time pass while the loop is busy. */
  void advance(Duration time) {
    agenda.advanceBy(Agenda.nanos(time));
  }

  /** Nothing is ready: goes on to what comes next. */
  private void passTime(long deadlineNanos) {
    if (loop.takeOutsideOutcome()) {
      return;
    }
    long networkNanos = agenda.nextNanos();
    long nextNanos = Math.min(deadlineNanos, networkNanos);
    Future<@Nullable Void> waiter = quiet;
    OutsideWork outside = loop.outsideWork();
    boolean stopped = !outside.working().isEmpty();
    if (!stopped && !outside.waiting().isEmpty()) {
      stopped = !graceIsOver(outside) || (nextNanos == Agenda.NEVER && waiter == null);
    }
    if (stopped) {
      awaitOutside(outside);
      return;
    }
    outsideAwaited = false;
    if (waiter != null && networkNanos == Agenda.NEVER) {
      quiet = null;
      if (!waiter.done()) {
        waiter.setResult(null);
      }
      return;
    }
    if (nextNanos == Agenda.NEVER) {
      loop.abort(new DeadlockError(deadlock()));
      return;
    }
    agenda.advanceTo(nextNanos);
    agenda.runDue(loop::report);
  }

  /**
   * {@return whether what waits for somebody has had its time to be woken from outside} It may wait
   * for the loop itself, and then time has to go on.
   */
  private boolean graceIsOver(OutsideWork outside) {
    long nowNanos = System.nanoTime();
    if (!outside.waiting().equals(graceFor)) {
      graceFor = outside.waiting();
      graceSinceNanos = nowNanos;
    }
    return nowNanos - graceSinceNanos >= foreignGrace.toNanos();
  }

  private void awaitOutside(OutsideWork outside) {
    long nowNanos = System.nanoTime();
    if (!outsideAwaited) {
      outsideAwaited = true;
      outsideNoticed = false;
      outsideSinceNanos = nowNanos;
    }
    if (!outsideNoticed && nowNanos - outsideSinceNanos >= OUTSIDE_NOTICE_NANOS) {
      outsideNoticed = true;
      System.getLogger("dev.weir.testing")
          .log(
              System.Logger.Level.WARNING,
              "Virtual time stands still at {0} for work outside the loop: {1}",
              TaskReport.time(agenda.nowNanos()),
              all(outside));
    }
    if (!woken) {
      LockSupport.parkNanos(this, OUTSIDE_LOOK_NANOS);
    }
  }

  private static List<String> all(OutsideWork outside) {
    return Stream.of(outside.working(), outside.waiting(), outside.abandoned())
        .flatMap(List::stream)
        .toList();
  }

  /** {@return a line for each thing that goes on outside the loop, for a report} */
  List<String> describeOutside() {
    return all(loop.outsideWork());
  }

  private String deadlock() {
    return "Deadlock after "
        + TaskReport.time(agenda.nowNanos())
        + " of virtual time: nothing is ready to run, no timer is left, nothing is on its way in"
        + " the network, and no work outside the loop is under way (a thread of the test's own"
        + " that is to wake the loop counts only if toThread() started it)."
        + situation();
  }

  private String notEnded() {
    List<String> outside = describeOutside();
    return notEndedInTime()
        + (outside.isEmpty()
            ? ""
            : "; outside the loop goes on (and virtual time stands still for what is on an"
                + " executor: if that waits for a timer of the loop, it waits for ever): "
                + outside)
        + "."
        + situation();
  }

  private String notEndedInTime() {
    return "Not ended within "
        + TaskReport.time(timeout.toNanos())
        + " of real time, at "
        + TaskReport.time(agenda.nowNanos())
        + " of virtual time (if it needs longer: VirtualOptions.withTimeout())";
  }

  @Override
  public @Nullable Throwable overdue(Thread turnHolder) {
    if (System.nanoTime() - begunNanos < timeout.toNanos() + OVERDUE_NANOS) {
      return null;
    }
    StringBuilder text = new StringBuilder(notEndedInTime() + withSeed());
    text.append(", and '").append(turnHolder.getName());
    text.append("' does not suspend: it computes, or blocks the loop. It is here:");
    for (StackTraceElement frame : turnHolder.getStackTrace()) {
      text.append("\n    at ").append(frame);
    }
    return new DeadlockError(text.toString());
  }

  /** {@return with which seed this run came about, for a report; empty if it has none} */
  String withSeed() {
    return seed == null ? "" : " (seed " + seed + ": VirtualOptions.seed(" + seed + "))";
  }

  /** {@return every task and every connection} */
  private String situation() {
    StringBuilder situation = new StringBuilder(withSeed());
    if (attachedLoop != null) {
      for (Task<?> task : attachedLoop.allTasks()) {
        situation.append("\n- ").append(TaskReport.of(task));
      }
    }
    for (Object also : reported) {
      situation.append("\n- ").append(also);
    }
    for (String line : sockets.describeOpen()) {
      situation.append("\n- ").append(line);
    }
    return situation.toString();
  }

  /**
   * Suspends until everything that is ready has run and everything on its way in the network has
   * arrived.
   */
  void awaitQuiet(Loop running) {
    Future<@Nullable Void> waiting = running.createFuture();
    quiet = waiting;
    waiting.await();
  }

  @Override
  public void wakeup() {
    woken = true;
    LockSupport.unpark(ioThread);
  }

  @Override
  public void close() {
    sockets.close();
  }

  @Override
  public String toString() {
    return "VirtualDriver[" + agenda + "]";
  }
}
