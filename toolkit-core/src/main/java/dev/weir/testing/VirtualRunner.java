package dev.weir.testing;

import dev.weir.task.Action;
import dev.weir.task.Coroutine;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Loop;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import dev.weir.task.TimerHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Runs several bodies on one virtual loop, one after another, as {@link Runner} does on a real one:
 * for test frameworks, whose tests have a beginning, a middle and an end. {@link VirtualLoop#run}
 * is one run on one runner.
 *
 * <p>What a run leaves goes on in the next. One thread at a time may use it; it must not be on a
 * loop.
 */
public final class VirtualRunner implements AutoCloseable {
  private final VirtualOptions options;
  private final Runner runner;
  private final Loop loop;
  private final VirtualDriver driver;

  /** What reached the loop's exception handler, as long as that is this runner's. */
  private final List<ExceptionContext> reported = new ArrayList<>();

  private @Nullable Throwable failure;
  private boolean closed;

  /** Makes a runner with default options. */
  public VirtualRunner() {
    this(VirtualOptions.defaults());
  }

  /** Makes a runner, whose loop is open from here on. */
  public VirtualRunner(VirtualOptions options) {
    this.options = Objects.requireNonNull(options, "options");
    List<VirtualDriver> drivers = new ArrayList<>(1);
    this.runner =
        new Runner(
            options.runOptions(),
            (transport, loop) -> {
              drivers.add(new VirtualDriver(loop, options));
              return drivers.getFirst();
            });
    this.loop = runner.loop();
    this.driver = drivers.getFirst();
    driver.attachTo(loop);
    loop.setExceptionHandler((ofLoop, context) -> reported.add(context));
  }

  /**
   * Runs {@code body} as the main task and waits until it is done.
   *
   * @return what {@code body} returned; what it threw is thrown as it is
   * @throws DeadlockError if nothing can ever happen again before it is done
   * @throws IllegalStateException on a running loop, or after {@link #close}
   */
  public <T extends @Nullable Object> T run(Coroutine<T> body) {
    try {
      return runner.run(body);
    } catch (DeadlockError e) {
      e.fillInStackTrace(); // It was made by the driver, and who runs the test matters.
      failed(e);
      throw e;
    } catch (Throwable e) {
      failed(e);
      throw e;
    }
  }

  /** The same for a body that returns nothing. */
  public void run(Action body) {
    Objects.requireNonNull(body, "body");
    run(() -> {
      body.run();
      return null;
    });
  }

  private void failed(Throwable thrown) {
    if (failure == null) {
      failure = thrown;
      Long seed = options.seed();
      if (seed != null) {
        thrown.addSuppressed(new Note("seed " + seed));
      }
    }
  }

  /**
   * Ends the loop as {@link Runner#close} does. Before that, if every run has succeeded, checks
   * that nothing was left behind: first lets everything go on that is ready or on its way in the
   * network, so that handlers see that their clients have gone.
   *
   * @throws LeftBehindError if there is something, unless the options allow it
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    List<String> left = new ArrayList<>();
    try (runner) {
      if (failure == null && !options.leftBehindAllowed()) {
        runner.run(() -> {
          driver.awaitQuiet(loop);
          left.addAll(leftBehind());
        });
      }
    } catch (Throwable e) {
      failed(e);
      throw e;
    } finally {
      if (failure != null) {
        suppressReported(failure);
      }
    }
    if (failure == null && !options.leftBehindAllowed()) {
      throwIfAny(left);
    }
  }

  private List<String> leftBehind() {
    List<String> left = new ArrayList<>();
    for (Task<?> task : loop.allTasks()) {
      if (task != Loop.currentTask()) {
        left.add(TaskReport.of(task));
      }
    }
    for (TimerHandle timer : loop.pendingTimers()) {
      left.add("timer: " + timer);
    }
    left.addAll(driver.sockets().describeOpen());
    return left;
  }

  private void throwIfAny(List<String> left) {
    for (ExceptionContext context : reported) {
      left.add("error that nobody took: " + context.message() + ": " + context.exception());
    }
    if (left.isEmpty()) {
      return;
    }
    LeftBehindError error =
        new LeftBehindError(
            "Left behind after "
                + TaskReport.time(driver.nanoTime())
                + " of virtual time:\n- "
                + String.join("\n- ", left));
    suppressReported(error);
    failed(error);
    throw error;
  }

  private void suppressReported(Throwable error) {
    for (ExceptionContext context : reported) {
      Throwable exception = context.exception();
      if (exception != null && exception != error) {
        error.addSuppressed(new Note(context.message(), exception));
      }
    }
  }

  @Override
  public String toString() {
    return "VirtualRunner[" + runner + ", " + driver + "]";
  }

  /** What to say beside a failure. It has no stack of its own. */
  private static final class Note extends Throwable {
    private static final long serialVersionUID = 1;

    Note(String message) {
      super(message, null, false, false);
    }

    Note(String message, Throwable cause) {
      super(message, cause, false, false);
    }
  }
}
