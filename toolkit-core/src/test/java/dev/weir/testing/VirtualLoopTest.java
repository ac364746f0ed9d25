package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncLock;
import dev.weir.sync.AsyncQueue;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
}
