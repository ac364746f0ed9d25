package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** Callbacks for signals, in this JVM, where the test stands in for a host with handlers. */
class LoopSignalsTest {
  private static final RunOptions HANDLING = RunOptions.defaults().withHandleSignals(true);

  private final List<String> receivedByHost = new CopyOnWriteArrayList<>();
  private final Map<Signal, SignalHandler> before = new HashMap<>();
  private final List<String> received = new CopyOnWriteArrayList<>();

  @BeforeEach
  void beHost() {
    for (String name : List.of("HUP", "INT", "TERM", "USR1")) {
      Signal signal = new Signal(name);
      before.put(signal, Signal.handle(signal, got -> receivedByHost.add(got.getName())));
    }
  }

  /** Shows as well that nothing of a test is left: then the host gets every signal. */
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

  /** Raises a signal and waits until it has been received here. */
  private void raiseToLoop(String name) {
    int count = received.size();
    raise(name);
    while (received.size() == count) {
      Loop.running().yieldNow();
    }
  }

  // --- The callback

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "SIGHUP"})
  void aSignalIsNamedWithOrWithoutSig(String name) {
    Loops.run(() -> {
      Loop.running().addSignalHandler(name, () -> received.add("HUP"));
      raiseToLoop("HUP");
      raiseToLoop("HUP");

      assertThat(Loop.running().removeSignalHandler(name)).isTrue();
    });

    assertThat(received).containsExactly("HUP", "HUP");
    assertThat(receivedByHost).isEmpty();
  }

  @Test
  void theSignalWakesALoopThatBlocks() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      loop.addSignalHandler("USR1", () -> future.setResult("woken"));
      Thread.ofPlatform()
          .start(() -> {
            while (!loop.carrier.polling()) {
              Thread.onSpinWait();
            }
            raise("USR1");
          });
      received.add(future.await());
    });

    assertThat(received).containsExactly("woken");
  }

  @Test
  void itIsACallbackOfTheLoopInTheContextOfTheCaller() {
    ContextVar<String> who = new ContextVar<>("who");
    Loops.run(() -> {
      Loop loop = Loop.running();
      try (var _ = who.set("the caller")) {
        loop.addSignalHandler(
            "HUP",
            () -> {
              loop.ensureHeld("the callback");
              received.add(who.get() + ", in a task: " + loop.inTask());
            });
      }
      raiseToLoop("HUP");
    });

    assertThat(received).containsExactly("the caller, in a task: false");
  }

  @Test
  void whatItThrowsGoesToTheExceptionHandler() {
    IllegalStateException failure = new IllegalStateException("cannot reload");
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loop.running()
          .addSignalHandler(
              "HUP",
              () -> {
                received.add("HUP");
                throw failure;
              });
      raiseToLoop("HUP");
      raiseToLoop("HUP");

      assertThat(errors).extracting(ExceptionContext::exception).containsOnly(failure).hasSize(2);
    });
  }

  // --- Replacing and removing

  @Test
  void aSecondCallbackReplacesTheFirstForASignalThatHasComeAsWell() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.addSignalHandler("HUP", () -> received.add("first"));
      raiseAndAwaitDelivery("HUP");
      loop.addSignalHandler("HUP", () -> received.add("second"));
      Loops.settle();
      loop.removeSignalHandler("HUP");
    });

    assertThat(received).containsExactly("second");
  }

  @Test
  void aNameMayBeInLowerCaseAndHaveItsPrefix() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (String name : List.of("sighup", "hup", "SigHup")) {
        loop.addSignalHandler(name, () -> received.add(name));
        raiseToLoop("HUP");
        assertThat(loop.removeSignalHandler("HUP")).isTrue();
      }
    });

    assertThat(received).containsExactly("sighup", "hup", "SigHup");
  }

  @Test
  void aCallbackThatWasRemovedIsNotCalledForASignalThatHasCome() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.addSignalHandler("HUP", () -> received.add("HUP"));
      raiseAndAwaitDelivery("HUP");
      loop.removeSignalHandler("HUP");
      Loops.settle();
    });

    assertThat(received).isEmpty();
    assertThat(receivedByHost).isEmpty();
  }

  /** Raises the signal and holds the loop until it is queued there. */
  private static void raiseAndAwaitDelivery(String name) {
    raise(name);
    while (!Loop.running().carrier.anySubmitted()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void afterTheRemovalTheHostsHandlerIsBack() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.addSignalHandler("HUP", () -> received.add("HUP"));
      assertThat(loop.removeSignalHandler("SIGHUP")).isTrue();
      assertThat(loop.removeSignalHandler("HUP")).isFalse();
      raiseToHost("HUP");
    });

    assertThat(receivedByHost).containsExactly("HUP");
    assertThat(received).isEmpty();
  }

  @Test
  void theEndOfTheLoopRemovesItsCallbacks() {
    Loops.run(() -> {
      Loop.running().addSignalHandler("HUP", () -> received.add("HUP"));
      Loop.running().addSignalHandler("USR1", () -> received.add("USR1"));
    });
    raiseToHost("HUP");
    raiseToHost("USR1");

    assertThat(receivedByHost).containsExactly("HUP", "USR1");
    assertThat(received).isEmpty();
  }

  @Test
  void aSignalBetweenTwoRunsWaitsForTheSecond() {
    try (Runner runner = Loops.newRunner()) {
      runner.run(() -> Loop.running().addSignalHandler("HUP", () -> received.add("HUP")));
      raise("HUP");
      while (!runner.loop().carrier.anySubmitted()) {
        Thread.onSpinWait();
      }
      assertThat(received).isEmpty();
      runner.run(Loops::settle);
    }

    assertThat(received).containsExactly("HUP");
  }

  @Test
  void aHandlerThatTheHostSetMeanwhileStays() {
    Loops.run(() -> {
      Loop.running().addSignalHandler("HUP", () -> received.add("HUP"));
      Signal.handle(new Signal("HUP"), got -> receivedByHost.add("set meanwhile"));
    });
    raiseToHost("HUP");

    assertThat(receivedByHost).containsExactly("set meanwhile");
  }

  @Test
  void aCallbackThatIsAddedAfterTheHostTookTheSignalGetsItAndThenTheHostAgain() {
    try (Loop first = Loops.open();
        Loop second = Loops.open()) {
      first.addSignalHandler("HUP", () -> received.add("first"));
      Signal.handle(new Signal("HUP"), got -> receivedByHost.add("set meanwhile"));
      second.addSignalHandler("HUP", () -> received.add("second"));
      raiseWhileStopped("HUP", second);
      first.runUntilComplete(Loops::settle);
      second.runUntilComplete(Loops::settle);
      assertThat(received).containsExactly("second");

      first.removeSignalHandler("HUP");
      second.removeSignalHandler("HUP");
      raiseToHost("HUP");
    }

    assertThat(receivedByHost).containsExactly("set meanwhile");
    assertThat(received).hasSize(1);
  }

  /** Raises the signal and waits until each of {@code loops}, which stand still, has it queued. */
  private static void raiseWhileStopped(String name, Loop... loops) {
    raise(name);
    for (Loop loop : loops) {
      while (!loop.carrier.anySubmitted()) {
        Thread.onSpinWait();
      }
    }
  }

  // --- Several loops

  @Test
  void everyLoopThatAskedGetsTheSignalAndTheLastGivesItBack() {
    try (Loop first = Loops.open();
        Loop second = Loops.open()) {
      first.addSignalHandler("HUP", () -> received.add("first"));
      second.addSignalHandler("HUP", () -> received.add("second"));
      raiseWhileStopped("HUP", first, second);
      first.runUntilComplete(Loops::settle);
      second.runUntilComplete(Loops::settle);
      assertThat(received).containsExactly("first", "second");

      first.removeSignalHandler("HUP");
      raiseWhileStopped("HUP", second);
      second.runUntilComplete(Loops::settle);
      assertThat(received).containsExactly("first", "second", "second");
      assertThat(receivedByHost).isEmpty();
    }
    raiseToHost("HUP");

    assertThat(receivedByHost).containsExactly("HUP");
  }

  // --- Beside handleSignals

  @Test
  void aCallbackForSigintHasItAndSigtermCancelsMainStill() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Loop.running().addSignalHandler("INT", () -> received.add("INT"));
                  raiseToLoop("INT");
                  raiseToLoop("INT");
                  raiseToLoop("INT"); // Not the host's either: none of them counts.
                  raise("TERM");
                  Loop.running().sleep(Loops.LONG);
                  return null;
                }))
        .isInstanceOfSatisfying(
            SignalException.class, e -> assertThat(e.signal()).isEqualTo("TERM"));

    assertThat(received).containsExactly("INT", "INT", "INT");
    assertThat(receivedByHost).isEmpty();
  }

  @Test
  void afterTheRemovalSigintCancelsMainAgain() {
    assertThatThrownBy(() ->
            Loops.call(
                HANDLING,
                () -> {
                  Loop.running().addSignalHandler("INT", () -> received.add("INT"));
                  Loop.running().removeSignalHandler("INT");
                  raise("INT");
                  Loop.running().sleep(Loops.LONG);
                  return null;
                }))
        .isInstanceOf(SignalException.class);

    assertThat(received).isEmpty();
  }

  @Test
  void aCallbackKeepsTheSignalInTheNextRunOfItsLoop() {
    try (Runner runner = Loops.newRunner(HANDLING)) {
      runner.run(() -> Loop.running().addSignalHandler("INT", () -> received.add("INT")));
      runner.run(() -> raiseToLoop("INT"));
    }

    assertThat(received).containsExactly("INT");
  }

  @Test
  void aCallbackOfAnyLoopOfTheGroupHasTheSignal() {
    try (Runner runner = Loops.newRunner(HANDLING.withLoops(2))) {
      runner.loop().group().get(1).addSignalHandler("INT", () -> received.add("INT"));
      runner.run(() -> raiseToLoop("INT"));
    }

    assertThat(received).containsExactly("INT");
  }

  @Test
  void aCallbackOfAnotherLoopGetsTheSignalAsWell() {
    try (Loop other = Loops.open()) {
      other.addSignalHandler("INT", () -> received.add("INT"));
      assertThatThrownBy(() ->
              Loops.call(
                  HANDLING,
                  () -> {
                    raise("INT");
                    Loop.running().sleep(Loops.LONG);
                    return null;
                  }))
          .isInstanceOf(SignalException.class);
      other.runUntilComplete(Loops::settle);
    }

    assertThat(received).containsExactly("INT");
  }

  // --- What cannot be handled

  @ParameterizedTest
  @ValueSource(strings = {"KILL", "SIGSTOP", "SEGV", "QUIT", "USR2", "BUS", "ILL", "FPE"})
  void aSignalThatTheSystemOrTheJvmKeepsIsRefusedWithTheReason(String name) {
    Loops.run(() ->
        assertThatThrownBy(() -> Loop.running().addSignalHandler(name, () -> {}))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining(name)
            .hasMessageMatching(".*(the system lets no process|the JVM needs|the JVM prints).*")
            .hasMessageContaining("SIGHUP or SIGUSR1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"NO", "", "SIG", "nohup", "SIGSIGHUP"})
  void aNameThatIsNoneIsRefused(String name) {
    Loops.run(() -> {
      assertThatThrownBy(() -> Loop.running().addSignalHandler(name, () -> {}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no signal '")
          .hasMessageContaining("SIGHUP");
      assertThatThrownBy(() -> Loop.running().removeSignalHandler(name))
          .isInstanceOf(IllegalArgumentException.class);
    });
  }

  @Test
  void aClosedLoopRefuses() {
    Loop loop = Loops.open();
    loop.close();

    assertThatThrownBy(() -> loop.addSignalHandler("HUP", () -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void whereTheJvmLeavesSignalsToTheSystemTheErrorNamesTheFlag() throws Exception {
    try (ChildJvm jvm = ChildJvm.start(List.of("-Xrs"), ExitingMain.class, "ask for SIGHUP")) {
      assertThat(jvm.exitStatus()).isZero();
      assertThat(jvm.output())
          .singleElement(InstanceOfAssertFactories.STRING)
          .startsWith("IllegalStateException: addSignalHandler(\"HUP\") does not work in this JVM")
          .contains("-Xrs");
    }
  }

  @Test
  void withoutTheModuleOfSignalsTheErrorNamesIt() throws Exception {
    List<String> options = List.of("--limit-modules", "java.base,java.logging");
    try (ChildJvm jvm = ChildJvm.start(options, ExitingMain.class, "ask for SIGHUP")) {
      assertThat(jvm.exitStatus()).isZero();
      assertThat(jvm.output())
          .singleElement(InstanceOfAssertFactories.STRING)
          .startsWith("IllegalStateException: addSignalHandler(\"HUP\") needs")
          .contains("jdk.unsupported");
    }
  }

  @Test
  void aSignalFromOutsideReachesTheCallback() throws Exception {
    try (ChildJvm jvm = ChildJvm.start(ExitingMain.class, "end at SIGUSR1")) {
      jvm.awaitLine("ready");
      jvm.signal("USR1");
      assertThat(jvm.exitStatus()).isZero();
      assertThat(jvm.output()).containsExactly("ready", "SIGUSR1 came");
    }
  }
}
