package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Timeouts in timeouts: which of them throws. */
class NestedTimeoutTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final List<String> order = new ArrayList<>();

  @Test
  void theInnerDeadlineIsThrownByTheInnerScopeOnly() {
    Loops.run(() -> {
      Timeout outer = Timeout.after(LONG);
      Timeout inner = Timeout.at(Loop.running().time());

      outer.run(o -> {
        assertThatThrownBy(() -> inner.run(i -> Bodies.sleepLong()))
            .isInstanceOf(TimeoutException.class);
        Loops.settle();
        order.add("outer body went on");
      });

      assertThat(inner.expired()).isTrue();
      assertThat(outer.expired()).isFalse();
      assertThat(order).containsExactly("outer body went on");
    });
  }

  @Test
  void theOuterDeadlinePassesThroughTheInnerScopeAsACancellation() {
    Loops.run(() -> {
      Timeout outer = Timeout.at(Loop.running().time());
      Timeout inner = Timeout.after(LONG);

      assertThatThrownBy(() -> outer.run(o -> passingOn(() -> inner.run(i -> Bodies.sleepLong()))))
          .isInstanceOf(TimeoutException.class);

      assertThat(order).containsExactly("cancelled");
      assertThat(inner.expired()).isFalse();
      assertThat(outer.expired()).isTrue();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aTimeoutExceptionOfTheInnerScopeMayPassTheOuterOne() {
    Loops.run(() -> {
      Timeout outer = Timeout.after(LONG);

      assertThatThrownBy(
              () -> outer.run(o -> Timeout.at(Loop.running().time()).run(i -> Bodies.sleepLong())))
          .isInstanceOf(TimeoutException.class);

      assertThat(outer.expired()).isFalse();
    });
  }

  @Test
  void theOuterDeadlineStillHoldsAfterTheInnerOneHasBeenHandled() {
    Loops.run(() -> {
      Timeout outer = Timeout.after(LONG);

      assertThatThrownBy(() ->
              outer.run(o -> {
                assertThatThrownBy(
                        () -> Timeout.at(Loop.running().time()).run(i -> Bodies.sleepLong()))
                    .isInstanceOf(TimeoutException.class);
                o.reschedule(Loop.running().time());
                Bodies.sleepLong();
              }))
          .isInstanceOf(TimeoutException.class);
      assertThat(outer.expired()).isTrue();
    });
  }

  @Test
  void aScopeInTheCleanUpOfAnExpiredOneHasItsOwnDeadline() {
    Loops.run(() -> {
      Timeout outer = Timeout.at(Loop.running().time());

      assertThatThrownBy(() ->
              outer.run(o -> {
                try {
                  Bodies.sleepLong();
                } finally {
                  assertThatThrownBy(
                          () -> Timeout.at(Loop.running().time()).run(i -> Bodies.sleepLong()))
                      .isInstanceOf(TimeoutException.class);
                  order.add("cleaned up");
                }
              }))
          .isInstanceOf(TimeoutException.class);

      assertThat(order).containsExactly("cleaned up");
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theOuterDeadlineWinsIfItPassesWhileTheInnerScopeCleansUp() {
    Loops.run(() -> {
      Timeout outer = Timeout.after(LONG);
      Timeout inner = Timeout.at(Loop.running().time());

      assertThatThrownBy(() ->
              outer.run(o ->
                  passingOn(() ->
                      inner.run(i -> {
                        try {
                          Bodies.sleepLong();
                        } finally {
                          o.reschedule(Loop.running().time());
                          Bodies.sleepLong();
                        }
                      }))))
          .isInstanceOf(TimeoutException.class);

      assertThat(order).containsExactly("cancelled");
      assertThat(inner.expired()).isTrue();
      assertThat(outer.expired()).isTrue();
    });
  }

  @Test
  void aCancellationFromOutsidePassesEveryScope() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Timeout outer = Timeout.at(Loop.running().time());
      Timeout inner = Timeout.at(Loop.running().time());
      Task<?> task =
          Loop.running()
              .createTask(() -> outer.run(o -> inner.run(i -> Bodies.endingAfter(gate).run())));
      Loops.settle();

      task.cancel("from outside");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(outer.expired()).isTrue();
      assertThat(inner.expired()).isTrue();
      assertThat(task.cancelling()).isEqualTo(1);
    });
  }

  @Test
  void twoDeadlinesThatInterruptABlockingCallAreThrownByTheOuterScopeOnly() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call holds the loop");
    Loops.run(() -> {
      Timeout outer = Timeout.at(Loop.running().time());
      Timeout inner = Timeout.at(Loop.running().time());

      assertThatThrownBy(
              () -> outer.run(o -> passingOn(() -> inner.run(i -> new CountDownLatch(1).await()))))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      Loop.running().yieldNow();

      assertThat(order).containsExactly("cancelled");
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  /** Notes that {@code body} threw a cancellation, and throws it on. */
  private void passingOn(Action body) {
    try {
      body.run();
    } catch (CancelledError e) {
      order.add("cancelled");
      throw e;
    } catch (Exception e) {
      throw new AssertionError("not a cancellation", e);
    }
  }
}
