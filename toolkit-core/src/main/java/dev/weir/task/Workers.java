package dev.weir.task;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A loop's own pool of platform threads for blocking calls; as asyncio's, of at most 32 and no more than it needs. */
final class Workers {
  private static final int SIZE_MAX = 32;
  private static final int SIZE_BEYOND_PROCESSORS = 4;
  private static final int KEEP_ALIVE_SECONDS = 10;

  private final ThreadPoolExecutor pool;

  Workers(String loopName) {
    int size = Math.min(SIZE_MAX, Runtime.getRuntime().availableProcessors() + SIZE_BEYOND_PROCESSORS);
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

  void execute(Runnable work) {
    pool.execute(work);
  }

  /** Starts no more work; what runs may finish. */
  void shutdown() {
    pool.shutdown();
  }
}
