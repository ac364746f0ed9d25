package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A cancellation that waits for the task's next step or suspension, and is thrown there or taken
 * back.
 */
class PendingCancelTest {
  private final List<String> order = new ArrayList<>();

  @Test
  void uncancelTakesBackARequestThatWasNotThrownYet() {
    Loops.run(() -> {
      Task<String> task =
          Asyncio.createTask(() -> {
            Task<?> self = Asyncio.currentTask();
            self.cancel();
            assertThat(self.cancelling()).isEqualTo(1);
            assertThat(self.uncancel()).isZero();
            assertThat(self.uncancel()).as("never below zero").isZero();
            assertThat(self.cancelling()).isZero();
            Asyncio.yieldNow();
            return "went on";
          });

      assertThat(task.await()).isEqualTo("went on");
    });
  }

  @Test
  void aRequestThatRemainsAfterUncancelIsStillThrown() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            Task<?> self = Asyncio.currentTask();
            self.cancel();
            self.cancel();
            assertThat(self.uncancel()).isEqualTo(1);
            Asyncio.yieldNow();
            order.add("went on");
          });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      assertThat(order).isEmpty();
    });
  }

  @Test
  void uncancelLetsATaskBeginThatWasCancelledBefore() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "began");
      task.cancel();

      task.uncancel();

      assertThat(task.await()).isEqualTo("began");
    });
  }

  @Test
  void aTaskThatCancelsItselfIsThrownOutOfItsNextSuspension() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            Asyncio.currentTask().cancel("myself");
            order.add("before");
            Asyncio.sleep(Loops.LONG);
            order.add("after");
          });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("myself");
      assertThat(order).containsExactly("before");
    });
  }

  @Test
  void anAwaitThatDoesNotSuspendLeavesTheCancellationPending() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            Asyncio.currentTask().cancel();
            order.add(Loops.done("no suspension").await());
            Asyncio.yieldNow();
            order.add("after");
          });
      Loops.settle();

      assertThat(order).containsExactly("no suspension");
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void aPendingCancellationReachesTheFutureThatTheTaskAwaitsNext() {
    Loops.run(() -> {
      Task<?> inner = Loops.sleeper();
      Task<?> task =
          Asyncio.createTask(() -> {
            Asyncio.currentTask().cancel("pending");
            inner.await();
          });
      Loops.settle();

      assertThat(inner.cancelled()).isTrue();
      assertThatThrownBy(task::result).isInstanceOf(CancelledError.class).hasMessage("pending");
    });
  }

  @Test
  void aTaskThatReturnsWithACancellationPendingEndsCancelled() {
    Loops.run(() -> {
      Task<String> task =
          Asyncio.createTask(() -> {
            Asyncio.currentTask().cancel("pending");
            return "ignored";
          });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("pending");
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void aTaskThatFailsWithACancellationPendingFails() {
    Loops.run(() -> {
      IOException failure = new IOException("x");
      Task<String> task =
          Asyncio.createTask(() -> {
            Asyncio.currentTask().cancel();
            throw failure;
          });

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void cancellingInTheRoundInWhichTheResultCameCancels() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<String> task = Asyncio.createTask(() -> future.await());
      Loops.settle();

      future.setResult("there"); // The task is woken and has not run yet.
      assertThat(task.cancel("too late?")).isTrue();

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("too late?");
      assertThat(future.result()).isEqualTo("there");
    });
  }
}
