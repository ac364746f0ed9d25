package dev.weir.testing;

import dev.weir.task.Action;
import dev.weir.task.Coroutine;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import dev.weir.task.Task;
import dev.weir.task.TimerHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Runs the parts of a test on one loop, one after another, and checks in the end that nothing was
 * left behind: for test frameworks, whose tests have a beginning, a middle and an end. Otherwise as
 * {@link Runner}. The loop is a virtual one, as {@link VirtualLoop#run} has it for a single run, or
 * a real one.
 *
 * <p>What a run leaves goes on in the next. One thread at a time may use it; it must not be on a
 * loop.
 */
public final class TestRunner implements AutoCloseable {
  /** How long, in real time, what is left on a real loop may take to end by itself. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  private static final Duration GRACE_LOOK = Duration.ofMillis(2);

  private static final String SEED_NOTE = "seed ";
  private static final String LEFT_NOTE = "Left behind by the test that failed:";
  private static final String REPORTED_NOTE = "";

  private final Runner runner;
  private final Loop loop;

  /** Null on a real loop. */
  private final @Nullable VirtualDriver driver;

  private final @Nullable Long seed;
  private final boolean leftBehindAllowed;

  /** What reached the loop's exception handler, as long as that is this runner's. */
  private final List<ExceptionContext> reported = new ArrayList<>();

  private @Nullable Throwable failure;
  private boolean closed;

  private TestRunner(
      Runner runner,
      @Nullable VirtualDriver driver,
      @Nullable Long seed,
      boolean leftBehindAllowed) {
    this.runner = runner;
    this.loop = runner.loop();
    this.driver = driver;
    this.seed = seed;
    this.leftBehindAllowed = leftBehindAllowed;
    loop.setExceptionHandler((ofLoop, context) -> reported.add(context));
  }

  /** Makes a runner on a virtual loop, which is open from here on. */
  public static TestRunner onVirtualLoop(VirtualOptions options) {
    Objects.requireNonNull(options, "options");
    ensureOffLoop();
    List<VirtualDriver> drivers = new ArrayList<>(1);
    Runner runner =
        new Runner(
            options.runOptions(),
            (transport, loop) -> {
              drivers.add(new VirtualDriver(loop, options));
              return drivers.getFirst();
            });
    Loop loop = runner.loop();
    VirtualDriver driver = drivers.getFirst();
    driver.attachTo(loop);
    return new TestRunner(runner, driver, options.seed(), options.leftBehindAllowed());
  }

  /**
   * Makes a runner on a real loop, with the engine that is installed.
   *
   * @throws IllegalArgumentException if the options ask for several loops
   * @throws IllegalStateException if there is no engine, or on a running loop
   */
  public static TestRunner onRealLoop(RunOptions options) {
    ensureOffLoop();
    if (options.loops() > 1) {
      throw new IllegalArgumentException(
          "A TestRunner sees what is left behind on one loop, and loops is "
              + options.loops()
              + ": leave withLoops() out, or use a Runner");
    }
    return new TestRunner(new Runner(options), null, null, false);
  }

  private static void ensureOffLoop() {
    Loop running = Loop.runningOrNull();
    if (running != null) {
      throw new IllegalStateException(
          "A test was run on a running loop, "
              + running
              + ", which it would block: call the code directly, or in a task of its own");
    }
  }

  /**
   * Runs {@code body} as the main task and waits until it is done.
   *
   * @return what {@code body} returned; what it threw is thrown as it is
   * @throws DeadlockError on a virtual loop, if nothing can ever happen again before it is done
   * @throws IllegalStateException on a running loop, or after {@link #close}
   */
  public <T extends @Nullable Object> T run(Coroutine<T> body) {
    if (driver != null) {
      driver.beginRun(null);
    }
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
      // The errors of this package tell it in their message.
      if (seed != null && !(thrown instanceof DeadlockError || thrown instanceof LeftBehindError)) {
        note(thrown, SEED_NOTE, Long.toString(seed));
      }
    }
  }

  /**
   * Notes something beside {@code thrown}. One exception may fail many runs, if it is a constant:
   * it keeps what was noted last.
   */
  private static void note(Throwable thrown, String kind, String text) {
    for (Throwable suppressed : thrown.getSuppressed()) {
      if (suppressed instanceof Note note && note.kind.equals(kind)) {
        note.text = text;
        return;
      }
    }
    thrown.addSuppressed(new Note(kind, text, null));
  }

  /**
   * Ends the loop as {@link Runner#close} does. Before that, checks that nothing was left behind.
   * First lets everything go on that is ready or on its way in the network, so that handlers see
   * that their clients have gone; on a real loop for a second at most. If a run has failed, what it
   * left is no error of its own: it is suppressed by that failure, as a note.
   *
   * @throws LeftBehindError if there is something, unless the options allow it
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (loop.isRunning()) {
      return; // A run was given up that does not end: nobody can close its loop.
    }
    List<String> left = new ArrayList<>();
    try (runner) {
      if (failure != null && !leftBehindAllowed) {
        noteLeftBehind(failure);
      } else if (!leftBehindAllowed) {
        left.addAll(findLeftBehind(null));
      }
      if (driver != null) {
        driver.beginRun(null);
      }
    } catch (DeadlockError e) {
      e.fillInStackTrace();
      failed(e);
      throw e;
    } catch (Throwable e) {
      failed(e);
      throw e;
    } finally {
      if (failure != null) {
        suppressReported(failure);
      }
    }
    if (failure == null && !leftBehindAllowed) {
      throwIfAny(left);
    }
  }

  private void noteLeftBehind(Throwable failed) {
    if (failed instanceof DeadlockError) {
      return; // It has told.
    }
    List<String> left;
    try {
      left = findLeftBehind(GRACE);
    } catch (DeadlockError e) { // It did not come to rest. The message lists what there is.
      left = List.of(String.valueOf(e.getMessage()));
    } catch (Throwable e) { // Of an interrupt, say. It must not displace what the test failed with.
      left = List.of("what there is could not be found out: " + e);
    }
    if (!left.isEmpty()) {
      note(failed, LEFT_NOTE, "\n- " + String.join("\n- ", left));
    }
  }

  /** {@return what is left once everything has come to rest} */
  private List<String> findLeftBehind(@Nullable Duration patience) {
    if (driver != null) {
      driver.beginRun(patience);
    }
    return runner.run(() -> {
      awaitQuiet();
      return leftBehind();
    });
  }

  private void awaitQuiet() {
    if (driver != null) {
      driver.awaitQuiet(loop);
      return;
    }
    Duration deadline = loop.time().plus(GRACE);
    while (!leftBehind().isEmpty() && loop.time().compareTo(deadline) < 0) {
      loop.sleep(GRACE_LOOK);
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
    left.addAll(loop.network().describeOpen());
    if (driver != null) {
      left.addAll(driver.describeOutside());
    }
    return left;
  }

  private void throwIfAny(List<String> left) {
    for (ExceptionContext context : reported) {
      left.add("error that nobody took: " + context.message() + ": " + context.exception());
    }
    if (left.isEmpty()) {
      return;
    }
    String when =
        driver == null
            ? ""
            : " after "
                + TaskReport.time(driver.nanoTime())
                + " of virtual time"
                + driver.withSeed();
    LeftBehindError error =
        new LeftBehindError("Left behind" + when + ":\n- " + String.join("\n- ", left));
    suppressReported(error);
    failed(error);
    throw error;
  }

  private void suppressReported(Throwable error) {
    for (ExceptionContext context : reported) {
      Throwable exception = context.exception();
      if (exception != null && exception != error) {
        error.addSuppressed(new Note(REPORTED_NOTE, context.message(), exception));
      }
    }
  }

  @Override
  public String toString() {
    return "TestRunner[" + runner + "]";
  }

  /** What to say beside a failure. It has no stack of its own. */
  private static final class Note extends Throwable {
    private static final long serialVersionUID = 1;

    private final String kind;
    private volatile String text;

    Note(String kind, String text, @Nullable Throwable cause) {
      super(null, cause, false, false);
      this.kind = kind;
      this.text = text;
    }

    @Override
    public String getMessage() {
      return kind + text;
    }
  }
}
