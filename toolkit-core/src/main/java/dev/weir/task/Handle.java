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
public sealed class Handle implements Step permits TimerHandle, ThreadsafeHandle {
  private static final VarHandle CALLBACK;

  static {
    try {
      CALLBACK = MethodHandles.lookup().findVarHandle(Handle.class, "callback", Runnable.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final Context NONE = Context.empty();

  final Loop loop;
  private final Context context;

  /**
   * Whether the step touches nothing but the loop's own state (it completes a future, say). Such a
   * step needs no fiber: whoever holds the turn runs it on the spot. A user's callback may park, so
   * it gets the callback fiber.
   */
  final boolean internal;

  /** Whether it is a callback of the user's, which a closed loop drops. */
  private final boolean ofUser;

  /** Where it was made, in debug mode. */
  final @Nullable Throwable createdAt;

  // Taken by compare-and-set, so that a callback cancelled from another thread either runs or does
  // not.
  private volatile @Nullable Runnable callback;
  private volatile boolean cancelled;

  private Handle(Loop loop, Runnable callback, Context context, boolean internal, boolean ofUser) {
    this.loop = loop;
    this.callback = callback;
    this.context = context;
    this.internal = internal;
    this.ofUser = ofUser;
    this.createdAt = internal ? null : loop.creationSite();
  }

  /** Makes the handle of a user's callback. */
  Handle(Loop loop, Runnable callback, Context context) {
    this(loop, callback, context, false, true);
  }

  /** Makes the handle of a step of the loop's own. */
  Handle(Loop loop, Runnable internalStep) {
    this(loop, internalStep, NONE, true, false);
  }

  /** {@return the handle of code of the loop's own that may run the user's, as a report does} */
  static Handle ofLoop(Loop loop, Runnable callback) {
    return new Handle(loop, callback, Context.empty(), false, false);
  }

  /** {@return the context that the callback runs in} */
  public final Context context() {
    return context;
  }

  /**
   * Cancels the callback: it will not run, unless it is running or has run. A second call has no
   * effect. The callback is no longer referenced.
   *
   * <p>If the callback was handed over with {@link Loop#callSoonThreadsafe} and is running, a call
   * from outside the loop waits until it has ended.
   */
  public void cancel() {
    withdraw();
  }

  /** {@return whether {@link #cancel} came in time, so that the callback never runs} */
  public boolean cancelled() {
    return cancelled;
  }

  /**
   * Runs the callback unless it was cancelled, or is dropped because the loop is closed. What it
   * throws goes to the loop's exception handler.
   */
  void run() {
    Runnable claimed = ofUser && loop.isClosed() ? null : claim();
    if (claimed == null) {
      return;
    }
    try {
      callAndReport(claimed);
    } catch (SignalException e) { // Of the callback, or of the exception handler.
      loop.carrier.abort(e);
    }
  }

  private void callAndReport(Runnable claimed) {
    try {
      claimed.run();
    } catch (SignalException e) {
      throw e;
    } catch (Throwable e) {
      if (internal) {
        loop.carrier.report("Error in a step of the loop's own", e);
      } else {
        loop.reportError(
            new ExceptionContext(
                "Exception in callback " + Descriptions.of(claimed), e, null, this, createdAt));
      }
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
    Runnable pending = callback;
    return "Handle["
        + (cancelled ? "cancelled" : pending == null ? "done" : Descriptions.of(pending))
        + "]";
  }
}
