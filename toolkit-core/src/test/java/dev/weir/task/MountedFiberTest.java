package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What running virtual threads on a thread of our own must not break. */
class MountedFiberTest {
  @BeforeEach
  void needsMountedFibers() {
    assumeTrue(Loops.mounted(), "the run is on portable fibers, where these hazards do not exist");
  }

  @Test
  void aBlockingCallOfTheJdkSuspendsItsTaskOnly() {
    Loops.run(() -> {
      BlockingQueue<String> queue = new ArrayBlockingQueue<>(1);
      Task<String> taker = Loop.running().createTask(() -> queue.take());
      Task<?> putter = Loop.running().createTask(() -> queue.put("through the queue"));

      assertThat(taker.await()).isEqualTo("through the queue");
      putter.await();
    });
  }

  @Test
  void aCallbackThatBlocksDoesNotHoldUpTheOthers() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      CountDownLatch latch = new CountDownLatch(1);
      loop.callSoon(() -> {
        order.add("blocks");
        try {
          latch.await();
        } catch (InterruptedException e) {
          order.add("interrupted");
        }
        order.add("went on");
      });
      loop.callSoon(() -> order.add("second"));
      loop.callSoon(() -> order.add("third"));
      Loops.settle();
      assertThat(order).containsExactly("blocks", "second", "third");

