package dev.weir.task;

import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A loop's own platform thread, and the order in which everything on the loop runs.
 *
 * <pre>
 * forever
 *   move what other threads submitted into the ready queue
 *   take every step that was ready when this round began, first in, first out
 *   poll: send what was written, handle I/O, append the timers that are due;
 *     block only if nothing is ready
 * </pre>
 *
 * <p>Steps made ready during a round wait for the next, so that I/O is polled in between and no
 * task can starve it. <em>The turn</em> is the right to run; one thread holds it at a time. The two
 * subclasses differ in how it travels.
 */
abstract sealed class Carrier implements LoopContext permits MountedCarrier, PortableCarrier {
  /** Idle callback fibers beyond these end. More than one is idle only after callbacks parked. */
  private static final int IDLE_CALLBACK_FIBERS = 4;

  final Loop loop;
  final Thread thread;
  final IoDriver driver;

  // Any thread.

  private final ConcurrentLinkedQueue<Step> submitted = new ConcurrentLinkedQueue<>();

  /** Whether the I/O fiber is in a poll that may block. */
  private volatile boolean polling;

  private volatile boolean terminated;

  /**
   * The thread that holds the turn. Other threads read it without synchronisation, and only to
   * compare it with themselves: a thread sees its own name here only if it holds the turn, because
   * it loses it by its own doing.
   */
  @Nullable Thread turnHolder;

  // On the loop only.

  final ArrayDeque<Step> ready = new ArrayDeque<>(64);
  final Timers timers = new Timers();

  /** How many steps of this round are still to be taken. */
  int roundRemaining;

  private final ArrayDeque<CallbackRunner> idleCallbackRunners = new ArrayDeque<>();
  private boolean closing;

  Carrier(Loop loop, String name, EngineProvider engine, String transport) {
    this.loop = loop;
    this.driver = engine.open(transport, this);
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  /** Makes a fiber that has not started; {@link Fiber#wake} starts it. */
  abstract Fiber newFiber(String name, @Nullable Task<?> task, Runnable body);

  /** The carrier thread's life. */
  abstract void run();

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
    for (Step step = submitted.poll(); step != null; step = submitted.poll()) {
      ready.add(step);
    }
  }

  // --- The I/O fiber

  /** One poll, and the timers that came due meanwhile. */
  final void pollOnce() {
    try {
      driver.poll(timers.nextDeadlineNanos());
    } catch (Throwable e) {
      report(
          "Error while polling for I/O", e); // The loop must outlive it, or every connection dies.
    }
    if (polling) {
      polling = false;
    }
    if (timers.size() > 0) {
      timers.expire(driver.nanoTime(), ready::add);
    }
  }

  @Override
  public final boolean mayBlock() {
    // First announce, then look: a submitter first queues, then looks whether we announced.
    polling = true;
    return ready.isEmpty() && submitted.isEmpty() && !closing;
  }

  final boolean polling() {
    return polling;
  }

  @Override
  public final void ioRequested() {
    if (polling) {
      driver.wakeup();
    }
  }

  @Override
  public final void report(String message, Throwable exception) {
    // The handler is user code and may park, which the I/O fiber must not.
    loop.callSoon(() -> loop.callExceptionHandler(ExceptionContext.of(message, exception)));
  }

  /** {@return whether the I/O fiber has to go on polling} */
  final boolean open() {
    return !closing || !ready.isEmpty() || !submitted.isEmpty();
  }

  // --- Callbacks

  /** {@return a fiber that will run {@code callback} in its next step} */
  final Fiber callbackFiber(Handle callback) {
    CallbackRunner runner = idleCallbackRunners.poll();
    if (runner == null) {
      runner = new CallbackRunner();
    }
    runner.next = callback;
    return runner.fiber;
  }

  /**
   * Runs callbacks one after another. One that parks in a blocking call keeps its fiber; the
   * callbacks behind it get another, so they start in order and on time.
   */
  private final class CallbackRunner {
    final Fiber fiber = newFiber(thread.getName() + "-callbacks", null, this::run);
    @Nullable Handle next;

    void run() {
      while (next != null) {
        Handle callback = next;
        next = null;
        for (; callback != null; callback = nextCallbackOfRound()) {
          callback.run();
        }
        if (closing || idleCallbackRunners.size() >= IDLE_CALLBACK_FIBERS) {
          return;
        }
        idleCallbackRunners.push(this);
        fiber.park();
      }
    }

    /** Takes the next step of this round if it is a callback: a switch of fibers saved. */
    private @Nullable Handle nextCallbackOfRound() {
      if (roundRemaining > 0 && ready.peek() instanceof Handle callback) {
        roundRemaining--;
        ready.remove();
        return callback;
      }
      return null;
    }
  }

  // --- The end

  /** Ends the loop as soon as nothing is ready any more. Called on the loop. */
  final void close() {
    closing = true;
    for (CallbackRunner runner : idleCallbackRunners) {
      runner.fiber.wake(); // With nothing to run, it ends.
    }
    idleCallbackRunners.clear();
    ioRequested();
  }

  /**
   * Marks the end: from here on continuations go to the JDK's scheduler. Called by the carrier
   * thread, last.
   */
  final void terminate() {
    turnHolder = null;
    terminated = true;
    takeSubmitted();
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
