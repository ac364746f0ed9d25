package dev.weir.task;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Lets a loop that runs when the JVM exits end in order: cancels its main task and waits, for a
 * bounded time, until the loop is closed.
 *
 * <p>A task that called {@code System.exit} itself waits for this hook, so the hook must not wait
 * for it.
 */
final class ExitHook {
  /** How long the loop may take to say where its tasks are. If it cannot, it does not run. */
  private static final long LOOK_TIMEOUT_MILLIS = 200;

  private final Loop loop;
  private final Runnable cancelMain;
  private final Duration timeout;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean exiting;

  private ExitHook(Loop loop, Runnable cancelMain, Duration timeout) {
    this.loop = loop;
    this.cancelMain = cancelMain;
    this.timeout = timeout;
    this.thread =
        Thread.ofPlatform().name(loop.carrier.thread.getName() + "-exit").unstarted(this::run);
  }

  /** {@return the hook, or null if the timeout is zero or the JVM exits already} */
  static @Nullable ExitHook install(Loop loop, Runnable cancelMain, Duration timeout) {
    if (timeout.isZero()) {
      return null;
    }
    ExitHook hook = new ExitHook(loop, cancelMain, timeout);
    try {
      Runtime.getRuntime().addShutdownHook(hook.thread);
    } catch (IllegalStateException e) {
      return null;
    }
    return hook;
  }

  /** Says that the loop is closed. */
  void uninstall() {
    ended.countDown();
    if (!exiting) {
      try {
        Runtime.getRuntime().removeShutdownHook(thread);
      } catch (IllegalStateException e) {
        // The JVM exits, and this hook has nothing to do any more.
      }
    }
  }

  /** {@return whether the JVM exits; any thread may ask} */
  boolean exiting() {
    return exiting;
  }

  private void run() {
    exiting = true;
    if (!loop.isRunning() || loop.group().stream().anyMatch(ExitHook::anyTaskExits)) {
      return;
    }
    cancelMain.run();
    try {
      if (!ended.await(Loop.toNanos(timeout), TimeUnit.NANOSECONDS)) {
        ErrorReports.warn(
            loop + " did not end within " + timeout + " of the JVM's exit",
            Stacks.of(loop.carrier.thread));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean anyTaskExits(Loop loop) {
    Thread holder = loop.carrier.turnHolder;
    if (holder != null && exits(holder)) {
      return true;
    }
    List<Thread> threads = new ArrayList<>();
    CountDownLatch listed = new CountDownLatch(1);
    loop.submitInternal(() -> {
      for (Task<?> task : loop.tasks.list()) {
        threads.add(task.fiber.thread());
      }
      listed.countDown();
    });
    try {
      return listed.await(LOOK_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
          && threads.stream().anyMatch(ExitHook::exits);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private static boolean exits(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      if (frame.getClassName().equals("java.lang.Runtime")
          && frame.getMethodName().equals("exit")) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String toString() {
    return "ExitHook[" + loop + (exiting ? ", exiting]" : "]");
  }
}
