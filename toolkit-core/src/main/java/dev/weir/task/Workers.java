package dev.weir.task;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A loop's own pool of platform threads for blocking calls; as asyncio's, of at most 32 and no more
 * than it needs.
 */
final class Workers {
  private static final int SIZE_MAX = 32;
  private static final int SIZE_BEYOND_PROCESSORS = 4;
  private static final int KEEP_ALIVE_SECONDS = 10;

  private final Loop loop;
  private final ThreadPoolExecutor pool;

  Workers(Loop loop, String loopName) {
    this.loop = loop;
    int size =
        Math.min(SIZE_MAX, Runtime.getRuntime().availableProcessors() + SIZE_BEYOND_PROCESSORS);
    AtomicInteger count = new AtomicInteger();
    pool =
        new ThreadPoolExecutor(
            size,
            size,
            KEEP_ALIVE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work ->
                Thread.ofPlatform()
                    .name(loopName + "-worker-" + count.incrementAndGet())
                    .daemon()
                    .unstarted(work));
    pool.allowCoreThreadTimeOut(true);
  }

  /**
   * Runs {@code work} on a thread of the pool. The future completes on the loop, unless it was
   * cancelled.
   */
  <T extends @Nullable Object> Future<T> call(Coroutine<T> work) {
    Future<T> outcome = new Future<>(loop);
    pool.execute(() -> {
      T result;
      try {
        result = work.run();
      } catch (Throwable e) {
        complete(outcome, () -> outcome.completeExceptionally(e));
        return;
      }
      complete(outcome, () -> outcome.complete(result));
    });
    return outcome;
  }

  private void complete(Future<?> outcome, Runnable completion) {
    Runnable ifPending =
        () -> {
          if (!outcome.isDone()) {
            completion.run();
          }
        };
    // As a callback, though it is a step of the loop's own: a failure's message may be user code.
    loop.carrier.submit(new Handle(loop, ifPending, false));
  }

  /** Takes no more work; what was taken may finish, on daemon threads that nobody waits for. */
  void shutdown() {
    pool.shutdown();
  }
}