      latch.countDown();
      Loops.settle();
      assertThat(order).containsExactly("blocks", "second", "third", "went on");
    });
  }

  @Test
  void aVirtualThreadThatATaskStartsRunsElsewhereWhileTheTaskHoldsTheLoop() {
    Loops.run(() -> {
      AtomicInteger steps = new AtomicInteger();
      Thread.ofVirtual()
          .start(() -> {
            steps.incrementAndGet();
            Thread.yield();
            steps.incrementAndGet();
          });
      // Never gives the turn away: were the thread on this loop, it could not run.
      while (steps.get() < 2) {
        Thread.onSpinWait();
      }
    });
  }

  @Test
  void aStalledLoopDoesNotStallTheSocketsOfOtherVirtualThreads() {
    Loops.run(() -> {
      exchangeAByte(); // The JDK's pollers have now worked for a fiber of this loop.
      AtomicReference<Object> outcome = new AtomicReference<>();
      Thread.ofVirtual()
          .start(() -> {
            try {
              outcome.set(exchangeAByte());
            } catch (Exception e) {
              outcome.set(e);
            }
          });
      while (outcome.get() == null) {
        Thread.onSpinWait(); // Were a poller carried by this loop, it could not run.
      }

      assertThat(outcome.get()).isEqualTo(42);
    });
  }

  /** Has two virtual threads block in socket calls until one byte got through. */
  private static int exchangeAByte() throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        Socket server = listener.accept()) {
      CountDownLatch reading = new CountDownLatch(1);
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  reading.await();
                  server.getOutputStream().write(42);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      reading.countDown();
      int received = client.getInputStream().read();
      writer.join();
      return received;
    }
  }

  @Test
  void aLockHeldByAParkedTaskDoesNotStopTheLoop() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      ReentrantLock lock = new ReentrantLock();
      Object monitor = new Object();
      List<String> order = new ArrayList<>();
      Task<?> owner =
          loop.createTask(() -> {
            synchronized (monitor) {
              lock.lock();
              try {
                loop.sleep(Duration.ofMillis(2));
                order.add("owner");
              } finally {
                lock.unlock();
              }
            }
          });
      loop.yieldNow();
      Task<?> waitsForTheLock =
          loop.createTask(() -> {
            lock.lock();
            order.add("lock");
            lock.unlock();
          });
      Task<?> waitsForTheMonitor =
          loop.createTask(() -> {
            synchronized (monitor) {
              order.add("monitor");
            }
          });
      loop.callSoon(() -> {
        lock.lock();
        order.add("callback");
        lock.unlock();
      });
      List.of(owner, waitsForTheLock, waitsForTheMonitor).forEach(Task::await);
      while (order.size() < 4) {
        loop.yieldNow();
      }

      assertThat(order).startsWith("owner").contains("lock", "monitor", "callback");
    });
  }

  @Test
  void anInterruptDoesNotEndAWaitAndIsSeenAfterwards() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      Task<String> task =
          loop.createTask(() -> future.await() + " interrupted: " + Thread.interrupted());
      Loops.settle();

      task.fiber.thread().interrupt();
      Loops.settle();
      assertThat(task.done()).isFalse();
      future.setResult("there,");

      assertThat(task.await()).isEqualTo("there, interrupted: true");
    });
  }

  @Test
  void aTaskWokenAndInterruptedInOneRoundRunsOnce() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (int i = 0; i < 1_000; i++) {
        Future<String> future = loop.createFuture();
        int[] ran = {0};
        Task<?> task =
            loop.createTask(() -> {
              future.await();
              ran[0]++;
            });
        loop.yieldNow();
        if (i % 2 == 0) {
          task.fiber.thread().interrupt();
          future.setResult("x");
        } else {
          future.setResult("x");
          task.fiber.thread().interrupt();
        }
        task.await();
        assertThat(ran[0]).isEqualTo(1);
      }
    });
  }

  @Test
  void wakeUpsFromManyThreadsAreNeitherLostNorDoubled() {
    int rounds = 1_000;
    Loops.run(() -> {
      Loop loop = Loop.running();
      Semaphore toWorkers = new Semaphore(0);
      Semaphore toTasks = new Semaphore(0);
      int[] resumed = {0};
      for (int i = 0; i < 3; i++) {
        loop.runInExecutor(() -> {
          for (int round = 0; round < rounds; round++) {
            toWorkers.acquire();
            toTasks.release();
          }
          return null;
        });
      }
      List<Task<?>> tasks = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        tasks.add(
            loop.createTask(() -> {
              for (int round = 0; round < rounds; round++) {
                toWorkers.release();
                toTasks.acquire(); // Parks; a worker's thread unparks.
                resumed[0]++;
              }
            }));
      }
      tasks.forEach(Task::await);

      assertThat(resumed[0]).isEqualTo(3 * rounds);
    });
  }

  @Test
  void aTaskStillParkedWhenItsLoopClosedGoesOnElsewhereAndEveryCallRefuses()
      throws InterruptedException {
    CountDownLatch latch = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    RunOptions impatient = RunOptions.defaults().withShutdownTimeout(Duration.ZERO);

    Loops.call(
        impatient,
        () -> {
          Loop loop = Loop.running();
          loop.setExceptionHandler((l, context) -> {});
          loop.createTask(() -> {
            Loops.awaitThroughInterrupts(latch);
            try {
              loop.sleep(Duration.ofMillis(1));
            } catch (Throwable e) {
              thrown.set(e);
            }
            ended.countDown();
          });
          loop.yieldNow();
          return null;
        });
    latch.countDown(); // Hands the closed loop a continuation: it must not be refused.
    ended.await();

    assertThat(thrown.get())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void wakeUpsThatRaceWithTheEndOfTheLoopAreNeverRefused() throws InterruptedException {
    AtomicInteger refused = new AtomicInteger();
    for (int round = 0; round < 200; round++) {
      CountDownLatch latch = new CountDownLatch(1);
      CountDownLatch ended = new CountDownLatch(4);
      Thread waker = Thread.ofPlatform().unstarted(() -> countDown(latch, refused));
      Loops.call(
          RunOptions.defaults().withShutdownTimeout(Duration.ZERO),
          () -> {
            Loop.running().setExceptionHandler((l, context) -> {});
            for (int i = 0; i < 4; i++) {
              Loop.running()
                  .createTask(() -> {
                    Loops.awaitThroughInterrupts(latch);
                    ended.countDown();
                  });
            }
            Loop.running().yieldNow();
            waker.start();
            return null;
          });
      waker.join();
      ended.await(); // A thread whose wake-up was refused would never get here.
    }

    assertThat(refused).hasValue(0);
  }

  private static void countDown(CountDownLatch latch, AtomicInteger refused) {
    try {
      latch.countDown();
    } catch (Throwable e) {
      refused.incrementAndGet();
    }
  }
}
