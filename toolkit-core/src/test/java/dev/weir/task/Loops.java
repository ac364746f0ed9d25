package dev.weir.task;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/** Runs test bodies on loops of this package's own, without an engine. */
public final class Loops {
  /** Longer than any test: what waits for it is ended by something else, or hangs. */
  static final Duration LONG = Duration.ofHours(1);

  private Loops() {}

  /** Makes a runner whose loop is without an engine. */
  public static Runner newRunner() {
    return newRunner(RunOptions.defaults());
  }

  static Runner newRunner(RunOptions options) {
    return new Runner(options, ParkingDriver::new);
  }

  /** Opens a loop without an engine, to be run and closed by hand. */
  public static Loop open() {
    return open(RunOptions.defaults());
  }

  static Loop open(RunOptions options) {
    return Loop.open(options, ParkingDriver::new);
  }

  public static <T> T call(Coroutine<T> body) {
    return call(RunOptions.defaults(), body);
  }

  static <T> T call(RunOptions options, Coroutine<T> body) {
    try (Runner runner = newRunner(options)) {
      return runner.run(body);
    }
  }

  public static void run(Action body) {
    call(Loop.asCoroutine(body));
  }

  /** Makes a task that sleeps for ever, and has it begin. */
  static Task<?> sleeper() {
    Task<?> sleeper = Loop.running().createTask(() -> Loop.running().sleep(LONG));
    Loop.running().yieldNow();
    return sleeper;
  }

  /** Makes a task that fails as soon as it runs. */
  static Task<String> failing(Exception failure) {
    return Loop.running()
        .createTask(() -> {
          throw failure;
        });
  }

  /** {@return a future of the running loop that holds {@code result}} */
  static <T> Future<T> done(T result) {
    Future<T> future = Loop.running().createFuture();
    future.setResult(result);
    return future;
  }

  /** Collects what reaches the running loop's exception handler from now on. */
  public static List<ExceptionContext> collectErrors() {
    List<ExceptionContext> errors = new ArrayList<>();
    Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
    return errors;
  }

  /** Waits until everything that is ready, and what that makes ready, has run. */
  public static void settle() {
    for (int i = 0; i < 5; i++) {
      Loop.running().yieldNow();
    }
  }

  /** Waits until {@code task}, on a mounted fiber, is parked in a blocking call and stays there. */
  static void untilParked(Task<?> task) {
    settle();
    while (!Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING)
        .contains(task.fiber.thread().getState())) {
      Loop.running().yieldNow();
    }
  }

  /** Blocks the calling thread, which no interrupt stops. */
  static void awaitThroughInterrupts(CountDownLatch latch) {
    while (true) {
      try {
        latch.await();
        return;
      } catch (InterruptedException e) {
        // Goes on waiting.
      }
    }
  }

  static boolean mounted() {
    return RunOptions.defaults().fibers() == FiberKind.MOUNTED;
  }
}
