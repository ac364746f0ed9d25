package dev.weir.task;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * What brings a loop things from outside on a thread of its own, as a pipe does: the way there, and
 * what ends it with its loop. Made by {@link Loop#attach}; for those who write transports that the
 * engine does not have.
 *
 * <p>While it is attached, a loop whose clock is stepped by hand takes into account that something
 * may come of it.
 */
public final class Attachment {
  private static final AtomicInteger THREAD_COUNT = new AtomicInteger();

  private final Loop loop;
  private final String what;
  private final LoopEnd end;

  /** Ends what is attached, because its loop does. */
  @FunctionalInterface
  public interface LoopEnd {
    /**
     * Gives back what is held: threads, descriptors, children. Called once, by the thread that
     * closes the loop, after the last step has run. What is submitted from then on is dropped.
     *
     * @param deadlineNanos until when, by {@link System#nanoTime}, it may wait for what is under
     *     way
     */
    void loopEnds(long deadlineNanos);
  }

  Attachment(Loop loop, String what, LoopEnd end) {
    this.loop = loop;
    this.what = what;
    this.end = end;
  }

  /**
   * Has {@code step} run on the loop, in the order of submission, where it may call what is to be
   * called on the loop; it is no task. What it throws goes to the loop's exception handler. Dropped
   * if the loop is closed. Any thread.
   */
  public void submit(Runnable step) {
    loop.carrier.submit(new Handle(loop, step, Context.empty()));
  }

  /**
   * Starts a daemon thread that is named after the loop. Any thread.
   *
   * @param role what it does, for its name
   */
  public Thread startThread(String role, Runnable body) {
    return Thread.ofPlatform()
        .name(loop.carrier.thread.getName() + "-" + role + "-" + THREAD_COUNT.incrementAndGet())
        .daemon()
        .start(body);
  }

  /**
   * Ends the attachment: there is nothing left to end with the loop. A second call has no effect.
   */
  public void detach() {
    loop.ensureHeld("Attachment.detach()");
    loop.attachments.remove(this);
  }

  void loopEnds(long deadlineNanos) {
    end.loopEnds(deadlineNanos);
  }

  @Override
  public String toString() {
    return what;
  }
}
