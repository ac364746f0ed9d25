package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a loop holds for {@link Future#addToAwaitedBy}. */
@Timeout(20)
class DeclaredAwaitersTest {
  @Test
  void nothingIsLeftOfWhatWasTakenBackOrIsDone() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Task<?> waiter = Loops.sleeper();
      Future<Object> future = loop.createFuture();
      for (int i = 0; i < 3; i++) {
        future.addToAwaitedBy(waiter);
        assertThat(loop.declaredAwaiters).hasSize(1);
        future.discardFromAwaitedBy(waiter);
        assertThat(loop.declaredAwaiters).isEmpty();
      }
      future.addToAwaitedBy(waiter);
      future.setResult("done");
      Loops.settle();

      assertThat(loop.declaredAwaiters).isEmpty();
    });
  }

  @Test
  void aFutureThatNobodyHoldsAnyMoreIsNotHeldByTheLoop() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      sayThatAFutureIsAwaited(loop, Loops.sleeper());

      while (!loop.declaredAwaiters.isEmpty()) {
        System.gc(); // Until the collector has seen it; the test's time limit bounds this.
      }
    });
  }

  private static void sayThatAFutureIsAwaited(Loop loop, Task<?> waiter) {
    Future<@Nullable Void> dropped = loop.createFuture();
    dropped.addToAwaitedBy(waiter);
    assertThat(loop.declaredAwaiters).hasSize(1);
  }
}
