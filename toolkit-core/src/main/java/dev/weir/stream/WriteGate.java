package dev.weir.stream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The flow-control decision for one connection's output: may a writer go on, or must it wait, and
 * who is next?
 *
 * <p>The transport reports when its buffer fills and drains; writers ask to enter. The gate itself
 * wakes nobody: it says whom its caller must wake, so its tests need no task.
 *
 * <p>Not thread safe; on the loop only.
 *
 * @param <W> what stands for a waiter
 */
final class WriteGate<W> {
  /*
   *            filled()
   *    OPEN ------------> FULL
   *      ^ <------------   |
   *      |    drained()    |
   *      '----> CLOSED <---'     closed()
   *
   * Writers queue in FULL, and in OPEN behind others that were woken and have not written yet: whoever called first
   * writes first. One writer is woken at a time, because its message may fill the buffer again.
   */
  private enum State {
    OPEN,
    FULL,
    CLOSED
  }

  private State state = State.OPEN;

  // Null while nobody waits, since most connections are idle most of the time.
  private @Nullable ArrayDeque<W> writers;
  private @Nullable ArrayDeque<W> drainers;

  /** {@return whether a writer may write now without overtaking anybody} */
  boolean mayWrite() {
    return state != State.FULL && writers == null;
  }

  boolean full() {
    return state == State.FULL;
  }

  /** {@return whether nobody waits} */
  boolean isFree() {
    return writers == null && drainers == null;
  }

  /**
   * Queues a writer that may not write now. It stays queued, woken or not, until {@link #leave}.
   */
  void enqueue(W writer) {
    writers = with(writer, writers);
  }

  /** {@return whether {@code writer} is the one who may write now} */
  boolean mayWrite(W writer) {
    return state != State.FULL && writer.equals(firstWriter());
  }

  /**
   * Takes a writer out that has written or gave up. Returns the next one to wake, if it may write
   * now.
   */
  @Nullable W leave(W writer) {
    boolean wasFirst = writer.equals(firstWriter());
    writers = without(writer, writers);
    return wasFirst ? firstIfOpen() : null;
  }

  /** Queues somebody who waits for the buffer to drain and writes nothing. */
  void enqueueDrainer(W drainer) {
    drainers = with(drainer, drainers);
  }

  void leaveDrainer(W drainer) {
    drainers = without(drainer, drainers);
  }

  void filled() {
    if (state == State.OPEN) {
      state = State.FULL;
    }
  }

  /** The buffer went down to low water. Returns who is to be woken, in order. */
  List<W> drained() {
    if (state != State.FULL) {
      return List.of();
    }
    state = State.OPEN;
    List<W> woken = takeDrainers();
    W first = firstIfOpen();
    if (first != null) {
      woken.add(first);
    }
    return woken;
  }

  /** The connection is gone. Returns who is to be woken, only to learn of it. */
  List<W> closed() {
    if (state == State.CLOSED) {
      return List.of();
    }
    state = State.CLOSED;
    List<W> woken = takeDrainers();
    if (writers != null) {
      woken.addAll(writers);
    }
    return woken;
  }

  private @Nullable W firstIfOpen() {
    return state == State.OPEN ? firstWriter() : null;
  }

  private @Nullable W firstWriter() {
    return writers == null ? null : writers.peek();
  }

  private List<W> takeDrainers() {
    List<W> taken = drainers == null ? new ArrayList<>(1) : new ArrayList<>(drainers);
    drainers = null;
    return taken;
  }

  private static <W> ArrayDeque<W> with(W waiter, @Nullable ArrayDeque<W> others) {
    ArrayDeque<W> waiters = others == null ? new ArrayDeque<>() : others;
    waiters.add(waiter);
    return waiters;
  }

  private static <W> @Nullable ArrayDeque<W> without(W waiter, @Nullable ArrayDeque<W> waiters) {
    if (waiters == null) {
      return null;
    }
    waiters.remove(waiter);
    return waiters.isEmpty() ? null : waiters;
  }

  private static int count(@Nullable ArrayDeque<?> waiters) {
    return waiters == null ? 0 : waiters.size();
  }

  @Override
  public String toString() {
    return "WriteGate["
        + state
        + ", "
        + count(writers)
        + " writers and "
        + count(drainers)
        + " drainers waiting]";
  }
}
