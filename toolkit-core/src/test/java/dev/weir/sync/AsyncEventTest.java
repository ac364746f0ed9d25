package dev.weir.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AsyncEventTest {
  private final AsyncEvent event = new AsyncEvent();

  /** Who went on, in that order. */
  private final List<String> order = new ArrayList<>();

  private Task<?> waiter(String name) {
    return Loop.running()
        .createTask(() -> {
          event.await();
          order.add(name);
        });
  }

  /** Lets one task wait and go on, with an event that is not set and for which nobody waits. */
  private void assertWorksAsNew() {
    order.clear();
    assertThat(event).hasToString("AsyncEvent[unset, 0 waiting]");

    Task<?> next = waiter("next");
    Loops.settle();
    assertThat(order).isEmpty();
    assertThat(event).hasToString("AsyncEvent[unset, 1 waiting]");

    event.set();
    next.await();
    assertThat(order).containsExactly("next");
    assertThat(event).hasToString("AsyncEvent[set, 0 waiting]");
  }

  @Test
  void aNewEventIsNotSet() {
    Loops.run(() -> {
      assertThat(event.isSet()).isFalse();
      assertWorksAsNew();
    });
  }

  @Test
  void awaitOfASetEventDoesNotSuspend() {
    Loops.run(() -> {
      event.set();
      Loop.running().createTask(() -> order.add("other task"));

      event.await();
      order.add("test");
      Loops.settle();

      assertThat(order).containsExactly("test", "other task");
    });
  }

  @Test
  void setWakesAllWhoWaitInTheOrderInWhichTheyCame() {
    Loops.run(() -> {
      waiter("first");
      waiter("second");
      waiter("third");
      Loops.settle();

      event.set();
      assertThat(order).as("nobody runs inside set()").isEmpty();
      Loops.settle();

      assertThat(order).containsExactly("first", "second", "third");
      assertThat(event.isSet()).as("it stays set").isTrue();
    });
  }

  @Test
  void setWakesEvenIfItIsClearedBeforeTheyRun() {
    Loops.run(() -> {
      waiter("first");
      waiter("second");
      Loops.settle();

      event.set();
      event.clear();
      Task<?> late = waiter("late");
      Loops.settle();

      assertThat(order).containsExactly("first", "second");
      assertThat(late.done()).as("came after it was cleared").isFalse();
    });
  }

  @Test
  void aClearedEventMakesTasksWaitAgain() {
    Loops.run(() -> {
      event.set();
      event.await();

      event.clear();

      assertThat(event.isSet()).isFalse();
      assertWorksAsNew();
    });
  }

  @Test
  void settingAndClearingTwiceIsAsOnce() {
    Loops.run(() -> {
      event.set();
      event.set();
      assertThat(event.isSet()).isTrue();

      event.clear();
      event.clear();
      assertThat(event.isSet()).isFalse();
      assertWorksAsNew();
    });
  }

  @Test
  void aCallbackMaySetIt() {
    Loops.run(() -> {
      Loop.running().callSoon(event::set);

      event.await();

      assertThat(event.isSet()).isTrue();
    });
  }

  @Test
  void aTaskCancelledWhileItWaitsLeavesTheOthersWaiting() {
    Loops.run(() -> {
      Task<?> cancelled = waiter("cancelled");
      waiter("other");
      Loops.settle();

      cancelled.cancel();
      Loops.settle();
      assertThat(cancelled.cancelled()).isTrue();
      assertThat(event).hasToString("AsyncEvent[unset, 1 waiting]");

      event.set();
      Loops.settle();
      assertThat(order).containsExactly("other");
      event.clear();
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledAfterItWasWokenDoesNotGoOnAndTheOthersDo() {
    Loops.run(() -> {
      Task<?> cancelled = waiter("cancelled");
      waiter("other");
      Loops.settle();

      event.set();
      event.clear();
      cancelled.cancel();
      Loops.settle();

      assertThat(cancelled.cancelled()).isTrue();
      assertThat(order).containsExactly("other");
      assertWorksAsNew();
    });
  }

  @Test
  void aTaskCancelledInTheRoundBeforeItIsSetDoesNotGoOn() {
    Loops.run(() -> {
      Task<?> cancelled = waiter("cancelled");
      waiter("other");
      Loops.settle();

      cancelled.cancel();
      event.set();
      event.clear();
      Loops.settle();

      assertThat(cancelled.cancelled()).isTrue();
      assertThat(order).containsExactly("other");
      assertWorksAsNew();
    });
  }
}
