package dev.weir.task;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The fibers that run a loop's callbacks, one after another: one of them as a rule. A callback that
 * parks in a blocking call keeps its fiber; those behind it get another, so they start in order and
 * on time. On the loop only.
 */
final class CallbackFibers {
  /** Idle fibers beyond these end. More than one is idle only after callbacks parked. */
  private static final int IDLE_MAX = 4;

  private final Carrier carrier;
  private final ArrayDeque<Runner> idle = new ArrayDeque<>();
  private boolean ended;

  /** How many are in callbacks. */
  private int busy;

  CallbackFibers(Carrier carrier) {
    this.carrier = carrier;
  }

  /** {@return a fiber that will run {@code callback} in its next step} */
  Fiber toRun(Handle callback) {
    Runner runner = idle.poll();
    if (runner == null) {
      runner = new Runner();
    }
    runner.next = callback;
    return runner.fiber;
  }

  /**
   * {@return how many are in callbacks} Asked between rounds, it is those that blocking code holds.
   */
  int busy() {
    return busy;
  }

  /** Ends those that are idle, and the others when they have run what they have to. */
  void end() {
    ended = true;
    for (Runner runner : idle) {
      runner.fiber.wake(); // With nothing to run, it ends.
    }
    idle.clear();
  }

  private final class Runner {
    final Fiber fiber = carrier.newFiber(carrier.thread.getName() + "-callbacks", null, this::run);
    @Nullable Handle next;

    void run() {
      while (next != null) {
        Handle callback = next;
        next = null;
        busy++;
        // As many as follow each other: a switch of fibers saved for each.
        for (; callback != null; callback = carrier.takeCallbackOfRound()) {
          Thread.interrupted(); // The interrupt that another callback left is not this one's.
          fiber.context = callback.context();
          fiber.context.restoreCarried();
          callback.run();
        }
        busy--;
        if (ended || idle.size() >= IDLE_MAX) {
          return;
        }
        idle.push(this);
        fiber.park();
      }
    }
  }

  @Override
  public String toString() {
    return "CallbackFibers[" + idle.size() + " idle]";
  }
}
