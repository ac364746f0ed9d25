package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Named.named;

import dev.weir.Asyncio;
import dev.weir.stream.ServerOptions;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every public method either may be called by any thread, or refuses a thread off its loop. */
class WrongThreadTest {
  private static final Coroutine<String> BODY = () -> "x";
  private static final Action ACTION = () -> {};
  private static final Runnable CALLBACK = () -> {};
  private static final TaskOptions OPTIONS = TaskOptions.defaults();
  private static final Context CONTEXT = Context.empty();

  /** A call on what belongs to a running loop. */
  interface Call {
    void on(Loop loop, Future<String> future, Task<String> task) throws Exception;
  }

  static Stream<Named<Call>> callsThatNameTheLoop() {
    return Stream.of(
        call("Loop.sleep", (loop, future, task) -> loop.sleep(Duration.ofNanos(1))),
        call("Loop.yieldNow", (loop, future, task) -> loop.yieldNow()),
        call("Loop.exclusive(coroutine)", (loop, future, task) -> loop.exclusive(BODY)),
        call("Loop.exclusive(action)", (loop, future, task) -> loop.exclusive(ACTION)),
        call("Loop.toThread(coroutine)", (loop, future, task) -> loop.toThread(BODY)),
        call("Loop.toThread(action)", (loop, future, task) -> loop.toThread(ACTION)),
        call(
            "Loop.shutdownDefaultExecutor",
            (loop, future, task) -> loop.shutdownDefaultExecutor(Duration.ZERO)),
        call("Loop.ensureInTask", (loop, future, task) -> loop.ensureInTask("x")),
        call("Loop.ensureMaySuspend", (loop, future, task) -> loop.ensureMaySuspend("x")),
        call("Future.done", (loop, future, task) -> future.done()),
        call("Future.cancelled", (loop, future, task) -> future.cancelled()),
        call("Future.await", (loop, future, task) -> future.await()),
        call("Future.await(Class)", (loop, future, task) -> future.await(IOException.class)),
        call("Future.result", (loop, future, task) -> future.result()),
        call("Future.exception", (loop, future, task) -> future.exception()),
        call("Future.setResult", (loop, future, task) -> future.setResult("x")),
        call("Future.setException", (loop, future, task) -> future.setException(new IOException())),
        call("Future.cancel", (loop, future, task) -> future.cancel()),
        call("Future.cancel(message)", (loop, future, task) -> future.cancel("x")),
        call("Future.addDoneCallback", (loop, future, task) -> future.addDoneCallback(f -> {})),
        call(
            "Future.addDoneCallback(context)",
            (loop, future, task) -> future.addDoneCallback(f -> {}, CONTEXT)),
        call(
            "Future.removeDoneCallback",
            (loop, future, task) -> future.removeDoneCallback(f -> {})),
        call("Future.addToAwaitedBy", (loop, future, task) -> future.addToAwaitedBy(task)),
        call(
            "Future.discardFromAwaitedBy",
            (loop, future, task) -> future.discardFromAwaitedBy(task)),
        call(
            "Futures.captureCallGraph",
            (loop, future, task) -> Futures.captureCallGraph(future, 1)),
        call("Future.toCompletableFuture", (loop, future, task) -> future.toCompletableFuture()),
        call("Task.await", (loop, future, task) -> task.await()),
        call("Task.setName", (loop, future, task) -> task.setName("x")),
        call("Task.cancel", (loop, future, task) -> task.cancel()),
        call("Task.cancel(message)", (loop, future, task) -> task.cancel("x")),
        call("Task.uncancel", (loop, future, task) -> task.uncancel()),
        call("Task.cancelling", (loop, future, task) -> task.cancelling()),
        call("Task.waitingFor", (loop, future, task) -> task.waitingFor()),
        call("Task.suspensions", (loop, future, task) -> task.suspensions()),
        call("Task.observe", (loop, future, task) -> task.observe(null)),
        call("Loop.allTasks", (loop, future, task) -> loop.allTasks()),
        call("Loop.close", (loop, future, task) -> loop.close()),
        call("Loop.callSoon", (loop, future, task) -> loop.callSoon(CALLBACK)),
        call("Loop.callSoon(context)", (loop, future, task) -> loop.callSoon(CALLBACK, CONTEXT)),
        call("Loop.callLater", (loop, future, task) -> loop.callLater(Duration.ZERO, CALLBACK)),
        call(
            "Loop.callLater(context)",
            (loop, future, task) -> loop.callLater(Duration.ZERO, CALLBACK, CONTEXT)),
        call("Loop.callAt", (loop, future, task) -> loop.callAt(Duration.ZERO, CALLBACK)),
        call(
            "Loop.callAt(context)",
            (loop, future, task) -> loop.callAt(Duration.ZERO, CALLBACK, CONTEXT)),
        call("Loop.createFuture", (loop, future, task) -> loop.createFuture()),
        call("Loop.createFuture(purpose)", (loop, future, task) -> loop.createFuture("x")),
        call("Loop.pendingTimers", (loop, future, task) -> loop.pendingTimers()),
        call("Loop.createTask(coroutine)", (loop, future, task) -> loop.createTask(BODY)),
        call(
            "Loop.createTask(coroutine, name)", (loop, future, task) -> loop.createTask(BODY, "x")),
        call(
            "Loop.createTask(coroutine, options)",
            (loop, future, task) -> loop.createTask(BODY, OPTIONS)),
        call("Loop.createTask(action)", (loop, future, task) -> loop.createTask(ACTION)),
        call("Loop.createTask(action, name)", (loop, future, task) -> loop.createTask(ACTION, "x")),
        call(
            "Loop.createTask(action, options)",
            (loop, future, task) -> loop.createTask(ACTION, OPTIONS)),
        call("Loop.background", (loop, future, task) -> loop.background(ACTION)),
        call("Loop.setTaskFactory", (loop, future, task) -> loop.setTaskFactory(null)),
        call("Loop.taskFactory", (loop, future, task) -> loop.taskFactory()),
        call("Loop.runInExecutor", (loop, future, task) -> loop.runInExecutor(BODY)),
        call(
            "Loop.runInExecutor(executor)",
            (loop, future, task) -> loop.runInExecutor(Runnable::run, BODY)),
        call(
            "Loop.setDefaultExecutor",
            (loop, future, task) -> {
              try (var executor = Executors.newCachedThreadPool()) {
                loop.setDefaultExecutor(executor);
              }
            }),
        call("Loop.wrapFuture", (loop, future, task) -> loop.wrapFuture(new CompletableFuture<>())),
        call("Loop.setResolver", (loop, future, task) -> loop.setResolver(null)),
        call("Loop.resolver", (loop, future, task) -> loop.resolver()),
        call(
            "Loop.addSignalHandler",
            (loop, future, task) -> loop.addSignalHandler("HUP", CALLBACK)),
        call("Loop.removeSignalHandler", (loop, future, task) -> loop.removeSignalHandler("HUP")),
        call("Loop.attach", (loop, future, task) -> loop.attach("x", deadline -> {})),
        call("Loop.setExceptionHandler", (loop, future, task) -> loop.setExceptionHandler(null)),
        call("Loop.exceptionHandler", (loop, future, task) -> loop.exceptionHandler()),
        call("Loop.ensureHeld", (loop, future, task) -> loop.ensureHeld("x")));
  }

