package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncLock;
import dev.weir.sync.AsyncQueue;
import dev.weir.task.CancelledError;
import dev.weir.task.FiberKind;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

class VirtualLoopTest {
  private static final Duration HOUR = Duration.ofHours(1);

  @Test
  void hoursOfSleepTakeNoTime() {
    long begunNanos = System.nanoTime();

    Duration slept =
        VirtualLoop.run(() -> {
          Asyncio.sleep(HOUR);
          Asyncio.sleep(HOUR);
          return Loop.running().time();
        });

    assertThat(slept).isEqualTo(Duration.ofHours(2));
    assertThat(Duration.ofNanos(System.nanoTime() - begunNanos)).isLessThan(HOUR);
  }

  @Test
  void timersFireInTheOrderOfTheirDeadlines() {
    List<String> trace = new ArrayList<>();

    VirtualLoop.run(() -> {
      Loop loop = Loop.running();
      loop.callLater(Duration.ofSeconds(2), () -> trace.add("2 at " + loop.time().toSeconds()));
      loop.callLater(Duration.ofSeconds(1), () -> trace.add("1 at " + loop.time().toSeconds()));
      Asyncio.sleep(Duration.ofSeconds(3));
      trace.add("3 at " + loop.time().toSeconds());
    });

    assertThat(trace).containsExactly("1 at 1", "2 at 2", "3 at 3");
  }

  @Test
  void timeStandsStillWhileAnythingIsReady() {
    VirtualLoop.run(() -> {
      Loop loop = Loop.running();
      for (int i = 0; i < 1000; i++) {
        loop.yieldNow();
      }

      assertThat(loop.time()).isZero();
    });
  }

  @Test
  void aBusyStepMakesWhatBecomesDueMeanwhileLate() {
    List<String> trace = new ArrayList<>();

    VirtualLoop.run(() -> {
      Loop loop = Loop.running();
      loop.callLater(Duration.ofSeconds(1), () -> trace.add("1 at " + loop.time().toSeconds()));
      loop.callLater(Duration.ofSeconds(3), () -> trace.add("3 at " + loop.time().toSeconds()));

      VirtualLoop.advance(Duration.ofSeconds(2));

      assertThat(trace).as("nothing runs within the call").isEmpty();
      loop.yieldNow();
      loop.yieldNow();
      assertThat(trace).containsExactly("1 at 2");
      Asyncio.sleep(Duration.ofSeconds(2));
      assertThat(trace).containsExactly("1 at 2", "3 at 3");
      assertThat(loop.time()).isEqualTo(Duration.ofSeconds(4));
    });
  }

