package dev.weir.task;

import java.util.concurrent.locks.LockSupport;

/**
 * One thread's side of the turn: it waits here until another thread gives it the turn.
 *
 * <p>Handing over to a thread that still spins costs a tenth of waking one that has parked, and
 * hand-overs follow each other within microseconds on a busy loop, so waiting starts with a short
 * spin. On one processor spinning would only keep the giver from running.
 */
final class Turn {
  private static final int SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 200 : 0;

  private final Thread thread;
  private volatile boolean given;

  Turn(Thread thread) {
    this.thread = thread;
  }

  Thread thread() {
    return thread;
  }

  /** Gives the turn to this thread, starting it if need be. Called by the thread that holds it. */
  void give() {
    given = true;
    if (thread.getState() == Thread.State.NEW) {
      thread.start();
    } else {
      LockSupport.unpark(thread);
    }
  }

  /**
   * Waits for the turn, whatever interrupts come meanwhile; they stay set. Called by this thread.
   */
  void await() {
    for (int i = 0; i < SPINS && !given; i++) {
      Thread.onSpinWait();
    }
    boolean interrupted = false;
    while (!given) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
    }
    given = false;
    if (interrupted) {
      thread.interrupt();
    }
  }

  @Override
  public String toString() {
    return "Turn[" + thread.getName() + (given ? ", given]" : "]");
  }
}
