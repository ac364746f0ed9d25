package dev.weir.task;

import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fiber mounted directly on its loop's carrier.
 *
 * <p>It is its own virtual thread's scheduler. So the JDK hands it every continuation that is due,
 * and it can tell whose that is: the Runnable of one virtual thread is always the same object. Any
 * other belongs to a virtual thread that the user's code started here (children inherit the
 * scheduler), or to a poller of the JDK, and goes where it would have gone without us; otherwise a
 * foreign thread could stall the loop, or a stalled loop all of the JVM's socket I/O.
 */
final class MountedFiber extends Fiber implements Executor {
  private final MountedCarrier mountedCarrier;
  private final Thread thread;

  private @Nullable Runnable continuation;

  /**
   * Whether the JDK handed us the continuation and it was not run yet. Written before the fiber
   * enters a queue and read after it left it, so the queue makes it visible.
   */
  boolean due;

  // On the loop only.

  /** Whether {@link #park} may return. */
  boolean woken;

  MountedFiber(MountedCarrier carrier, String name, @Nullable Task<?> task, Runnable body) {
    super(carrier, task, body);
    this.mountedCarrier = carrier;
    this.thread = VirtualThreads.newThread(this, name, this::runBody);
  }

  /**
   * {@return the mounted fiber that the calling thread is, or null} Its thread has it as its
   * scheduler; a thread-local would cost every idle task more than a hundred bytes.
   */
  static @Nullable MountedFiber currentMounted() {
    Thread current = Thread.currentThread();
    return current.isVirtual()
            && VirtualThreads.schedulerOf(current) instanceof MountedFiber fiber
            && fiber.thread == current // Threads that the user's code starts inherit the scheduler.
        ? fiber
        : null;
  }

  @Override
  void becomeCurrent() {}

  @Override
  Thread thread() {
    return thread;
  }

  boolean started() {
    return continuation != null;
  }

  @Override
  void park() {
    boolean interrupted = false;
    parked = true;
    while (!woken) {
      LockSupport.park(this);
      // With the interrupt set every park would return at once, and the loop would spin.
      interrupted |= Thread.interrupted();
    }
    parked = false;
    woken = false;
    if (interrupted) {
      thread.interrupt();
    }
  }

  @Override
  boolean inForeignCode() {
    return started() && !parked && Thread.currentThread() != thread;
  }

  /**
   * Takes a continuation that is due. Any thread may call this, some of them the JVM's only one of
   * their kind, so it must not throw, block or log: a continuation that is refused is a thread lost
   * for good.
   */
  @Override
  public void execute(Runnable step) {
    if (continuation == null) {
      continuation = step; // From Thread.start, called by the carrier.
    }
    if (step == continuation) {
      mountedCarrier.resubmit(this);
    } else {
      VirtualThreads.defaultScheduler().execute(step);
    }
  }

  /** Runs the fiber until it parks or ends. Called by the carrier. */
  void mount() {
    due = false;
    Runnable step = continuation;
    if (step != null) {
      step.run();
    }
  }

  /** Lets the fiber go on off the loop, which is closed. */
  void releaseToDefaultScheduler() {
    Runnable step = continuation;
    if (due && step != null) {
      due = false;
      VirtualThreads.defaultScheduler().execute(step);
    }
  }
}
