package dev.weir.sync;

import dev.weir.task.CancelledError;

/**
 * A place where a fixed number of tasks wait for each other, as {@code asyncio.Barrier}. When the
 * last one has come all go on, and the barrier can be used again.
 */
public final class AsyncBarrier {
  /*
   *            the last party came           the last party left
   *   FILLING ---------------------> DRAINING ------------------> FILLING
   *      |                                                           ^
   *      +---- reset, with tasks there ----> RESETTING --------------'
   *      |                                     the last party left
   *      '---- abort ----> BROKEN ---- reset ----> FILLING, or RESETTING
   *
   * Newcomers wait while it is DRAINING or RESETTING.
   */
  private enum State {
    FILLING,
    DRAINING,
    RESETTING,
    BROKEN
  }

  private final LoopBinding binding = new LoopBinding("AsyncBarrier");
  private final AsyncCondition condition = AsyncCondition.partOf(this);
  private final int parties;
  private State state = State.FILLING;

  /** How many tasks are at the barrier and have not left yet. */
  private int count;

  /**
   * Makes a barrier for {@code parties} tasks.
   *
   * @throws IllegalArgumentException if {@code parties} is less than one
   */
  public AsyncBarrier(int parties) {
    if (parties < 1) {
      throw new IllegalArgumentException("parties < 1: " + parties);
    }
    this.parties = parties;
  }

  /**
   * Suspends until all parties are here; the last one goes on at once. Corresponds to {@code
   * Barrier.wait}.
   *
   * @return a number from 0 to {@link #parties} - 1, another for each task; the last to come gets
   *     the highest
   * @throws BrokenBarrierException if the barrier is or gets broken, or is reset meanwhile
   * @throws CancelledError if the task is cancelled; it is not counted then
   * @throws IllegalStateException outside a task, or on another loop than the barrier's
   */
  public int await() {
    binding.ensureInTask("AsyncBarrier.await()");
    try (Held _ = condition.hold()) {
      condition.awaitUntil(() -> state != State.DRAINING && state != State.RESETTING);
      if (state == State.BROKEN) {
        throw new BrokenBarrierException("The barrier is broken: reset() it first");
      }
      count++;
      try {
        if (count < parties) {
          awaitOthers();
          // The last to come has left, and nobody comes until all have. Counting those that came
          // before would give a number twice if one of them was cancelled.
          return parties - 1 - count;
        }
        state = State.DRAINING;
        condition.signalAll();
        return parties - 1;
      } finally {
        leave();
      }
    }
  }

  private void awaitOthers() {
    binding.bind();
    condition.awaitUntil(() -> state != State.FILLING);
    if (state != State.DRAINING) {
      throw new BrokenBarrierException(
          "The barrier was " + (state == State.BROKEN ? "aborted" : "reset") + " meanwhile");
    }
  }

  private void leave() {
    count--;
    if (count == 0) {
      if (state == State.DRAINING || state == State.RESETTING) {
        state = State.FILLING;
      }
      condition.signalAll();
    }
  }

  /**
   * Empties the barrier: tasks that wait there get a {@link BrokenBarrierException}, and it can be
   * used again when they have left. Suspends while others enter or leave.
   *
   * @throws CancelledError if the task is cancelled; nothing has changed then
   */
  public void reset() {
    binding.ensureInTask("AsyncBarrier.reset()");
    try (Held _ = condition.hold()) {
      state = count > 0 ? State.RESETTING : State.FILLING;
      condition.signalAll();
    }
  }

  /**
   * Breaks the barrier: tasks that wait there, and those that come, get a {@link
   * BrokenBarrierException} until it is {@link #reset}. Suspends while others enter or leave.
   *
   * @throws CancelledError if the task is cancelled; nothing has changed then
   */
  public void abort() {
    binding.ensureInTask("AsyncBarrier.abort()");
    try (Held _ = condition.hold()) {
      state = State.BROKEN;
      condition.signalAll();
    }
  }

  /** {@return how many tasks it is for} */
  public int parties() {
    return parties;
  }

  /** {@return how many tasks wait for others to come; 0 while they leave} */
  public int waiting() {
    binding.ensureHeld("AsyncBarrier.waiting()");
    return state == State.FILLING ? count : 0;
  }

  /** {@return whether it was aborted, and not reset since} */
  public boolean broken() {
    binding.ensureHeld("AsyncBarrier.broken()");
    return state == State.BROKEN;
  }

  @Override
  public String toString() {
    return "AsyncBarrier[" + state + ", " + count + " of " + parties + " parties]";
  }
}
