package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a JVM ends while a loop runs in it. */
class ExitHookTest {
  @Tag("slow") // It starts a JVM.
  @Test
  void aSignalThatEndsTheJvmCancelsMainAndWaitsForItsEnd() throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitingMain.class, "sleep")) {
      child.awaitLine("ready");
      child.signal("TERM");

      assertThat(child.exitStatus()).isEqualTo(143);
      assertThat(child.output()).contains("cleaned up");
    }
  }

  @Tag("slow")
  @Test
  void withoutAnExitTimeoutTheJvmEndsAsIfThereWereNoLoop() throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitingMain.class, "sleep without a hook")) {
      child.awaitLine("ready");
      child.signal("TERM");

      assertThat(child.exitStatus()).isEqualTo(143);
      assertThat(child.output()).containsExactly("ready");
    }
  }

  @Tag("slow")
  @Test
  void aMainThatRefusesToEndIsWaitedForOnlySoLong() throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitingMain.class, "refuse to end")) {
      child.awaitLine("ready");
      child.signal("TERM");

      assertThat(child.exitStatus()).isEqualTo(143);
      assertThat(child.output())
          .contains("refused")
          .anySatisfy(line -> assertThat(line).contains("did not end within PT0.05S"));
    }
  }

  @Tag("slow")
  @ParameterizedTest
  @ValueSource(strings = {"exit from a task", "exit from a callback"})
  void aStepThatCallsSystemExitIsNotWaitedFor(String scenario) throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitingMain.class, scenario)) {
      assertThat(child.exitStatus()).isEqualTo(3);
    }
  }

  @Tag("slow")
  @Test
  void systemExitOnAnotherThreadCancelsMainAndWaitsForItsEnd() throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitingMain.class, "exit from a worker")) {
      assertThat(child.exitStatus()).isEqualTo(3);
      assertThat(child.output()).contains("cleaned up");
    }
  }

  @Tag("slow")
  @Test
  void aHandledSignalLetsTheProgramEndWithTheStatusAShellExpects() throws Exception {
    try (ChildJvm child = ChildJvm.start(ExitingMain.class, "handle signals")) {
      child.awaitLine("ready");
      child.signal("INT");

      assertThat(child.exitStatus()).isEqualTo(130);
      assertThat(child.output()).containsExactly("ready", "cleaned up", "ended by SIGINT");
    }
  }

  @Test
  void aClosedRunnerLeavesNoHook() throws ReflectiveOperationException {
    assumeTrue(Loops.mounted(), "only then is java.lang open to the tests");
    Set<Thread> before = hooks();

    Loops.run(() -> {});
    Runner closedByHand = new Runner(RunOptions.defaults(), ParkingDriver::new);
    closedByHand.loop();
    assertThat(hooks()).hasSize(before.size() + 1);
    closedByHand.loop().close();
    closedByHand.close();

    assertThat(hooks()).isEqualTo(before);
  }

  @SuppressWarnings("unchecked") // A map of hooks to themselves.
  private static Set<Thread> hooks() throws ReflectiveOperationException {
    Field hooks = Class.forName("java.lang.ApplicationShutdownHooks").getDeclaredField("hooks");
    hooks.setAccessible(true);
    Set<Thread> ofLoops = new HashSet<>(((Map<Thread, Thread>) hooks.get(null)).keySet());
    ofLoops.removeIf(hook -> !hook.getName().startsWith("weir-loop"));
    return ofLoops;
  }
}
