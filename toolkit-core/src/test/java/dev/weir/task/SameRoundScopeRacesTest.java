package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What scopes in each other do, and groups that are ended by cancel(), when all is in one round.
 */
class SameRoundScopeRacesTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final IOException failure = new IOException("failure");
  private final IOException second = new IOException("second");
  private final List<String> order = new ArrayList<>();

  // --- TaskGroup.cancel() and a failure

  @Test
  void aTaskThatFailedBeforeItsGroupWasEndedFailsTheGroup() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      TaskGroup group = new TaskGroup();
      ObservedScope scope = inGroup(group, () -> group.createTask(() -> gate.await()));

      gate.setException(failure);
      Loop.running().callSoon(group::cancel); // Behind the task's last step.

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void aTaskThatIsReadyToFailWhenItsGroupIsEndedIsCancelled() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      TaskGroup group = new TaskGroup();
      ObservedScope scope = inGroup(group, () -> group.createTask(() -> gate.await()));

      gate.setException(failure);
      group.cancel();

      assertThat(scope.thrown()).isNull();
      assertThat(gate.exception()).isSameAs(failure);
    });
  }

  @Test
  void aGroupThatIsEndedWhenItsFailureHasBeenDealtWithFails() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      TaskGroup group = new TaskGroup();
      ObservedScope scope =
          inGroup(
              group,
              () -> {
                group.createTask(() -> gate.await());
                Bodies.sleepLong();
              });

      gate.setException(failure);
      Loop.running().yieldNow();
      Loop.running().yieldNow();
      group.cancel();

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  // --- TaskGroup.cancel() and a cancellation from outside

  @Test
  void aCancellationFromOutsideInTheRoundOfGroupCancelIsThrownInWhateverOrder() {
    Loops.run(() -> {
      for (boolean outsideFirst : new boolean[] {true, false}) {
        for (boolean inBody : new boolean[] {true, false}) {
          TaskGroup group = new TaskGroup();
          ObservedScope scope =
              inGroup(
                  group,
                  () -> {
                    group.createTask(Bodies::sleepLong);
                    if (inBody) {
                      Bodies.sleepLong();
                    }
                  });

          if (outsideFirst) {
            scope.task().cancel();
            group.cancel();
          } else {
            group.cancel();
            scope.task().cancel();
          }

          assertThat(scope.thrown())
              .as("outside first: %s, in the body: %s", outsideFirst, inBody)
              .isInstanceOf(CancelledError.class);
          assertThat(scope.cancelling()).isEqualTo(1);
          assertThat(scope.cancelledLater()).isFalse();
        }
      }
    });
  }

  @Test
  void aDeadlineInTheRoundOfGroupCancelIsThrownInWhateverOrder() {
    Loops.run(() -> {
      for (boolean deadlineFirst : new boolean[] {true, false}) {
        for (boolean inBody : new boolean[] {true, false}) {
          TaskGroup group = new TaskGroup();
          Timeout timeout = Timeout.after(null);
          ObservedScope scope =
              ObservedScope.start(() ->
                  timeout.run(t ->
                      group.run(g -> {
                        g.createTask(Bodies::sleepLong);
                        if (inBody) {
                          Bodies.sleepLong();
                        }
                      })));

          if (deadlineFirst) {
            timeout.reschedule(Loop.running().time());
            Loop.running().callSoon(group::cancel);
          } else {
            Loop.running().callSoon(group::cancel);
            timeout.reschedule(Loop.running().time());
          }

          assertThat(scope.thrown())
              .as("deadline first: %s, in the body: %s", deadlineFirst, inBody)
              .isInstanceOf(TimeoutException.class);
          assertThat(scope.cancelling()).isZero();
          assertThat(scope.cancelledLater()).isFalse();
        }
      }
    });
  }

  // --- A group in a timeout

  @Test
  void aTaskThatFailsInTheRoundOfTheDeadlineAroundItsGroupWinsAndTellsOfIt() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope scope =
          ObservedScope.start(() ->
              timeout.run(t -> new TaskGroup().run(group -> group.createTask(() -> gate.await()))));

      gate.setException(failure);
      timeout.reschedule(Loop.running().time()); // Its turn comes behind the task's.

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(failure.getSuppressed()).hasOnlyElementsOfType(TimeoutException.class);
      assertThat(timeout.expired()).isTrue();
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void theLastTaskThatEndsInTheRoundOfTheDeadlineAroundItsGroupDoesNotStopIt() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope scope =
          ObservedScope.start(() ->
              timeout.run(t -> new TaskGroup().run(group -> group.createTask(() -> gate.await()))));

      gate.setResult("end");
      timeout.reschedule(Loop.running().time()); // Behind the task, before the scope.

      assertThat(scope.thrown()).isInstanceOf(TimeoutException.class);
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void aDeadlineOfATaskAndTheSameAroundItsGroupAreOneTimeout() {
    VirtualLoop.run(() -> {
      Duration deadline = Loop.running().time().plus(MINUTE);
      ObservedScope scope =
          ObservedScope.start(() ->
              Timeout.at(deadline)
                  .run(outer ->
                      new TaskGroup()
                          .run(group ->
                              group.createTask(
                                  () -> Timeout.at(deadline).run(inner -> Bodies.sleepLong())))));

      assertThat(scope.thrown())
          .as("the group was cancelled first, and it cancelled the task")
          .isInstanceOf(TimeoutException.class);
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  // --- A timeout in a group

  @Test
  void aTaskThatFailsInTheRoundOfTheDeadlineOfTheBodyWinsInWhateverOrder() {
    Loops.run(() -> {
      for (boolean deadlineFirst : new boolean[] {true, false}) {
        Future<String> gate = Loop.running().createFuture();
        Timeout timeout = Timeout.after(null);
        ObservedScope scope = groupWithADeadlineOfTheBody(gate, timeout);

        gate.setException(failure);
        if (!deadlineFirst) {
          Loop.running().yieldNow(); // The task has failed; that is dealt with in the next round.
        }
        timeout.reschedule(Loop.running().time());

        assertThat(scope.failures())
            .as("deadline first: %s", deadlineFirst)
            .containsExactly(failure);
        assertThat(timeout.expired()).isTrue();
        assertThat(scope.cancelling()).isZero();
        assertThat(scope.cancelledLater()).isFalse();
      }
    });
  }

  @Test
  void aDeadlineOfTheBodyThatEndsItBeforeTheFailureIsDealtWithIsAFailureToo() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Timeout timeout = Timeout.after(null);
      ObservedScope scope = groupWithADeadlineOfTheBody(gate, timeout);

      timeout.reschedule(Loop.running().time());
      gate.setException(failure);

      List<Throwable> failures = scope.failures();
      assertThat(failures).hasSize(2).startsWith(failure);
      assertThat(failures.getLast()).isInstanceOf(TimeoutException.class);
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void aTaskWhoseDeadlinePassesInTheRoundInWhichItsGroupIsAbortedIsCancelled() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (boolean deadlineFirst : new boolean[] {true, false}) {
        Future<String> gate = loop.createFuture();
        Timeout timeout = Timeout.after(null);
        ObservedScope scope =
            ObservedScope.start(() ->
                new TaskGroup()
                    .run(group -> {
                      group.createTask(() -> gate.await());
                      group.createTask(() -> timeout.run(t -> Bodies.sleepLong()));
                    }));

        if (deadlineFirst) {
          loop.callSoon(() -> timeout.reschedule(loop.time())); // Before the task's last step.
        }
        gate.setException(failure);
        if (!deadlineFirst) {
          loop.callSoon(() -> timeout.reschedule(loop.time())); // Behind it.
        }

        assertThat(scope.failures())
            .as("without a TimeoutException; deadline first: %s", deadlineFirst)
            .containsExactly(failure);
        assertThat(timeout.expired()).isTrue();
      }
    });
  }

  private static ObservedScope groupWithADeadlineOfTheBody(Future<String> gate, Timeout timeout) {
    return ObservedScope.start(() ->
        new TaskGroup()
            .run(group -> {
              group.createTask(() -> gate.await());
              timeout.run(t -> Bodies.sleepLong());
            }));
  }

  // --- Groups in groups

  @Test
  void tasksOfTwoGroupsThatFailInOneRoundAreBothThrown() {
    Loops.run(() -> {
      for (boolean innerFirst : new boolean[] {true, false}) {
        Future<String> outerGate = Loop.running().createFuture();
        Future<String> innerGate = Loop.running().createFuture();
        ObservedScope scope = nested(outerGate, innerGate);

        (innerFirst ? innerGate : outerGate).setException(innerFirst ? second : failure);
        (innerFirst ? outerGate : innerGate).setException(innerFirst ? failure : second);

        List<Throwable> failures = scope.failures();
        assertThat(failures).as("inner first: %s", innerFirst).hasSize(2);
        assertThat(failures.getFirst()).isSameAs(failure);
        assertThat(failures.getLast())
            .isInstanceOfSatisfying(
                ExceptionGroup.class,
                inner -> assertThat(inner.exceptions()).containsExactly(second));
        assertThat(scope.cancelling()).isZero();
        assertThat(scope.cancelledLater()).isFalse();
      }
    });
  }

  @Test
  void tasksOfTwoGroupsThatFailInTheRoundOfACancellationFromOutsideAreThrownAndItIsLater() {
    Loops.run(() -> {
      Future<String> outerGate = Loop.running().createFuture();
      Future<String> innerGate = Loop.running().createFuture();
      ObservedScope scope = nested(outerGate, innerGate);

      innerGate.setException(second);
      outerGate.setException(failure);
      Loop.running().callSoon(() -> scope.task().cancel());

      assertThat(scope.failures()).hasSize(2);
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isTrue();
    });
  }

  @Test
  void anOuterGroupEndedInTheRoundInWhichTheInnerOneIsEndsBoth() {
    Loops.run(() -> {
      for (boolean outerFirst : new boolean[] {true, false}) {
        TaskGroup outer = new TaskGroup();
        TaskGroup inner = new TaskGroup();
        ObservedScope scope =
            inGroup(
                outer,
                () -> {
                  inner.run(i -> Bodies.sleepLong());
                  order.add("went on between the groups");
                });

        (outerFirst ? outer : inner).cancel();
        (outerFirst ? inner : outer).cancel();

        assertThat(scope.thrown()).isNull();
        assertThat(scope.cancelling()).isZero();
        assertThat(scope.cancelledLater()).isFalse();
      }
      assertThat(order).isEmpty();
    });
  }

  @Test
  void anInnerGroupEndedInTheRoundInWhichATaskOfTheOuterOneFailsPassesTheCancellationOn() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      TaskGroup inner = new TaskGroup();
      TaskGroup outer = new TaskGroup();
      ObservedScope scope =
          inGroup(
              outer,
              () -> {
                outer.createTask(() -> gate.await());
                inner.run(i -> Bodies.sleepLong());
                order.add("went on between the groups");
              });

      gate.setException(failure);
      Loop.running().yieldNow(); // The task has failed; that is dealt with in the next round.
      inner.cancel();

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(order).isEmpty();
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  private static ObservedScope nested(Future<String> outerGate, Future<String> innerGate) {
    return ObservedScope.start(() ->
        new TaskGroup()
            .run(outer -> {
              outer.createTask(() -> outerGate.await());
              new TaskGroup().run(inner -> inner.createTask(() -> innerGate.await()));
            }));
  }

  private static ObservedScope inGroup(TaskGroup group, Action body) {
    return ObservedScope.start(() -> group.run(entered -> body.run()));
  }
}
