package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Cancelling what waits for something that waits in its turn: in chains, in circles, in groups. */
class CancelRequestTest {
  private final List<String> order = new ArrayList<>();

  @Test
  void twoTasksThatAwaitEachOtherCanBeCancelled() {
    Loops.run(() -> {
      Task<?>[] circle = circleOf(2);

      assertThat(circle[0].cancel("stop")).isTrue();
      Loops.settle();

      for (Task<?> task : circle) {
        assertThat(task.cancelled()).isTrue();
        assertThat(task.cancelling()).isEqualTo(1);
        assertThatThrownBy(task::result).isInstanceOf(CancelledError.class).hasMessage("stop");
      }
    });
  }

  @Test
  void aTaskThatAwaitsACircleEndsWithIt() {
    Loops.run(() -> {
      Task<?>[] circle = circleOf(3);
      Task<?> outside = Asyncio.createTask(() -> circle[1].await());
      Loops.settle();

      outside.cancel("stop");
      Loops.settle();

      assertThat(outside.cancelled()).isTrue();
      assertThat(circle).allSatisfy(task -> assertThat(task.cancelled()).isTrue());
    });
  }

  @Test
  void aCircleIsBrokenWhereItWasEnteredAndTheOthersGetWhatThatOneReturns() {
    Loops.run(() -> {
      Task<?>[] circle = new Task<?>[2];
      circle[0] =
          Asyncio.createTask(() -> {
            try {
              return circle[1].await();
            } catch (CancelledError e) {
              return "stayed";
            }
          });
      circle[1] = Asyncio.createTask(() -> "got " + circle[0].await());
      Loops.settle();

      circle[0].cancel();
      Loops.settle();

      assertThat(circle[0].result()).isEqualTo("stayed");
      assertThat(circle[1].result()).isEqualTo("got stayed");
    });
  }

  @Test
  void aTaskThatBeginsToAwaitACircleWithACancellationPendingEnds() {
    Loops.run(() -> {
      Task<?>[] circle = circleOf(2);
      Task<?> outside =
          Asyncio.createTask(() -> {
            Asyncio.currentTask().cancel();
            circle[0].await();
          });
      Loops.settle();

      assertThat(outside.cancelled()).isTrue();
    });
  }

  @Test
  void aCircleThroughAGatherCanBeCancelled() {
    Loops.run(() -> {
      Task<?>[] circle = new Task<?>[2];
      Task<?> other = Loops.sleeper();
      circle[0] = Asyncio.createTask(() -> Asyncio.gather(List.of(circle[1], other)).await());
      circle[1] = Asyncio.createTask(() -> circle[0].await());
      Loops.settle();

      circle[0].cancel();
      Loops.settle();

      assertThat(List.of(circle[0], circle[1], other))
          .allSatisfy(task -> assertThat(task.cancelled()).isTrue());
    });
  }

  @Test
  void aCircleThroughAGatherOfOutcomesCanBeCancelled() {
    Loops.run(() -> {
      Task<?>[] circle = new Task<?>[2];
      Task<?> other = Loops.sleeper();
      circle[0] =
          Asyncio.createTask(() -> Asyncio.gatherOutcomes(List.of(other, circle[1])).await());
      circle[1] = Asyncio.createTask(() -> circle[0].await());
      Loops.settle();

      circle[0].cancel();
      Loops.settle();

      assertThat(List.of(circle[0], circle[1], other))
          .allSatisfy(task -> assertThat(task.cancelled()).isTrue());
    });
  }

  @Test
  void aTaskThatTwoAwaitIsAskedTwiceByAGatherOfBoth() {
    Loops.run(() -> {
      Task<?> shared = Loops.sleeper();
      Task<?> left = Asyncio.createTask(() -> shared.await());
      Task<?> right = Asyncio.createTask(() -> shared.await());
      Future<?> both = Asyncio.gather(List.of(left, right));
      Loops.settle();

      both.cancel();

      assertThat(shared.cancelling()).as("as in asyncio").isEqualTo(2);
      Loops.settle();
      assertThat(left.cancelled()).isTrue();
      assertThat(right.cancelled()).isTrue();
    });
  }

  @Test
  void aDeadlineInACircleIsATimeout() {
    Loops.run(() -> {
      Task<?>[] circle = new Task<?>[2];
      circle[0] = Asyncio.createTask(() -> Asyncio.waitFor(circle[1], Duration.ofMillis(1)));
      circle[1] = Asyncio.createTask(() -> circle[0].await());

      assertThatThrownBy(circle[0]::await).isInstanceOf(TimeoutException.class);
    });
  }

  @Test
  @Tag("slow") // A shorter one fits on the stack.
  void aLongChainIsCancelledFromItsFarEnd() {
    Loops.run(() -> {
      Task<?> first = Asyncio.createTask(() -> Asyncio.sleep(Loops.LONG));
      Task<?> last = first;
      for (int i = 0; i < 50_000; i++) {
        Task<?> awaited = last;
        last = Asyncio.createTask(() -> awaited.await());
      }
      Loops.settle();

      assertThat(last.cancel("stop")).isTrue();

      assertThatThrownBy(last::await).isInstanceOf(CancelledError.class).hasMessage("stop");
      assertThat(first.cancelled()).isTrue();
    });
  }

  @Test
  void aCircleDoesNotKeepTheOthersFromCleaningUpAtTheEnd() {
    Loops.run(() -> {
      circleOf(2);
      Asyncio.createTask(() -> {
        try {
          Asyncio.sleep(Loops.LONG);
        } finally {
          Asyncio.yieldNow();
          order.add("cleaned up");
        }
      });
      Loops.settle();
    });

    assertThat(order).containsExactly("cleaned up");
  }

  /** Makes tasks each of which awaits the next, and the last the first. */
  private static Task<?>[] circleOf(int count) {
    Task<?>[] circle = new Task<?>[count];
    for (int i = 0; i < count; i++) {
      int next = (i + 1) % count;
      circle[i] = Asyncio.createTask(() -> circle[next].await());
    }
    Loops.settle();
    return circle;
  }

  @Test
  void aChannelThatCannotBeClosedDoesNotKeepTheOthersFromBeingCancelled() {
    assumeTrue(Loops.mounted(), "on portable fibers nobody can cancel a task in a blocking call");
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Task<?> stuck = Asyncio.createTask(() -> new UnclosableChannel().block());
      Task<?> other = Asyncio.createTask(() -> new CountDownLatch(1).await());
      Loops.untilParked(stuck);
      Loops.untilParked(other);

      Asyncio.gather(List.of(stuck, other)).cancel();
      Loops.settle();

      assertThat(other.cancelled()).isTrue();
      assertThat(errors)
          .singleElement()
          .extracting(ExceptionContext::exception)
          .extracting(Throwable::getMessage)
          .isEqualTo("cannot be closed");
      stuck.cancel(); // The channel counts as closed now, so this wakes its thread.
      assertThatThrownBy(stuck::await)
          .isInstanceOf(CancelledError.class)
          .hasCauseInstanceOf(ClosedByInterruptException.class);
    });
  }

  private static final class UnclosableChannel extends AbstractInterruptibleChannel {
    void block() throws ClosedByInterruptException, java.nio.channels.AsynchronousCloseException {
      try {
        begin();
        while (isOpen()) {
          LockSupport.park(this);
        }
      } finally {
        end(false);
      }
    }

    @Override
    protected void implCloseChannel() {
      throw new IllegalStateException("cannot be closed");
    }
  }
}
