package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a task group does when two things happen in one round of the loop. */
class SameRoundGroupRacesTest {
  private final IOException failure = new IOException("failure");
  private final IOException second = new IOException("second");
  private final List<String> order = new ArrayList<>();

  // --- A task fails, and the group is cancelled from outside

  @Test
  void aTaskThatFailsBeforeTheCancellationFromOutsideReachesItWins() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      gate.setException(failure); // The task's turn comes before that of the scope.
      scope.task().cancel("from outside");

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isTrue();
    });
  }

  @Test
  void aCancellationFromOutsideThatReachesTheTaskBeforeItFailsWins() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      scope.task().cancel("from outside"); // The scope's turn comes before that of the task.
      gate.setException(failure);

      assertThat(scope.thrown()).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isFalse();
      assertThat(gate.exception()).isSameAs(failure);
    });
  }

  @Test
  void aCancellationFromOutsideInTheRoundInWhichATaskFailedIsThrownLater() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      gate.setException(failure);
      Loop.running().callSoon(() -> scope.task().cancel("from outside"));

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isTrue();
    });
  }

  @Test
  void aCancellationFromOutsideInTheRoundInWhichTheGroupCancelledItsTaskIsThrownLater() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      gate.setException(failure);
      Loop.running().yieldNow();
      Loop.running().yieldNow(); // The failure has been dealt with; the scope is ready to go on.
      scope.task().cancel("from outside");

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isTrue();
    });
  }

  @Test
  void aTaskThatFailsWhileTheBodyAnswersTheCancellationFromOutsideCancelsItAgain() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> gate.await());
                    try {
                      Bodies.sleepLong();
                    } finally {
                      order.add("cancelled");
                      Loops.settle();
                      order.add("cleaned up");
                    }
                  }));

      gate.setException(failure);
      scope.task().cancel();

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(order).as("cancelled again in its clean-up").containsExactly("cancelled");
      assertThat(scope.cancelling()).isEqualTo(1);
    });
  }

  // --- The last task ends, and the group is cancelled from outside

  @Test
  void aCancellationFromOutsideBeforeTheLastTaskEndsIsThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      gate.setResult("end");
      scope.task().cancel("from outside"); // Before the task's last step.

      assertThat(scope.thrown()).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void aCancellationFromOutsideWhenTheLastTaskHasEndedIsThrown() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      gate.setResult("end");
      Loop.running().yieldNow();
      Loop.running().yieldNow(); // The end has been noted; the scope is ready to go on.
      scope.task().cancel("from outside");

      assertThat(scope.thrown()).isInstanceOf(CancelledError.class).hasMessage("from outside");
      assertThat(scope.cancelling()).isEqualTo(1);
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void aCancellationFromOutsideInTheRoundInWhichTheScopeEndedIsThrownBehindIt() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope = groupWithATaskAt(gate);

      gate.setResult("end");
      Loop.running().yieldNow();
      Loop.running().yieldNow();
      Loop.running().callSoon(() -> scope.task().cancel("from outside")); // Behind its end.

      assertThat(scope.thrown()).isNull();
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isTrue();
    });
  }

  // --- Two tasks

  @Test
  void twoTasksThatFailInOneRoundAreBothInTheGroup() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> failAfter(gate, failure));
                    group.createTask(() -> failAfter(gate, second));
                    Bodies.notingCancellation(order, "body").run();
                  }));

      gate.setResult("fail");

      assertThat(scope.failures()).containsExactly(failure, second);
      assertThat(order).as("one cancellation of the body").containsExactly("body");
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void twoTasksThatFailInOneRoundWhileTheScopeWaitsAreBothInTheGroup() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> failAfter(gate, failure));
                    group.createTask(() -> failAfter(gate, second));
                  }));

      gate.setResult("fail");

      assertThat(scope.failures()).containsExactly(failure, second);
      assertThat(scope.cancelling()).isZero();
      assertThat(scope.cancelledLater()).isFalse();
    });
  }

  @Test
  void aTaskThatIsReadyToFailWhenAnotherHasFailedIsCancelled() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Future<String> later = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> failAfter(gate, failure));
                    group.createTask(() -> failAfter(later, second));
                  }));

      gate.setResult("fail");
      Loop.running().callSoon(() -> later.setResult("fail, one round later"));

      assertThat(scope.failures()).containsExactly(failure);
    });
  }

  @Test
  void aTaskAndTheBodyThatFailInOneRoundAreBothInTheGroupTheBodyLast() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope taskFirst =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    Task<?> task = group.createTask(() -> failAfter(gate, failure));
                    Loop.running().yieldNow(); // The task waits for the gate first.
                    assertThat(task.done()).isFalse();
                    failAfter(gate, second);
                  }));
      ObservedScope bodyFirst =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> failAfter(gate, failure));
                    failAfter(gate, second);
                  }));

      gate.setResult("fail");

      assertThat(taskFirst.failures()).containsExactly(failure, second);
      assertThat(taskFirst.cancelling()).isZero();
      assertThat(taskFirst.cancelledLater()).isFalse();
      assertThat(bodyFirst.failures())
          .as("the body's failure cancelled a task that was ready to fail")
          .containsExactly(second);
      assertThat(bodyFirst.cancelling()).isZero();
    });
  }

  @Test
  void aTaskMadeInTheRoundInWhichAnotherFailedIsCancelledBeforeItBegins() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group -> {
                    group.createTask(() -> failAfter(gate, failure));
                    group.createTask(() -> {
                      gate.await(); // Goes on in the round in which the other fails, behind it.
                      group.createTask(() -> order.add("began"));
                    });
                  }));

      gate.setResult("fail");

      assertThat(scope.failures()).containsExactly(failure);
      assertThat(order).isEmpty();
    });
  }

  @Test
  void aLastTaskThatMakesAnotherInItsLastStepKeepsTheScopeOpen() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      ObservedScope scope =
          ObservedScope.start(() ->
              new TaskGroup()
                  .run(group ->
                      group.createTask(() -> {
                        gate.await();
                        group.createTask(() -> {
                          Loops.settle();
                          order.add("successor");
                        });
                      })));

      gate.setResult("end");

      assertThat(scope.thrown()).isNull();
      assertThat(order).containsExactly("successor");
    });
  }

  private static ObservedScope groupWithATaskAt(Future<String> gate) {
    return ObservedScope.start(
        () -> new TaskGroup().run(group -> group.createTask(() -> gate.await())));
  }

  private static void failAfter(Future<String> gate, IOException failure) throws IOException {
    gate.await();
    throw failure;
  }
}
