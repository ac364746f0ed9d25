package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncBarrier;
import dev.weir.sync.AsyncCondition;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncLock;
import dev.weir.sync.AsyncQueue;
import dev.weir.sync.AsyncSemaphore;
import dev.weir.task.Coroutine;
import dev.weir.task.ExceptionGroup;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import dev.weir.task.TimerHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The driver itself, and everything of tasks and sync that can be cancelled, cancelled everywhere.
 */
class CancelEverywhereTest {
  private static final Duration SOON = Duration.ofNanos(1);

  // --- The driver

  @Test
  void timePassesWhileItWatches() {
    VirtualLoop.run(() -> {
      int cancelled =
          CancelEverywhere.run(() -> null, _ -> Asyncio.sleep(Duration.ofHours(1)), _ -> {});

      assertThat(cancelled).isEqualTo(3);
      assertThat(Loop.running().time()).as("the run without and the one once woken").isPositive();
    });
  }

  @Test
  void everySuspensionIsCancelledAtOnceWhileItWaitsAndOnceItIsWoken() {
    Loops.run(() -> {
      List<String> ends = new ArrayList<>();

      int cancelled =
          CancelEverywhere.run(
              () -> ends,
              list -> {
                int passed = 0;
                try {
                  for (; passed < 3; passed++) {
                    Asyncio.sleep(SOON);
                  }
                } finally {
                  list.add("after " + passed);
                }
              },
              list -> {});

      assertThat(cancelled).isEqualTo(9);
      assertThat(ends)
          .containsExactly(
              "after 0", "after 1", "after 2", "after 3", "after 0", "after 1", "after 2",
              "after 3", "after 0", "after 1", "after 2", "after 3");
    });
  }

  @Test
  void aCheckThatFailsSaysWhereTheScenarioWasCancelled() {
    Loops.run(() ->
        assertThatThrownBy(() ->
                CancelEverywhere.run(
                    AsyncLock::new,
                    CancelEverywhereTest::forgetToRelease,
                    lock -> assertThat(lock.locked()).isFalse()))
            .isInstanceOf(AssertionError.class)
            .hasMessageContaining("at suspension 1")
            .hasMessageContaining("forgetToRelease"));
  }

  private static void forgetToRelease(AsyncLock lock) {
    lock.acquire();
    Asyncio.sleep(SOON);
    lock.release();
  }

  @Test
  void aTaskThatIsLeftBehindIsNamed() {
    Loops.run(() -> {
      List<Task<?>> left = new ArrayList<>();

      assertThatThrownBy(() ->
              CancelEverywhere.run(
                  () -> left,
                  list -> {
                    list.add(Asyncio.createTask(() -> Asyncio.sleep(Duration.ofHours(1)), "stray"));
                    Asyncio.sleep(SOON);
                  },
                  list -> {}))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("Left behind")
          .hasMessageContaining("stray");
      left.forEach(Task::cancel);
    });
  }

