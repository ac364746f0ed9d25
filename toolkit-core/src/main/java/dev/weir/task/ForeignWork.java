package dev.weir.task;

import dev.weir.spi.OutsideWork;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What goes on outside a loop and will wake it: work on executors, stages of the JDK's, tasks and
 * callbacks in blocking code. Whoever steps the loop's clock by hand has to know of it, because it
 * takes real time. On the loop only, unless it is said.
 *
 * <p>Each is taken off by the step that brings its outcome to the loop, not by the thread that made
 * it: in between, the loop would look idle.
 */
final class ForeignWork {
  private final Loop loop;
  private final boolean inOrder;

  /** Work on executors, in the order in which it was handed over. */
  private final Set<Workers.Job<?>> jobs = new LinkedHashSet<>();

  /** What else ends by itself, by the future that it completes. */
  private final Map<Future<?>, String> working = new LinkedHashMap<>();

  /** What waits for somebody, by the future that it completes. */
  private final Map<Future<?>, String> waiting = new LinkedHashMap<>();

  /**
   * @param inOrder whether outcomes of jobs wait until {@link #takeOutcome} asks for them
   */
  ForeignWork(Loop loop, boolean inOrder) {
    this.loop = loop;
    this.inOrder = inOrder;
  }

  void begin(Workers.Job<?> job) {
    jobs.add(job);
  }

  /** Notes that {@code job} will not run. */
  void withdraw(Workers.Job<?> job) {
    jobs.remove(job);
  }

  /** Has {@code outcome} run on the loop, with which {@code job} ends. Any thread. */
  void end(Workers.Job<?> job, Runnable outcome) {
    if (inOrder) {
      job.arrival = outcome;
      loop.carrier.wakeup();
    } else {
      loop.submitInternal(() -> {
        jobs.remove(job);
        outcome.run();
      });
    }
  }

  /** Takes the outcome of the first job that anybody waits for, if it is there. */
  boolean takeOutcome() {
    for (Workers.Job<?> job : jobs) {
      Runnable outcome = job.arrival;
      if (outcome != null) {
        jobs.remove(job);
        outcome.run();
        return true;
      }
      if (!job.outcome.isDone()) {
        return false;
      }
    }
    return false;
  }

  /** Notes that something will complete {@code future} that ends by itself. */
  void working(Future<?> future, String what) {
    working.put(future, what);
    future.onDone(() -> working.remove(future));
  }

  /** Notes that something will complete {@code future} that may wait for the loop. */
  void waiting(Future<?> future, String what) {
    waiting.put(future, what);
    future.onDone(() -> waiting.remove(future));
  }

  OutsideWork describe() {
    List<String> ending = new ArrayList<>(working.values());
    List<String> depending = new ArrayList<>(waiting.values());
    List<String> abandoned = new ArrayList<>();
    loop.attachments.forEach(attachment -> depending.add(attachment.toString()));
    for (Workers.Job<?> job : jobs) {
      (job.outcome.isDone() ? abandoned : ending).add(job.toString());
    }
    for (Task<?> task : loop.tasks.list()) {
      describe(task.fiber, task.label(), ending, depending);
    }
    loop.eachInternalTask(task -> describe(task.fiber, task.label(), ending, depending));
    for (Fiber fiber : loop.carrier.callbackFibers.busy()) {
      describe(fiber, "a callback", ending, depending);
    }
    return new OutsideWork(ending, depending, abandoned);
  }

  private static void describe(
      Fiber fiber, String who, List<String> ending, List<String> depending) {
    if (fiber.inForeignCode()) {
      boolean timed = fiber.thread().getState() == Thread.State.TIMED_WAITING;
      (timed ? ending : depending)
          .add(
              who + " in a blocking call at " + Stacks.callerOfJdk(fiber.thread().getStackTrace()));
    }
  }

  @Override
  public String toString() {
    return "ForeignWork[" + jobs + ", " + working.values() + ", " + waiting.values() + "]";
  }
}
