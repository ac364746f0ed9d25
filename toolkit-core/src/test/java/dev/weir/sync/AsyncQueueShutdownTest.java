package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.List;
import org.junit.jupiter.api.Test;

class AsyncQueueShutdownTest {
  private final AsyncQueue<String> queue = new AsyncQueue<>(2);

  private Task<String> taker() {
    return Loop.running().createTask(() -> queue.get());
  }

  private Task<?> giver(String item) {
    return Loop.running().createTask(() -> queue.put(item));
  }

  private Task<?> joiner() {
    return Loop.running().createTask(() -> queue.join());
  }

  private static void assertShutDown(Task<?> task) {
    assertThatThrownBy(task::await)
        .isInstanceOf(QueueShutDownException.class)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("shut down");
  }

  private void assertGivesNothing() {
    assertThatThrownBy(queue::get).isInstanceOf(QueueShutDownException.class);
    assertThatThrownBy(queue::getNowait)
        .isInstanceOf(QueueShutDownException.class)
        .hasMessageContaining("shut down, and empty");
  }

  private void assertTakesNothing() {
    assertThatThrownBy(() -> queue.put("late")).isInstanceOf(QueueShutDownException.class);
    assertThatThrownBy(() -> queue.putNowait("late"))
        .isInstanceOf(QueueShutDownException.class)
        .hasMessageContaining("no more items");
  }

  @Test
  void anEmptyQueueGivesAndTakesNothingAfterwards() {
    Loops.run(() -> {
      queue.shutdown();

      assertGivesNothing();
      assertTakesNothing();
      assertThat(queue).hasToString("AsyncQueue[0 of 2 items, 0 taking, 0 giving, shut down]");
    });
  }

  @Test
  void itemsInTheQueueAreStillGiven() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");

      queue.shutdown();

