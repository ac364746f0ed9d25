package dev.weir.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.Asyncio;
import dev.weir.task.Loops;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The scenarios of one section, written for CPython in {@code src/test/python} and here once more,
 * in the same words: a method of a subclass for each function there. Weir's trace must equal
 * CPython's line by line, and so the order in which everything happens.
 *
 * <p>CPython's traces are recorded beside its scenarios. Where there is a Python that is recent
 * enough, it runs as well, and must still print what was recorded.
 */
abstract class TraceTest {
  static final Duration LONG = Duration.ofHours(1);
  static final Duration SOON = Duration.ofMillis(1);

  private final String section;
  private final List<String> lines = new ArrayList<>();

  TraceTest(String section) {
    this.section = section;
  }

  @TestFactory
  Stream<DynamicTest> everyTraceIsTheOneOfCPython() {
    return CPythonTraces.recorded(section).scenarios().stream()
        .map(scenario ->
            dynamicTest(
                scenario.name(), () -> assertThat(traceOf(scenario)).isEqualTo(scenario.lines())));
  }

  @TestFactory
  Stream<DynamicTest> theRecordedTraceIsWhatCPythonPrints() {
    CPythonTraces.Section recorded = CPythonTraces.recorded(section);
    return recorded.scenarios().stream()
        .map(scenario -> dynamicTest(scenario.name(), () -> comparePrinted(scenario)));
  }

  @Test
  void everyScenarioIsWrittenForBoth() {
    Set<String> here =
        Stream.of(getClass().getDeclaredMethods())
            .filter(method -> !Modifier.isPrivate(method.getModifiers()) && !method.isSynthetic())
            .map(Method::getName)
            .filter(name -> !name.equals("run"))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> there =
        CPythonTraces.recorded(section).scenarios().stream()
            .map(TraceTest::methodName)
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(here).isEqualTo(there);
  }

  // --- For the scenarios

  /** Adds a line to the trace. */
  final void trace(Object... words) {
    lines.add(
        Stream.of(words)
            .map(word -> word instanceof Boolean yes ? (yes ? "yes" : "no") : String.valueOf(word))
            .collect(Collectors.joining(" ")));
  }

  /** Lets rounds of the loop pass. */
  static void rounds(int count) {
    for (int i = 0; i < count; i++) {
      Asyncio.sleep(Duration.ZERO);
    }
  }

  /** Runs a scenario as the main coroutine of a run of its own. */
  void run(Runnable scenario) {
    Loops.run(scenario::run);
  }

  private List<String> traceOf(CPythonTraces.Scenario scenario) throws NoSuchMethodException {
    Method method = getClass().getDeclaredMethod(methodName(scenario));
    method.setAccessible(true);
    lines.clear();
    run(() -> invoke(method));
    return lines;
  }

  private void invoke(Method method) {
    try {
      method.invoke(this);
    } catch (InvocationTargetException e) {
      throw TraceTest.<RuntimeException>asIs(e.getCause());
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  @SuppressWarnings("unchecked") // Nothing is cast: the compiler is only to forget what is thrown.
  private static <X extends Throwable> X asIs(Throwable failure) throws X {
    throw (X) failure;
  }

  private static String methodName(CPythonTraces.Scenario scenario) {
    StringBuilder name = new StringBuilder();
    for (String word : scenario.name().split("_")) {
      name.append(
          name.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
    }
    return name.toString();
  }

  private void comparePrinted(CPythonTraces.Scenario scenario) {
    CPythonTraces.Python python = CPythonTraces.newestPython();
    assumeTrue(
        python.isAtLeast(scenario.since()),
        () -> "needs CPython " + scenario.since() + "; the newest found here is " + python);

    List<String> printed =
        CPythonTraces.printed(section).scenarios().stream()
            .filter(candidate -> candidate.name().equals(scenario.name()))
            .findFirst()
            .orElseThrow()
            .lines();

    assertThat(scenario.lines())
        .as("recorded/%s.txt, to be recorded anew from %s", section, python)
        .isEqualTo(printed);
  }
}
