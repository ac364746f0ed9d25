package dev.weir.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.testkit.engine.EventConditions.displayName;
import static org.junit.platform.testkit.engine.EventConditions.event;
import static org.junit.platform.testkit.engine.EventConditions.finishedWithFailure;
import static org.junit.platform.testkit.engine.EventConditions.test;
import static org.junit.platform.testkit.engine.TestExecutionResultConditions.instanceOf;
import static org.junit.platform.testkit.engine.TestExecutionResultConditions.message;
import static org.junit.platform.testkit.engine.TestExecutionResultConditions.suppressed;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.sync.AsyncEvent;
import dev.weir.task.Loop;
import dev.weir.testing.DeadlockError;
import dev.weir.testing.LeftBehindError;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

class RunOnLoopTest {
  /** What the examples below did, in order. */
  private static final List<String> TRACE = new ArrayList<>();

  private static Events run(Class<?> example) {
    TRACE.clear();
    return EngineTestKit.engine("junit-jupiter")
        .selectors(DiscoverySelectors.selectClass(example))
        .execute()
        .testEvents();
  }

  @RunOnLoop
  static class OneLoopPerTest {
    private Loop loop;
    private Server server;

    @BeforeEach
    void startServer() throws IOException {
      loop = Loop.running();
      server =
          Asyncio.startServer((reader, writer) -> writer.write(reader.readLine()), "10.0.0.1", 80);
    }

    @Test
    void echoes() throws IOException {
      assertThat(Loop.running()).isSameAs(loop);
      assertThat(loop.transport()).isEqualTo("memory");
      try (Connection connection = Asyncio.openConnection("10.0.0.1", 80)) {
        connection.writer().write("x\n");
        TRACE.add(new String(connection.reader().readLine()).strip());
      }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void takesArguments(int hours) {
      Asyncio.sleep(Duration.ofHours(hours));
      TRACE.add(Loop.running().time().toString());
    }

    @AfterEach
    void stopServer() {
      assertThat(Loop.running()).isSameAs(loop);
      server.close();
    }
  }

  @Test
  void theMethodsOfATestRunOnOneLoop() {
    run(OneLoopPerTest.class).assertStatistics(stats -> stats.succeeded(3).failed(0));

    assertThat(TRACE).containsExactlyInAnyOrder("x", "PT1H", "PT2H");
  }

  static class OnRealLoop {
    @Test
    @RunOnLoop(LoopKind.REAL)
    void echoesOverASocket() throws IOException {
      TRACE.add(Loop.running().transport());
      try (Server server =
              Asyncio.startServer((reader, writer) -> writer.write("x"), "127.0.0.1", 0);
          Connection connection =
              Asyncio.openConnection("127.0.0.1", server.addresses().getFirst().getPort())) {
        TRACE.add(new String(connection.reader().readAll()));
      }
    }

    @Test
    @RunOnLoop(LoopKind.REAL)
    void forgetsItsServer() throws IOException {
      Asyncio.startServer((reader, writer) -> {}, "127.0.0.1", 0);
    }

    @Test
    void runsOnNoLoop() {
      assertThat(Thread.currentThread().isVirtual()).isFalse();
    }
  }

  @Test
  void aRealLoopIsOnTheEngine() {
    Events events = run(OnRealLoop.class);

    events.assertStatistics(stats -> stats.succeeded(2).failed(1));
    assertThat(TRACE).hasSize(2).contains("x").doesNotContain("memory");
    events
        .assertThatEvents()
        .haveExactly(
            1,
            event(
                test("forgetsItsServer"),
                finishedWithFailure(
                    instanceOf(LeftBehindError.class),
                    message(text -> text.contains("server listening on 127.0.0.1:")))));
  }

  @RunOnLoop
  static class Careless {
    @Test
    void forgetsATask() {
      Asyncio.createTask(() -> Asyncio.sleep(Duration.ofHours(1)), "forgotten");
    }

    @Test
    void waitsForEver() {
      new AsyncEvent().await();
    }

    @Test
    void fails() throws IOException {
      throw new IOException("by itself");
    }
  }

  @Test
  void whatGoesWrongFailsTheTestThatDidIt() {
    run(Careless.class)
        .assertThatEvents()
        .haveExactly(
            1,
            event(
                test("forgetsATask"),
                finishedWithFailure(
                    instanceOf(LeftBehindError.class),
                    message(text -> text.contains("task 'forgotten'")))))
        .haveExactly(
            1, event(test("waitsForEver"), finishedWithFailure(instanceOf(DeadlockError.class))))
        .haveExactly(
            1,
            event(
                test("fails"),
                finishedWithFailure(instanceOf(IOException.class), message("by itself"))));
  }

  static class Seeded {
    @SeededTest(20)
    void isRunWithEverySeed() {
      TRACE.add(Long.toString(VirtualLoop.random().nextLong()));
    }

