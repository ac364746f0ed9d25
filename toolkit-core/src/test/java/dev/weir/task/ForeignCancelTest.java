package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How a task ends that is asked to while it is parked in a blocking call of the JDK's. */
class ForeignCancelTest {
  private final List<Object> order = new ArrayList<>();

  @BeforeEach
  void needsMountedFibers() {
    assumeTrue(
        Loops.mounted(), "on portable fibers a blocked task holds the turn: none can cancel");
  }

  @Test
  void waitForCutsABlockingCallShort() {
    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.waitFor(() -> new LinkedBlockingQueue<String>().take(), Duration.ofMillis(1)))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class);
    });
  }

  @Test
  void anInterruptThatIsWrappedCountsAsTheCancellation() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              throw new IllegalStateException("wrapped", e);
            }
          });
      Loops.untilParked(task);
      task.cancel();

      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("wrapped");
    });
  }

  @Test
  void anInterruptedIoExceptionCountsAsTheCancellation() {
    Loops.run(() -> {
      Task<?> task = blockedThatThrows(new InterruptedIOException("interrupted"));

      task.cancel();

      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .hasCauseInstanceOf(InterruptedIOException.class);
    });
  }

  @Test
  void aSocketTimeoutIsNoInterruptAndStaysTheFailure() {
    SocketTimeoutException failure = new SocketTimeoutException("read timed out");

    Loops.run(() -> {
      Task<?> task = blockedThatThrows(failure);

      task.cancel();

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void anotherExceptionIsTheFailureOfTheTask() {
    IllegalStateException bug = new IllegalStateException("a bug in the clean-up");

    Loops.run(() -> {
      Task<?> task = blockedThatThrows(bug);

      task.cancel();

      assertThatThrownBy(task::await).isSameAs(bug);
      assertThat(task.cancelled()).isFalse();
    });
  }

  /** Makes a task that is parked, swallows the interrupt and throws {@code failure} instead. */
  private static Task<?> blockedThatThrows(Exception failure) {
    Task<?> task =
        Asyncio.createTask(() -> {
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            throw failure;
          }
        });
    Loops.untilParked(task);
    return task;
  }

  @Test
  void anotherExceptionWithTheInterruptStillSetCountsAsTheCancellation() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
              throw new IllegalStateException("gave up");
            }
          });
      Loops.untilParked(task);
      task.cancel();

      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .cause()
          .hasMessage("gave up");
    });
  }

  @Test
  void inAScopeTheInterruptIsClearEvenIfTheBodySetItAgain() {
    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.timeout(Duration.ofMillis(1))
                  .run(scope -> {
                    try {
                      new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                      throw new IllegalStateException("gave up");
                    }
                  }))
          .isInstanceOf(TimeoutException.class)
          .cause()
          .hasMessage("gave up");

      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  void anotherExceptionPassesThroughTheScopeThatTimedOut() {
    IllegalStateException bug = new IllegalStateException("a bug in the clean-up");

    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.timeout(Duration.ofMillis(1))
                  .run(scope -> {
                    try {
                      new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                      throw bug;
                    }
                  }))
          .isSameAs(bug);

      assertThat(bug.getSuppressed()).singleElement().isInstanceOf(TimeoutException.class);
      Asyncio.yieldNow(); // Nothing is left to be thrown.
    });
  }

  @Test
  void theOuterOfTwoScopesGetsItsTimeoutThroughTheInner() {
    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.timeout(Duration.ofMillis(1))
                  .run(outer ->
                      Asyncio.timeout(Loops.LONG).run(inner -> new CountDownLatch(1).await())))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class);
    });
  }

  @Test
  void anInterruptThatIsNoCancellationIsTheFailureOfTheTask() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(() -> new CountDownLatch(1).await());
      Loops.untilParked(task);

      task.fiber.thread().interrupt();

      assertThatThrownBy(task::await).isInstanceOf(InterruptedException.class);
      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void aTaskThatWaitsForSomethingOfWeirsIsNotInterrupted() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } finally {
              order.add("flag " + Thread.currentThread().isInterrupted());
            }
          });
      Loops.settle();

      task.cancel();
      Loops.settle();

      assertThat(order).containsExactly("flag false");
    });
  }

  @Test
  void aTaskMayBlockAgainWhileItCleansUp() {
    Loops.run(() -> {
      CountDownLatch mayEnd = new CountDownLatch(1);
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              new CountDownLatch(1).await();
            } finally {
              mayEnd.await();
              order.add("cleaned up");
            }
          });
      Loops.untilParked(task);
      task.cancel();
      Loops.settle();
      assertThat(task.done()).isFalse();
      mayEnd.countDown();

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("cleaned up");
    });
  }

  @Test
  void anotherThreadMayAskTheLoopToCancelIt() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Task<?> task = Asyncio.createTask(() -> new CountDownLatch(1).await());
      Loops.untilParked(task);

      Thread.ofPlatform().start(() -> loop.callSoonThreadsafe(() -> task.cancel("enough")));

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void aTaskGroupCancelsItsTasksThere() {
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      assertThatThrownBy(() ->
              new TaskGroup()
                  .run(group -> {
                    Task<?> blocked = group.createTask(() -> new CountDownLatch(1).await());
                    Loops.untilParked(blocked);
                    group.createTask(() -> {
                      throw failure;
                    });
                  }))
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              thrown -> assertThat(thrown.exceptions()).containsExactly(failure));
    });
  }

  @Test
  void theBodyOfATaskGroupIsCancelledThere() {
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      assertThatThrownBy(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> {
                      throw failure;
                    });
                    new CountDownLatch(1).await();
                  }))
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              thrown -> assertThat(thrown.exceptions()).containsExactly(failure));

      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      Asyncio.yieldNow(); // Nothing is left to be thrown.
    });
  }

  @Test
  void aTimeoutThatCleanUpSwallowsLeavesNothingToBeThrown() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } finally {
              Asyncio.timeout(Duration.ofMillis(1)).run(ForeignCancelTest::swallowAnInterrupt);
              order.add("cancelling " + Asyncio.currentTask().cancelling());
              Asyncio.yieldNow();
              order.add("cleaned up");
            }
          });
      Loops.settle();
      task.cancel();

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("cancelling 1", "cleaned up");
    });
  }

  @Test
  void aTimeoutThatIsSwallowedKeepsACancellationFromOutside() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            Asyncio.timeout(Duration.ofMillis(1))
                .run(scope -> {
                  swallowAnInterrupt(scope);
                  Asyncio.currentTask().cancel("from outside");
                });
            Asyncio.yieldNow();
            order.add("went on");
          });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(order).isEmpty();
    });
  }

  private static void swallowAnInterrupt(Timeout scope) {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      assertThat(scope.expired()).isTrue();
    }
  }

  @Test
  void anInterruptWhoseRequestAnotherTaskTookBackStillCountsAsACancellation() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Task<?> task = Asyncio.createTask(() -> new CountDownLatch(1).await());
      Loops.untilParked(task);

      task.cancel("enough");
      assertThat(task.uncancel()).isZero();

      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("enough")
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(task.cancelled()).isTrue();
      assertThat(errors).isEmpty();
    });
  }

  @Test
  void aTaskThatSwallowsAnInterruptWhoseRequestWasTakenBackGoesOn() {
    Loops.run(() -> {
      Task<String> task =
          Asyncio.createTask(() -> {
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              order.add("interrupted");
            }
            Asyncio.yieldNow();
            return "went on";
          });
      Loops.untilParked(task);

      task.cancel();
      task.uncancel();

      assertThat(task.await()).isEqualTo("went on");
      assertThat(order).containsExactly("interrupted");
    });
  }
}
