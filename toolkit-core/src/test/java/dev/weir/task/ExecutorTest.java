package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

/** Blocking work on other threads. */
class ExecutorTest {
  private static final ContextVar<String> USER = new ContextVar<>("user", "nobody");

  private final CountDownLatch release = new CountDownLatch(1);
  private final List<String> order = new CopyOnWriteArrayList<>();

  // --- The default executor

  @Test
  void workReturnsAndThrowsAsItIs() {
    Loops.run(() -> {
      assertThat(Loop.running().<String>runInExecutor(() -> "value").await()).isEqualTo("value");

      InterruptedException failure = new InterruptedException("x");
      Future<?> failing =
          Loop.running()
              .runInExecutor(() -> {
                throw failure;
              });
      assertThatThrownBy(failing::await).isSameAs(failure);
    });
  }

  @Test
  void workRunsOnADaemonThreadNamedAfterTheLoop() {
    Loops.run(() -> {
      Loop loop = Loop.running();

      Thread worker = loop.<Thread>runInExecutor(Thread::currentThread).await();

      assertThat(worker.getName()).isEqualTo(loop.carrier.thread.getName() + "-worker-1");
      assertThat(worker.isDaemon()).isTrue();
      assertThat(worker.isVirtual()).isFalse();
    });
  }

  @Test
  void thereAreAtMostFourThreadsMoreThanProcessorsAndThirtyTwo() {
    int size = Math.min(32, Runtime.getRuntime().availableProcessors() + 4);
    Set<Thread> workers = new TreeSet<>((a, b) -> Long.compare(a.threadId(), b.threadId()));
    Loops.run(() -> {
      Loop loop = Loop.running();
      CountDownLatch allBusy = new CountDownLatch(size);
      List<Future<Thread>> works = new ArrayList<>();
      for (int i = 0; i < 3 * size; i++) {
        works.add(
            loop.runInExecutor(() -> {
              allBusy.countDown();
              allBusy.await(); // Hangs if the threads are fewer.
              return Thread.currentThread();
            }));
      }
      for (Future<Thread> work : works) {
        workers.add(work.await());
      }
    });

    assertThat(workers).hasSize(size);
  }

  @Test
  void aThreadThatIsIdleIsUsedBeforeAnotherIsStarted() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Thread first = loop.runInExecutor(() -> Thread.currentThread()).await();
      while (first.getState() == Thread.State.RUNNABLE) {
        Thread.onSpinWait(); // It has told its result, and does not wait for more yet.
      }

      Thread second = loop.runInExecutor(() -> Thread.currentThread()).await();