    @SeededTest(5)
    void failsWithOne() {
      assertThat(TRACE.add("x") && VirtualLoop.random().nextLong() == firstOfSeed(3)).isFalse();
    }

    @SeededTest(0)
    void isRunWithNone() {}
  }

  private static long firstOfSeed(long seed) {
    return new java.util.SplittableRandom(seed).split().nextLong();
  }

  @Test
  void aSeededTestRunsOncePerSeedAndTellsTheSeed() {
    Events events = run(Seeded.class);

    assertThat(TRACE.stream().filter(line -> !line.equals("x")).distinct()).hasSize(20);
    events.assertStatistics(stats -> stats.started(25).succeeded(24).failed(1));
    assertThat(events.failed().stream())
        .singleElement()
        .satisfies(
            failed -> assertThat(failed.getTestDescriptor().getDisplayName()).isEqualTo("seed 3"));
  }

  @RunOnLoop
  static class WithMore {
    @TestFactory
    Stream<DynamicTest> dynamicTests() {
      return Stream.of("one", "other")
          .map(name ->
              DynamicTest.dynamicTest(
                  name,
                  () -> {
                    Asyncio.sleep(Duration.ofHours(1));
                    TRACE.add(name);
                  }));
    }

    @Nested
    class Inner {
      @Test
      void inherits() {
        Asyncio.sleep(Duration.ofHours(1));
        TRACE.add("nested");
      }
    }
  }

  @Test
  void dynamicAndNestedTestsRunOnLoopsToo() {
    run(WithMore.class).assertStatistics(stats -> stats.succeeded(3).failed(0));

    assertThat(TRACE).containsExactlyInAnyOrder("one", "other", "nested");
  }

  @RunOnLoop
  static class DynamicOnes {
    private Loop ofFactory;

    @BeforeEach
    void remember() {
      ofFactory = Loop.running();
    }

    @RunOnLoop
    @TestFactory
    Stream<DynamicTest> careless() {
      assertThat(Loop.running()).isSameAs(ofFactory);
      return Stream.of("forgets", "begins anew")
          .map(name ->
              DynamicTest.dynamicTest(
                  name,
                  () -> {
                    assertThat(Loop.running()).isNotSameAs(ofFactory);
                    TRACE.add(name + " at " + Loop.running().time());
                    Asyncio.sleep(Duration.ofHours(1));
                    if (name.equals("forgets")) {
                      Asyncio.createTask(() -> Asyncio.sleep(Duration.ofHours(1)), "forgotten");
                    }
                  }));
    }

    @RunOnLoop(LoopKind.REAL)
    @TestFactory
    DynamicNode inAContainer() {
      return DynamicContainer.dynamicContainer(
          "container",
          Stream.of(
              DynamicTest.dynamicTest(
                  "on a real loop",
                  () -> TRACE.add("memory? " + Loop.running().transport().equals("memory")))));
    }

    @AfterEach
    void check() {
      assertThat(Loop.running()).isSameAs(ofFactory);
    }
  }

  @Test
  void aDynamicTestHasALoopOfItsOwnOfTheKindThatItsFactoryHas() {
    Events events = run(DynamicOnes.class);

    assertThat(TRACE)
        .containsExactlyInAnyOrder("forgets at PT0S", "begins anew at PT0S", "memory? false");
    events.assertStatistics(stats -> stats.succeeded(2).failed(1));
    events
        .assertThatEvents()
        .haveExactly(
            1,
            event(
                displayName("forgets"),
                finishedWithFailure(
                    instanceOf(LeftBehindError.class),
                    message(text -> text.contains("task 'forgotten'")))));
  }

  @RunOnLoop
  static class FailingAndCareless {
    @Test
    void fails() throws IOException {
      Asyncio.createTask(() -> Asyncio.sleep(Duration.ofHours(1)), "forgotten");
      throw new IOException("by itself");
    }

    @TestFactory
    DynamicTest dynamic() {
      return DynamicTest.dynamicTest("fails dynamically", this::fails);
    }
  }

  @Test
  void whatAFailingTestLeavesIsNotedBesideItsFailure() {
    Events events = run(FailingAndCareless.class);

    events
        .assertThatEvents()
        .haveExactly(
            2,
            event(
                finishedWithFailure(
                    instanceOf(IOException.class),
                    message("by itself"),
                    suppressed(0, message(text -> text.contains("task 'forgotten'"))))));
  }

  @Test
  void aPropertyThatIsNoSeedIsRefused() {
    System.setProperty("weir.seed", "abc");
    try {
      EngineTestKit.engine("junit-jupiter")
          .selectors(DiscoverySelectors.selectMethod(Seeded.class, "isRunWithEverySeed"))
          .execute()
          .containerEvents()
          .assertThatEvents()
          .haveExactly(
              1,
              event(
                  finishedWithFailure(
                      message(text -> text.contains("-Dweir.seed=abc is no seed")))));
    } finally {
      System.clearProperty("weir.seed");
    }
  }
}
