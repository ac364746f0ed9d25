package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/**
 * A cancellation that foreign blocking code does not let through: it waits for the next suspension.
 */
class DelayedCancelTest {
  private final List<String> order = new ArrayList<>();

  @Test
  void aSwallowedInterruptDelaysTheCancellationToTheNextSuspension() {
    needsMountedFibers();
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            swallowAnInterrupt();
            order.add("went on");
            order.add(Loops.done("no suspension").await());
            try {
              Asyncio.yieldNow();
              order.add("yielded");
            } catch (CancelledError e) {
              order.add(e.getMessage());
              order.add("flag " + Thread.currentThread().isInterrupted());
              throw e;
            }
          });
      Loops.untilParked(task);
      task.cancel("enough");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThat(order).containsExactly("went on", "no suspension", "enough", "flag false");
    });
  }

  @Test
  void anInterruptThatIsSetAgainIsClearAfterTheCancellationWasThrown() {
    needsMountedFibers();
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            swallowAnInterrupt();
            Thread.currentThread().interrupt();
            try {
              Asyncio.sleep(Loops.LONG);
            } finally {
              order.add("flag " + Thread.currentThread().isInterrupted());
            }
          });
      Loops.untilParked(task);
      task.cancel();

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("flag false");
    });
  }

  @Test
  void aTaskThatSwallowsTheInterruptAndReturnsEndsCancelled() {
    needsMountedFibers();
    Loops.run(() -> {
      Task<String> task =
          Asyncio.createTask(() -> {
            swallowAnInterrupt();
            return "ignored";
          });
      Loops.untilParked(task);
      task.cancel("enough");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  private static void swallowAnInterrupt() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      // Swallowed, as too much code does.
    }
  }

  @Test
  void aSecondCancelInterruptsTheNextBlockingCall() {
    needsMountedFibers();
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            swallowAnInterrupt();
            order.add("swallowed the first");
            new CountDownLatch(1).await();
          });
      Loops.untilParked(task);
      task.cancel();
      while (order.isEmpty()) {
        Asyncio.yieldNow();
      }
      Loops.untilParked(task);

      task.cancel("the second");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("the second");
      assertThat(task.cancelling()).isEqualTo(2);
    });
  }

  @Test
  void uncancelTakesBackACancellationWhoseInterruptWasSwallowed() {
    needsMountedFibers();
    Loops.run(() -> {
      Task<String> task =
          Asyncio.createTask(() -> {
            swallowAnInterrupt();
            Thread.currentThread().interrupt();
            assertThat(Asyncio.currentTask().uncancel()).isZero();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            Asyncio.yieldNow();
            return "went on";
          });
      Loops.untilParked(task);
      task.cancel();

      assertThat(task.await()).isEqualTo("went on");
    });
  }

  @Test
  void aTaskThatWaitsToEnterAMonitorIsCancelledAtItsNextSuspension() {
    needsMountedFibers();
    Object monitor = new Object();

    Loops.run(() -> {
      Future<String> mayLeave = Loop.running().createFuture();
      Task<?> owner =
          Asyncio.createTask(() -> {
            synchronized (monitor) {
              mayLeave.await();
            }
          });
      Asyncio.yieldNow();
      Task<?> task =
          Asyncio.createTask(() -> {
            synchronized (monitor) {
              order.add("entered");
            }
            Asyncio.sleep(Loops.LONG);
          });
      Loops.settle();

      task.cancel();
      Loops.settle();
      assertThat(task.done()).as("a monitor knows no interrupt").isFalse();
      mayLeave.setResult("x");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      assertThat(order).containsExactly("entered");
      owner.await();
    });
  }

  @Test
  void onPortableFibersABlockedTaskIsCancelledWhenItSuspendsNext() {
    assumeFalse(Loops.mounted(), "on mounted fibers the blocking call is interrupted");
    Loops.run(() -> {
      Loop loop = Loop.running();
      CountDownLatch blocked = new CountDownLatch(1);
      CountDownLatch latch = new CountDownLatch(1);
      Task<?> task =
          Asyncio.createTask(() -> {
            blocked.countDown();
            latch.await();
            order.add("not interrupted");
            Asyncio.sleep(Loops.LONG);
          });
      Thread.ofPlatform()
          .start(() -> {
            awaitLatch(blocked);
            loop.callSoonThreadsafe(() -> task.cancel("enough"));
            latch.countDown();
          });

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThat(order).containsExactly("not interrupted");
    });
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e); // Nobody interrupts this thread.
    }
  }

  private static void needsMountedFibers() {
    assumeTrue(
        Loops.mounted(), "on portable fibers a blocked task holds the turn: none can cancel");
  }
}