  /** Calls that find their loop, or their task, through the calling thread. */
  static Stream<Named<Call>> callsOfTheRunningLoop() {
    return Stream.of(
        call("Futures.gather", (loop, future, task) -> Futures.gather(List.of(future))),
        call(
            "Futures.gatherOutcomes",
            (loop, future, task) -> Futures.gatherOutcomes(List.of(future))),
        call(
            "Futures.createTasks",
            (loop, future, task) -> Futures.<String>createTasks(coroutines())),
        call(
            "Futures.wait",
            (loop, future, task) ->
                Futures.wait(List.of(future), ReturnWhen.ALL_COMPLETED, Duration.ZERO)),
        call("Futures.asCompleted", (loop, future, task) -> asCompleted(future)),
        call(
            "Futures.waitFor(future)",
            (loop, future, task) -> Futures.waitFor(future, Duration.ZERO)),
        call(
            "Futures.waitFor(coroutine)",
            (loop, future, task) -> Futures.waitFor(BODY, Duration.ZERO)),
        call("Futures.shield", (loop, future, task) -> Futures.shield(future)));
  }

  static Stream<Named<Call>> callsThatAnyThreadMayMake() {
    return Stream.of(
        call("Future.loop", (loop, future, task) -> future.loop()),
        call("Future.purpose", (loop, future, task) -> future.purpose()),
        call("Future.toString", (loop, future, task) -> assertThat(future.toString()).isNotEmpty()),
        call("Task.name", (loop, future, task) -> task.name()),
        call("Task.context", (loop, future, task) -> task.context()),
        call("Task.stackTrace", (loop, future, task) -> task.stackTrace()),
        call("Task.printStack", (loop, future, task) -> task.printStack(new StringBuilder())),
        call("Task.toString", (loop, future, task) -> assertThat(task.toString()).isNotEmpty()),
        call("Loop.isRunning", (loop, future, task) -> loop.isRunning()),
        call("Loop.isClosed", (loop, future, task) -> loop.isClosed()),
        call("Loop.callSoonThreadsafe", (loop, future, task) -> loop.callSoonThreadsafe(CALLBACK)),
        call(
            "Loop.callSoonThreadsafe(context)",
            (loop, future, task) -> loop.callSoonThreadsafe(CALLBACK, CONTEXT)),
        call("Loop.time", (loop, future, task) -> loop.time()),
        call("Loop.debug", (loop, future, task) -> loop.debug()),
        call("Loop.setDebug", (loop, future, task) -> loop.setDebug(false)),
        call("Loop.transport", (loop, future, task) -> loop.transport()),
        call("Loop.fibers", (loop, future, task) -> loop.fibers()),
        call("Loop.group", (loop, future, task) -> loop.group()),
        call("Loop.inTask", (loop, future, task) -> loop.inTask()),
        call("Loop.toString", (loop, future, task) -> assertThat(loop.toString()).isNotEmpty()),
        call(
            "Futures.runCoroutineThreadsafe",
            (loop, future, task) -> Futures.runCoroutineThreadsafe(BODY, loop)));
  }