      assertThat(queue.size()).isEqualTo(2);
      assertTakesNothing();
      assertThat(queue.get()).isEqualTo("a");
      assertThat(queue.getNowait()).isEqualTo("b");
      assertGivesNothing();
    });
  }

  @Test
  void anImmediateShutdownDropsTheItems() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");

      queue.shutdown(true);

      assertThat(queue.empty()).isTrue();
      assertGivesNothing();
      assertTakesNothing();
      queue.join();
    });
  }

  @Test
  void tasksThatWaitForItemsAreThrownOut() {
    for (boolean immediate : List.of(false, true)) {
      AsyncQueue<String> empty = new AsyncQueue<>();
      Loops.run(() -> {
        List<Task<String>> takers =
            List.of(
                Loop.running().createTask(() -> empty.get()),
                Loop.running().createTask(() -> empty.get()));
        Loops.settle();

        empty.shutdown(immediate);

        takers.forEach(AsyncQueueShutdownTest::assertShutDown);
      });
    }
  }

  @Test
  void tasksThatWaitForRoomAreThrownOutAndTheirItemsAreNotInTheQueue() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");
      List<Task<?>> givers = List.of(giver("c"), giver("d"));
      Loops.settle();

      queue.shutdown();

      givers.forEach(AsyncQueueShutdownTest::assertShutDown);
      assertThat(queue.get()).isEqualTo("a");
      assertThat(queue.get()).isEqualTo("b");
      assertGivesNothing();
    });
  }

  @Test
  void tasksThatWaitForRoomAreThrownOutThoughAnImmediateShutdownMadeRoom() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");
      Task<?> giver = giver("c");
      Loops.settle();

      queue.shutdown(true);

      assertShutDown(giver);
      assertThat(queue.empty()).isTrue();
    });
  }

  @Test
  void aTakerThatWasWokenForAnItemGetsItIfItIsNotDropped() {
    Loops.run(() -> {
      Task<String> woken = taker();
      Task<String> waiting = taker();
      Loops.settle();

      queue.put("a");
      queue.shutdown();

      assertThat(woken.await()).isEqualTo("a");
      assertShutDown(waiting);
    });
  }

  @Test
  void aTakerThatWasWokenForAnItemIsThrownOutIfItIsDropped() {
    Loops.run(() -> {
      Task<String> woken = taker();
      Loops.settle();

      queue.put("a");
      queue.shutdown(true);

      assertShutDown(woken);
      queue.join();
    });
  }

  @Test
  void aGiverThatWasWokenForRoomIsThrownOut() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");
      Task<?> woken = giver("c");
      Loops.settle();

      queue.get();
      queue.shutdown();

      assertShutDown(woken);
      assertThat(queue.size()).isEqualTo(1);
    });
  }

  @Test
  void aTaskCancelledAfterItWasThrownOutIsCancelledAndKeepsNobodyBack() {
    Loops.run(() -> {
      Task<String> cancelled = taker();
      Task<String> other = taker();
      Loops.settle();

      queue.shutdown();
      cancelled.cancel();
      Loops.settle();

      assertThat(cancelled.cancelled()).isTrue();
      assertShutDown(other);
      assertThat(queue).hasToString("AsyncQueue[0 of 2 items, 0 taking, 0 giving, shut down]");
    });
  }

  @Test
  void joinWaitsForTheItemsThatAreStillGiven() {
    Loops.run(() -> {
      queue.put("a");
      Task<?> joiner = joiner();
      Loops.settle();

      queue.shutdown();
      Loops.settle();
      assertThat(joiner.done()).isFalse();

      queue.get();
      queue.taskDone();
      joiner.await();
    });
  }

  @Test
  void anImmediateShutdownCountsTheDroppedItemsAsDone() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");
      Task<?> joiner = joiner();
      Loops.settle();

      queue.shutdown(true);

      joiner.await();
      assertThatThrownBy(queue::taskDone).hasMessageContaining("too often");
    });
  }

  @Test
  void itemsTakenBeforeAnImmediateShutdownStillHaveToBeDone() {
    Loops.run(() -> {
      queue.put("taken");
      queue.put("dropped");
      queue.get();
      Task<?> joiner = joiner();
      Loops.settle();

      queue.shutdown(true);
      Loops.settle();
      assertThat(joiner.done()).as("one was taken").isFalse();

      queue.taskDone();
      joiner.await();
    });
  }

  @Test
  void itMayBeShutDownAgain() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");

      queue.shutdown();
      queue.shutdown();
      assertThat(queue.get()).isEqualTo("a");
      queue.taskDone();

      assertTakesNothing();
      queue.shutdown(false);
      assertThat(queue.size()).isEqualTo(1);
    });
  }

  @Test
  void anImmediateShutdownAfterAGracefulOneDropsWhatIsLeft() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");
      queue.shutdown();
      queue.get();
      queue.taskDone();
      Task<?> joiner = joiner();
      Loops.settle();

      queue.shutdown(true);
      queue.shutdown(true);

      joiner.await();
      assertGivesNothing();
    });
  }

  @Test
  void aGracefulShutdownAfterAnImmediateOneChangesNothing() {
    Loops.run(() -> {
      queue.put("a");
      queue.shutdown(true);

      queue.shutdown();

      assertGivesNothing();
      assertTakesNothing();
      queue.join();
    });
  }

  @Test
  void anImmediateShutdownCountsNoItemTwiceThatWasDoneBeforeItWasTaken() {
    Loops.run(() -> {
      queue.put("a");
      queue.put("b");
      queue.taskDone();

      queue.shutdown(true);

      queue.join();
      assertThatThrownBy(queue::taskDone).hasMessageContaining("too often");
    });
  }

  @Test
  void aCallbackMayShutItDown() {
    Loops.run(() -> {
      Task<String> taker = taker();
      Loops.settle();

      Loop.running().callSoon(queue::shutdown);

      assertShutDown(taker);
    });
  }

  @Test
  void lifoAndPriorityQueuesAreShutDownAsWell() {
    Loops.run(() -> {
      for (AsyncQueue<String> each :
          List.of(AsyncQueue.<String>lifo(), AsyncQueue.<String>priority())) {
        each.put("a");
        each.put("b");
        each.shutdown();
        each.get();
        assertThat(each.size()).isEqualTo(1);

        each.shutdown(true);
        assertThatThrownBy(each::get).isInstanceOf(QueueShutDownException.class);
      }
    });
  }
}
