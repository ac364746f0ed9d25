package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncQueue;
import dev.weir.task.FiberKind;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.TaskGroup;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SeedTest {
  private static final int TASKS = 5;

  @Test
  void withoutASeedTasksRunInTheOrderInWhichTheyBecameReady() {
    assertThat(orderOfTasks(VirtualOptions.defaults())).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void everyOrderOfTasksComesUp() {
    Set<List<Integer>> orders = new HashSet<>();
    for (int seed = 0; seed < 2000; seed++) {
      orders.add(orderOfTasks(VirtualOptions.seed(seed)));
    }

    assertThat(orders).as("all of 5!").hasSize(120);
  }

  private static List<Integer> orderOfTasks(VirtualOptions options) {
    List<Integer> order = new ArrayList<>();
    VirtualLoop.run(
        () -> {
          new TaskGroup()
              .run(group -> {
                for (int i = 0; i < TASKS; i++) {
                  int number = i;
                  group.createTask(() -> order.add(number));
                }
              });
        },
        options);
    return order;
  }

  @Test
  void callbacksKeepTheirOrder() {
    for (int seed = 0; seed < 100; seed++) {
      List<Integer> order = new ArrayList<>();
      VirtualLoop.run(
          () -> {
            for (int i = 0; i < TASKS; i++) {
              int number = i;
              Loop.running().callSoon(() -> order.add(number));
              Asyncio.createTask(() -> {});
            }
            Asyncio.sleep(Duration.ofSeconds(1));
          },
          VirtualOptions.seed(seed));

      assertThat(order).containsExactly(0, 1, 2, 3, 4);
    }
  }

  /** What happens in a run in which all that is left to chance has its say, line by line. */
  private static List<String> trace(VirtualOptions options) {
    List<String> trace = new ArrayList<>();
    VirtualLoop.run(() -> play(trace), options);
    return trace;
  }

  private static void play(List<String> trace) throws IOException {
    MemoryNetwork.current().setLinkPolicy(attempt -> LinkConditions.hostile(attempt.random()));
    AsyncQueue<String> done = new AsyncQueue<>();
    try (Server server =
        Asyncio.startServer(
            (reader, writer) -> {
              for (String line : reader.lines(StandardCharsets.UTF_8)) {
                note(trace, "server got " + line);
                Asyncio.sleep(Duration.ofMillis(VirtualLoop.random().nextInt(100)));
                writer.writeLine(line);
              }
            },
            "127.0.0.1",
            0)) {
      int port = server.addresses().getFirst().getPort();
      new TaskGroup()
          .run(group -> {
            for (int i = 0; i < 8; i++) {
              String name = "client " + i;
              group.createTask(
                  () -> {
                    note(trace, name + " " + talk(port, name));
                    done.put(name);
                  },
                  name);
            }
          });
      while (!done.empty()) {
        trace.add(done.get());
      }
      server.shutdown(Duration.ofSeconds(1));
    }
  }

  private static String talk(int port, String name) {
    StringBuilder heard = new StringBuilder();
    try {
      Asyncio.timeout(Duration.ofSeconds(3))
          .run(t -> {
            try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
              for (int i = 0; i < 20; i++) {
                connection.writer().writeLine(name + " says " + i);
                heard.append(connection.reader().read(7).length).append(' ');
              }
            }
          });
      return heard + "in the end";
    } catch (IOException e) {
      return heard + e.toString();
    }
  }

  private static void note(List<String> trace, String line) {
    trace.add(Loop.running().time().toNanos() + " " + Asyncio.currentTask().name() + ": " + line);
  }

  @Test
  void oneSeedGivesOneRunToTheLastLetter() {
    for (int seed = 0; seed < 20; seed++) {
      assertThat(trace(VirtualOptions.seed(seed))).isEqualTo(trace(VirtualOptions.seed(seed)));
    }
  }

  /** As {@link #play}, with work on other threads. */
  private static List<String> traceWithThreads(VirtualOptions options) {
    List<String> trace = new ArrayList<>();
    VirtualLoop.run(
        () ->
            new TaskGroup()
                .run(group -> {
                  for (int i = 0; i < 6; i++) {
                    int number = i;
                    group.createTask(() -> {
                      for (int round = 0; round < 3; round++) {
                        Asyncio.toThread(() -> Thread.onSpinWait());
                        note(trace, number + " back from its thread");
                        Asyncio.sleep(Duration.ofMillis(VirtualLoop.random().nextInt(10)));
                        note(trace, number + " slept");
                      }
                    });
                  }
                }),
        options);
    return trace;
  }

  @Test
  void oneSeedGivesOneRunAlsoWithWorkOnOtherThreads() {
    for (int seed = 0; seed < 20; seed++) {
      VirtualOptions options = VirtualOptions.seed(seed);
      RunOptions portable = options.runOptions().withFibers(FiberKind.PORTABLE);
      List<String> trace = traceWithThreads(options);

      assertThat(traceWithThreads(options)).isEqualTo(trace);
      assertThat(traceWithThreads(options.withRunOptions(portable))).isEqualTo(trace);
    }
  }

  @Test
  void bothKindsOfFibersGiveTheSameRun() {
    for (int seed = 0; seed < 20; seed++) {
      VirtualOptions options = VirtualOptions.seed(seed);
      RunOptions portable = options.runOptions().withFibers(FiberKind.PORTABLE);

      assertThat(trace(options)).isEqualTo(trace(options.withRunOptions(portable)));
    }
  }

  @Test
  void otherSeedsGiveOtherRuns() {
    Set<List<String>> traces = new HashSet<>();
    for (int seed = 0; seed < 20; seed++) {
      traces.add(trace(VirtualOptions.seed(seed)));
    }

    assertThat(traces).hasSize(20);
  }

  @Test
  void runSeedsSaysWithWhichSeedItFailed() {
    AssertionError failure = new AssertionError("the third number was even");

    SeedError error =
        catchThrowableOfType(
            SeedError.class,
            () ->
                VirtualLoop.runSeeds(
                    1000,
                    () -> {
                      if (VirtualLoop.random().nextInt(50) == 7) {
                        throw failure;
                      }
                    }));

    assertThat(error).hasCause(failure).hasMessageContaining("the third number was even");
    assertThat(error).hasMessageContaining("VirtualOptions.seed(" + error.seed() + ")");
    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> assertThat(VirtualLoop.random().nextInt(50)).isNotEqualTo(7),
                VirtualOptions.seed(error.seed())))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void aRunWithASeedThatFailsSaysWhichSeed() {
    IOException failure = new IOException("x");

    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> {
                  throw failure;
                },
                VirtualOptions.seed(4711)))
        .isSameAs(failure);
    assertThat(failure.getSuppressed()).anyMatch(note -> note.getMessage().equals("seed 4711"));
  }

  @Test
  void theErrorsOfTheKitSayWhichSeedInTheirMessage() {
    String seed = "(seed 4711: VirtualOptions.seed(4711))";

    assertThatThrownBy(
            () -> VirtualLoop.run(() -> new AsyncEvent().await(), VirtualOptions.seed(4711)))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining(seed)
        .hasNoSuppressedExceptions();
    assertThatThrownBy(() ->
            VirtualLoop.run(
                () -> Asyncio.createTask(() -> Asyncio.sleep(Duration.ofHours(1))),
                VirtualOptions.seed(4711)))
        .isInstanceOf(LeftBehindError.class)
        .hasMessageContaining(seed)
        .hasNoSuppressedExceptions();
    assertThatThrownBy(() -> VirtualLoop.run(() -> new AsyncEvent().await()))
        .isInstanceOf(DeadlockError.class)
        .hasMessageNotContaining("seed");
  }

  @Test
  void anExceptionThatFailsManyRunsKeepsTheSeedOfTheLast() {
    IOException constant = new IOException("x");

    for (long seed = 0; seed < 3; seed++) {
      VirtualOptions options = VirtualOptions.seed(seed);
      assertThatThrownBy(() ->
              VirtualLoop.run(
                  () -> {
                    throw constant;
                  },
                  options))
          .isSameAs(constant);
    }

    assertThat(constant.getSuppressed())
        .extracting(Throwable::getMessage)
        .containsExactly("seed 2");
  }

  @Test
  void thePropertyChoosesOneSeedAlone() {
    withSeedProperty(
        "7",
        () -> {
          List<Long> firsts = new ArrayList<>();
          VirtualLoop.runSeeds(100, () -> firsts.add(VirtualLoop.random().nextLong()));

          assertThat(firsts)
              .containsExactly(
                  VirtualLoop.<Long>run(
                      () -> VirtualLoop.random().nextLong(), VirtualOptions.seed(7)));
        });
  }

  @Test
  void aPropertyThatIsNoSeedIsRefused() {
    for (String text : List.of("abc", "", "1.5")) {
      withSeedProperty(
          text,
          () ->
              assertThatThrownBy(() -> VirtualLoop.runSeeds(100, () -> {}))
                  .isInstanceOf(IllegalArgumentException.class)
                  .hasMessageContaining("-Dweir.seed=" + text + " is no seed")
                  .hasMessageContaining("-Dweir.seed=7"));
    }
  }

  private static void withSeedProperty(String value, Runnable body) {
    String before = System.getProperty("weir.seed");
    System.setProperty("weir.seed", value);
    try {
      body.run();
    } finally {
      if (before == null) {
        System.clearProperty("weir.seed");
      } else {
        System.setProperty("weir.seed", before);
      }
    }
  }

  @Test
  void runSeedsRunsEachSeedOnce() {
    List<Long> firsts = new ArrayList<>();
    VirtualLoop.runSeeds(100, () -> firsts.add(VirtualLoop.random().nextLong()));

    assertThat(firsts).hasSize(100).doesNotHaveDuplicates();
    assertThatThrownBy(() -> VirtualLoop.runSeeds(0, () -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("count < 1: 0");
  }
}
