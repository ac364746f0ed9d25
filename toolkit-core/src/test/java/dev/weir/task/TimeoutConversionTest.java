package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** What a timeout throws, depending on how its body ends and who else cancelled the task. */
class TimeoutConversionTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final IOException failure = new IOException("failure");
  private final List<String> order = new ArrayList<>();

  @Test
  void theCancellationOfTheDeadlineBecomesATimeoutExceptionWithItAsTheCause() {
    Loops.run(() -> {
      Throwable thrown = catchThrowable(() -> expired().run(scope -> Bodies.sleepLong()));

      assertThat(thrown)
          .isExactlyInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(CancelledError.class)
          .hasNoSuppressedExceptions();
      assertThat(thrown).hasMessageContaining("deadline");
    });
  }

  @Test
  void theBodyMayTakeItsTimeToCleanUp() {
    Loops.run(() -> {
      assertThatThrownBy(() ->
              expired()
                  .run(scope -> {
                    try {
                      Bodies.sleepLong();
                    } finally {
                      Loops.settle();
                      order.add("cleaned up");
                    }
                  }))
          .isInstanceOf(TimeoutException.class);

      assertThat(order).containsExactly("cleaned up");
    });
  }

  @Test
  void theTaskGoesOnAfterwardsAndIsNotCancelled() {
    Loops.run(() -> {
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                assertThatThrownBy(() -> expired().run(scope -> Bodies.sleepLong()))
                    .isInstanceOf(TimeoutException.class);
                assertThat(Loop.currentTask().cancelling()).isZero();
                Loops.settle();
              });

      task.await();

      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void aBodyThatSwallowsTheCancellationHasItsWayAndTheTimeoutSaysSo() {
    Loops.run(() -> {
      Timeout timeout = expired();

      String value =
          timeout.call(scope -> {
            try {
              Bodies.sleepLong();
            } catch (CancelledError e) {
              Loops.settle();
              return "swallowed";
            }
            return "slept";
          });

      assertThat(value).isEqualTo("swallowed");
      assertThat(timeout.expired()).isTrue();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aCancellationFromOutsideAloneIsThrownAsItIs() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(LONG);
      Task<?> task = Loop.running().createTask(() -> timeout.run(scope -> Bodies.sleepLong()));
      Loops.settle();

      task.cancel("from outside");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(timeout.expired()).isFalse();
      assertThat(task.cancelling()).isEqualTo(1);
    });
  }

  @Test
  void aCancellationFromOutsideWinsOverTheDeadline() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Timeout timeout = expired();
      Task<?> task =
          Loop.running().createTask(() -> timeout.run(scope -> Bodies.endingAfter(gate).run()));
      Loops.settle();
      assertThat(timeout.expired()).isTrue();

      task.cancel("from outside");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(timeout.expired()).isTrue();
      assertThat(task.cancelling()).isEqualTo(1);
    });
  }

  @Test
  void aRequestOfBeforeTheScopeDoesNotStandInTheWayOfTheDeadline() {
    Loops.run(() -> {
      Task<?> self = Loop.currentTask();
      self.cancel();
      assertThatThrownBy(Loop.running()::yieldNow).isInstanceOf(CancelledError.class);

      // Cleaning up after that, with the request still counted.
      assertThatThrownBy(() -> expired().run(scope -> Bodies.sleepLong()))
          .isInstanceOf(TimeoutException.class);
      assertThat(self.cancelling()).isEqualTo(1);

      assertThatThrownBy(() ->
              expired()
                  .run(scope -> {
                    self.cancel("again");
                    Bodies.sleepLong();
                  }))
          .as("a request in the scope does")
          .isInstanceOf(CancelledError.class);
      assertThat(self.cancelling()).isEqualTo(2);

      self.uncancel();
      self.uncancel();
    });
  }

  @Test
  void aCancellationThatWasPendingWhenTheScopeBeganWinsOverADeadlineInThePast() {
    Loops.run(() -> {
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                Loop.currentTask().cancel("from outside");
                expired().run(scope -> Bodies.sleepLong());
              });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(task.cancelled()).isTrue();
    });
  }

  // --- The body fails

  @Test
  void aFailureBeforeTheDeadlineIsThrownAsItIs() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(LONG);

      assertThatThrownBy(() -> timeout.run(scope -> Bodies.failing(failure).run()))
          .isSameAs(failure)
          .hasNoSuppressedExceptions();
      assertThat(timeout.expired()).isFalse();
    });
  }

  @Test
  void aFailureInTheCleanUpIsThrownAndTellsOfTheTimeout() {
    Loops.run(() -> {
      Timeout timeout = expired();

      Throwable thrown =
          catchThrowable(() -> timeout.run(scope -> Bodies.failingWhenCancelled(failure).run()));

      assertThat(thrown).isSameAs(failure);
      assertThat(thrown.getSuppressed()).singleElement().isInstanceOf(TimeoutException.class);
      assertThat(timeout.expired()).isTrue();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theMembersOfAGroupTellOfTheTimeoutAsWell() {
    Loops.run(() -> {
      IOException second = new IOException("second");

      Throwable thrown =
          catchThrowable(() ->
              expired()
                  .run(scope ->
                      new TaskGroup()
                          .run(group -> {
                            group.createTask(Bodies.failingWhenCancelled(failure));
                            group.createTask(Bodies.failingWhenCancelled(second));
                          })));

      assertThat(thrown)
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              group -> assertThat(group.exceptions()).containsExactly(failure, second));
      for (Throwable each : List.of(thrown, failure, second)) {
        assertThat(each.getSuppressed()).hasAtLeastOneElementOfType(TimeoutException.class);
      }
      Loop.running().yieldNow(); // The deadline's cancellation has been taken back.
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aFailureDoesNotTellOfTheTimeoutIfSomebodyElseCancelledAsWell() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<?> task =
          Loop.running()
              .createTask(() ->
                  expired()
                      .run(scope -> {
                        try {
                          Bodies.endingAfter(gate).run();
                        } catch (CancelledError e) {
                          throw failure;
                        }
                      }));
      Loops.settle();

      task.cancel();

      assertThatThrownBy(task::await).isSameAs(failure).hasNoSuppressedExceptions();
    });
  }

  @Test
  void aCancelledErrorOfTheBodyItselfIsThrownAsItIsBeforeTheDeadline() {
    Loops.run(() -> {
      CancelledError own = new CancelledError("own");

      assertThatThrownBy(() ->
              Timeout.after(LONG)
                  .run(scope -> {
                    throw own;
                  }))
          .isSameAs(own);
    });
  }

  // --- The body is in a blocking call

  @Test
  void aBlockingCallIsInterruptedAndItsExceptionBecomesTheCause() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call holds the loop");
    Loops.run(() -> {
      Throwable thrown =
          catchThrowable(() -> expired().run(scope -> new CountDownLatch(1).await()));

      assertThat(thrown)
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThat(Loop.currentTask().cancelling()).isZero();
      Loop.running().yieldNow();
    });
  }

  @Test
  void aBodyThatSwallowsTheInterruptHasItsWay() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call holds the loop");
    Loops.run(() -> {
      Timeout timeout = expired();

      String value =
          timeout.call(scope -> {
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              return "swallowed";
            }
            return "awaited";
          });
      Loop.running().yieldNow(); // Nothing is left of the cancellation.

      assertThat(value).isEqualTo("swallowed");
      assertThat(timeout.expired()).isTrue();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aBodyThatEndsWithTheInterruptSetHasTimedOut() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call holds the loop");
    Loops.run(() -> {
      Timeout timeout = expired();

      assertThatThrownBy(() ->
              timeout.run(scope -> {
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt(); // What books on Java say to do here.
                }
              }))
          .isInstanceOf(TimeoutException.class);

      assertThat(timeout.expired()).isTrue();
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aBugInABlockingBodyIsThrownAndTellsOfTheTimeout() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call holds the loop");
    Loops.run(() -> {
      IllegalStateException bug = new IllegalStateException("bug");

      Throwable thrown =
          catchThrowable(() ->
              expired()
                  .run(scope -> {
                    try {
                      new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                      throw bug;
                    }
                  }));
      Loop.running().yieldNow();

      assertThat(thrown).isSameAs(bug);
      assertThat(thrown.getSuppressed()).hasOnlyElementsOfType(TimeoutException.class);
    });
  }

  /** {@return a timeout that cancels its body in the round after that in which it begins} */
  private static Timeout expired() {
    return Timeout.at(Loop.running().time());
  }
}
