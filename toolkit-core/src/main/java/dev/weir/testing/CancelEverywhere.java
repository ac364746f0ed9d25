package dev.weir.testing;

import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TaskObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a scenario again and again and cancels it each time at another place where it suspends,
 * until it was cancelled at every one. At each place it does so in three ways: at once, after it
 * has waited for a round, and after what it waits for has come but before it runs again, which is
 * where most mistakes hide.
 *
 * <pre>{@code
 * CancelEverywhere.run(
 *     AsyncLock::new,
 *     lock -> {
 *       try (var _ = lock.hold()) {
 *         Asyncio.sleep(Duration.ofMillis(1));
 *       }
 *     },
 *     lock -> {
 *       lock.acquire(); // Would hang if the cancelled task had kept it.
 *       lock.release();
 *     });
 * }</pre>
 *
 * <p>Called from a task. An exchange that hangs makes the call hang; on a virtual loop the run then
 * ends in a {@link DeadlockError}, which says where the scenario was cancelled.
 */
public final class CancelEverywhere {
  private CancelEverywhere() {}

  /** Makes what a scenario works on, anew for each run. */
  @FunctionalInterface
  public interface Fixture<F> {
    /** Makes it. May suspend. */
    F make() throws Exception;
  }

  /** Something done with a fixture. */
  @FunctionalInterface
  public interface Step<F> {
    /** Does it. May suspend. */
    void run(F fixture) throws Exception;
  }

  /** When to cancel, once the scenario has suspended for the nth time. */
  private enum Moment {
    SUSPENDING,
    WAITING,
    WOKEN
  }

  /**
   * Runs {@code scenario} as a task, cancelled at each of its suspensions in turn.
   *
   * @param fixture makes what the scenario and the check work on
   * @param scenario is cancelled; it must end with the cancellation, or as if there were none
   * @param check runs after each, with the same fixture: whether that still works
   * @return how many runs were cancelled
   * @throws AssertionError if the scenario or the check fails, or tasks are left behind; it says
   *     where the scenario was cancelled
   */
  public static <F> int run(
      Fixture<? extends F> fixture, Step<? super F> scenario, Step<? super F> check) {
    Objects.requireNonNull(fixture, "fixture");
    Objects.requireNonNull(scenario, "scenario");
    Objects.requireNonNull(check, "check");
    Loop.running().ensureInTask("CancelEverywhere.run()");
    int cancelled = 0;
    for (Moment moment : Moment.values()) {
      Run<F> run;
      long suspension = 0;
      do {
        suspension++;
        run = new Run<>(suspension, moment);
        run.cancelThere(fixture, scenario, check);
        if (run.cancelledAt != null) {
          cancelled++;
        }
      } while (run.reached);
    }
    return cancelled;
  }

  /** One run of the scenario. */
  private static final class Run<F> implements TaskObserver {
    private final Loop loop = Loop.running();
    private final long suspension;
    private final Moment moment;

    /** Whether the scenario came to suspend there. */
    private boolean reached;

    private StackTraceElement @Nullable [] cancelledAt;

    Run(long suspension, Moment moment) {
      this.suspension = suspension;
      this.moment = moment;
    }

    void cancelThere(
        Fixture<? extends F> fixture, Step<? super F> scenario, Step<? super F> check) {
      Set<Task<?>> before = loop.allTasks();
      VirtualDriver driver = VirtualDriver.ofLoop(loop);
      if (driver != null) {
        driver.reportAlso(this);
      }
      try {
        F made = fixture.make();
        Task<?> running = loop.createTask(() -> scenario.run(made), "scenario");
        running.observe(this);
        awaitEnd(running);
        check.run(made);
      } catch (Exception | AssertionError e) {
        throw new AssertionError("Failed " + where(), e);
      } finally {
        if (driver != null) {
          driver.reportNoMore(this);
        }
      }
      List<Task<?>> left = new ArrayList<>(loop.allTasks());
      left.removeAll(before);
      if (!left.isEmpty()) {
        throw new AssertionError("Left behind " + where() + ": " + left);
      }
    }

    @Override
    public void suspending(Task<?> task) {
      if (task.suspensions() != suspension) {
        return;
      }
      reached = true;
      switch (moment) {
        case SUSPENDING -> cancel(task);
        case WAITING ->
            loop.callSoon(() -> {
              if (task.suspensions() == suspension && task.waitingFor() != null) {
                cancel(task);
              }
            });
        case WOKEN -> {}
      }
    }

    @Override
    public void woken(Task<?> task) {
      if (moment == Moment.WOKEN && task.suspensions() == suspension && cancelledAt == null) {
        cancel(task);
      }
    }

    private void cancel(Task<?> task) {
      cancelledAt = task.stackTrace();
      task.cancel("at suspension " + suspension);
    }

    private static void awaitEnd(Task<?> running) throws Exception {
      try {
        running.await(Exception.class);
      } catch (CancelledError e) {
        // As it should be.
      }
    }

    private String where() {
      StackTraceElement @Nullable [] stack = cancelledAt;
      if (stack == null) {
        return "without a cancellation";
      }
      StringBuilder where = new StringBuilder();
      where.append("after a cancellation at suspension ").append(suspension);
      where.append(moment == Moment.WOKEN ? ", once woken," : "").append(" here:");
      for (StackTraceElement frame : stack) {
        where.append("\n    ").append(frame);
      }
      return where.append("\n  ").toString();
    }

    @Override
    public String toString() {
      return "CancelEverywhere, " + where().stripTrailing();
    }
  }
}