  @Test
  void whatArrivesWhileAStepIsBusyIsReadAfterwards() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current()
          .setConditions(LinkConditions.perfect().withDelay(Duration.ofSeconds(1)));
      try (StreamPair pair = StreamPair.open()) {
        Duration opened = Loop.running().time();
        pair.left().writer().writeLine("late");
        Asyncio.yieldNow();

        VirtualLoop.advance(Duration.ofMinutes(1));

        assertThat(pair.right().reader().readLine(UTF_8)).isEqualTo("late");
        assertThat(Loop.running().time().minus(opened)).isEqualTo(Duration.ofMinutes(1));
      }
    });
  }

  @Test
  void aStepMayBeBusyForEver() {
    VirtualLoop.run(() -> {
      VirtualLoop.advance(Duration.ofSeconds(Long.MAX_VALUE));
      VirtualLoop.advance(Duration.ofSeconds(Long.MAX_VALUE));

      Asyncio.yieldNow();
      try (StreamPair pair = StreamPair.open()) {
        pair.left().writer().writeLine("still there?");
        assertThat(pair.right().reader().readLine(UTF_8)).isEqualTo("still there?");
      }
    });
  }

  @Test
  void timeDoesNotPassBackwardsNorElsewhere() {
    VirtualLoop.run(() -> {
      assertThatThrownBy(() -> VirtualLoop.advance(Duration.ofNanos(-1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("time is negative: PT-0.000000001S");
      assertThatThrownBy(() -> VirtualLoop.advance(null)).isInstanceOf(NullPointerException.class);
      assertThatThrownBy(() ->
              Asyncio.toThread(() -> {
                VirtualLoop.advance(HOUR);
                return null;
              }))
          .isInstanceOf(IllegalStateException.class);
      assertThat(Loop.running().time()).isZero();
    });

    assertThatThrownBy(() -> VirtualLoop.advance(HOUR)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aTimeoutExpiresAtItsTimeExactly() {
    VirtualLoop.run(() -> {
      assertThatThrownBy(() -> Asyncio.timeout(Duration.ofSeconds(5)).run(t -> Asyncio.sleep(HOUR)))
          .isInstanceOf(TimeoutException.class);

      assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(5));
    });
  }

  @Test
  void whatTheBodyReturnsIsReturnedAndWhatItThrowsIsThrown() {
    IOException failure = new IOException("x");

    assertThat(VirtualLoop.<String>run(() -> "result")).isEqualTo("result");
    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              throw failure;
            }))
        .isSameAs(failure);
  }

  @Test
  void tasksAreNumberedAnewInEachRun() {
    for (int run = 0; run < 2; run++) {
      VirtualLoop.run(() -> {
        assertThat(Asyncio.currentTask().name()).isEqualTo("Task-1");
        assertThat(Asyncio.createTask(() -> "x").name()).isEqualTo("Task-2");
      });
    }
  }

  @Test
  void theCallerIsNeitherOnALoopNorReplacedByOne() {
    VirtualLoop.run(() -> {
      assertThatThrownBy(() -> VirtualLoop.run(() -> {}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("on a running loop");
    });
  }

  @Test
  void randomNeedsAVirtualLoop() {
    assertThatThrownBy(VirtualLoop::random)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  // --- Deadlocks

  @Test
  void aDeadlockIsReportedWithEveryTaskAndWhatItWaitsFor() {
    DeadlockError error =
        catchThrowableOfType(
            DeadlockError.class,
            () ->
                VirtualLoop.run(() -> {
                  Asyncio.sleep(Duration.ofSeconds(7));
                  AsyncQueue<String> queue = new AsyncQueue<>();
                  Asyncio.createTask(() -> queue.get(), "taker");
                  Task<?> event = Asyncio.createTask(() -> new AsyncEvent().await(), "listener");
                  event.await();
                }));

    assertThat(error)
        .hasMessageContaining("Deadlock after 7.0 s of virtual time")
        .hasMessageContaining("task 'Task-1' waits in Future.await() for task 'listener'")
        .hasMessageContaining("task 'taker' waits in AsyncQueue.get() for AsyncQueue[0 items")
        .hasMessageContaining("task 'listener' waits in AsyncEvent.await() for AsyncEvent[unset")
        .hasMessageContaining("at dev.weir.testing.VirtualLoopTest.")
        .hasMessageNotContaining("MountedFiber")
        .hasMessageNotContaining("LockSupport");
    assertThat(error.getStackTrace())
        .as("where the test ran it")
        .anyMatch(frame -> frame.getClassName().equals(VirtualLoopTest.class.getName()));
  }

  @Test
  void aDeadlockNamesWhoAcquiredTheLock() {
    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              AsyncLock lock = new AsyncLock();
              Asyncio.createTask(lock::acquire, "forgetful").await();
              lock.acquire();
            }))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("acquired by Task[forgetful, finished]");
  }

  @Test
  void tasksOfADeadlockAreCancelledAndCleanUp() {
    List<String> trace = new ArrayList<>();

    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              try {
                new AsyncEvent().await();
              } catch (CancelledError e) {
                trace.add("cancelled");
                throw e;
              }
            }))
        .isInstanceOf(DeadlockError.class);

    assertThat(trace).containsExactly("cancelled");
  }

  @Test
  void aTaskThatIgnoresTheEndOfADeadlockDoesNotHangTheRun() {
    assertThatThrownBy(() ->
            VirtualLoop.run(() -> {
              while (true) {
                try {
                  new AsyncEvent().await();
                } catch (CancelledError e) {
                  // Deaf.
                }
              }
            }))
        .isInstanceOf(DeadlockError.class);
  }

  // --- Work outside the loop

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
          .hasMessageContaining("VirtualLoopTest");
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
