package dev.weir.task;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
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

  /** Those in callbacks, the one that began last at the end. */
  private final ArrayList<Runner> busy = new ArrayList<>();

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

  /** {@return those in callbacks} Asked between rounds, it is those that blocking code holds. */
  List<Fiber> busy() {
    return busy.isEmpty() ? List.of() : busy.stream().map(runner -> runner.fiber).toList();
  }

  /** Reports those that blocking code holds, as the loop is about to close. */
  void reportBusy() {
    for (Runner runner : List.copyOf(busy)) {
      carrier.loop.callExceptionHandler(
          new ExceptionContext(
              "A callback is still in a blocking call while its loop closes",
              Stacks.of(runner.fiber.thread()),
              null,
              runner.running,
              runner.running == null ? null : runner.running.createdAt));
    }
  }

  /**
   * Ends those that are idle, and the others when they have run what they have to. Those that
   * blocking code holds are interrupted.
   */
  void end() {
    ended = true;
    busy.forEach(runner -> runner.fiber.interruptForeignCode());
    busy.clear(); // They may outlive the loop, and then end in parallel.
    for (Runner runner : idle) {
      runner.fiber.wake(); // With nothing to run, it ends.
    }
    idle.clear();
  }

  private final class Runner {
    final Fiber fiber = carrier.newFiber(carrier.thread.getName() + "-callbacks", null, this::run);
    @Nullable Handle next;
    @Nullable Handle running;

    void run() {
      while (next != null) {
        runCallbacks();
        if (ended || idle.size() >= IDLE_MAX) {
          return;
        }
        idle.push(this);
        fiber.park();
      }
    }

    /** Runs as many as follow each other: a switch of fibers saved for each. */
    private void runCallbacks() {
      Handle callback = next;
      next = null;
      if (!ended) {
        busy.add(this);
      }
      try {
        for (; callback != null; callback = carrier.takeCallbackOfRound()) {
          Thread.interrupted(); // The interrupt that another callback left is not this one's.
          running = callback;
          fiber.context = callback.context();
          fiber.context.restoreCarried();
          callback.run();
        }
      } finally { // A report that throws ends the fiber.
        running = null;
        if (!ended) {
          busy.remove(busy.lastIndexOf(this));
        }
      }
    }
  }

  @Override
  public String toString() {
    return "CallbackFibers[" + idle.size() + " idle]";
  }
}
