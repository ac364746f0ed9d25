package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A task that is asked to end while it waits for something of Weir's. */
class TaskCancelTest {
  private final List<String> order = new ArrayList<>();

  @Test
  void cancelThrowsWhereTheTaskWaits() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } catch (CancelledError e) {
              order.add("cancelled: " + e.getMessage());
              throw e;
            }
          });
      Loops.settle();

      assertThat(task.cancel("stop")).isTrue();
      assertThat(order).as("not inside cancel()").isEmpty();
      assertThat(task.done()).as("it may clean up first").isFalse();
      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("stop");

      assertThat(order).containsExactly("cancelled: stop");
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void cancellingWithoutAMessageThrowsAnErrorWithoutOne() {
    Loops.run(() -> {
      Task<?> task = Loops.sleeper();

      task.cancel();

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage(null);
    });
  }

  @Test
  void cancellingATaskThatIsDoneChangesNothing() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "result");
      task.await();

      assertThat(task.cancel()).isFalse();

      assertThat(task.cancelling()).isZero();
      assertThat(task.cancelled()).isFalse();
      assertThat(task.result()).isEqualTo("result");
    });
  }

  @Test
  void aTaskCancelledBeforeItBeginsNeverBegins() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(() -> order.add("began"));

      task.cancel("too late to begin");

      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("too late to begin");
      assertThat(task.cancelled()).isTrue();
      assertThat(order).isEmpty();
    });
  }

  @Test
  void cancellingATaskThatAwaitsAFutureCancelsTheFutureWithTheMessage() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<?> task = Asyncio.createTask(() -> future.await());
      Loops.settle();

      task.cancel("stop");

      assertThat(future.cancelled()).as("at once").isTrue();
      assertThatThrownBy(future::result).isInstanceOf(CancelledError.class).hasMessage("stop");
      Loops.settle();
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void cancellingATaskThatAwaitsAnotherCancelsThatOne() {
    Loops.run(() -> {
      Task<?> inner = Loops.sleeper();
      Task<?> outer = Asyncio.createTask(() -> inner.await());
      Loops.settle();

      outer.cancel("stop");
      assertThat(inner.cancelling()).isEqualTo(1);
      Loops.settle();

      assertThat(inner.cancelled()).isTrue();
      assertThat(outer.cancelled()).isTrue();
      assertThatThrownBy(inner::result).hasMessage("stop");
    });
  }

  @Test
  void aTaskIsNotCancelledIfTheOneItAwaitsSwallowsTheCancellation() {
    Loops.run(() -> {
      Task<String> inner = Asyncio.createTask(TaskCancelTest::stay);
      Task<String> outer = Asyncio.createTask(() -> "got " + inner.await());
      Loops.settle();

      assertThat(outer.cancel()).isTrue();

      assertThat(outer.await()).isEqualTo("got stayed");
      assertThat(outer.cancelling()).isEqualTo(1);
    });
  }

  @Test
  void aTaskThatSwallowsTheCancellationHasAResultAndKeepsTheCount() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(TaskCancelTest::stay);
      Loops.settle();
      task.cancel();

      assertThat(task.await()).isEqualTo("stayed");
      assertThat(task.cancelled()).isFalse();
      assertThat(task.cancelling()).isEqualTo(1);
    });
  }

  private static String stay() {
    try {
      Asyncio.sleep(Loops.LONG);
    } catch (CancelledError e) {
      return "stayed";
    }
    return "slept";
  }

  @Test
  void twoCancelsBeforeTheTaskRunsThrowOnceAndCountTwice() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } catch (CancelledError e) {
              order.add(e.getMessage());
            }
            Asyncio.yieldNow(); // The second request was thrown with the first.
            order.add("went on");
          });
      Loops.settle();

      assertThat(task.cancel("first")).isTrue();
      assertThat(task.cancelling()).isEqualTo(1);
      assertThat(task.cancel("second")).isTrue();
      assertThat(task.cancelling()).isEqualTo(2);
      Loops.settle();

      assertThat(order).containsExactly("first", "went on");
      assertThat(task.cancelled()).isFalse();
    });
  }

  @Test
  void aCancelAfterTheFirstWasSwallowedIsThrownAgain() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            order.add(stay());
            Asyncio.sleep(Loops.LONG);
          });
      Loops.settle();
      task.cancel("first");
      Loops.settle();
      assertThat(order).containsExactly("stayed");

      task.cancel("second");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("second");
      assertThat(task.cancelling()).isEqualTo(2);
    });
  }

  @Test
  void aTaskThatFailsWhileItCleansUpFails() {
    Loops.run(() -> {
      IOException failure = new IOException("bad clean-up");
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } finally {
              throwThis(failure);
            }
          });
      Loops.settle();
      task.cancel();

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.cancelled()).isFalse();
    });
  }

  private static void throwThis(IOException failure) throws IOException {
    throw failure;
  }

  @Test
  void aTaskMaySuspendWhileItCleansUp() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } finally {
              Asyncio.yieldNow();
              order.add("cleaned up");
            }
          });
      Loops.settle();
      task.cancel();
      Loops.settle();

      assertThat(order).containsExactly("cleaned up");
      assertThat(task.cancelled()).isTrue();
    });
  }

  @Test
  void aTaskThatThrowsCancelledErrorByItselfIsCancelled() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            throw new CancelledError("of my own accord");
          });

      assertThatThrownBy(task::await).hasMessage("of my own accord");
      assertThat(task.cancelled()).isTrue();
      assertThat(task.cancelling()).isZero();
    });
  }

  @Test
  void aTaskThatAwaitsACancelledFutureIsCancelled() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<?> task = Asyncio.createTask(() -> future.await());
      Loops.settle();

      future.cancel("the future");
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
      assertThatThrownBy(task::exception)
          .isInstanceOf(CancelledError.class)
          .hasMessage("the future");
    });
  }

  @Test
  void uncancelDoesNotBringBackAnErrorThatWasThrown() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(TaskCancelTest::stay);
      Loops.settle();
      task.cancel();
      Loops.settle();

      assertThat(task.uncancel()).isZero();
      assertThat(task.result()).isEqualTo("stayed");
    });
  }
}