  @Test
  void outsideATaskItIsRefused() {
    assertThatThrownBy(() -> CancelEverywhere.run(AsyncLock::new, lock -> {}, lock -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  // --- What must survive a cancellation anywhere. Somebody waits behind the scenario each time,
  // and
  // hangs unless he gets what the scenario was woken for and cannot use any more.

  @Test
  void aLockIsFreeAfterwardsAndGoesToWhoeverAsks() {
    Loops.run(() -> {
      int cancelled =
          CancelEverywhere.run(
              AsyncLock::new,
              lock -> {
                Task<?> first = Asyncio.createTask(() -> holdBriefly(lock));
                Task<?> behind =
                    Asyncio.createTask(() -> {
                      Asyncio.yieldNow();
                      holdBriefly(lock);
                    });
                try {
                  Asyncio.yieldNow();
                  holdBriefly(lock);
                  holdBriefly(lock);
                } finally {
                  Asyncio.gather(List.of(first, behind)).await();
                }
              },
              lock -> {
                assertThat(lock.locked()).isFalse();
                Asyncio.gather(task(() -> holdBriefly(lock)), task(() -> holdBriefly(lock)))
                    .await();
                assertThat(lock.locked()).isFalse();
              });

      assertThat(cancelled).isGreaterThanOrEqualTo(6);
    });
  }

  private static void holdBriefly(AsyncLock lock) {
    try (var _ = lock.hold()) {
      Asyncio.yieldNow();
    }
  }

  private static Coroutine<Object> task(Runnable body) {
    return () -> {
      body.run();
      return null;
    };
  }

  @Test
  void noPermitOfASemaphoreIsLostOrMadeUp() {
    Loops.run(() ->
        CancelEverywhere.run(
            () -> AsyncSemaphore.bounded(3),
            semaphore -> {
              Task<?> other = Asyncio.createTask(() -> holdTwoBriefly(semaphore));
              try {
                Asyncio.yieldNow();
                holdTwoBriefly(semaphore);
              } finally {
                Asyncio.shield(other).await();
              }
            },
            semaphore -> {
              for (int i = 0; i < 3; i++) {
                assertThat(semaphore.locked()).isFalse();
                semaphore.acquire();
              }
              assertThat(semaphore.locked()).isTrue();
              for (int i = 0; i < 3; i++) {
                semaphore.release();
              }
              assertThatThrownBy(semaphore::release).isInstanceOf(IllegalStateException.class);
            }));
  }

  private static void holdTwoBriefly(AsyncSemaphore semaphore) {
    try (var _ = semaphore.hold()) {
      Asyncio.yieldNow();
      try (var _ = semaphore.hold()) {
        Asyncio.yieldNow();
      }
    }
  }

  @Test
  void anEventWakesThoseWhoWaitForItAfterwards() {
    Loops.run(() ->
        CancelEverywhere.run(
            AsyncEvent::new,
            event -> {
              for (int i = 0; i < 2; i++) {
                event.clear();
                TimerHandle timer = Asyncio.runningLoop().callLater(SOON, event::set);
                try {
                  event.await();
                } finally {
                  timer.cancel();
                }
              }
            },
            event -> {
              event.clear();
              Task<?> waiter = Asyncio.createTask(event::await);
              Asyncio.yieldNow();
              assertThat(waiter.done()).isFalse();
              event.set();
              waiter.await();
            }));
  }

  /** A condition, and how many signals were given and taken. */
  private static final class Signalled {
    final AsyncCondition condition = new AsyncCondition();
    int available;

    void give() {
      try (var _ = condition.hold()) {
        available++;
        condition.signal();
      }
    }

    void take() {
      try (var _ = condition.hold()) {
        condition.awaitUntil(() -> available > 0);
        available--;
      }
    }
  }

  @Test
  void noSignalOfAConditionIsLost() {
    Loops.run(() ->
        CancelEverywhere.run(
            Signalled::new,
            signalled -> {
              Task<?> behind =
                  Asyncio.createTask(() -> {
                    Asyncio.yieldNow();
                    signalled.take();
                  });
              Task<?> giver =
                  Asyncio.createTask(() -> {
                    rounds(3);
                    signalled.give();
                    while (signalled.available > 0) {
                      Asyncio.yieldNow();
                    }
                    signalled.give();
                  });
              try {
                signalled.take();
              } finally {
                Asyncio.gather(List.of(behind, giver)).await();
              }
            },
            signalled -> {
              assertThat(signalled.condition.locked()).isFalse();
              int left = signalled.available;
              assertThat(left).isBetween(0, 1);
              signalled.give();
              signalled.take();
              assertThat(signalled.available).isEqualTo(left);
            }));
  }

  @Test
  void aBarrierCountsNobodyWhoHasGone() {
    Loops.run(() ->
        CancelEverywhere.run(
            () -> new AsyncBarrier(2),
            barrier -> {
              Task<?> other =
                  Asyncio.createTask(() -> {
                    Asyncio.yieldNow();
                    Asyncio.yieldNow();
                    barrier.await();
                  });
              try {
                barrier.await();
                Asyncio.yieldNow();
              } finally {
                endByCancelling(other);
              }
            },
            barrier -> {
              assertThat(barrier.waiting()).isZero();
              List<Object> indexes = Asyncio.<Object>gather(barrier::await, barrier::await).await();
              assertThat(indexes).containsExactlyInAnyOrder(0, 1);
            }));
  }

  /** A queue and what went through it. */
  private static final class Exchange {
    final AsyncQueue<Integer> queue = new AsyncQueue<>(1);
    final List<Integer> put = new ArrayList<>();
    final List<Integer> got = new ArrayList<>();

    void give(int item) {
      queue.put(item);
      put.add(item);
    }

    void take() {
      got.add(queue.get());
    }
  }

  @Test
  void noItemOfAQueueIsLostOrDoubledWhoeverIsCancelledTaking() {
    Loops.run(() ->
        CancelEverywhere.run(
            Exchange::new,
            exchange -> {
              Task<?> behind =
                  Asyncio.createTask(() -> {
                    Asyncio.yieldNow();
                    exchange.take();
                  });
              Task<?> giver =
                  Asyncio.createTask(() -> {
                    for (int i = 0; i < 3; i++) {
                      rounds(3);
                      exchange.give(i);
                      while (!behind.done() && !exchange.queue.empty()) {
                        Asyncio.yieldNow();
                      }
                    }
                  });
              try {
                exchange.take();
                exchange.take();
              } finally {
                behind.await();
                endByCancelling(giver);
              }
            },
            CancelEverywhereTest::assertNothingLost));
  }

  @Test
  void noItemOfAQueueIsLostOrDoubledWhoeverIsCancelledGiving() {
    Loops.run(() ->
        CancelEverywhere.run(
            Exchange::new,
            exchange -> {
              exchange.give(0);
              Task<?> behind =
                  Asyncio.createTask(() -> {
                    Asyncio.yieldNow();
                    exchange.give(100);
                  });
              Task<?> taker =
                  Asyncio.createTask(() -> {
                    while (true) {
                      rounds(3);
                      exchange.take();
                      while (!behind.done() && exchange.queue.empty()) {
                        Asyncio.yieldNow();
                      }
                    }
                  });
              try {
                exchange.give(1);
                exchange.give(2);
              } finally {
                behind.await();
                endByCancelling(taker);
              }
            },
            CancelEverywhereTest::assertNothingLost));
  }

  private static void endByCancelling(Task<?> task) {
    task.cancel();
    Asyncio.gatherOutcomes(List.of(task)).await();
  }

  private static void rounds(int count) {
    for (int i = 0; i < count; i++) {
      Asyncio.yieldNow();
    }
  }

  private static void assertNothingLost(Exchange exchange) {
    while (!exchange.queue.empty()) {
      exchange.take();
    }
    assertThat(exchange.got).isEqualTo(exchange.put);
    Asyncio.gather(task(() -> exchange.give(-1)), task(exchange::take)).await();
    assertThat(exchange.got.getLast()).isEqualTo(-1);
  }

  @Test
  void aGroupLeavesNoTaskBehind() {
    Loops.run(() ->
        CancelEverywhere.run(
            ArrayList<Task<?>>::new,
            tasks -> {
              try {
                new TaskGroup()
                    .run(group -> {
                      tasks.add(group.createTask(() -> Asyncio.sleep(SOON)));
                      Asyncio.yieldNow();
                      tasks.add(group.createTask(() -> Asyncio.sleep(SOON)));
                      new TaskGroup()
                          .run(inner -> {
                            tasks.add(inner.createTask(() -> Asyncio.sleep(SOON)));
                            Asyncio.yieldNow();
                          });
                    });
              } catch (ExceptionGroup e) {
                throw new AssertionError("nothing fails here", e);
              } finally {
                assertThat(tasks).allMatch(Task::done);
              }
            },
            tasks -> new TaskGroup().run(group -> group.createTask(Asyncio::yieldNow))));
  }

  @Test
  void aScopeWithADeadlineLeavesNoRequestBehind() {
    Loops.run(() ->
        CancelEverywhere.run(
            () -> new int[1],
            seen -> {
              Task<?> self = Asyncio.currentTask();
              try {
                Asyncio.timeout(Duration.ofHours(1))
                    .run(_ -> Asyncio.timeout(Duration.ofHours(2)).run(_ -> Asyncio.sleep(SOON)));
              } finally {
                seen[0] = self.cancelling();
              }
            },
            seen -> assertThat(seen[0]).isBetween(0, 1)));
  }

  @Test
  void whatWaitsForSeveralFuturesLeavesThemAsTheyAre() {
    Loops.run(() ->
        CancelEverywhere.run(
            () -> Asyncio.runningLoop().<String>createFuture(),
            future -> {
              Future<String> shielded = Asyncio.shield(future);
              Asyncio.runningLoop()
                  .callLater(
                      SOON,
                      () -> {
                        if (!future.done()) {
                          future.setResult("there");
                        }
                      });
              Asyncio.wait(List.of(future));
              shielded.await();
            },
            future -> {
              if (!future.done()) {
                future.setResult("later");
              }
              assertThat(future.cancelled()).isFalse();
            }));
  }
}