      assertThat(second).isSameAs(first);
    });
  }

  @Test
  void aFutureOfWorkIsCompletedOnTheLoop() {
    Loops.run(() -> {
      Future<String> work = Loop.running().runInExecutor(() -> "value");
      work.addDoneCallback(done -> order.add(Loop.running() == done.loop() ? "on the loop" : ""));
      work.await();
      Loops.settle();
    });

    assertThat(order).containsExactly("on the loop");
  }

  // --- Context

  @Test
  void runInExecutorDoesNotTakeTheContextAlong() {
    Loops.run(() -> {
      USER.set("main");

      assertThat(Loop.running().<String>runInExecutor(() -> USER.get()).await())
          .isEqualTo("nobody");
    });
  }

  @Test
  void toThreadWorksInACopyOfTheContext() {
    Loops.run(() -> {
      USER.set("main");

      String seen =
          Loop.running()
              .toThread(() -> {
                String before = USER.get();
                USER.set("worker");
                return before;
              });

      assertThat(seen).isEqualTo("main");
      assertThat(USER.get()).isEqualTo("main");
      assertThat(Loop.running().<String>runInExecutor(() -> USER.get()).await())
          .isEqualTo("nobody");
    });
  }

  // --- Cancelling

  @Test
  void cancelledWorkThatHasNotBegunNeverBegins() {
    Loops.run(() -> {
      List<Runnable> queue = new ArrayList<>();
      Future<?> work = Loop.running().runInExecutor(queue::add, () -> order.add("worked"));

      work.cancel();
      Loops.settle();
      queue.forEach(Runnable::run);
      Loops.settle();

      assertThat(work.cancelled()).isTrue();
    });

    assertThat(order).isEmpty();
  }

  @Test
  void cancelledWorkThatHasBegunGoesOnAndItsResultIsDropped() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<ExceptionContext> errors = Loops.collectErrors();
      CountDownLatch begun = new CountDownLatch(1);
      Task<?> task =
          loop.createTask(() -> {
            loop.toThread(() -> {
              begun.countDown();
              release.await();
              order.add("worked, interrupted: " + Thread.currentThread().isInterrupted());
            });
          });
      Loops.settle();
      begun.await();

      task.cancel("no longer wanted");
      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("no longer wanted");
      assertThat(order).isEmpty();

      release.countDown();
      loop.shutdownDefaultExecutor(Duration.ofHours(1));
      assertThat(order).containsExactly("worked, interrupted: false");
      assertThat(errors).isEmpty();
    });
  }

  // --- Other executors

  @Test
  void workMayGoToAnExecutorOfTheCallersChoice() {
    Loops.run(() -> {
      Executor inline = Runnable::run;

      Future<Thread> work = Loop.running().runInExecutor(inline, Thread::currentThread);

      assertThat(work.await()).isSameAs(Thread.currentThread());
    });
  }

  @Test
  void theRefusalOfAnExecutorOfTheCallersChoiceIsThrown() {
    RejectedExecutionException refusal = new RejectedExecutionException("full");
    Loops.run(() -> {
      Executor full =
          work -> {
            throw refusal;
          };

      assertThatThrownBy(() -> Loop.running().runInExecutor(full, () -> "x")).isSameAs(refusal);
    });
  }

  @Test
  void anotherDefaultExecutorTakesTheWorkAndIsShutDownWithTheLoop() {
    ExecutorService replacement = Executors.newThreadPerTaskExecutor(named("replacement"));
    Loops.run(() -> {
      Loop.running().setDefaultExecutor(replacement);

      Coroutine<String> name = () -> Thread.currentThread().getName();
      assertThat(Loop.running().runInExecutor(name).await()).isEqualTo("replacement");
      assertThat(Loop.running().runInExecutor(null, name).await()).isEqualTo("replacement");
      assertThat(Loop.running().toThread(name)).isEqualTo("replacement");
    });

    assertThat(replacement.isTerminated()).isTrue();
  }

  @Test
  void aReplacedExecutorOfTheUsersIsLeftToTheUser() {
    try (ExecutorService first = Executors.newThreadPerTaskExecutor(named("first"));
        ExecutorService second = Executors.newThreadPerTaskExecutor(named("second"))) {
      Loops.run(() -> {
        Loop.running().setDefaultExecutor(first);
        Loop.running().setDefaultExecutor(second);
      });

      assertThat(first.isShutdown()).isFalse();
    }
  }

  @Test
  void workThatTheReplacedPoolHadTakenIsStillDone() {
    try (ExecutorService replacement = Executors.newThreadPerTaskExecutor(named("replacement"))) {
      Loops.run(() -> {
        Future<String> work =
            Loop.running()
                .runInExecutor(() -> {
                  release.await();
                  return "done";
                });

        Loop.running().setDefaultExecutor(replacement);
        release.countDown();

        assertThat(work.await()).isEqualTo("done");
      });
    }
  }

  private static java.util.concurrent.ThreadFactory named(String name) {
    return Thread.ofPlatform().name(name).factory();
  }

  @Test
  void anotherDefaultExecutorThatWasShutDownIsNamedAsTheReason() {
    ExecutorService replacement = Executors.newThreadPerTaskExecutor(named("replacement"));
    replacement.shutdown();
    Loops.run(() -> {
      Loop.running().setDefaultExecutor(replacement);

      assertThatThrownBy(() -> Loop.running().runInExecutor(() -> "x"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("setDefaultExecutor()")
          .hasMessageContaining("takes no more work");
    });
  }

  // --- Shutting down

  @Test
  void shuttingTheDefaultExecutorDownWaitsForItsWorkAndRefusesMore() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      ObservedPool pool = new ObservedPool();
      loop.setDefaultExecutor(pool);
      loop.runInExecutor(() -> {
        pool.awaited.await(); // Ends only once somebody waits for it.
        return order.add("worked");
      });

      loop.shutdownDefaultExecutor(Duration.ofHours(1));

      assertThat(order).containsExactly("worked");
      assertThatThrownBy(() -> loop.runInExecutor(() -> "x"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("was shut down")
          .hasMessageContaining("executor of your own");
      assertThat(loop.<String>runInExecutor(Runnable::run, () -> "x").await()).isEqualTo("x");
      loop.shutdownDefaultExecutor(Duration.ZERO); // A second time: nothing to wait for.
    });
  }

  @Test
  void workThatTakesTooLongIsLeftBehindWithAWarning() {
    try (CapturedLog log = CapturedLog.open()) {
      Loops.run(() -> {
        Loop loop = Loop.running();
        Future<?> work =
            loop.runInExecutor(() -> {
              release.await();
              return "late";
            });

        loop.shutdownDefaultExecutor(Duration.ofMillis(1));
        log.spinUntil("did not end its work within PT0.001S");
        assertThat(work.done()).isFalse();

        release.countDown();
        assertThat(work.await()).isEqualTo("late");
      });

      assertThat(log.records()).extracting(LogRecord::getLevel).containsExactly(Level.WARNING);
    }
  }

  @Test
  void theEndOfARunnerWaitsForWorkAfterTheTasksAndBeforeTheLoopCloses() {
    ObservedPool pool = new ObservedPool();
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.setDefaultExecutor(pool);
      loop.createTask(() -> {
        try {
          loop.sleep(Duration.ofHours(1));
        } finally {
          order.add("task, pool waited for: " + (pool.awaited.getCount() == 0));
        }
      });
      loop.runInExecutor(() -> {
        pool.awaited.await();
        return order.add("work, loop closed: " + loop.isClosed());
      });
      Loops.settle();
    });

    assertThat(order).containsExactly("task, pool waited for: false", "work, loop closed: false");
  }

  @Test
  void theEndOfARunnerLeavesWorkBehindThatTakesTooLong() {
    RunOptions impatient = RunOptions.defaults().withExecutorTimeout(Duration.ofMillis(1));
    try (CapturedLog log = CapturedLog.open()) {
      Loops.call(
          impatient,
          () ->
              Loop.running()
                  .runInExecutor(() -> {
                    release.await();
                    return null;
                  }));
      log.spinUntil("did not end its work within");
    } finally {
      release.countDown();
    }
  }

  @Test
  void closingALoopByHandDoesNotWaitForWork() throws InterruptedException {
    Loop loop = Loops.open();
    Thread[] worker = new Thread[1];
    CountDownLatch begun = new CountDownLatch(1);
    loop.runInExecutor(() -> {
      worker[0] = Thread.currentThread();
      begun.countDown();
      release.await();
      return null;
    });
    begun.await();

    loop.close(); // Hangs if it waits.
    release.countDown();

    assertThat(worker[0].join(Duration.ofSeconds(10))).isTrue();
  }

  /** Tells when somebody waits for its end. */
  private static final class ObservedPool extends ThreadPoolExecutor {
    final CountDownLatch awaited = new CountDownLatch(1);

    ObservedPool() {
      super(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
      awaited.countDown();
      return super.awaitTermination(timeout, unit);
    }
  }

  // --- Wrong callers

  @Test
  void workIsHandedOverFromTheLoopOnlyAndAwaitedInATaskOnly() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      assertThatThrownBy(
              () -> loop.runInExecutor(() -> loop.runInExecutor(() -> "from a worker")).await())
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("Loop.runInExecutor()")
          .hasMessageContaining("callSoonThreadsafe");

      loop.callSoon(() -> {
        assertNeedsATask(() -> loop.toThread(() -> "x"), "toThread()");
        assertNeedsATask(
            () -> loop.shutdownDefaultExecutor(Duration.ZERO), "shutdownDefaultExecutor()");
        order.add("refused in a callback");
      });
      Loops.settle();
      assertThat(order).hasSize(1);

      assertThatThrownBy(() -> loop.setDefaultExecutor(null)).hasMessage("executor");
      assertThatThrownBy(() -> loop.runInExecutor(null)).hasMessage("work");
    });
  }

  private static void assertNeedsATask(Runnable call, String name) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("loop.createTask");
  }
}
