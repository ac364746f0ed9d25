package dev.weir.task;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The threads that blocking calls run on. A loop has a pool of its own; as asyncio's, of at most 32
 * platform threads and no more than it needs. On the loop only, but for the work itself.
 */
final class Workers {
  private static final int SIZE_MAX = 32;
  private static final int SIZE_BEYOND_PROCESSORS = 4;
  private static final int KEEP_ALIVE_SECONDS = 10;

  private final Loop loop;
  private final String loopName;
  private final ExecutorService ownPool;
  private ExecutorService executor;

  /** Whether the default executor takes no more work. */
  private boolean shutDown;

  Workers(Loop loop, String loopName) {
    this.loop = loop;
    this.loopName = loopName;
    this.ownPool = newPool(loopName);
    this.executor = ownPool;
  }

  static ThreadPoolExecutor newPool(String loopName) {
    int size =
        Math.min(SIZE_MAX, Runtime.getRuntime().availableProcessors() + SIZE_BEYOND_PROCESSORS);
    AtomicInteger count = new AtomicInteger();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            0,
            size,
            KEEP_ALIVE_SECONDS,
            TimeUnit.SECONDS,
            new IdleFirstQueue(),
            work ->
                Thread.ofPlatform()
                    .name(loopName + "-worker-" + count.incrementAndGet())
                    .daemon()
                    .unstarted(work),
            Workers::queueOrRefuse);
    return pool;
  }

  /**
   * Takes work at once if a thread waits for some. Else it refuses, and the pool starts another
   * thread if it may; when it may not, the work is queued after all.
   */
  private static final class IdleFirstQueue extends LinkedTransferQueue<Runnable> {
    private static final long serialVersionUID = 1;

    @Override
    public boolean offer(Runnable work) {
      return tryTransfer(work);
    }
  }

  private static void queueOrRefuse(Runnable work, ThreadPoolExecutor pool) {
    if (pool.isShutdown()) {
      throw new RejectedExecutionException("shut down: " + pool);
    }
    pool.getQueue().add(work);
    // The threads that were busy just now may have ended meanwhile, and then nobody takes it.
    if (pool.getPoolSize() == 0 && pool.remove(work)) {
      pool.execute(work);
    }
  }

  void setExecutor(ExecutorService replacement) {
    ownPool.shutdown(); // Not one that the user set before: who made it may still use it.
    executor = replacement;
    shutDown = false;
  }

  /**
   * Runs {@code work} on {@code chosen}, or on the default executor if that is null. The future
   * completes on the loop, unless it was cancelled.
   *
   * @param context where a failure is reported that comes after that; null if that is not known
   */
  <T extends @Nullable Object> Future<T> call(
      @Nullable Executor chosen, Coroutine<T> work, @Nullable Context context) {
    if (chosen == null && shutDown) {
      throw new IllegalStateException(
          "The default executor was shut down: call this before shutdownDefaultExecutor(), or pass"
              + " an executor of your own");
    }
    Job<T> job = new Job<>(new Future<>(loop), work, context);
    job.outcome.onDone(job::withdrawIfCancelled);
    loop.foreignWork.begin(job);
    try {
      (chosen == null ? executor : chosen).execute(job);
    } catch (RejectedExecutionException e) {
      loop.foreignWork.withdraw(job);
      if (chosen == null) {
        throw new IllegalStateException(
            "The executor that was set with setDefaultExecutor() takes no more work: "
                + Descriptions.of(executor),
            e);
      }
      throw e;
    }
    return job.outcome;
  }

  /** Takes no more work; what was taken may finish, on daemon threads that nobody waits for. */
  void shutdown() {
    shutDown = true;
    ownPool.shutdown();
    executor.shutdown();
  }

  /**
   * Takes no more work, and completes when what was taken has ended, also by the loop's own pool
   * before it was replaced, or when the timeout is over.
   */
  Future<@Nullable Void> shutdownAndAwait(Duration timeout) {
    shutdown();
    Future<@Nullable Void> ended = new Future<>(loop);
    if (ownPool.isTerminated() && executor.isTerminated()) {
      ended.complete(null);
      return ended;
    }
    loop.foreignWork.working(ended, "the end of the default executor");
    long deadlineNanos = System.nanoTime() + Loop.toNanos(timeout);
    ExecutorService awaited = executor;
    Thread.ofPlatform()
        .name(loopName + "-worker-shutdown")
        .daemon()
        .start(() -> {
          boolean inTime =
              awaitTermination(ownPool, deadlineNanos) && awaitTermination(awaited, deadlineNanos);
          loop.submitInternal(() -> {
            if (!ended.isDone()) {
              ended.complete(null);
            }
          });
          if (!inTime) {
            ErrorReports.warn(
                "The default executor of " + loop + " did not end its work within " + timeout,
                new Throwable("shutdownDefaultExecutor"));
          }
        });
    return ended;
  }

  private static boolean awaitTermination(ExecutorService executor, long deadlineNanos) {
    try {
      return executor.awaitTermination(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      return false; // Nobody interrupts this thread.
    }
  }

  @Override
  public String toString() {
    return "Workers[" + executor + "]";
  }

  /** Work that a thread takes, unless it was withdrawn before. */
  static final class Job<T extends @Nullable Object> implements Runnable {
    final Future<T> outcome;
    private final Coroutine<T> work;
    private final @Nullable Context context;
    private final AtomicBoolean taken = new AtomicBoolean();

    /** What brings the outcome to the loop, if that waits to be asked for it. */
    volatile @Nullable Runnable arrival;

    Job(Future<T> outcome, Coroutine<T> work, @Nullable Context context) {
      this.outcome = outcome;
      this.work = Objects.requireNonNull(work, "work");
      this.context = context;
    }

    void withdrawIfCancelled() {
      if (outcome.isCancelled() && !taken.getAndSet(true)) {
        outcome.loop.foreignWork.withdraw(this);
      }
    }

    @Override
    public void run() {
      if (taken.getAndSet(true)) {
        return;
      }
      T result;
      try {
        result = work.run();
      } catch (Throwable e) {
        outcome.loop.foreignWork.end(this, () -> fail(e));
        return;
      }
      outcome.loop.foreignWork.end(
          this,
          () -> {
            if (!outcome.isDone()) {
              outcome.complete(result);
            }
          });
    }

    private void fail(Throwable failure) {
      if (!outcome.isDone()) {
        outcome.completeExceptionally(failure);
      } else if (!(failure instanceof CancelledError) && !outcome.loop.isClosed()) {
        outcome.loop.enqueueCallback(() -> reportLate(failure)); // The handler is user code.
      }
    }

    private void reportLate(Throwable failure) {
      outcome.loop.reportError(
          new ExceptionContext(
              "Work on an executor failed after nobody waited for it any more",
              failure,
              outcome,
              null,
              outcome.createdAt),
          context);
    }

    @Override
    public String toString() {
      return "work on an executor: " + Descriptions.of(work);
    }
  }
}
