package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What the callbacks that share a fiber leave to each other. */
class CallbackFibersTest {
  private final List<String> order = new CopyOnWriteArrayList<>();

  @Test
  void anInterruptThatACallbackLeavesReachesNoOther() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.callSoon(() -> Thread.currentThread().interrupt());
      loop.callSoon(() -> order.add("next: " + Thread.currentThread().isInterrupted()));
      loop.callSoon(() -> Thread.currentThread().interrupt());
      Loops.settle();
      loop.callSoon(() -> order.add("rounds later: " + Thread.currentThread().isInterrupted()));
      Loops.settle();
    });

    assertThat(order).containsExactly("next: false", "rounds later: false");
  }
}
