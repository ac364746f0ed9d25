package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.weir.spi.EngineProvider;
import dev.weir.testing.VirtualOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Several loops that run and end together, and tasks of theirs that wait for each other. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LoopGroupTest {
  private static final RunOptions TWO = RunOptions.defaults().withLoops(2);

  private static Loop second() {
    return Loop.running().group().get(1);
  }

  /** Runs a body on the second loop and awaits what it returns. */
  private static <T> T onSecond(Coroutine<T> body) {
    return await(Futures.runCoroutineThreadsafe(body, second()));
  }

  private static <T> T await(CompletableFuture<T> elsewhere) {
    return Loop.running().wrapFuture(elsewhere).await();
  }

  /** Starts a task on the second loop that waits for ever, and awaits that it does. */
  private static CompletableFuture<?> sleepOnSecond(Action cleanUp) {
    CompletableFuture<Void> begun = new CompletableFuture<>();
    CompletableFuture<?> sleeping =
        Futures.runCoroutineThreadsafe(
            () -> {
              begun.complete(null);
              try {
                Loop.running().sleep(Loops.LONG);
                return null;
              } finally {
                cleanUp.run();
              }
            },
            second());
    await(begun);
    return sleeping;
  }

  private static Set<Thread> loopThreads() {
    Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
    threads.removeIf(thread -> !thread.getName().startsWith("weir-loop-"));
    return threads;
  }

  // --- The group

  @Test
  void aLoopAloneIsAGroupOfItself() {
    Loops.run(() -> assertThat(Loop.running().group()).containsExactly(Loop.running()));
  }

  @Test
  void theMainTaskRunsOnTheFirstLoopAndTheOthersRunBesideIt() {
    Loops.call(
        TWO.withLoops(3),
        () -> {
          Loop first = Loop.running();
          List<Loop> group = first.group();
          assertThat(group).hasSize(3).doesNotHaveDuplicates().startsWith(first);
          for (Loop other : group.subList(1, 3)) {
            assertThat(await(Futures.runCoroutineThreadsafe(Loop::running, other))).isSameAs(other);
            assertThat(other.group()).isSameAs(group);
            assertThat(other.fibers()).isEqualTo(first.fibers());
          }
          assertThatExceptionOfType(UnsupportedOperationException.class)
              .isThrownBy(() -> group.remove(0));
          return null;
        });
  }

  /** Each waits for the other while it holds its own loop's turn, which one thread could not do. */
  @Test
  void tasksOfTwoLoopsRunAtTheSameTime() {
    CountDownLatch both = new CountDownLatch(2);
    Action meet =
        () -> {
          both.countDown();
          while (both.getCount() > 0) {
            Thread.onSpinWait();
          }
        };

    Loops.call(
        TWO,
        () -> {
          CompletableFuture<?> other =
              Futures.runCoroutineThreadsafe(Loop.asCoroutine(meet), second());
          meet.run();
          return await(other);
        });
  }

  @Test
  void callbacksOfAnotherLoopRunThereInTheOrderOfTheirRegistration() {
    List<Integer> seen = new CopyOnWriteArrayList<>();
    List<Loop> where = new CopyOnWriteArrayList<>();

    Loops.call(
        TWO,
        () -> {
          CompletableFuture<Void> last = new CompletableFuture<>();
          for (int i = 0; i < 100; i++) {
            int number = i;
            second()
                .callSoonThreadsafe(() -> {
                  seen.add(number);
                  where.add(Loop.running());
                });
          }
          second().callSoonThreadsafe(() -> last.complete(null));
          await(last);
          assertThat(where).containsOnly(second());
          return null;
        });

    assertThat(seen).hasSize(100).isSorted();
  }

  // --- Waiting for another loop

  @Test
  void aTaskThatWaitsForAnotherLoopHoldsUpNoneOfItsOwn() {
    Loops.call(
        TWO,
        () -> {
          CompletableFuture<Void> gate = new CompletableFuture<>();
          Task<?> opener = Loop.running().createTask(() -> gate.complete(null));
          onSecond(() -> Loop.running().wrapFuture(gate).await());
          assertThat(opener.done()).isTrue();
          return null;
        });
  }

  @Test
  void whatTheOtherLoopThrowsIsThrownAsItIs() {
    IOException failure = new IOException("there");

    Loops.call(
        TWO,
        () -> {
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(() ->
                  onSecond(() -> {
                    throw failure;
                  }))
              .isSameAs(failure);
          return null;
        });
  }

  @Test
  void cancellingWhoeverWaitsCancelsTheTaskOfTheOtherLoop() {
    Loops.call(
        TWO,
        () -> {
          CompletableFuture<Loop> cancelled = new CompletableFuture<>();
          CompletableFuture<?> sleeping = sleepOnSecond(() -> cancelled.complete(Loop.running()));
          Task<?> waiting = Loop.running().createTask(() -> await(sleeping));
          Loop.running().yieldNow();

          waiting.cancel();

          assertThat(await(cancelled)).isSameAs(second());
          assertThatExceptionOfType(CancelledError.class).isThrownBy(waiting::await);
          return null;
        });
  }

  @Test
  void aTaskThatIsCancelledOnTheOtherLoopCancelsWhoeverWaits() {
    Loops.call(
        TWO,
        () -> {
          CompletableFuture<?> sleeping = sleepOnSecond(() -> {});
          onSecond(() -> {
            Set<Task<?>> tasks = Loop.running().allTasks();
            tasks.remove(Loop.currentTask());
            tasks.forEach(Task::cancel);
            return null;
          });
          assertThatExceptionOfType(CancelledError.class).isThrownBy(() -> await(sleeping));
          return null;
        });
  }

  // --- The end

  @Test
  void theTasksOfAllLoopsAreCancelledAndAwaitedWhenTheMainTaskEnds() {
    Set<Thread> before = loopThreads();
    List<String> cleanedUp = new CopyOnWriteArrayList<>();
    List<Loop> loops = new ArrayList<>();

    Loops.call(
        TWO.withLoops(3),
        () -> {
          loops.addAll(Loop.running().group());
          for (Loop loop : loops) {
            CompletableFuture<Void> begun = new CompletableFuture<>();
            var _ =
                Futures.runCoroutineThreadsafe(
                    () -> {
                      begun.complete(null);
                      try {
                        Loop.running().sleep(Loops.LONG);
                        return null;
                      } finally {
                        Loop.running().yieldNow();
                        cleanedUp.add(loop.toString());
                      }
                    },
                    loop);
            await(begun);
          }
          return null;
        });

    assertThat(cleanedUp).hasSize(3);
    assertThat(loops).allMatch(Loop::isClosed);
    assertThat(loopThreads()).isSubsetOf(before);
  }

  @Test
  void cleanUpOnOneLoopMayWaitForAnother() {
    List<String> steps = new CopyOnWriteArrayList<>();

    Loops.call(
        TWO,
        () -> {
          Loop first = Loop.running();
          sleepOnSecond(() -> {
            await(
                Futures.runCoroutineThreadsafe(
                    Loop.asCoroutine(() -> {
                      Loop.running().yieldNow();
                      steps.add("first");
                    }),
                    first));
            steps.add("second");
          });
          return null;
        });

    assertThat(steps).containsExactly("first", "second");
  }

  @Test
  void whatTheClosingOfOneLoopStartsOnAnotherIsCancelledAsWell() {
    List<CompletableFuture<?>> started = new CopyOnWriteArrayList<>();

    Loops.call(
        TWO,
        () -> {
          Loop first = Loop.running();
          sleepOnSecond(() ->
              started.add(
                  Futures.runCoroutineThreadsafe(
                      Loop.asCoroutine(() -> Loop.running().sleep(Loops.LONG)), first)));
          return null;
        });

    assertThat(started).hasSize(1).allMatch(CompletableFuture::isCancelled);
  }

  @Test
  void stoppingOneLoopStopsAll() {
    assertThatIllegalStateException()
        .isThrownBy(() ->
            Loops.call(
                TWO,
                () -> {
                  second().callSoonThreadsafe(() -> Loop.running().stop());
                  Loop.running().sleep(Loops.LONG);
                  return null;
                }))
        .withMessageContaining("was stopped before");
  }

  @Test
  void interruptingTheCallerEndsAll() throws InterruptedException {
    CompletableFuture<Void> cleanedUp = new CompletableFuture<>();
    CompletableFuture<Void> begun = new CompletableFuture<>();
    CompletableFuture<Throwable> outcome = new CompletableFuture<>();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                Loops.call(
                    TWO,
                    () -> {
                      sleepOnSecond(() -> cleanedUp.complete(null));
                      begun.complete(null);
                      Loop.running().sleep(Loops.LONG);
                      return null;
                    });
              } catch (Throwable e) {
                outcome.complete(e);
              }
            });
    begun.join();

    caller.interrupt();
    caller.join();

    assertThat(outcome.join()).isInstanceOf(CancelledError.class);
    assertThat(cleanedUp).isCompleted();
  }

  @Test
  void aSignalExceptionOnOneLoopEndsAll() {
    SignalException signal = new SignalException("TERM", 15, null);

    assertThatExceptionOfType(SignalException.class)
        .isThrownBy(() ->
            Loops.call(
                TWO,
                () -> {
                  second()
                      .callSoonThreadsafe(() -> {
                        throw signal;
                      });
                  Loop.running().sleep(Loops.LONG);
                  return null;
                }))
        .isSameAs(signal);
  }

  @Test
  void allLoopsStandStillBetweenTwoRuns() {
    try (Runner runner = Loops.newRunner(TWO)) {
      CompletableFuture<String> elsewhere =
          runner.run(() -> Futures.runCoroutineThreadsafe(() -> "ran", second()));
      assertThat(runner.loop().group()).noneMatch(Loop::isRunning);
      assertThat(runner.<String>run(() -> await(elsewhere))).isEqualTo("ran");
    }
  }

  @Test
  void aLoopThatStoppedInOneRunRunsThroughTheNext() {
    try (Runner runner = Loops.newRunner(TWO)) {
      for (int i = 0; i < 50; i++) {
        runner.run(() -> {
          assertThat(
                  onSecond(() -> {
                    Loop.running().yieldNow();
                    return Loop.running();
                  }))
              .isSameAs(second());
        });
      }
    }
  }

  // --- Misuse and failure

  @Test
  void onlyTheFirstLoopIsRunAndClosedByHand() {
    try (Runner runner = Loops.newRunner(TWO)) {
      Loop other = runner.loop().group().get(1);
      assertThatIllegalStateException()
          .isThrownBy(other::runForever)
          .withMessageContaining("with the loop of the main task");
      assertThatIllegalStateException().isThrownBy(other::close);

      runner.loop().close();

      assertThat(other.isClosed()).isTrue();
    }
  }

  @Test
  void loopsThatWereOpenedAreClosedWhenAnotherCannotBe() {
    Set<Thread> before = loopThreads();
    AtomicInteger opened = new AtomicInteger();
    AtomicInteger closed = new AtomicInteger();
    IllegalStateException noDescriptor = new IllegalStateException("no descriptor");
    EngineProvider engine =
        (transport, context) -> {
          if (opened.get() == 2) {
            throw noDescriptor;
          }
          opened.incrementAndGet();
          return new ObservedDriver(context, () -> {}, closed::incrementAndGet);
        };

    try (Runner runner = new Runner(TWO.withLoops(3), engine)) {
      assertThatIllegalStateException()
          .isThrownBy(() -> runner.run(() -> {}))
          .isSameAs(noDescriptor);
    }

    assertThat(closed).hasValue(2);
    assertThat(loopThreads()).isSubsetOf(before);
  }

  @Test
  void thereIsNoRunWithoutALoop() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RunOptions.defaults().withLoops(0))
        .withMessage("loops < 1: 0");
  }

  @Test
  void whatIsOpenedByHandOrVirtualIsOneLoop() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Loops.open(TWO))
        .withMessageContaining("use a Runner");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VirtualOptions.defaults().withRunOptions(TWO))
        .withMessageContaining("withLoops()");
  }

  @Test
  void aTaskOfAnyLoopThatDoesNotEndIsReportedThere() {
    List<Loop> reporters = new CopyOnWriteArrayList<>();
    Loop[] second = new Loop[1];

    Loops.call(
        TWO.withShutdownTimeout(Duration.ofMillis(1)),
        () -> {
          second[0] = second();
          onSecond(() -> {
            Loop.running().setExceptionHandler((loop, context) -> reporters.add(loop));
            return null;
          });
          sleepOnSecond(() -> Loop.running().sleep(Loops.LONG));
          return null;
        });

    assertThat(reporters).isNotEmpty().containsOnly(second[0]);
  }
}
