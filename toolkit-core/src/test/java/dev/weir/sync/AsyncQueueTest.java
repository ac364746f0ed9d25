package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

/** What a queue holds, how much, and in which order it gives. */
class AsyncQueueTest {
  private static <E> List<E> drain(AsyncQueue<E> queue) {
    List<E> items = new ArrayList<>();
    while (!queue.empty()) {
      items.add(queue.getNowait());
    }
    return items;
  }

  @Test
  void itemsComeInTheOrderInWhichTheyWerePut() {
    Loops.run(() -> {
      AsyncQueue<Integer> queue = new AsyncQueue<>();
      queue.put(3);
      queue.putNowait(1);
      queue.put(2);

      assertThat(queue.get()).isEqualTo(3);
      assertThat(queue.getNowait()).isEqualTo(1);
      assertThat(queue.get()).isEqualTo(2);
    });
  }

  @Test
  void aLifoQueueGivesTheNewestFirst() {
    Loops.run(() -> {
      AsyncQueue<Integer> queue = AsyncQueue.lifo();
      queue.put(1);
      queue.put(2);
      assertThat(queue.get()).isEqualTo(2);

      queue.put(3);
      assertThat(drain(queue)).containsExactly(3, 1);
    });
  }

  @Test
  void aPriorityQueueGivesTheSmallestFirst() {
    Loops.run(() -> {
      AsyncQueue<Integer> queue = AsyncQueue.priority();
      for (int item : new int[] {5, 1, 4, 1, 3}) {
        queue.put(item);
      }
      assertThat(queue.get()).isEqualTo(1);

      queue.put(2);
      assertThat(drain(queue)).containsExactly(1, 2, 3, 4, 5);
    });
  }

  @Test
  void aPriorityQueueMayHaveAnOrderOfItsOwn() {
    Loops.run(() -> {
      AsyncQueue<String> queue = AsyncQueue.priority(Comparator.comparing(String::length), 3);
      queue.put("three");
      queue.put("a");
      queue.put("two");

      assertThat(queue.full()).isTrue();
      assertThat(drain(queue)).containsExactly("a", "two", "three");
    });
  }

  @Test
  void aWaitingTakerOfALifoOrPriorityQueueGetsTheFirstItemOfItsRound() {
    Loops.run(() -> {
      AsyncQueue<Integer> newest = AsyncQueue.lifo();
      AsyncQueue<Integer> smallest = AsyncQueue.priority();
      Task<Integer> takesNewest = Loop.running().createTask(() -> newest.get());
      Task<Integer> takesSmallest = Loop.running().createTask(() -> smallest.get());
      Loops.settle();

      for (int item : new int[] {2, 1, 3}) {
        newest.putNowait(item);
        smallest.putNowait(item);
      }

      assertThat(takesNewest.await()).isEqualTo(3);
      assertThat(takesSmallest.await()).isEqualTo(1);
    });
  }

  @Test
  void itKnowsHowManyItemsItHoldsAndMayHold() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>(2);
      assertThat(queue.maxSize()).isEqualTo(2);
      assertThat(queue.size()).isZero();
      assertThat(queue.empty()).isTrue();
      assertThat(queue.full()).isFalse();

      queue.put("a");
      assertThat(queue.size()).isEqualTo(1);
      assertThat(queue.empty()).isFalse();
      assertThat(queue.full()).isFalse();

      queue.put("b");
      assertThat(queue.size()).isEqualTo(2);
      assertThat(queue.full()).isTrue();
      assertThat(queue).hasToString("AsyncQueue[2 of 2 items, 0 taking, 0 giving]");