  /** The public methods that no list above has, and the test that shows what they do. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          "Task.setResult", // Refused on every thread: TaskTest.
          "Task.setException",
          "Loop.open", // Has no loop yet.
          "Loop.running", // aThreadOffTheLoopHasNoRunningLoop
          "Loop.runningOrNull",
          "Loop.currentTask",
          "Loop.stop", // stopMayBeCalledByAnyThread
          "Loop.runForever", // aLoopThatRunsIsNotRunBySomebodyElse
          "Loop.runUntilComplete",
          "Loop.callExceptionHandler", // Delegate without looking at the thread.
          "Loop.defaultExceptionHandler",
          "Loop.network");

  @ParameterizedTest
  @MethodSource("callsThatNameTheLoop")
  void isRefusedOnEveryForeignThreadAndNamesTheLoop(Call call) {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      Task<String> task = loop.createTask(BODY);

      for (ForeignThread thread : ForeignThread.values()) {
        assertThat(thread.thrownBy(() -> call.on(loop, future, task)))
            .as("on %s", thread)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining(loop.carrier.thread.getName());
      }

      assertThat(future.done()).isFalse();
      assertThat(task.cancelling()).isZero();
      task.await();
    });
  }

  @ParameterizedTest
  @MethodSource("callsOfTheRunningLoop")
  void needsARunningLoopOrOneOfTheFuture(Call call) {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();

      for (ForeignThread thread : ForeignThread.values()) {
        if (thread != ForeignThread.TASK_OF_ANOTHER_LOOP) {
          assertThat(thread.thrownBy(() -> call.on(loop, future, null)))
              .as("on %s", thread)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("No running loop on thread")
              .hasMessageContaining("Asyncio.run");
        }
      }

      assertThat(future.done()).isFalse();
    });
  }

  @ParameterizedTest
  @MethodSource("callsThatAnyThreadMayMake")
  void worksOnEveryForeignThread(Call call) {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      Task<String> task = loop.createTask(BODY);

      for (ForeignThread thread : ForeignThread.values()) {
        assertThat(thread.thrownBy(() -> call.on(loop, future, task))).as("on %s", thread).isNull();
      }
    });
  }

  @Test
  void aThreadOffTheLoopHasNoRunningLoop() {
    Loops.run(() -> {
      for (ForeignThread thread : ForeignThread.values()) {
        if (thread != ForeignThread.TASK_OF_ANOTHER_LOOP) {
          assertThat(thread.thrownBy(() -> assertThat(Loop.runningOrNull()).isNull())).isNull();
          for (Action call : List.<Action>of(Loop::running, Loop::currentTask)) {
            assertThat(thread.thrownBy(call))
                .as("on %s", thread)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("No running loop on thread");
          }
        }
      }
    });
  }

  static Stream<Named<Action>> functionsOfAsyncio() {
    List<Future<String>> none = List.of();
    Future<String> noFuture = null;
    return Stream.of(
        named("runningLoop", () -> Asyncio.runningLoop()),
        named("createTask(coroutine)", () -> Asyncio.createTask(BODY)),
        named("createTask(coroutine, name)", () -> Asyncio.createTask(BODY, "x")),
        named("createTask(coroutine, options)", () -> Asyncio.createTask(BODY, OPTIONS)),
        named("createTask(action)", () -> Asyncio.createTask(ACTION)),
        named("createTask(action, name)", () -> Asyncio.createTask(ACTION, "x")),
        named("createTask(action, options)", () -> Asyncio.createTask(ACTION, OPTIONS)),
        named("background", () -> Asyncio.background(ACTION)),
        named("currentTask", () -> Asyncio.currentTask()),
        named("allTasks", () -> Asyncio.allTasks()),
        named("sleep", () -> Asyncio.sleep(Duration.ZERO)),
        named("sleep with a result", () -> Asyncio.sleep(Duration.ZERO, "x")),
        named("yieldNow", () -> Asyncio.yieldNow()),
        named("gather coroutines", () -> Asyncio.gather(BODY)),
        named("gather", () -> Asyncio.gather(none)),
        named("gatherOutcomes of coroutines", () -> Asyncio.gatherOutcomes(BODY)),
        named("gatherOutcomes", () -> Asyncio.gatherOutcomes(none)),
        named("wait", () -> Asyncio.wait(none)),
        named("waitFor a coroutine", () -> Asyncio.waitFor(BODY, null)),
        named("waitFor", () -> Asyncio.waitFor(noFuture, null)),
        named("asCompleted", () -> Asyncio.asCompleted(none)),
        named("shield", () -> Asyncio.shield(noFuture)),
        named("timeout", () -> Asyncio.timeout(Duration.ZERO)),
        named("timeoutAt", () -> Asyncio.timeoutAt(Duration.ZERO)),
        named("exclusive(coroutine)", () -> Asyncio.exclusive(BODY)),
        named("exclusive(action)", () -> Asyncio.exclusive(ACTION)),
        named("toThread(coroutine)", () -> Asyncio.toThread(BODY)),
        named("toThread(action)", () -> Asyncio.toThread(ACTION)),
        named("wrapFuture", () -> Asyncio.wrapFuture(new CompletableFuture<>())),
        named("openConnection", () -> Asyncio.openConnection("localhost", 1)),
        named("startServer", () -> Asyncio.startServer((reader, writer) -> {}, null, 0)),
        named(
            "startServer(hosts)",
            () ->
                Asyncio.startServer(
                    (reader, writer) -> {}, List.of(""), 0, ServerOptions.defaults())));
  }

  @ParameterizedTest
  @MethodSource("functionsOfAsyncio")
  void asyncioNeedsARunningLoop(Action call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop on thread")
        .hasMessageContaining("Asyncio.run");
  }

  @Test
  void aLoopThatRunsIsNotRunBySomebodyElse() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      List<Action> calls =
          List.of(
              loop::runForever,
              () -> loop.runUntilComplete(BODY),
              () -> loop.runUntilComplete(ACTION),
              () -> loop.runUntilComplete(future));
      for (Action call : calls) {
        for (ForeignThread thread : ForeignThread.values()) {
          assertThat(thread.thrownBy(call))
              .as("on %s", thread)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("run");
        }
      }
    });
  }

  @Test
  void stopMayBeCalledByAnyThread() throws InterruptedException {
    try (Loop loop = Loops.open()) {
      loop.callSoon(() -> Thread.ofPlatform().start(loop::stop));

      loop.runForever();
    }
  }

  @Test
  void everyPublicMethodIsInOneOfTheLists() {
    Set<String> listed = new TreeSet<>(ELSEWHERE);
    Stream.of(callsThatNameTheLoop(), callsOfTheRunningLoop(), callsThatAnyThreadMayMake())
        .flatMap(calls -> calls)
        .forEach(call -> listed.add(call.getName().replaceFirst("\\(.*", "")));

    Set<String> offered =
        Stream.of(Future.class, Task.class, Loop.class, Futures.class)
            .flatMap(type -> Stream.of(type.getDeclaredMethods()))
            .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
            .map(WrongThreadTest::nameOf)
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(listed).containsAll(offered);
  }

  private static String nameOf(Method method) {
    return method.getDeclaringClass().getSimpleName() + "." + method.getName();
  }

  private static Named<Call> call(String name, Call call) {
    return named(name, call);
  }

  private static void asCompleted(Future<String> future) {
    Futures.asCompleted(List.of(future), null).forEach(f -> {});
  }

  @SuppressWarnings("unchecked")
  private static Coroutine<String>[] coroutines() {
    return (Coroutine<String>[]) new Coroutine<?>[] {BODY};
  }
}
