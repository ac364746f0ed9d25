package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What happens when a deadline passes in the round in which something else happens. */
class SameRoundTimeoutRacesTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final IOException failure = new IOException("failure");
  private final List<String> order = new ArrayList<>();

  // --- Two timeouts with one deadline

  @Test
  void ofTwoScopesWithOnePastDeadlineTheOuterOneTimesOut() {
    Loops.run(() -> {
      Duration deadline = Loop.running().time();

      assertOnlyTheOuterOneTimesOut(Timeout.at(deadline), Timeout.at(deadline));
    });
  }

  @Test
  void ofTwoScopesWithOneDeadlineToComeTheOuterOneTimesOut() {
    VirtualLoop.run(() -> {
      Duration deadline = Loop.running().time().plus(MINUTE);

      assertOnlyTheOuterOneTimesOut(Timeout.at(deadline), Timeout.at(deadline));
    });
  }

  @Test
  void ofTwoDeadlinesThatABusyLoopMissedTheOuterOneTimesOut() {
    VirtualLoop.run(() -> {
      Loop loop = Loop.running();
      Timeout outer = Timeout.at(loop.time().plus(MINUTE).plusSeconds(1));
      Timeout inner = Timeout.at(loop.time().plus(MINUTE));
      loop.callLater(Duration.ofSeconds(1), () -> VirtualLoop.advance(MINUTE.plusSeconds(1)));

      assertOnlyTheOuterOneTimesOut(outer, inner);
    });
  }

  @Test
  void ofThreeScopesWithOneDeadlineTheOutermostTimesOut() {
    VirtualLoop.run(() -> {
      Duration deadline = Loop.running().time().plus(MINUTE);
      List<Timeout> scopes =
          List.of(Timeout.at(deadline), Timeout.at(deadline), Timeout.at(deadline));

      Action inner = () -> scopes.get(2).run(timeout -> Bodies.sleepLong());
      Action middle = () -> scopes.get(1).run(timeout -> noting("middle", inner));
      Action outer = () -> scopes.get(0).run(timeout -> noting("outer", middle));

      ObservedScope observed = ObservedScope.start(outer);

      assertThat(observed.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(order).containsExactly("cancellation in middle", "cancellation in outer");
      assertThat(scopes).allMatch(Timeout::expired);
      assertThat(observed.cancelling()).isZero();
      assertThat(observed.cancelledLater()).isFalse();
    });
  }

  @Test
  void theScopesOfTwoTasksWithOneDeadlineBothTimeOut() {
    VirtualLoop.run(() -> {
      Duration deadline = Loop.running().time().plus(MINUTE);
      ObservedScope first =
          ObservedScope.start(() -> Timeout.at(deadline).run(t -> Bodies.sleepLong()));
      ObservedScope second =
          ObservedScope.start(() -> Timeout.at(deadline).run(t -> Bodies.sleepLong()));

      assertThat(first.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(second.thrown()).isInstanceOf(TimeoutException.class);
    });
  }

  private void assertOnlyTheOuterOneTimesOut(Timeout outer, Timeout inner) {
    ObservedScope observed =
        ObservedScope.start(
            () -> outer.run(o -> noting("outer", () -> inner.run(i -> Bodies.sleepLong()))));

    assertThat(observed.thrown()).isInstanceOf(TimeoutException.class);
    assertThat(order).containsExactly("cancellation in outer");
    assertThat(inner.expired()).isTrue();
    assertThat(outer.expired()).isTrue();
    assertThat(observed.cancelling()).isZero();
    assertThat(observed.cancelledLater()).isFalse();
  }

  private void noting(String where, Action body) {
    try {
      body.run();
    } catch (CancelledError e) {
      order.add("cancellation in " + where);
      throw e;
    } catch (Exception e) {
      order.add(e + " in " + where);
      throw Sneaky.rethrow(e);
    }
  }

  // --- The deadline and the end of the body

  @Test
  void aBodyThatEndsBeforeTheDeadlinesTurnHasEndedInTime() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(future, timeout);

      future.setResult("result");
      timeout.reschedule(Loop.running().time());

      assertThat(observed.thrown()).isNull();
      assertThat(timeout.expired()).isFalse();
      assertThat(observed.cancelling()).isZero();
      assertThat(observed.cancelledLater()).isFalse();
      assertThat(order).containsExactly("result");
    });
  }

  @Test
  void aBodyWhoseResultComesBehindTheDeadlineHasTimedOut() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(future, timeout);

      timeout.reschedule(loop.time());
      loop.callSoon(() -> order.add("takes a result: " + !future.done()));

      assertThat(observed.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(order).containsExactly("takes a result: false");
    });
  }

  @Test
  void aBodyThatIsReadyToGoOnWhenTheDeadlinePassesHasTimedOut() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(future, timeout);

      timeout.reschedule(Loop.running().time()); // Its turn comes before that of the body.
      future.setResult("result");

      assertThat(observed.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(timeout.expired()).isTrue();
      assertThat(order).isEmpty();
      assertThat(future.result()).isEqualTo("result");
      assertThat(observed.cancelledLater()).isFalse();
    });
  }

  @Test
  void aFailureThatTheDeadlineOvertookIsNotTheScopes() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(future, timeout);

      timeout.reschedule(Loop.running().time());
      future.setException(failure);

      assertThat(observed.thrown())
          .isInstanceOf(TimeoutException.class)
          .hasNoSuppressedExceptions();
      assertThat(future.exception()).isSameAs(failure);
    });
  }

  @Test
  void aResultAndADeadlineOfOneTimeComeInTheOrderOfTheirTimers() {
    VirtualLoop.run(() -> {
      Loop loop = Loop.running();
      Duration deadline = loop.time().plus(MINUTE);
      Future<String> early = loop.createFuture();
      Future<String> late = loop.createFuture();

      loop.callAt(deadline, () -> early.setResult("early"));
      ObservedScope first = awaiting(early, Timeout.at(deadline));
      ObservedScope second = awaiting(late, Timeout.at(deadline));
      loop.callAt(deadline, () -> order.add("late takes a result: " + !late.done()));

      assertThat(first.thrown())
          .as("woken, but the deadline passes before it runs")
          .isInstanceOf(TimeoutException.class);
      assertThat(second.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(early.result()).isEqualTo("early");
      assertThat(order).containsExactly("late takes a result: false");
    });
  }

  // --- The deadline and a cancellation from outside

  @Test
  void aCancellationFromOutsideWinsWhetherItComesBeforeTheDeadlineOrBehindIt() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (boolean outsideFirst : new boolean[] {true, false}) {
        Timeout timeout = Timeout.after(null);
        ObservedScope observed = awaiting(loop.createFuture(), timeout);

        timeout.reschedule(loop.time());
        if (outsideFirst) {
          observed.task().cancel("from outside");
        } else {
          loop.callSoon(() -> observed.task().cancel("from outside"));
        }

        assertThat(observed.thrown()).isInstanceOf(CancelledError.class);
        assertThat(observed.cancelling()).isEqualTo(1);
        assertThat(timeout.expired()).isTrue();
      }
    });
  }

  @Test
  void aCancellationFromOutsideThatEndsTheBodyBeforeTheDeadlinesTurnLeavesItUnexpired() {
    Loops.run(() -> {
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(Loop.running().createFuture(), timeout);

      observed.task().cancel("from outside"); // The body's turn comes before the deadline's.
      timeout.reschedule(Loop.running().time());

      assertThat(observed.thrown()).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(timeout.expired()).isFalse();
      assertThat(observed.cancelling()).isEqualTo(1);
    });
  }

  // --- The deadline and its being moved

  @Test
  void aDeadlineMovedBeforeItsTurnDoesNotPass() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Timeout timeout = Timeout.after(null);
      Future<String> future = loop.createFuture();
      ObservedScope observed = awaiting(future, timeout);

      loop.callSoon(() -> timeout.reschedule(loop.time().plus(MINUTE)));
      timeout.reschedule(loop.time()); // Its turn is behind that of the callback, in one round.
      Loops.settle();

      assertThat(timeout.expired()).isFalse();
      future.setResult("result");
      assertThat(observed.thrown()).isNull();
    });
  }

  @Test
  void aDeadlineCannotBeMovedBehindItsTurn() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(loop.createFuture(), timeout);
      List<ExceptionContext> errors = Loops.collectErrors();

      timeout.reschedule(loop.time());
      loop.callSoon(() -> timeout.reschedule(null));

      assertThat(observed.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(errors)
          .singleElement()
          .satisfies(error ->
              assertThat(error.exception())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("expiring"));
    });
  }

  @Test
  void aTimerThatIsDueCanStillBeMovedBeforeItsTurn() {
    VirtualLoop.run(() -> {
      Loop loop = Loop.running();
      Duration deadline = loop.time().plus(MINUTE);
      Timeout timeout = Timeout.at(deadline);
      Future<String> future = loop.createFuture();
      loop.callAt(deadline, () -> timeout.reschedule(null));
      ObservedScope observed = awaiting(future, timeout);
      loop.callAt(deadline, () -> future.setResult("result"));

      assertThat(observed.thrown()).isNull();
      assertThat(timeout.expired()).isFalse();
      assertThat(timeout.when()).isNull();
    });
  }

  @Test
  void twoMovesInOneRoundExpireOnce() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Timeout timeout = Timeout.after(null);
      ObservedScope observed = awaiting(loop.createFuture(), timeout);

      timeout.reschedule(loop.time());
      timeout.reschedule(loop.time());

      assertThat(observed.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(observed.cancelling()).isZero();
    });
  }

  private ObservedScope awaiting(Future<String> future, Timeout timeout) {
    return ObservedScope.start(() -> timeout.run(scope -> order.add(future.await())));
  }
}
