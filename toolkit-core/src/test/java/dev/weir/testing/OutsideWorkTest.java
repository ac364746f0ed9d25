package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncEvent;
import dev.weir.task.FiberKind;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Task;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/** Work that goes on outside a virtual loop, and runs that do not end. */
class OutsideWorkTest {
  private static final Duration HOUR = Duration.ofHours(1);

  @Test
  void workOnAnExecutorIsWaitedForWhileTimeStandsStill() {
    VirtualLoop.run(() -> {
      CountDownLatch released = new CountDownLatch(1);
      Loop loop = Loop.running();
      Task<?> releaser =
          Asyncio.createTask(() -> {
            for (int i = 0; i < 100; i++) {
              loop.yieldNow();
            }
            released.countDown();
          });

      Asyncio.timeout(Duration.ofNanos(1)).run(t -> Asyncio.toThread(() -> released.await()));

      releaser.await();
      assertThat(loop.time()).isZero();
    });
  }

  @Test
  void aStageOfTheJdkIsWaitedFor() {
    VirtualLoop.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Thread.ofPlatform().start(() -> stage.complete("from outside"));

      assertThat(Asyncio.wrapFuture(stage).await()).isEqualTo("from outside");
    });
  }

  @Test
  void aTaskInABlockingCallIsWaitedFor() {
    VirtualLoop.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      Thread.ofPlatform().start(() -> stage.complete("from outside"));

      assertThat(stage.join()).isEqualTo("from outside");
      assertThat(Loop.running().time()).isZero();
    });
  }

  @Test
  void aCallbackInABlockingCallIsWaitedFor() {
    VirtualLoop.run(() -> {
      CompletableFuture<String> stage = new CompletableFuture<>();
      AsyncEvent called = new AsyncEvent();
      Loop.running()
          .callSoon(() -> {
            Thread.ofPlatform().start(() -> stage.complete("from outside"));
            stage.join();
            called.set();
          });

      called.await();
    });
  }

  @Test
  void aDeadlockAfterWorkOutsideIsFound() {
    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              assertThat(Asyncio.<String>toThread(() -> "done")).isEqualTo("done");
              CompletableFuture.supplyAsync(() -> "done").join();
              new AsyncEvent().await();
            }))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("Deadlock");
  }

  @Test
  void workOutsideThatDoesNotEndIsNamed() {
    CountDownLatch never = new CountDownLatch(1);
    VirtualOptions impatient = VirtualOptions.defaults().withTimeout(Duration.ofMillis(20));

    try {
      assertThatThrownBy(() ->
              VirtualLoop.run(
                  () -> {
                    Task<?> worker =
                        Asyncio.createTask(() -> Asyncio.toThread(() -> never.await()), "worker");
                    Asyncio.sleep(HOUR);
                    worker.await();
                  },
                  impatient))
          .isInstanceOf(DeadlockError.class)
          .hasMessageContaining("Not ended within 0.02 s of real time, at 0.0 s of virtual time")
          .hasMessageContaining("work on an executor")
          .hasMessageContaining("task 'worker' waits in Asyncio.toThread()");
    } finally {
      never.countDown();
    }
  }

  @Test
  void anExecutorThatWaitsForALockWhenItIsShutDownIsNoDeadlock() {
    ReentrantLock lock = new ReentrantLock();
    CountDownLatch locked = new CountDownLatch(1);
    ExecutorService executor =
        new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>()) {
          @Override
          public void shutdown() {
            lock.lock();
            lock.unlock();
            super.shutdown();
          }
        };
    VirtualLoop.run(() -> {
      Loop.running().setDefaultExecutor(executor);
      Thread.ofPlatform()
          .start(() -> {
            lock.lock();
            locked.countDown();
            LockSupport.parkNanos(10_000_000); // While the loop has nothing to do.
            lock.unlock();
          });
      locked.await();
    });

    assertThat(executor.isTerminated()).isTrue();
  }

  @Test
  void aStageThatTheLoopItselfCompletesIsNotWaitedForInRealTime() {
    VirtualLoop.run(
        () -> {
          CompletableFuture<String> answer = new CompletableFuture<>();
          Loop.running().callLater(HOUR, () -> answer.complete("from the loop"));

          assertThat(Asyncio.wrapFuture(answer).await()).isEqualTo("from the loop");
          assertThat(Loop.running().time()).isEqualTo(HOUR);
        },
        VirtualOptions.defaults().withForeignGrace(Duration.ofMillis(1)));
  }

  @Test
  void aBlockingCallThatTheLoopItselfEndsIsNotWaitedForInRealTime() {
    assumeTrue(
        RunOptions.defaults().fibers() == FiberKind.MOUNTED,
        "on portable fibers it holds the turn");
    VirtualLoop.run(
        () -> {
          LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
          Loop.running().callLater(HOUR, () -> queue.add("from the loop"));

          assertThat(queue.take()).isEqualTo("from the loop");
        },
        VirtualOptions.defaults().withForeignGrace(Duration.ofMillis(1)));
  }

  @Test
  void workThatNobodyWaitsForAnyMoreIsNamed() {
    CountDownLatch never = new CountDownLatch(1);
    try {
      assertThatThrownBy(() ->
              VirtualLoop.run(
                  () -> {
                    CountDownLatch begun = new CountDownLatch(1);
                    Task<?> task =
                        Asyncio.createTask(() ->
                            Asyncio.toThread(() -> {
                              begun.countDown();
                              never.await();
                            }));
                    Asyncio.yieldNow();
                    begun.await();
                    task.cancel();
                  },
                  VirtualOptions.defaults().withTimeout(Duration.ofMillis(20))))
          .hasMessageContaining("work on an executor");
    } finally {
      never.countDown();
    }
  }

  @Test
  void aTaskThatNeverSuspendsIsShownAndGivenUp() {
    AtomicBoolean end = new AtomicBoolean();
    try {
      assertThatThrownBy(() ->
              VirtualLoop.run(
                  () -> {
                    while (!end.get()) {
                      Thread.onSpinWait();
                    }
                  },
                  VirtualOptions.defaults().withTimeout(Duration.ofMillis(20))))
          .isInstanceOf(DeadlockError.class)
          .hasMessageContaining("'Task-1' does not suspend")
          .hasMessageContaining("OutsideWorkTest");
    } finally {
      end.set(true);
    }
  }

  @Test
  void aRunThatGoesOnForEverIsEnded() {
    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> {
                  while (true) {
                    Asyncio.sleep(HOUR);
                  }
                },
                VirtualOptions.defaults().withTimeout(Duration.ofMillis(20))))
        .isInstanceOf(DeadlockError.class)
        .hasMessageStartingWith("Not ended within 0.02 s of real time, at ")
        .hasMessageContaining("task 'Task-1' ");
  }

  @Test
  void aRunThatNeverLetsTimePassIsEnded() {
    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> {
                  while (true) {
                    Asyncio.yieldNow();
                  }
                },
                VirtualOptions.defaults().withTimeout(Duration.ofMillis(20))))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("at 0.0 s of virtual time");
  }

  @Test
  void aTaskThatStaysInABlockingCallIsNamed() {
    assumeTrue(
        RunOptions.defaults().fibers() == FiberKind.MOUNTED,
        "on portable fibers it holds the turn, and nobody can look");
    CountDownLatch never = new CountDownLatch(1);

    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> never.await(), VirtualOptions.defaults().withTimeout(Duration.ofMillis(20))))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("Task 'Task-1' in a blocking call at dev.weir")
        .hasMessageContaining("task 'Task-1' is in a blocking call")
        .hasMessageContaining("java.util.concurrent.CountDownLatch.await");
  }
}
