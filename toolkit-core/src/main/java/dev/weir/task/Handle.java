package dev.weir.task;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A callback that a loop will run, as {@code asyncio.Handle}. Handed out by {@link Loop#callSoon}
 * and its siblings.
 *
 * <p>Any thread may call its methods.
 */
public sealed class Handle implements Step permits TimerHandle {
  private static final VarHandle CALLBACK;

  static {
    try {
      CALLBACK = MethodHandles.lookup().findVarHandle(Handle.class, "callback", Runnable.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final Loop loop;

  /**
   * Whether the step touches nothing but the loop's own state (it completes a future, say). Such a
   * step needs no fiber: whoever holds the turn runs it on the spot. A user's callback may park, so
   * it gets the callback fiber.
   */
  final boolean internal;

  // Taken by compare-and-set, so that a callback cancelled from another thread either runs or does
  // not.
  private volatile @Nullable Runnable callback;
  private volatile boolean cancelled;

  Handle(Loop loop, Runnable callback, boolean internal) {
    this.loop = loop;
    this.callback = callback;
    this.internal = internal;
  }

  /**
   * Cancels the callback: it will not run, unless it is running or has run. A second call has no
   * effect. The callback is no longer referenced.
   */
  public void cancel() {
    withdraw();
  }

  /** {@return whether {@link #cancel} came in time} */
  public boolean cancelled() {
    return cancelled;
  }

  /**
   * Runs the callback unless it was cancelled. What it throws goes to the loop's exception handler.
   */
  void run() {
    Runnable claimed = claim();
    if (claimed == null) {
      return;
    }
    try {
      claimed.run();
    } catch (Throwable e) {
      loop.callExceptionHandler(
          new ExceptionContext("Exception in callback " + claimed, e, null, this));
    }
  }

  /** Takes the callback back. Returns false if it ran, runs, or was taken back before. */
  final boolean withdraw() {
    boolean withdrawn = claim() != null;
    if (withdrawn) {
      cancelled = true;
    }
    return withdrawn;
  }

  final boolean pending() {
    return callback != null;
  }

  private @Nullable Runnable claim() {
    return (Runnable) CALLBACK.getAndSet(this, null);
  }

  @Override
  public String toString() {
    return "Handle[" + (cancelled ? "cancelled" : callback == null ? "done" : callback) + "]";
  }
}
