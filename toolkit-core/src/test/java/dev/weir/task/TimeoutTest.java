package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** One timeout: its deadline, its states, and what may be done with it when. */
class TimeoutTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final List<String> order = new ArrayList<>();

  // --- The deadline

  @Test
  void aBodyThatEndsInTimeIsNotTouched() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(LONG);

      String value =
          timeout.call(scope -> {
            Loops.settle();
            return "value";
          });

      assertThat(value).isEqualTo("value");
      assertThat(timeout.expired()).isFalse();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void aBodyThatIsStillRunningAtTheDeadlineIsCancelled() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(Duration.ofMillis(2));

      assertThatThrownBy(
              () -> timeout.run(scope -> Bodies.notingCancellation(order, "cancelled").run()))
          .isInstanceOf(TimeoutException.class);

      assertThat(order).containsExactly("cancelled");
      assertThat(timeout.expired()).isTrue();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  @Test
  void theDeadlineCountsFromTheCallAndNotFromTheScope() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Duration before = loop.time();
      Timeout timeout = Timeout.after(LONG);
      Duration after = loop.time();
      Duration when = timeout.when();
      Loops.settle();

      timeout.run(scope -> assertThat(scope.when()).isEqualTo(when));

      assertThat(when).isBetween(before.plus(LONG), after.plus(LONG));
      assertThat(timeout.when()).isEqualTo(when);
    });
  }

  @Test
  void aDeadlineMayBeGivenByTheLoopsClock() {
    Loops.run(() -> {
      Duration when = Loop.running().time().plusMillis(2);
      Timeout timeout = Timeout.at(when);

      assertThat(timeout.when()).isEqualTo(when);
      assertThatThrownBy(() -> timeout.run(scope -> Bodies.sleepLong()))
          .isInstanceOf(TimeoutException.class);
      assertThat(Loop.running().time()).isGreaterThanOrEqualTo(when);
    });
  }

  @Test
  void withoutADeadlineNothingExpires() {
    Loops.run(() -> {
      for (Timeout timeout : List.of(Timeout.after(null), Timeout.at(null))) {
        assertThat(timeout.when()).isNull();
        timeout.run(scope -> Loops.settle());
        assertThat(timeout.expired()).isFalse();
      }
    });
  }

  @Test
  void aDelayBeyondAllClocksNeverExpires() {
    Loops.run(() -> {
      Duration beyond = Duration.ofSeconds(Long.MAX_VALUE);

      for (Timeout timeout : List.of(Timeout.after(beyond), Timeout.at(beyond))) {
        timeout.run(scope -> Loops.settle());
        assertThat(timeout.expired()).isFalse();
      }
    });
  }

  @Test
  void aDeadlineThatHasPassedCancelsTheBodyAtItsFirstSuspension() {
    Loops.run(() -> {
      List<Timeout> passed =
          List.of(
              Timeout.after(Duration.ZERO),
              Timeout.after(Duration.ofSeconds(-1)),
              Timeout.after(Duration.ofSeconds(Long.MIN_VALUE)),
              Timeout.at(Loop.running().time()));
      for (Timeout timeout : passed) {
        assertThatThrownBy(() ->
                timeout.run(scope -> {
                  order.add("began");
                  Loop.running().yieldNow();
                  order.add("went on");
                }))
            .isInstanceOf(TimeoutException.class);
        assertThat(timeout.expired()).isTrue();
      }

      assertThat(order).containsExactly("began", "began", "began", "began");
    });
  }

  @Test
  void aBodyThatNeverSuspendsEndsWellWhateverTheDeadline() {
    Loops.run(() -> {
      Future<String> done = Loop.running().createFuture();
      done.setResult("done");
      Timeout timeout = Timeout.after(Duration.ofSeconds(-1));

      String value = timeout.call(scope -> done.await()); // Which does not suspend.
      Loops.settle();

      assertThat(value).isEqualTo("done");
      assertThat(timeout.expired()).isFalse();
      assertThat(Loop.currentTask().cancelling()).isZero();
    });
  }

  // --- States

  @Test
  void aTimeoutIsEnteredOnlyOnce() {
    Loops.run(() -> {
      Timeout used = Timeout.after(LONG);
      used.run(scope ->
          assertThatThrownBy(() -> used.run(again -> {}))
              .as("while it runs")
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("used before")
              .hasMessageContaining("new one"));

      assertThatThrownBy(() -> used.run(again -> {}))
          .as("after its end")
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("used before");
    });
  }

  @Test
  void aTimeoutNeedsATaskToRunIn() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Timeout timeout = Timeout.after(LONG);

      Loop.running().callSoon(() -> Sneaky.call(() -> timeout.call(scope -> order.add("ran"))));
      Loops.settle();
      timeout.run(scope -> {}); // The attempt has not used it up.

      assertThat(errors)
          .singleElement()
          .satisfies(error ->
              assertThat(error.exception())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("Timeout.run()")
                  .hasMessageContaining("createTask"));
      assertThat(order).isEmpty();
    });
    assertThatThrownBy(() -> Timeout.after(LONG))
        .as("off the loop")
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  @Test
  void aTimeoutNeedsABody() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Timeout.after(LONG).run(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("body");
      assertThatThrownBy(() -> Timeout.after(LONG).call(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("body");
    });
  }

  @Test
  void everyCallFromAnotherThreadIsRefusedAndSaysWhatToDo() {
    Loops.run(() ->
        Timeout.after(LONG)
            .run(timeout -> {
              List<Action> calls =
                  List.of(timeout::when, timeout::expired, () -> timeout.reschedule(null));
              for (Action call : calls) {
                AtomicReference<Throwable> thrown = new AtomicReference<>();
                Thread.ofPlatform().start(() -> thrown.set(catchThrowable(call::run))).join();

                assertThat(thrown.get())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Timeout.")
                    .hasMessageContaining("callSoonThreadsafe");
              }
            }));
  }

  @Test
  void aTimeoutHasExpiredFromTheMomentOfItsDeadline() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Timeout timeout = Timeout.at(loop.time());

      Throwable thrown =
          catchThrowable(() ->
              timeout.run(scope -> {
                order.add("body: " + scope.expired());
                loop.callSoon(() -> order.add("before the body sees it: " + scope.expired()));
                try {
                  loop.yieldNow();
                } finally {
                  order.add("cleaning up: " + scope.expired());
                }
              }));
      order.add("after: " + timeout.expired());

      assertThat(thrown).isInstanceOf(TimeoutException.class);
      assertThat(order)
          .containsExactly(
              "body: false", "before the body sees it: true", "cleaning up: true", "after: true");
    });
  }

  @Test
  void itsStateIsInItsString() {
    Loops.run(() -> {
      Duration when = Loop.running().time().plus(LONG);
      Timeout timeout = Timeout.at(when);
      assertThat(timeout).hasToString("Timeout[CREATED, when=" + when + "]");
      timeout.run(scope -> assertThat(scope).hasToString("Timeout[ACTIVE, when=" + when + "]"));
      assertThat(timeout).hasToString("Timeout[FINISHED, when=" + when + "]");

      Timeout expiring = Timeout.after(Duration.ZERO);
      assertThatThrownBy(() ->
              expiring.run(scope -> {
                try {
                  Bodies.sleepLong();
                } finally {
                  order.add(scope.toString());
                }
              }))
          .isInstanceOf(TimeoutException.class);
      assertThat(order).singleElement().asString().startsWith("Timeout[EXPIRING");
      assertThat(expiring.toString()).startsWith("Timeout[EXPIRED");

      assertThat(Timeout.after(null)).hasToString("Timeout[CREATED, no deadline]");
    });
  }

  @Test
  void checkedExceptionsOfTheBodyAreThoseOfTheScope() {
    Loops.run(() -> {
      try {
        readInTime();
      } catch (IOException e) {
        order.add(e.getMessage());
      }
      assertThat(order).containsExactly("body");
    });
  }

  /** Compiles only if two scopes around I/O need to declare nothing but IOException. */
  private static void readInTime() throws IOException {
    Timeout.after(LONG)
        .run(outer -> {
          Timeout.after(LONG)
              .run(inner -> {
                throw new IOException("body");
              });
        });
  }
}
