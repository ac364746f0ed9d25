package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Signals in this JVM, where the test stands in for a host with handlers of its own. {@code
 * ExitHookTest} sends them to a JVM from outside.
 */
class SignalsTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final RunOptions HANDLING = RunOptions.defaults().withHandleSignals(true);

  private final List<String> receivedByHost = new CopyOnWriteArrayList<>();
  private final Map<Signal, SignalHandler> before = new HashMap<>();
  private final List<String> order = new CopyOnWriteArrayList<>();

  @BeforeEach
  void beHost() {
    for (String name : List.of("INT", "TERM")) {
      Signal signal = new Signal(name);
      before.put(signal, Signal.handle(signal, received -> receivedByHost.add(received.getName())));
    }
  }

  /** Not before every signal has been delivered: the JVM's own handler would end the tests. */
  @AfterEach
  void stopBeingHost() {
    for (Signal signal : before.keySet()) {
      raiseToHost(signal.getName());
    }
    before.forEach(Signal::handle);
  }

  private void raiseToHost(String name) {
    int count = receivedByHost.size();
    raise(name);
    while (receivedByHost.size() == count) {
      Thread.onSpinWait();
    }
  }

  private static void raise(String name) {
    Signal.raise(new Signal(name));
  }

  // --- The first signal

  @Test
  void sigintCancelsMainAndRunSaysWhichSignalItWas() {
    assertThatThrownBy(() -> runAndRaise("INT"))
        .isInstanceOfSatisfying(
            SignalException.class,
            e -> {
              assertThat(e.signal()).isEqualTo("INT");
              assertThat(e.exitStatus()).isEqualTo(130);
            })
        .hasMessageContaining("SIGINT")
        .cause()
        .isInstanceOf(CancelledError.class)
        .hasMessageContaining("SIGINT");

    assertThat(order).containsExactly("cleaned up");
    assertThat(receivedByHost).isEmpty();
  }

  @Test
  void sigtermCancelsMainAsWell() {
    assertThatThrownBy(() -> runAndRaise("TERM"))
        .isInstanceOfSatisfying(
            SignalException.class,
            e -> {
              assertThat(e.signal()).isEqualTo("TERM");
              assertThat(e.exitStatus()).isEqualTo(143);
            });

    assertThat(order).containsExactly("cleaned up");
  }

  private void runAndRaise(String name) {
    Loops.call(
        HANDLING,
        () -> {
          raiseOnceIdle(Loop.running(), name);
          try {
            Loop.running().sleep(LONG);
            return "slept";
          } finally {
            order.add("cleaned up");
          }
        });
  }

  /** Raises the signal when the loop blocks: what it queues has to wake it. */
  private static void raiseOnceIdle(Loop loop, String name) {
    Thread.ofPlatform()
        .start(() -> {
          while (!loop.carrier.polling()) {
            Thread.onSpinWait();
          }
          raise(name);
        });
  }

  @Test
  void theFirstSignalCancelsMainOnlyAndAResultOfMainStands() {
    String result =
        Loops.call(
            HANDLING,
            () -> {
              Loop loop = Loop.running();
              Future<String> future = loop.createFuture();
              Task<String> other = loop.createTask(() -> future.await());
              raiseOnceIdle(loop, "INT");
              try {
                loop.sleep(LONG);
              } catch (CancelledError e) {
                future.setResult("the other task went on");
              }
              return other.await();
            });

    assertThat(result).isEqualTo("the other task went on");
  }

  @Test
  void aFailureOfMainIsThrownAsItIs() {
    IllegalStateException failure = new IllegalStateException("cannot clean up");

    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  raiseOnceIdle(Loop.running(), "INT");
                  try {
                    Loop.running().sleep(LONG);
                  } catch (CancelledError e) {
                    throw failure;
                  }
                  return null;
                }))
        .isSameAs(failure);
  }

  @Test
  void aMainThatWasCancelledForAnotherReasonAsWellEndsCancelled() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Task<?> main = Loop.currentTask();
                  raiseOnceIdle(Loop.running(), "INT");
                  try {
                    Loop.running().sleep(LONG);
                  } finally {
                    main.cancel("for another reason");
                  }
                  return null;
                }))
        .isInstanceOf(CancelledError.class);
  }

  @Test
  void withoutASignalACancelledMainEndsCancelled() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Loop.currentTask().cancel("enough");
                  Loop.running().yieldNow();
                  return null;
                }))
        .isInstanceOf(CancelledError.class)
        .hasMessage("enough");
  }

  // --- The second signal

  @Test
  void aSecondSignalEndsTheRunAtOnceAndTheEndStillCleansUp() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Loop loop = Loop.running();
                  raiseOnceIdle(loop, "INT");
                  try {
                    loop.sleep(LONG);
                  } catch (CancelledError e) {
                    raiseOnceIdle(loop, "TERM");
                  }
                  try {
                    loop.sleep(LONG);
                  } finally {
                    order.add("cleaned up");
                  }
                  return null;
                }))
        .isInstanceOfSatisfying(
            SignalException.class, e -> assertThat(e.signal()).isEqualTo("TERM"));

    assertThat(order).containsExactly("cleaned up");
  }

  @Test
  void aSecondSignalInterruptsAStepThatHoldsTheTurn() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Loop.running().setExceptionHandler((loop, context) -> {});
                  Thread.ofPlatform()
                      .start(() -> {
                        raise("INT");
                        raise("INT");
                      });
                  while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                  }
                  Loop.running().sleep(LONG);
                  return null;
                }))
        .isInstanceOf(SignalException.class);
  }

  @Test
  void aThirdSignalIsTheHosts() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Loop.running().setExceptionHandler((loop, context) -> {});
                  raise("INT");
                  raise("INT");
                  raise("INT");
                  while (receivedByHost.isEmpty()) {
                    Thread.onSpinWait(); // Ends by nothing that a loop can do.
                  }
                  return null;
                }))
        .isInstanceOf(SignalException.class);

    assertThat(receivedByHost).containsExactly("INT");
  }

  // --- The handlers of the host

  @Test
  void afterARunTheHostsHandlersAreBack() {
    Loops.call(HANDLING, () -> "done");
    raiseToHost("INT");
    raiseToHost("TERM");

    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  throw new IllegalStateException("x");
                }))
        .isInstanceOf(IllegalStateException.class);
    raiseToHost("INT");

    assertThat(receivedByHost).containsExactly("INT", "TERM", "INT");
  }

  @Test
  void betweenTwoRunsOfARunnerTheHostsHandlersAreBack() {
    try (Runner runner = new Runner(HANDLING, ParkingDriver::new)) {
      runner.run(() -> {});
      raiseToHost("INT");
      runner.run(() -> order.add("second run"));
    }

    assertThat(receivedByHost).containsExactly("INT");
    assertThat(order).containsExactly("second run");
  }

  @Test
  void aHandlerThatTheHostSetDuringTheRunStays() {
    Loops.call(
        HANDLING,
        () ->
            Signal.handle(new Signal("INT"), received -> receivedByHost.add("set during the run")));
    raiseToHost("INT");
    raiseToHost("TERM");

    assertThat(receivedByHost).containsExactly("set during the run", "TERM");
  }

  @Test
  void withoutTheOptionSignalsAreTheHosts() {
    Loops.run(() -> {
      raiseToHost("INT");
      raiseToHost("TERM");
      Loops.settle();
      order.add("undisturbed");
    });

    assertThat(RunOptions.defaults().handleSignals()).isFalse();
    assertThat(order).containsExactly("undisturbed");
  }

  // --- Signals that cross the end of a run

  @Test
  void aFirstSignalThatCrossesTheEndOfARunDoesNotCancelTheNextMain() {
    try (Runner runner = new Runner(HANDLING, ParkingDriver::new)) {
      runner.run(() -> raiseInTheLastRound("INT"));
      runner.run(() -> {
        Loops.settle();
        order.add("undisturbed");
      });
    }

    assertThat(order).containsExactly("undisturbed");
  }

  @Test
  void aSecondSignalThatCrossesTheEndOfARunDoesNotEndTheNext() {
    try (Runner runner = new Runner(HANDLING, ParkingDriver::new)) {
      runner.run(() -> {
        raise("INT");
        assertThatThrownBy(() -> Loop.running().sleep(LONG)).isInstanceOf(CancelledError.class);
        raiseInTheLastRound("INT");
      });
      runner.run(() -> {
        Loops.settle();
        order.add("undisturbed");
      });
    }

    assertThat(order).containsExactly("undisturbed");
  }

  /** Raises the signal so late in the calling run that it is handled between two runs. */
  private static void raiseInTheLastRound(String name) {
    Loop loop = Loop.running();
    loop.callSoon(() -> {
      raise(name);
      while (!loop.carrier.anySubmitted()) {
        Thread.onSpinWait();
      }
    });
  }

  @Test
  void aSignalThatWasDispatchedDuringARunAndComesAfterItIsTheHosts() {
    Signal signal = new Signal("INT");
    SignalHandler[] ofTheRun = new SignalHandler[1];
    Loops.call(
        HANDLING,
        () -> {
          ofTheRun[0] = Signal.handle(signal, received -> {});
          return Signal.handle(signal, ofTheRun[0]);
        });

    ofTheRun[0].handle(signal);

    assertThat(receivedByHost).containsExactly("INT");
  }

  @Test
  void aSignalAtAnyMomentLeavesARunThatEndsOneWayOrTheOther() throws InterruptedException {
    List<String> outcomes = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      int spins = 100 * i;
      Thread raiser =
          Thread.ofPlatform()
              .start(() -> {
                for (int spin = 0; spin < spins; spin++) {
                  Thread.onSpinWait();
                }
                raise("INT");
                raise("INT");
              });
      try {
        outcomes.add(
            Loops.call(
                HANDLING,
                () -> {
                  Loops.settle();
                  return "result";
                }));
      } catch (SignalException e) {
        outcomes.add("signal");
      }
      assertThat(Thread.interrupted()).isFalse();
      raiser.join();
    }

    assertThat(outcomes).hasSize(100).containsAnyOf("result", "signal");
  }
}
