package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A barrier that is reset, or aborted, in each of its states. */
class AsyncBarrierResetTest {
  private final AsyncBarrier barrier = new AsyncBarrier(3);

  private Task<Integer> party() {
    return Loop.running().createTask(() -> barrier.await());
  }

  private List<Task<Integer>> parties(int count) {
    return Stream.generate(this::party).limit(count).toList();
  }

  private static void assertBroken(Task<Integer> task, String how) {
    assertThatThrownBy(task::await)
        .isInstanceOf(BrokenBarrierException.class)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(how);
  }

  private void assertWorksAsNew() {
    assertThat(barrier).hasToString("AsyncBarrier[FILLING, 0 of 3 parties]");
    assertThat(barrier.broken()).isFalse();
    List<Task<Integer>> two = parties(2);
    Loops.settle();
    assertThat(two).noneMatch(Task::done);

    assertThat(barrier.await()).isEqualTo(2);

    assertThat(two).extracting(Task::await).containsExactly(0, 1);
  }

  @Test
  void resetOfAnEmptyBarrierChangesNothing() {
    Loops.run(() -> {
      barrier.reset();
      barrier.reset();

      assertWorksAsNew();
    });
  }

  @Test
  void resetThrowsInTheTasksThatWaitAndTheBarrierIsUsableAgain() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      barrier.reset();
      assertThat(barrier.broken()).isFalse();
      assertThat(barrier.waiting()).isZero();
      two.forEach(task -> assertBroken(task, "reset"));

      assertWorksAsNew();
    });
  }

  @Test
  void aNewcomerThatComesBeforeAllHaveLeftAfterAResetWaitsUntilTheyHave() {
    Loops.run(() -> {
      Task<Integer> early = party();
      Loops.settle();
      Task<Integer> newcomer =
          Loop.running()
              .createTask(() -> {
                barrier.reset();
                assertThat(barrier).hasToString("AsyncBarrier[RESETTING, 1 of 3 parties]");
                return barrier.await();
              });
      Loops.settle();

      assertBroken(early, "reset");
      assertThat(newcomer.done()).isFalse();
      assertThat(barrier.waiting()).isEqualTo(1);
      party();
      barrier.await();
      assertThat(newcomer.await()).isZero();
    });
  }

  @Test
  void resetWhileTasksLeaveThrowsInThoseThatHaveNotLeft() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      assertThat(barrier.await()).isEqualTo(2);
      barrier.reset();

      two.forEach(task -> assertBroken(task, "reset"));
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledAfterTheResetLeavesAsItsCancellationSays() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      barrier.reset();
      two.getFirst().cancel();
      Loops.settle();

      assertThat(two.getFirst().cancelled()).isTrue();
      assertBroken(two.getLast(), "reset");
      assertWorksAsNew();
    });
  }

  @Test
  void abortThrowsInThoseThatWaitAndThoseThatComeUntilReset() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      barrier.abort();
      assertThat(barrier.broken()).isTrue();
      assertThat(barrier.waiting()).isZero();
      Task<Integer> newcomer = party();
      two.forEach(task -> assertBroken(task, "aborted"));
      assertBroken(newcomer, "reset() it first");
      assertThat(barrier).hasToString("AsyncBarrier[BROKEN, 0 of 3 parties]");

      barrier.reset();
      assertWorksAsNew();
    });
  }

  @Test
  void abortOfAnEmptyBarrierBreaksItUntilReset() {
    Loops.run(() -> {
      barrier.abort();
      barrier.abort();
      assertThat(barrier.broken()).isTrue();
      assertThatThrownBy(barrier::await).isInstanceOf(BrokenBarrierException.class);
      assertThat(barrier.broken()).isTrue();

      barrier.reset();
      assertWorksAsNew();
    });
  }

  @Test
  void abortWhileTasksLeaveThrowsInThoseThatHaveNotLeft() {
    Loops.run(() -> {
      List<Task<Integer>> two = parties(2);
      Loops.settle();

      assertThat(barrier.await()).isEqualTo(2);
      barrier.abort();

      two.forEach(task -> assertBroken(task, "aborted"));
      barrier.reset();
      assertWorksAsNew();
    });
  }

  @Test
  void abortThrowsInNewcomersThatWaitForTheOthersToLeave() {
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
      assertThat(barrier).hasToString("AsyncBarrier[DRAINING, 2 of 3 parties]");

      barrier.abort();

      two.forEach(task -> assertBroken(task, "aborted"));
      assertBroken(newcomer, "broken");
      barrier.reset();
      assertWorksAsNew();
    });
  }

  @Test
  void resetRightAfterAbortWaitsForTheBrokenToLeave() {
    Loops.run(() -> {
      Task<Integer> early = party();
      Loops.settle();
      Task<Integer> newcomer =
          Loop.running()
              .createTask(() -> {
                barrier.abort();
                barrier.reset();
                assertThat(barrier.broken()).isFalse();
                return barrier.await();
              });
      Loops.settle();

      assertBroken(early, "reset");
      assertThat(newcomer.done()).isFalse();
      newcomer.cancel();
      Loops.settle();
      assertWorksAsNew();
    });
  }
}
