package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AsyncBarrierTest {
  private final AsyncBarrier barrier = new AsyncBarrier(3);

  private Task<Integer> party() {
    return Loop.running().createTask(() -> barrier.await());
  }

  private List<Task<Integer>> parties(int count) {
    return Stream.generate(this::party).limit(count).toList();
  }

  private static List<Integer> indices(List<Task<Integer>> parties) {
    return parties.stream().map(Task::await).toList();
  }

  /** Nobody may be at the barrier; lets three through, and not before the third. */
  private void assertWorksAsNew() {
    assertThat(barrier).hasToString("AsyncBarrier[FILLING, 0 of 3 parties]");
    assertThat(barrier.broken()).isFalse();
    List<Task<Integer>> two = parties(2);
    Loops.settle();
    assertThat(two).noneMatch(Task::done);
    assertThat(barrier.waiting()).isEqualTo(2);

    assertThat(barrier.await()).isEqualTo(2);

    assertThat(indices(two)).containsExactly(0, 1);
    assertThat(barrier).hasToString("AsyncBarrier[FILLING, 0 of 3 parties]");
  }

  @Test
  void fewerThanOnePartyAreRefused() {
    assertThatThrownBy(() -> new AsyncBarrier(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("parties < 1: 0");
    assertThatThrownBy(() -> new AsyncBarrier(-3)).hasMessageContaining("parties < 1: -3");
  }

  @Test
  void aBarrierOfOneLetsEveryTaskThroughAtOnce() {
    Loops.run(() -> {
      AsyncBarrier one = new AsyncBarrier(1);
      List<String> order = new ArrayList<>();
      Loop.running().createTask(() -> order.add("other task"));

      assertThat(one.await()).isZero();
      assertThat(one.await()).isZero();
      order.add("test");
      Loops.settle();

      assertThat(order).containsExactly("test", "other task");
    });
  }

  @Test
  void itKnowsForHowManyItIsAndHowManyWait() {
    Loops.run(() -> {
      assertThat(barrier.parties()).isEqualTo(3);
      assertThat(barrier.waiting()).isZero();

      party();
      Loops.settle();
      assertThat(barrier.waiting()).isEqualTo(1);
      party();
      Loops.settle();
      assertThat(barrier.waiting()).isEqualTo(2);

      barrier.await();
      assertThat(barrier).hasToString("AsyncBarrier[DRAINING, 2 of 3 parties]");
      assertThat(barrier.waiting()).as("while they leave").isZero();
      Loops.settle();
      assertThat(barrier.waiting()).isZero();
      assertWorksAsNew();
    });
  }

  @Test
  void theLastToComeGoesOnWithoutSuspendingAndHasTheHighestIndex() {
    Loops.run(() -> {
      List<Task<Integer>> others = parties(2);
      Loops.settle();

      assertThat(barrier.await()).isEqualTo(2);

      assertThat(others).as("await() did not suspend").noneMatch(Task::done);
      assertThat(indices(others)).containsExactly(0, 1);
      assertWorksAsNew();
    });
  }

  @Test
  void itLetsThroughAsManyGroupsAsCome() {
    Loops.run(() -> {
      List<Task<Integer>> ten = parties(10);
      Loops.settle();
      Loops.settle();

      assertThat(ten.subList(0, 9)).allMatch(Task::done);
      assertThat(indices(ten.subList(0, 9))).containsExactly(0, 1, 2, 0, 1, 2, 0, 1, 2);
      assertThat(ten.getLast().done()).isFalse();
      assertThat(barrier.waiting()).isEqualTo(1);
    });
  }

  @Test
  void tasksMeetThereAgainAndAgain() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      List<Task<?>> runners = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        runners.add(
            Loop.running()
                .createTask(() -> {
                  for (int lap = 1; lap <= 3; lap++) {
                    order.add("lap " + lap);
                    barrier.await();
                  }
                }));
      }
      runners.forEach(Task::await);

      assertThat(order).isSorted().hasSize(9);
      assertWorksAsNew();
    });
  }

  @Test
  void newcomersWaitUntilAllHaveLeft() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();
      Task<Integer> newcomer =
          Loop.running()
              .createTask(() -> {
                barrier.await();
                return barrier.await(); // Comes back while the others are still there.
              });
      Loop.running().yieldNow();
      assertThat(barrier).hasToString("AsyncBarrier[DRAINING, 2 of 3 parties]");

      Loops.settle();

      assertThat(indices(two)).containsExactly(0, 1);
      assertThat(newcomer.done()).isFalse();
      assertThat(barrier.waiting()).isEqualTo(1);
    });
  }

  @Test
  void aTaskCancelledWhileItFillsIsNotCounted() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      two.getFirst().cancel();
      Loops.settle();
      assertThat(two.getFirst().cancelled()).isTrue();
      assertThat(barrier.waiting()).isEqualTo(1);
      assertThat(barrier.broken()).isFalse();

      Task<Integer> third = party();
      Loops.settle();
      assertThat(third.done()).as("one is missing").isFalse();
      barrier.await();
      assertThat(third.await()).isBetween(0, 1);
      assertWorksAsNew();
    });
  }

  @Test
  void everyIndexIsGivenOnceAlsoAfterTasksWereCancelled() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();
      two.getFirst().cancel();
      Loops.settle();

      Task<Integer> third = party();
      Loops.settle();
      int last = barrier.await();

      assertThat(last).isEqualTo(2);
      assertThat(List.of(two.getLast().await(), third.await())).containsExactlyInAnyOrder(0, 1);
    });
  }

  @Test
  void aTaskCancelledInTheRoundInWhichTheLastCameIsCountedStill() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      two.getFirst().cancel();
      assertThat(barrier.await()).isEqualTo(2);
      Loops.settle();

      assertThat(two.getFirst().cancelled()).isTrue();
      assertThat(two.getLast().await()).isEqualTo(1);
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledWhileAllLeaveKeepsNobodyBack() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      barrier.await();
      two.getFirst().cancel();
      Task<Integer> newcomer = party();
      Loops.settle();

      assertThat(two.getFirst().cancelled()).isTrue();
      assertThat(two.getLast().await()).isEqualTo(1);
      assertThat(barrier.waiting()).isEqualTo(1);
      newcomer.cancel();
      Loops.settle();
      assertWorksAsNew();
    });
  }

  @Test
  void aNewcomerCancelledWhileOthersLeaveWasNeverThere() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();
      Task<Integer> newcomer =
          Loop.running()
              .createTask(() -> {
                barrier.await();
                return barrier.await();
              });
      Loop.running().yieldNow();

      newcomer.cancel();
      Loops.settle();

      assertThat(newcomer.cancelled()).isTrue();
      assertThat(two).allMatch(Task::done);
      assertWorksAsNew();
    });
  }

  @Test
  void cancellingAllWhileTheyLeaveMakesItUsableAgain() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      barrier.await();
      two.forEach(Task::cancel);
      Loops.settle();

      assertThat(two).allMatch(Task::cancelled);
      assertWorksAsNew();
    });
  }

  @Test
  void awaitIsRefusedInExclusiveCodeUnlessItIsTheLast() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Loop.running().exclusive(() -> barrier.await()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("exclusive");

      assertWorksAsNew();
    });
  }

  @Test
  void aCancelledAwaitThrowsCancelledErrorWithItsMessage() {
    Loops.run(() -> {
      Task<Integer> task = party();
      Loops.settle();

      task.cancel("stop");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("stop");
      assertWorksAsNew();
    });
  }
}
