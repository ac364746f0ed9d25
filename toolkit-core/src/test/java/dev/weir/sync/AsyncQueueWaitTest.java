package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tasks that wait for an item, or for room, in which order they go on, and cancelled ones. */
class AsyncQueueWaitTest {
  private final AsyncQueue<String> queue = new AsyncQueue<>(1);

  /** Who took what, in that order. */
  private final List<String> taken = new ArrayList<>();

  private Task<?> taker(String name) {
    return Loop.running().createTask(() -> taken.add(name + " took " + queue.get()));
  }

  private Task<?> giver(String item) {
    return Loop.running().createTask(() -> queue.put(item));
  }

  /** Takes what is in the queue, and what comes when those that wait put theirs, item by item. */
  private List<String> drain() {
    List<String> items = new ArrayList<>();
    while (!queue.empty()) {
      items.add(queue.getNowait());
      Loops.settle();
    }
    return items;
  }

  /** The queue must be empty and nobody wait; a taker and a giver must each wait and go on. */
  private void assertWorksAsNew() {
    assertThat(queue).hasToString("AsyncQueue[0 of 1 items, 0 taking, 0 giving]");
    taken.clear();
    Task<?> taker = taker("next");
    Loops.settle();
    assertThat(taken).isEmpty();
    queue.putNowait("first");
    taker.await();
    assertThat(taken).containsExactly("next took first");

    queue.putNowait("second");
    Task<?> giver = giver("third");
    Loops.settle();
    assertThat(giver.done()).isFalse();
    assertThat(queue.getNowait()).isEqualTo("second");
    giver.await();
    assertThat(drain()).containsExactly("third");
    assertThat(queue).hasToString("AsyncQueue[0 of 1 items, 0 taking, 0 giving]");
  }

  @Test
  void takersGetItemsInTheOrderInWhichTheyCame() {
    Loops.run(() -> {
      taker("first");
      taker("second");
      taker("third");
      Loops.settle();
      assertThat(queue).hasToString("AsyncQueue[0 of 1 items, 3 taking, 0 giving]");

      queue.put("a");
      queue.put("b");
      queue.put("c");
      Loops.settle();

      assertThat(taken).containsExactly("first took a", "second took b", "third took c");
      assertWorksAsNew();
    });
  }

  @Test
  void oneItemWakesOneTaker() {
    Loops.run(() -> {
      taker("first");
      Task<?> second = taker("second");
      Loops.settle();

      queue.put("a");
      Loops.settle();

      assertThat(taken).containsExactly("first took a");
      assertThat(second.done()).isFalse();
      assertThat(queue).hasToString("AsyncQueue[0 of 1 items, 1 taking, 0 giving]");
    });
  }

  @Test
  void giversWaitWhileItIsFullAndPutInTheOrderInWhichTheyCame() {
    Loops.run(() -> {
      List<Task<?>> givers = List.of(giver("a"), giver("b"), giver("c"));
      Loops.settle();
      assertThat(givers).extracting(Task::done).containsExactly(true, false, false);
      assertThat(queue).hasToString("AsyncQueue[1 of 1 items, 0 taking, 2 giving]");

      assertThat(queue.get()).isEqualTo("a");
      Loops.settle();
      assertThat(givers).extracting(Task::done).containsExactly(true, true, false);

      assertThat(drain()).containsExactly("b", "c");
      assertWorksAsNew();
    });
  }

  @Test
  void aWokenTakerThatFindsTheItemGoneWaitsAgainAtTheEnd() {
    Loops.run(() -> {
      taker("first");
      taker("second");
      Loops.settle();

      queue.put("a");
      assertThat(queue.getNowait()).as("nothing is reserved").isEqualTo("a");
      Loops.settle();
      assertThat(taken).isEmpty();

      queue.put("b");
      queue.put("c");
      Loops.settle();
      assertThat(taken).containsExactly("second took b", "first took c");
      assertWorksAsNew();
    });
  }

  @Test
  void aWokenGiverThatFindsTheRoomGoneWaitsAgainAtTheEnd() {
    Loops.run(() -> {
      queue.put("a");
      giver("b");
      giver("c");
      Loops.settle();

      queue.getNowait();
      queue.putNowait("d");
      Loops.settle();

      assertThat(drain()).containsExactly("d", "c", "b");
      assertWorksAsNew();
    });
  }

  @Test
  void anItemForATakerThatFoundTheFirstOneGoneIsNotLost() {
    Loops.run(() -> {
      taker("first");
      taker("second");
      Loops.settle();

      queue.putNowait("a");
      queue.getNowait();
      queue.putNowait("b"); // Wakes the second, but the first runs first.
      Loops.settle();

      assertThat(taken).containsExactly("first took b");
      queue.putNowait("c");
      Loops.settle();
      assertThat(taken).containsExactly("first took b", "second took c");
      assertWorksAsNew();
    });
  }

  @Test
  void aTakerCancelledWhileItWaitsTakesNothing() {
    Loops.run(() -> {
      Task<?> cancelled = taker("cancelled");
      taker("other");
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(queue).hasToString("AsyncQueue[0 of 1 items, 1 taking, 0 giving]");
      queue.put("a");
      Loops.settle();

      assertThat(cancelled.cancelled()).isTrue();
      assertThat(taken).containsExactly("other took a");
      assertWorksAsNew();
    });
  }

  @Test
  void aTakerCancelledInTheRoundBeforeTheItemCameDoesNotSwallowIt() {
    Loops.run(() -> {
      Task<?> cancelled = taker("cancelled");
      taker("other");
      Loops.settle();

      cancelled.cancel();
      queue.put("a");
      Loops.settle();

      assertThat(taken).containsExactly("other took a");
      assertWorksAsNew();
    });
  }

