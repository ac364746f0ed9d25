package dev.weir.task;

import dev.weir.spi.EngineProvider;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A carrier that mounts its fibers itself, one continuation after another.
 *
 * <p>It runs continuations only: no user code, no code of the engine, no logging. Were any of that
 * to run on this platform thread and wait for a lock whose owner is a fiber of the loop, neither
 * could ever go on. So I/O has a fiber as well. That fiber may park (a selector parks a virtual
 * thread, and so does any contended lock), therefore the carrier has a way to sleep of its own.
 */
final class MountedCarrier extends Carrier {
  private final MountedFiber ioFiber;

  /** Whether the carrier thread sleeps, or is about to, because not even the I/O fiber can run. */
  private volatile boolean asleep;

  /**
   * The fiber whose continuation the carrier is asking for, to run it at once instead of queueing
   * it.
   */
  private @Nullable MountedFiber handoff;

  MountedCarrier(Loop loop, String name, EngineProvider engine, String transport) {
    super(loop, name, engine, transport);
    ioFiber = new MountedFiber(this, name + "-io", null, () -> driver.attach(this::pollWhileOpen));
  }

  @Override
  Thread ioThread() {
    return ioFiber.thread();
  }

  @Override
  boolean canRequeue(Fiber fiber) {
    return fiber != ioFiber;
  }

  @Override
  Fiber newFiber(String name, @Nullable Task<?> task, Runnable body) {
    return new MountedFiber(this, name, task, body);
  }

  @Override
  void carry() {
    PollerWarmUp.ensureDone();
    awaitRun();
    resume(ioFiber);
    while (ioFiber.thread().isAlive() || !ready.isEmpty()) {
      beginRound();
      takeRound();
      while (beginRoundUnpolled()) {
        takeRound();
      }
      if (runEnds()) {
        if (ioPending() && ioFiber.due) {
          resume(ioFiber); // What was written must not wait for the next run.
        }
        awaitRun();
      }
      if (ioFiber.due) {
        resume(ioFiber);
      } else if (ready.isEmpty() && ioFiber.thread().isAlive()) { // It may have ended in the round.
        sleep();
      }
    }
    terminate();
  }

  private void takeRound() {
    while (roundRemaining > 0) {
      roundRemaining--;
      take(ready.remove());
    }
  }

  @SuppressWarnings(
      "ThreadPriorityCheck") // The scheduler that the yield relies on is this carrier.
  private void pollWhileOpen() {
    while (open()) {
      pollOnce();
      Thread.yield(); // Back to the carrier, which comes again after the next round.
    }
    driver.close();
  }

  private void take(Step step) {
    if (step instanceof MountedFiber fiber) {
      resume(fiber);
    } else {
      Handle callback = (Handle) step;
      if (callback.internal) {
        steps++;
        turnHolder = thread;
        turnFiber = null;
        callback.run();
        turnHolder = null;
      } else {
        MountedFiber fiber = (MountedFiber) callbackFibers.toRun(callback);
        fiber.wakePending = true;
        resume(fiber);
      }
    }
  }

  /** Runs the fiber's next step, if it has one. */
  private void resume(MountedFiber fiber) {
    handoff = fiber;
    if (!fiber.started()) {
      fiber.wakePending = false;
      fiber.thread().start();
    } else if (fiber.wakePending) {
      fiber.wakePending = false;
      fiber.woken = true;
      if (!fiber.due) {
        LockSupport.unpark(fiber.thread());
      }
    }
    handoff = null;
    // False where the fiber is in the queue twice, woken and interrupted say, and the other entry
    // ran it.
    if (fiber.due) {
      steps++;
      turnHolder = fiber.thread();
      turnFiber = fiber;
      fiber.mount();
      turnHolder = null;
      if (watchParks || fiber.exclusive) {
        lookWhereParked(fiber);
      }
    }
  }

  /** Notes where a fiber is that parked in code that is none of Weir's. */
  private void lookWhereParked(MountedFiber fiber) {
    if (fiber == ioFiber || fiber.parked || !fiber.thread().isAlive()) {
      return;
    }
    StackTraceElement[] stack = fiber.thread().getStackTrace();
    if (fiber.exclusive) {
      fiber.exclusiveParkedAt = stack;
    }
    if (watchParks && !fiber.reportsPark) {
      loop.reportForeignPark(fiber, stack);
    }
  }

  /** Takes the continuation of one of our fibers. Any thread; see {@link MountedFiber#execute}. */
  void resubmit(MountedFiber fiber) {
    fiber.due = true;
    if (Thread.currentThread() == thread || holdsTurn()) {
      if (fiber != handoff && fiber != ioFiber) {
        ready.add(fiber);
      }
    } else {
      submit(fiber);
    }
  }

  @Override
  void wakeup() {
    if (asleep) {
      LockSupport.unpark(thread);
    } else if (polling()) {
      driver.wakeup();
    }
  }

  /** Sleeps until something is submitted; the I/O fiber's own continuation is. */
  private void sleep() {
    asleep = true;
    if (!anySubmitted() && !runEnds()) {
      LockSupport.park(this);
    }
    asleep = false;
    Thread.interrupted(); // A leftover interrupt would turn every later sleep into a spin.
  }
}