      queue.get();
      assertThat(queue.full()).isFalse();
      assertThat(queue.size()).isEqualTo(1);
    });
  }

  @Test
  void zeroAndNegativeSizesMeanNoLimit() {
    Loops.run(() -> {
      List<AsyncQueue<Integer>> queues =
          List.of(
              new AsyncQueue<>(),
              new AsyncQueue<>(0),
              new AsyncQueue<>(-7),
              AsyncQueue.lifo(),
              AsyncQueue.lifo(-1),
              AsyncQueue.priority(),
              AsyncQueue.priority(Comparator.naturalOrder(), -1));
      for (AsyncQueue<Integer> queue : queues) {
        for (int i = 0; i < 100; i++) {
          queue.putNowait(i);
          assertThat(queue.full()).isFalse();
        }
        assertThat(queue.maxSize()).isZero();
        assertThat(queue.size()).isEqualTo(100);
        assertThat(queue).hasToString("AsyncQueue[100 items, 0 taking, 0 giving]");
      }
    });
  }

  @Test
  void getNowaitOfAnEmptyQueueIsRefusedAndSaysWhatToDo() {
    AsyncQueue<String> queue = new AsyncQueue<>();

    assertThatThrownBy(queue::getNowait)
        .isInstanceOf(NoSuchElementException.class)
        .hasMessageContaining("empty")
        .hasMessageContaining("get() waits");
  }

  @Test
  void putNowaitIntoAFullQueueIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>(1);
      queue.put("first");

      assertThatThrownBy(() -> queue.putNowait("second"))
          .isInstanceOf(IllegalStateException.class)
          .isNotInstanceOf(QueueShutDownException.class)
          .hasMessageContaining("full")
          .hasMessageContaining("1 items")
          .hasMessageContaining("put() waits");

      queue.getNowait();
      queue.taskDone();
      queue.join(); // The refused item is not counted.
    });
  }

  @Test
  void nullItemsAndANullComparatorAreRefused() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();

      assertThatThrownBy(() -> queue.put(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("item");
      assertThatThrownBy(() -> queue.putNowait(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("item");
      assertThatThrownBy(() -> AsyncQueue.priority(null, 1))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("comparator");
      assertThat(queue.empty()).isTrue();
    });
  }

  @Test
  void putAndGetDoNotSuspendIfTheyNeedNotWait() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>(1);
      List<String> order = new ArrayList<>();
      Loop.running().createTask(() -> order.add("other task"));

      queue.put("item");
      order.add(queue.get());
      Loops.settle();

      assertThat(order).containsExactly("item", "other task");
    });
  }

  @Test
  void aCallbackMayPutAndTakeWithoutWaiting() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      Loop.running()
          .callSoon(() -> {
            queue.putNowait("taken");
            queue.getNowait();
            queue.putNowait("left");
          });

      assertThat(queue.get()).isEqualTo("left");
    });
  }

  @Test
  void joinDoesNotSuspendIfNothingWasPutOrAllIsDone() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      List<String> order = new ArrayList<>();
      Loop.running().createTask(() -> order.add("other task"));

      queue.join();
      queue.put("item");
      queue.get();
      queue.taskDone();
      queue.join();
      order.add("test");
      Loops.settle();

      assertThat(order).containsExactly("test", "other task");
    });
  }

  @Test
  void joinWaitsUntilEveryItemPutIsDone() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      queue.put("first");
      queue.put("second");
      List<Task<?>> joiners =
          List.of(
              Loop.running().createTask(() -> queue.join()),
              Loop.running().createTask(() -> queue.join()));
      Loops.settle();

      queue.get();
      queue.get();
      Loops.settle();
      assertThat(joiners).as("taken and not done").noneMatch(Task::done);
      queue.taskDone();
      queue.put("third");
      queue.taskDone();
      Loops.settle();
      assertThat(joiners).as("one more came").noneMatch(Task::done);

      queue.get();
      queue.taskDone();
      Loops.settle();
      assertThat(joiners).allMatch(Task::done);
    });
  }

  @Test
  void joinReturnsThoughMoreIsPutBeforeItsTaskRuns() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      queue.put("first");
      Task<?> joiner = Loop.running().createTask(() -> queue.join());
      Loops.settle();

      queue.get();
      queue.taskDone();
      queue.put("second");
      Loops.settle();

      assertThat(joiner.done()).isTrue();
    });
  }

  @Test
  void aCancelledJoinLeavesTheCountAsItIs() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      queue.put("item");
      Task<?> cancelled = Loop.running().createTask(() -> queue.join());
      Task<?> joiner = Loop.running().createTask(() -> queue.join());
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(cancelled.cancelled()).isTrue();
      assertThat(joiner.done()).isFalse();
      queue.get();
      queue.taskDone();
      Loops.settle();
      assertThat(joiner.done()).isTrue();
    });
  }

  @Test
  void taskDoneMoreOftenThanItemsWerePutIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      assertThatThrownBy(queue::taskDone)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("taskDone() called too often")
          .hasMessageContaining("once for every item that get() returned");

      queue.put("item");
      queue.taskDone(); // Put is what counts, not taken, as in asyncio.
      assertThatThrownBy(queue::taskDone).isInstanceOf(IllegalStateException.class);
      assertThat(queue.get()).isEqualTo("item");
    });
  }
}
