package dev.weir.task;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * The failure of a future that nobody has asked for yet. If nobody can any more, because the
 * future's last handle is gone, or when the loop closes, it goes to the exception handler: no
 * failure is lost.
 */
final class UnretrievedFailure {
  private final Loop loop;
  private final String description;
  private final Throwable failure;
  private final @Nullable Context context;
  private final @Nullable Throwable createdAt;
  private final Cleaner.Cleanable cleanable;

  /** Whether the loop knows of it; one that is closed reports no more. */
  private final boolean listed;

  // Written on the loop, read by the cleaner's thread.
  private volatile boolean settled;

  /** Watches {@code future}, which failed just now. */
  UnretrievedFailure(Future<?> future, Throwable failure) {
    this.loop = future.loop;
    this.description =
        future.label(); // Not the future: holding it would keep it reachable for ever.
    this.failure = failure;
    this.context = future instanceof Task<?> task ? task.context() : null;
    this.createdAt = future.createdAt;
    this.cleanable = Cleaners.CLEANER.register(future, this::unreachable);
    this.listed = !loop.isOutlived();
    if (listed) {
      loop.unretrieved.add(this);
    }
  }

  /** Notes that somebody got the failure. Called on the loop. */
  void retrieved() {
    settle();
  }

  /** Reports the failure unless somebody got it meanwhile. Called on the loop. */
  void report() {
    if (settle()) {
      loop.reportError(
          new ExceptionContext(
              "Exception was never retrieved: " + description, failure, null, null, createdAt),
          context);
    }
  }

  /**
   * Reports the failure of a task that the closing of its loop ended, if it says more than that.
   */
  void reportOfEvicted() {
    if (Loop.saysClosed(failure)) {
      settle();
    } else {
      report();
    }
  }

  private boolean settle() {
    if (settled) {
      return false;
    }
    settled = true;
    if (listed) {
      loop.unretrieved.remove(this);
    }
    cleanable.clean();
    return true;
  }

  private void unreachable() {
    if (!settled && !loop.isClosed()) {
      loop.submitCallback(this::report);
    }
  }

  @Override
  public String toString() {
    return "UnretrievedFailure[" + description + (settled ? ", settled]" : "]");
  }

  /** Started with the first failure. */
  private static final class Cleaners {
    static final Cleaner CLEANER = Cleaner.create();
  }
}
