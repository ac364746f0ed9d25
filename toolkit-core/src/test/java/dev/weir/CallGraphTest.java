package dev.weir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.task.Action;
import dev.weir.task.Future;
import dev.weir.task.FutureCallGraph;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who waits for whom, and where, as {@code Asyncio.captureCallGraph} tells it. */
class CallGraphTest {
  private static final Duration LONG = Duration.ofHours(1);

  private static Future<Object> newFuture() {
    return Loop.running().createFuture();
  }

  /** Starts a task and has it come to its first wait. */
  private static Task<?> started(String name, Action action) {
    Task<?> task = Asyncio.createTask(action, name);
    Loops.settle();
    return task;
  }

  /** {@return the names of those who wait for it, and in brackets of those who wait for them} */
  private static List<String> awaitersOf(Future<?> future) {
    return awaiters(Asyncio.captureCallGraph(future));
  }

  private static List<String> awaiters(FutureCallGraph graph) {
    return graph.awaitedBy().stream()
        .map(awaiter -> {
          List<String> further = awaiters(awaiter);
          return ((Task<?>) awaiter.future()).name() + (further.isEmpty() ? "" : further);
        })
        .toList();
  }

  private static List<String> methods(FutureCallGraph graph) {
    return graph.callStack().stream().map(StackTraceElement::getMethodName).toList();
  }

  // --- Who waits

  @Test
  void whoAwaitsAFutureAndWhoAwaitsThatOne() {
    Loops.run(() -> {
      Future<Object> future = newFuture();
      Task<?> near = started("near", future::await);
      started("far", near::await);
      started("beside", future::await);

      assertThat(awaitersOf(future)).containsExactly("near[far]", "beside");
      future.setResult("done");
      Loops.settle();
      assertThat(awaitersOf(future)).isEmpty();
    });
  }

  @Test
  void gatherAndWaitAndAsCompletedAndShieldWaitForWhatTheyWereGiven() {
    Loops.run(() -> {
      Future<Object> one = newFuture();
      Future<Object> two = newFuture();
      List<Future<Object>> both = List.of(one, two);
      started("gather", () -> Asyncio.gather(both).await());
      started("wait", () -> Asyncio.wait(both));
      started("asCompleted", () -> Asyncio.asCompleted(both).forEach(Future::done));
      started("shield", () -> Asyncio.shield(one).await());
      started("nested", () -> Asyncio.gather(List.of(Asyncio.shield(two))).await());

      assertThat(awaitersOf(one)).containsExactly("gather", "wait", "asCompleted", "shield");
      assertThat(awaitersOf(two)).containsExactly("gather", "wait", "asCompleted", "nested");
      two.setResult("done");
      Loops.settle();
      assertThat(awaitersOf(two)).isEmpty();
      assertThat(awaitersOf(one)).containsExactly("gather", "wait", "asCompleted", "shield");
      one.setResult("done");
    });
  }

  @Test
  void aTaskOfAGroupIsAwaitedByTheOneWhoRunsTheGroupFromTheBeginning() {
    Loops.run(() -> {
      List<Task<?>> children = new ArrayList<>();
      Future<Object> inBody = newFuture();
      Task<?> parent =
          started(
              "parent",
              () ->
                  new TaskGroup()
                      .run(group -> {
                        children.add(group.createTask(() -> Asyncio.sleep(LONG), "child"));
                        inBody.await();
                      }));
      started("boss", parent::await);

      assertThat(awaitersOf(children.getFirst())).containsExactly("parent[boss]");
      inBody.setResult("the body ends");
      Loops.settle();
      assertThat(awaitersOf(children.getFirst())).containsExactly("parent[boss]");
      children.getFirst().cancel();
      Loops.settle();
      assertThat(parent.done()).isTrue();
      assertThat(awaitersOf(children.getFirst())).isEmpty();
    });
  }

  @Test
  void whoWaitsByOtherMeansIsThereFromWhenItIsSaidToWhenItIsTakenBack() {
    Loops.run(() -> {
      Future<Object> future = newFuture();
      Task<?> task = started("callback's", () -> Asyncio.sleep(LONG));
      future.addToAwaitedBy(task);
      future.addToAwaitedBy(task);
      assertThat(awaitersOf(future)).containsExactly("callback's");

      future.discardFromAwaitedBy(task);
      future.discardFromAwaitedBy(task);
      assertThat(awaitersOf(future)).isEmpty();

      future.addToAwaitedBy(task);
      future.setResult("done");
      Loops.settle();
      assertThat(awaitersOf(future)).isEmpty();
    });
  }

  @Test
  void aCircleEndsWhereItBegan() {
    Loops.run(() -> {
      List<Task<?>> tasks = new ArrayList<>();
      tasks.add(started("one", () -> Asyncio.sleep(LONG)));
      tasks.add(started("two", () -> tasks.getFirst().await()));
      tasks.get(1).addToAwaitedBy(tasks.get(0));

      assertThat(awaitersOf(tasks.get(0))).containsExactly("two");
      assertThat(awaitersOf(tasks.get(1))).containsExactly("one");
    });
  }

