package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The loop's own pool, also after another executor has taken its place. */
class DefaultExecutorTest {
  private final CountDownLatch release = new CountDownLatch(1);
  private final List<String> order = new CopyOnWriteArrayList<>();

  /** Has the own pool work until {@link #release}, and puts one that does nothing in its place. */
  private void replaceThePoolAtWork() {
    Loop.running()
        .runInExecutor(() -> {
          release.await();
          return order.add("worked");
        });
    // With no thread, so that it has ended as soon as it is shut down.
    ExecutorService idle = Executors.newThreadPerTaskExecutor(Thread::new);
    Loop.running().setDefaultExecutor(idle);
  }

  @Test
  void shuttingDownWaitsForThePoolThatWasReplacedAsWell() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      replaceThePoolAtWork();
      Task<?> shutdown =
          loop.createTask(() -> {
            loop.shutdownDefaultExecutor(Duration.ofHours(1));
            order.add("shut down");
          });

      Loops.settle();
      assertThat(shutdown.done()).isFalse();
      release.countDown();
      shutdown.await();

      assertThat(order).containsExactly("worked", "shut down");
    });
  }

  @Test
  void workThatTheReplacedPoolDoesNotEndInTimeIsLeftBehindWithAWarning() {
    try (CapturedLog log = CapturedLog.open()) {
      Loops.run(() -> {
        replaceThePoolAtWork();

        Loop.running().shutdownDefaultExecutor(Duration.ofMillis(1));
        log.spinUntil("did not end its work within PT0.001S");
        assertThat(order).isEmpty();
        release.countDown();
      });

      assertThat(log.records()).hasSize(1);
    }
  }

  @Test
  void workThatIsQueuedWhenTheLastThreadHasJustGoneGetsAThread() throws InterruptedException {
    CountDownLatch worked = new CountDownLatch(1);
    ThreadPoolExecutor pool = Workers.newPool("test");
    try {
      // As the pool does it when all its threads are busy; here they have ended since.
      pool.getRejectedExecutionHandler().rejectedExecution(worked::countDown, pool);

      assertThat(worked.await(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void workThatIsQueuedWhileAThreadIsLeftIsDoneOnce() {
    List<Integer> done = new CopyOnWriteArrayList<>();
    List<Integer> all = new ArrayList<>();
    try (ThreadPoolExecutor pool = Workers.newPool("test")) {
      pool.setMaximumPoolSize(1);
      for (int i = 0; i < 100; i++) {
        int number = i;
        all.add(number);
        pool.execute(() -> done.add(number));
      }
    }

    assertThat(done).containsExactlyElementsOf(all);
  }
}
