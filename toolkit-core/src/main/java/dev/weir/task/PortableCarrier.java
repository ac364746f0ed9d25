package dev.weir.task;

import dev.weir.spi.EngineProvider;
import org.jspecify.annotations.Nullable;

/**
 * A carrier whose fibers are ordinary virtual threads. It polls for I/O itself, then sends the turn
 * along the ready queue from fiber to fiber, and waits until it comes back at the end of the round.
 *
 * <p>Waking a virtual thread from a platform thread is far dearer than from another virtual thread,
 * so the turn visits this thread once a round and not once a step. Polling stays on this platform
 * thread: blocked there, a thread of the JDK's scheduler would be missing elsewhere, on a machine
 * of one processor for all.
 */
final class PortableCarrier extends Carrier {
  private final Turn turn = new Turn(thread);
  private final Fiber ioFiber = new IoFiber();

  PortableCarrier(Loop loop, String name, EngineProvider engine, String transport) {
    super(loop, name, engine, transport);
  }

  @Override
  Thread ioThread() {
    return thread;
  }

  @Override
  boolean canRequeue(Fiber fiber) {
    return fiber != ioFiber;
  }

  @Override
  Fiber newFiber(String name, @Nullable Task<?> task, Runnable body) {
    return new PortableFiber(this, name, task, body);
  }

  @Override
  void carry() {
    awaitRun();
    ioFiber.becomeCurrent();
    driver.attach(this::pollWhileOpen);
    terminate();
  }

  private void pollWhileOpen() {
    turnHolder = thread;
    turnFiber = null;
    while (open()) {
      pollOnce();
      takeRound();
      if (runEnds()) {
        if (ioPending()) {
          pollOnce(); // What was written must not wait for the next run.
        }
        awaitRun();
        turnHolder = thread;
        turnFiber = null;
      }
    }
    driver.close();
    while (!ready.isEmpty()) { // What the driver reported.
      takeRound();
    }
  }

  private void takeRound() {
    beginRound();
    if (roundRemaining > 0 && !passTurn(turn)) {
      turn.await();
    }
  }

  /**
   * Gives the turn to whoever the ready queue says, or back to the carrier's thread when the round
   * is over. Called by the thread that holds it.
   *
   * @param from the caller's own, or null if the caller ends
   * @return true if the caller itself is next and keeps the turn; else it must wait for it
   */
  boolean passTurn(@Nullable Turn from) {
    Turn next = turn;
    Fiber nextFiber = null;
    while (roundRemaining > 0 || beginRoundUnpolled()) {
      roundRemaining--;
      steps++;
      Step step = ready.remove();
      if (step instanceof Handle callback && callback.internal) {
        callback.run();
        continue;
      }
      PortableFiber fiber =
          (PortableFiber) (step instanceof Handle callback ? callbackFibers.toRun(callback) : step);
      fiber.wakePending = false;
      next = fiber.turn;
      nextFiber = fiber;
      break;
    }
    if (next == from) {
      return true;
    }
    turnHolder = next.thread();
    turnFiber = nextFiber;
    next.give();
    return false;
  }

  @Override
  void wakeup() {
    if (polling()) {
      driver.wakeup();
    }
  }

  /**
   * The carrier's own thread as what runs there sees it: protocols, which are users' code, too, and
   * find their loop by it. It never gives its turn away in the middle.
   */
  final class IoFiber extends Fiber {
    IoFiber() {
      super(PortableCarrier.this, null, () -> {});
    }

    @Override
    void becomeCurrent() {
      PortableFiber.setCurrent(this);
    }

    @Override
    Thread thread() {
      return thread;
    }

    @Override
    void park() {
      throw new IllegalStateException("The fiber of a loop's I/O was to wait: it must not");
    }

    @Override
    boolean inForeignCode() {
      return false;
    }
  }
}