  @Test
  void aTakerCancelledAfterItWasWokenLeavesTheItemToTheNext() {
    Loops.run(() -> {
      Task<?> woken = taker("woken");
      taker("next");
      Loops.settle();

      queue.put("a");
      woken.cancel();
      Loops.settle();

      assertThat(woken.cancelled()).isTrue();
      assertThat(taken).containsExactly("next took a");
      assertWorksAsNew();
    });
  }

  @Test
  void theOnlyTakerCancelledAfterItWasWokenLeavesTheItemInTheQueue() {
    Loops.run(() -> {
      Task<?> woken = taker("woken");
      Loops.settle();

      queue.put("a");
      woken.cancel();
      Loops.settle();

      assertThat(taken).isEmpty();
      assertThat(drain()).containsExactly("a");
      assertWorksAsNew();
    });
  }

  @Test
  void aTakerCancelledAfterItsItemWasTakenWakesNobody() {
    Loops.run(() -> {
      Task<?> woken = taker("woken");
      taker("next");
      taker("last");
      Loops.settle();

      queue.put("a");
      woken.cancel();
      queue.getNowait();
      Loops.settle();
      queue.put("b");
      queue.put("c");
      Loops.settle();

      // Woken for nothing, the next would have gone to the end.
      assertThat(taken).containsExactly("next took b", "last took c");
      assertWorksAsNew();
    });
  }

  @Test
  void aTakerCancelledBeforeAnItemCameForAnotherWakesNobody() {
    Loops.run(() -> {
      taker("first");
      Task<?> cancelled = taker("cancelled");
      taker("next");
      taker("last");
      Loops.settle();

      cancelled.cancel(); // Runs before the first does, while the item is there.
      queue.put("a");
      Loops.settle();
      queue.put("b");
      queue.put("c");
      Loops.settle();

      assertThat(taken).containsExactly("first took a", "next took b", "last took c");
      assertWorksAsNew();
    });
  }

  @Test
  void aGiverCancelledWhileItWaitsPutsNothing() {
    Loops.run(() -> {
      queue.put("a");
      Task<?> cancelled = giver("cancelled");
      giver("b");
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(queue).hasToString("AsyncQueue[1 of 1 items, 0 taking, 1 giving]");

      assertThat(cancelled.cancelled()).isTrue();
      assertThat(drain()).containsExactly("a", "b");
      assertWorksAsNew();
    });
  }

  @Test
  void aGiverCancelledInTheRoundBeforeThereWasRoomDoesNotBlockTheNext() {
    Loops.run(() -> {
      queue.put("a");
      Task<?> cancelled = giver("cancelled");
      giver("b");
      Loops.settle();

      cancelled.cancel();
      queue.getNowait();
      Loops.settle();

      assertThat(drain()).containsExactly("b");
      assertWorksAsNew();
    });
  }

  @Test
  void aGiverCancelledAfterItWasWokenLeavesTheRoomToTheNext() {
    Loops.run(() -> {
      queue.put("a");
      Task<?> woken = giver("cancelled");
      giver("b");
      Loops.settle();

      queue.getNowait();
      woken.cancel();
      Loops.settle();

      assertThat(woken.cancelled()).isTrue();
      assertThat(drain()).containsExactly("b");
      assertWorksAsNew();
    });
  }

  @Test
  void aGiverCancelledAfterItsRoomWasTakenWakesNobody() {
    Loops.run(() -> {
      queue.put("a");
      Task<?> woken = giver("cancelled");
      giver("b");
      giver("c");
      Loops.settle();

      queue.getNowait();
      woken.cancel();
      queue.putNowait("d");
      Loops.settle();

      // Woken for nothing, the giver of b would have gone to the end.
      assertThat(drain()).containsExactly("d", "b", "c");
      assertWorksAsNew();
    });
  }

  @Test
  void aGiverCancelledBeforeThereWasRoomForAnotherWakesNobody() {
    Loops.run(() -> {
      queue.put("a");
      giver("b");
      Task<?> cancelled = giver("cancelled");
      giver("c");
      giver("d");
      Loops.settle();

      cancelled.cancel(); // Runs before the giver of b does, while there is room.
      queue.getNowait();
      Loops.settle();

      assertThat(drain()).containsExactly("b", "c", "d");
      assertWorksAsNew();
    });
  }

  @Test
  void aCancelledPutIsNotCountedForJoin() {
    Loops.run(() -> {
      queue.put("a");
      Task<?> cancelled = giver("cancelled");
      Loops.settle();
      cancelled.cancel();
      assertThatThrownBy(cancelled::await).isInstanceOf(CancelledError.class);

      queue.get();
      queue.taskDone();
      queue.join();

      assertWorksAsNew();
    });
  }

  @Test
  void aGiverWhoseItemThrowsWhenItIsPutHandsItsPlaceOn() {
    AsyncQueue<String> ordered = AsyncQueue.priority(AsyncQueueWaitTest::compareIfComparable, 2);
    Loops.run(() -> {
      ordered.put("a");
      ordered.put("b");
      Task<?> refused = Loop.running().createTask(() -> ordered.put("incomparable"));
      Task<?> next = Loop.running().createTask(() -> ordered.put("c"));
      Loops.settle();

      assertThat(ordered.get()).isEqualTo("a");
      Loops.settle();

      assertThatThrownBy(refused::await).isInstanceOf(ClassCastException.class);
      assertThat(next.done()).isTrue();
      assertThat(ordered).hasToString("AsyncQueue[2 of 2 items, 0 taking, 0 giving]");
    });
  }

  private static int compareIfComparable(String a, String b) {
    if (a.equals("incomparable") || b.equals("incomparable")) {
      throw new ClassCastException("incomparable");
    }
    return a.compareTo(b);
  }
}
