package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Moving the deadline of a timeout. */
class TimeoutRescheduleTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final List<String> order = new ArrayList<>();

  @Test
  void aLaterDeadlineReplacesTheEarlierOne() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Duration later = loop.time().plus(LONG);
      Timeout timeout = Timeout.at(loop.time());

      timeout.run(scope -> {
        scope.reschedule(later);
        assertThat(scope.when()).isEqualTo(later);
        Loops.settle();
      });

      assertThat(timeout.expired()).isFalse();
      assertThat(timeout.when()).isEqualTo(later);
    });
  }

  @Test
  void anEarlierDeadlineReplacesTheLaterOne() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(LONG);

      assertThatThrownBy(() ->
              timeout.run(scope -> {
                scope.reschedule(Loop.running().time().plusMillis(2));
                Bodies.sleepLong();
              }))
          .isInstanceOf(TimeoutException.class);
    });
  }

  @Test
  void aReplacedTimerNeverFires() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Duration soon = loop.time().plusMillis(1);
      Timeout timeout = Timeout.at(soon);

      timeout.run(scope -> {
        scope.reschedule(loop.time().plus(LONG));
        Future<String> past = loop.createFuture();
        loop.callAt(soon, () -> past.setResult("the first deadline has passed"));
        past.await();
        Loops.settle();
      });

      assertThat(timeout.expired()).isFalse();
    });
  }

  @Test
  void aDeadlineMayBeRemovedAndSetAgain() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Timeout timeout = Timeout.at(loop.time());

      assertThatThrownBy(() ->
              timeout.run(scope -> {
                scope.reschedule(null);
                assertThat(scope.when()).isNull();
                Loops.settle();
                order.add("no deadline");
                scope.reschedule(loop.time());
                Loop.running().yieldNow();
                order.add("went on");
              }))
          .isInstanceOf(TimeoutException.class);
      assertThat(order).containsExactly("no deadline");
    });
  }

  @Test
  void aPastDeadlineExpiresInTheNextRoundAndNotInReschedule() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Task<?> task =
          loop.createTask(() ->
              Timeout.after(LONG)
                  .run(timeout -> {
                    loop.createTask(() -> {
                      timeout.reschedule(loop.time());
                      order.add("rescheduled: " + timeout.expired());
                      loop.callSoon(() -> order.add("next round: " + timeout.expired()));
                    });
                    Bodies.sleepLong();
                  }));

      assertThatThrownBy(task::await).isInstanceOf(TimeoutException.class);
      assertThat(order).containsExactly("rescheduled: false", "next round: true");
    });
  }

  @Test
  void theDeadlineIsMovedOnlyWhileTheBodyRunsAndBeforeItPasses() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(LONG);
      assertRefusesToReschedule(timeout, "created");
      timeout.run(scope -> {});
      assertRefusesToReschedule(timeout, "finished");

      Timeout expiring = Timeout.after(Duration.ZERO);
      assertThatThrownBy(() ->
              expiring.run(scope -> {
                try {
                  Bodies.sleepLong();
                } catch (CancelledError e) {
                  assertRefusesToReschedule(scope, "expiring");
                  throw e;
                }
              }))
          .isInstanceOf(TimeoutException.class)
          .hasNoSuppressedExceptions();
      assertRefusesToReschedule(expiring, "expired");
    });
  }

  private static void assertRefusesToReschedule(Timeout timeout, String state) {
    Duration when = timeout.when();

    assertThatThrownBy(() -> timeout.reschedule(null))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(state)
        .hasMessageContaining("while its body runs");
    assertThat(timeout.when()).isEqualTo(when);
  }
}
