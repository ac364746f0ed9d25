package dev.weir.sync;

import dev.weir.task.CancelledError;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * A lock, and tasks that wait until somebody who holds it signals a change, as {@code
 * asyncio.Condition}.
 *
 * <pre>{@code
 * try (var _ = condition.hold()) {
 *   condition.awaitUntil(() -> !items.isEmpty());
 *   items.remove();
 * }
 * }</pre>
 *
 * <p>Java's {@code Object} owns the names {@code wait}, {@code notify} and {@code notifyAll}: here
 * they are {@link #await}, {@link #signal} and {@link #signalAll}.
 */
public final class AsyncCondition {
  private final LoopBinding binding = new LoopBinding("AsyncCondition");
  private final Waiters waiters = new Waiters();
  private final AsyncLock lock;

  /** What tasks wait for here, in reports: this, or what it is a part of. */
  private final Object whole;

  /** Makes a condition with a lock of its own. */
  public AsyncCondition() {
    this(new AsyncLock());
  }

  /** Makes a condition with a lock that others may share. */
  public AsyncCondition(AsyncLock lock) {
    this.lock = Objects.requireNonNull(lock, "lock");
    this.whole = this;
  }

  private AsyncCondition(AsyncLock lock, Object whole) {
    this.lock = lock;
    this.whole = whole;
  }

  /** {@return the condition of another primitive, which tasks wait for there} */
  static AsyncCondition partOf(Object whole) {
    return new AsyncCondition(new AsyncLock(), whole);
  }

  /** Acquires the lock; see {@link AsyncLock#acquire}. */
  public void acquire() {
    lock.acquire();
  }

  /** Acquires the lock for a {@code try} block; see {@link AsyncLock#hold}. */
  public Held hold() {
    return lock.hold();
  }

  /** Releases the lock; see {@link AsyncLock#release}. */
  public void release() {
    lock.release();
  }

  /** {@return whether the lock is held; see {@link AsyncLock#locked}} */
  public boolean locked() {
    return lock.locked();
  }

  /**
   * Releases the lock, suspends until signalled, and acquires the lock again. Corresponds to {@code
   * Condition.wait}.
   *
   * <p>It may return without a signal that was meant for this task, so the caller asks again for
   * what it waits for, as {@link #awaitUntil} does.
   *
   * @throws CancelledError if the task is cancelled, once it holds the lock again, as it does then
   *     too; a signal that it had got goes to the next
   * @throws IllegalStateException if the lock is not held; outside a task, in {@code
   *     Asyncio.exclusive}, or on another loop than the condition's. The lock is left as it was
   */
  public void await() {
    binding.ensureMaySuspend("AsyncCondition.await()"); // Or the lock would be gone afterwards.
    ensureLocked("AsyncCondition.await()");
    boolean signalled = false;
    try {
      lock.release();
      try {
        waiters.await(binding.newWaiter(whole));
      } finally {
        reacquire();
      }
      signalled = true;
    } finally {
      if (!signalled) {
        waiters.wakeNext(); // The signal may have come; an extra one is allowed, a lost one is not.
      }
    }
  }

  /** Acquires the lock whatever cancellations come meanwhile; the last one is thrown after that. */
  private void reacquire() {
    CancelledError cancelled = null;
    while (true) {
      try {
        lock.acquire();
        break;
      } catch (CancelledError e) {
        cancelled = e;
      }
    }
    if (cancelled != null) {
      throw cancelled;
    }
  }

  /**
   * Waits, as {@link #await}, until {@code predicate} holds; does not suspend if it does. It is
   * asked while the lock is held. Corresponds to {@code Condition.wait_for}.
   *
   * @throws CancelledError as {@link #await}
   * @throws IllegalStateException as {@link #await}
   */
  public void awaitUntil(BooleanSupplier predicate) {
    Objects.requireNonNull(predicate, "predicate");
    binding.ensureInTask("AsyncCondition.awaitUntil()");
    while (!predicate.getAsBoolean()) {
      await();
    }
  }

  /** Wakes one task that waits; see {@link #signal(int)}. */
  public void signal() {
    signal(1);
  }

  /**
   * Wakes up to {@code count} tasks that wait; they go on when the caller has released the lock.
   * Corresponds to {@code Condition.notify}.
   *
   * @throws IllegalArgumentException if {@code count} is negative
   * @throws IllegalStateException if the lock is not held
   */
  public void signal(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("count is negative: " + count);
    }
    ensureMaySignal("AsyncCondition.signal()");
    for (int i = 0; i < count && waiters.wakeNext(); i++) {}
  }

  /**
   * Wakes all tasks that wait. Corresponds to {@code Condition.notify_all}.
   *
   * @throws IllegalStateException if the lock is not held
   */
  public void signalAll() {
    ensureMaySignal("AsyncCondition.signalAll()");
    waiters.wakeAll();
  }

  private void ensureMaySignal(String call) {
    binding.ensureHeld(call);
    ensureLocked(call);
  }

  private void ensureLocked(String call) {
    if (!lock.locked()) {
      throw new IllegalStateException(
          call
              + " without its lock: call it between acquire() and release(), or in try (var _ ="
              + " condition.hold())");
    }
  }

  @Override
  public String toString() {
    return "AsyncCondition[" + lock.describeState() + ", " + waiters.size() + " waiting]";
  }
}
