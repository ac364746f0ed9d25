package dev.weir.testing;

import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.TaskOrder;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Waits for nothing: when no task is ready it moves the clock to whatever comes next, a timer or
 * something on its way in the memory network. If there is neither, the run ends in a {@link
 * DeadlockError}.
 *
 * <p>While work outside the loop is under way the clock stands still, and the driver waits in real
 * time. So a deadline never passes because the machine is slow, and the times that a test sees are
 * the same in every run.
 */
final class VirtualDriver implements IoDriver {
  /** How often to look whether what the loop waits for in real time has ended unheard. */
  private static final long FOREIGN_LOOK_NANOS = 5_000_000;

  /** After so long the log says what is waited for. */
  private static final long FOREIGN_NOTICE_NANOS = 1_000_000_000;

  private final LoopContext loop;
  private final Agenda agenda;
  private final MemorySockets sockets;
  private final RandomGenerator userRandom;
  private final @Nullable RandomGenerator taskRandom;
  private final Duration timeout;

  private volatile Thread ioThread = Thread.currentThread();
  private volatile boolean woken;

  // On the loop only.

  private @Nullable Loop attachedLoop;

  /** Completes when nothing is ready and nothing is on its way in the network. */
  private @Nullable Future<@Nullable Void> quiet;

  /** Since when, in real time, work outside is waited for; only if {@link #foreignAwaited}. */
  private long foreignSinceNanos;

  private boolean foreignAwaited;
  private boolean foreignNoticed;

  /** When, in real time, the run under way began. Written while the loop stands still. */
  private long begunNanos = System.nanoTime();

  private boolean timedOut;

  VirtualDriver(LoopContext loop, VirtualOptions options) {
    this.loop = loop;
    Long seed = options.seed();
    SplittableRandom random = new SplittableRandom(seed == null ? 0 : seed);
    this.userRandom = random.split();
    RandomGenerator networkRandom = random.split();
    this.taskRandom = seed == null ? null : random.split();
    this.agenda = new Agenda(seed == null ? null : random.split());
    this.sockets = new MemorySockets(this, loop, agenda, networkRandom);
    this.timeout = options.timeout();
  }

  /**
   * {@return the driver of the running loop}
   *
   * @param call what was called, for the message
   * @throws IllegalStateException if that is no virtual loop
   */
  static VirtualDriver ofRunningLoop(String call) {
    Loop running = Loop.running();
    if (running.network() instanceof MemorySockets sockets) {
      return sockets.driver;
    }
    throw new IllegalStateException(
        call + " on " + running + ", which is no virtual loop: run the test in VirtualLoop.run()");
  }

  /** Notes that a run begins. While the loop stands still. */
  void beginRun() {
    begunNanos = System.nanoTime();
    timedOut = false;
  }

  /** Says which loop this is. Before it first runs. */
  void attachTo(Loop attached) {
    attachedLoop = attached;
  }

  @Override
  public String transport() {
    return "memory";
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
    List<String> foreignWork = loop.foreignWork();
    if (!foreignWork.isEmpty()) {
      awaitForeignWork(foreignWork);
      return;
    }
    foreignAwaited = false;
    long networkNanos = agenda.nextNanos();
    Future<@Nullable Void> waiting = quiet;
    if (waiting != null && networkNanos == Agenda.NEVER) {
      quiet = null;
      if (!waiting.done()) {
        waiting.setResult(null);
      }
      return;
    }
    long nextNanos = Math.min(deadlineNanos, networkNanos);
    if (nextNanos == Agenda.NEVER) {
      loop.abort(new DeadlockError(deadlock()));
      return;
    }
    agenda.advanceTo(nextNanos);
    agenda.runDue(loop::report);
  }

  private void awaitForeignWork(List<String> foreignWork) {
    long nowNanos = System.nanoTime();
    if (!foreignAwaited) {
      foreignAwaited = true;
      foreignNoticed = false;
      foreignSinceNanos = nowNanos;
    }
    if (!foreignNoticed && nowNanos - foreignSinceNanos >= FOREIGN_NOTICE_NANOS) {
      foreignNoticed = true;
      System.getLogger("dev.weir.testing")
          .log(
              System.Logger.Level.WARNING,
              "Virtual time stands still at {0} for work outside the loop: {1}",
              TaskReport.time(agenda.nowNanos()),
              foreignWork);
    }
    if (!woken) {
      LockSupport.parkNanos(this, FOREIGN_LOOK_NANOS);
    }
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
    List<String> foreignWork = loop.foreignWork();
    String outside =
        foreignWork.isEmpty()
            ? ""
            : "; work outside the loop is under way, during which virtual time stands still (if it"
                + " waits for a timer of the loop, it waits for ever): "
                + foreignWork;
    return "Not ended within "
        + TaskReport.time(timeout.toNanos())
        + " of real time, at "
        + TaskReport.time(agenda.nowNanos())
        + " of virtual time (if it needs longer: VirtualOptions.withTimeout())"
        + outside
        + "."
        + situation();
  }

  /** {@return every task and every connection} */
  private String situation() {
    StringBuilder situation = new StringBuilder();
    if (attachedLoop != null) {
      for (Task<?> task : attachedLoop.allTasks()) {
        situation.append("\n- ").append(TaskReport.of(task));
      }
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