  private static int size(FutureCallGraph graph) {
    return 1 + graph.awaitedBy().stream().mapToInt(CallGraphTest::size).sum();
  }

  @Test
  void aTaskThatIsReachedByManyPathsIsFollowedOnce() {
    Loops.run(() -> {
      Future<Object> future = newFuture();
      List<Future<?>> below = List.of(future);
      for (int layer = 0; layer < 18; layer++) {
        List<Future<?>> awaited = below;
        below =
            List.of(
                started("left " + layer, () -> Asyncio.wait(awaited)),
                started("right " + layer, () -> Asyncio.wait(awaited)));
      }
      FutureCallGraph graph = Asyncio.captureCallGraph(future);

      assertThat(size(graph)).as("two of each layer by each of two").isEqualTo(1 + 2 + 17 * 4);
      assertThat(graph.format().lines().filter(line -> line.endsWith(", see above"))).hasSize(34);
    });
  }

  @Test
  void aChainMayBeLongerThanAStackIsDeep() {
    Loops.run(() -> {
      Future<Object> future = newFuture();
      Future<?> last = future;
      for (int i = 0; i < 20_000; i++) {
        Future<?> awaited = last;
        last = Asyncio.createTask(() -> Asyncio.wait(List.of(awaited)), "link " + i);
      }
      Loops.settle();
      FutureCallGraph graph = Asyncio.captureCallGraph(future, 0);
      int links = 0;
      for (FutureCallGraph each = graph; !each.awaitedBy().isEmpty(); links++) {
        each = each.awaitedBy().getFirst();
      }

      assertThat(links).isEqualTo(20_000);
      assertThat(graph.format()).contains("* Task[link 99,").endsWith("  ...\n");
      assertThat(graph.format()).doesNotContain("link 100,");
      assertThat(graph).hasToString("FutureCallGraph[Future[pending], awaited by 1]");
    });
  }

  // --- Where

  private static void inner() {
    Asyncio.sleep(LONG);
  }

  private static void outer() {
    inner();
  }

  @Test
  void aStackIsTheUsersDownToTheCallThatWaits() {
    Loops.run(() -> {
      Task<?> task = started("sleeper", CallGraphTest::outer);

      assertThat(methods(Asyncio.captureCallGraph(task)))
          .containsExactly("sleep", "inner", "outer");
    });
  }

  @Test
  void aLimitTakesTheInnermostCallsOrTheOutermost() {
    Loops.run(() -> {
      Task<?> task = started("sleeper", CallGraphTest::outer);

      assertThat(methods(Asyncio.captureCallGraph(task, 2))).containsExactly("sleep", "inner");
      assertThat(methods(Asyncio.captureCallGraph(task, -2))).containsExactly("inner", "outer");
      assertThat(methods(Asyncio.captureCallGraph(task, 0))).isEmpty();
      assertThat(methods(Asyncio.captureCallGraph(task, -9))).hasSize(3);
      assertThat(methods(Asyncio.captureCallGraph(task, Integer.MIN_VALUE))).hasSize(3);
    });
  }

  private static void waitFor(Future<?> future) {
    future.await();
  }

  private static FutureCallGraph captureHere() {
    return Asyncio.captureCallGraph();
  }

  @Test
  void theCallingTaskAsksAboutItselfAndACallbackHasNone() {
    Loops.run(() -> {
      FutureCallGraph own = captureHere();
      List<FutureCallGraph> ofCallback = new ArrayList<>();
      Loop.running().callSoon(() -> ofCallback.add(Asyncio.captureCallGraph()));
      Asyncio.yieldNow();

      assertThat(own.future()).isSameAs(Asyncio.currentTask());
      assertThat(methods(own).getFirst()).isEqualTo("captureHere");
      assertThat(ofCallback).containsExactly((FutureCallGraph) null);
    });
  }

  @Test
  void outsideALoopThereIsNoTaskToAskAbout() {
    assertThatThrownBy(Asyncio::captureCallGraph)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  @Test
  void itIsPrintedAsATree() {
    Loops.run(() -> {
      Future<Object> future = newFuture();
      Task<?> near = started("near", () -> waitFor(future));
      started("far", () -> waitFor(near));
      StringBuilder printed = new StringBuilder();
      Asyncio.printCallGraph(future, printed);

      assertThat(printed.toString().replaceAll("(?m)^( +\\|   at ).*\\n(\\1.*\\n)*", "$1...\n"))
          .isEqualTo(
              """
              * Future[pending]
                + Awaited by:
                   * Task[near, pending]
                     + Call stack:
                     |   at ...
                     + Awaited by:
                        * Task[far, pending]
                          + Call stack:
                          |   at ...
              """);
      assertThat(printed).contains("CallGraphTest.waitFor(CallGraphTest.java:");
    });
  }
}
