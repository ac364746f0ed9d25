package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A task that waits for its own end, which it is told at once. */
class SelfWaitTest {
  private static final Duration SOON = Duration.ofMillis(1);

  static Stream<Named<Action>> waitsForTheCaller() {
    return Stream.of(
        wait("await()", () -> self().await()),
        wait("await(Class)", () -> self().await(Exception.class)),
        wait("waitFor()", () -> Asyncio.waitFor(self(), Loops.LONG)),
        wait("waitFor() without a timeout", () -> Asyncio.waitFor(self(), null)),
        wait("waitFor() without time", () -> Asyncio.waitFor(self(), Duration.ZERO)),
        wait("wait()", () -> Asyncio.wait(List.of(self()))),
        wait("wait() for others too", () -> Asyncio.wait(List.of(Loops.done("x"), self()))),
        wait(
            "wait() for the first",
            () -> Asyncio.wait(List.of(self()), ReturnWhen.FIRST_COMPLETED)),
        wait("gather()", () -> Asyncio.gather(List.of(self())).await()),
        wait(
            "gather() with others", () -> Asyncio.gather(List.of(Loops.sleeper(), self())).await()),
        wait("gatherOutcomes()", () -> Asyncio.gatherOutcomes(List.of(self())).await()),
        wait(
            "waitFor() of a gather()",
            () -> Asyncio.waitFor(Asyncio.gather(List.of(self())), Duration.ZERO)),
        wait(
            "wait() for a gather()", () -> Asyncio.wait(List.of(Asyncio.gather(List.of(self()))))));
  }

  private static Named<Action> wait(String name, Action call) {
    return Named.named(name, call);
  }

  private static Task<?> self() {
    return Asyncio.currentTask();
  }

  @ParameterizedTest
  @MethodSource("waitsForTheCaller")
  void isRefusedWithWordsThatSayWhy(Action call) {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(call, "lonely");
      Loops.settle(); // Not an await, which would hang where nothing is thrown.

      assertThat(task.done()).isTrue();
      assertThat(task.cancelled()).isFalse();
      assertThat(task.exception())
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("lonely")
          .hasMessageContaining("awaits itself")
          .hasMessageContaining("never end");
    });
  }

  @Test
  void waitWithATimeoutReturnsTheCallerAsPending() {
    Loops.run(() -> {
      DoneAndPending<Task<?>> outcome =
          Asyncio.wait(List.of(self()), ReturnWhen.ALL_COMPLETED, SOON);

      assertThat(outcome.done()).isEmpty();
      assertThat(outcome.pending()).containsExactly(self());
    });
  }

  @Test
  void waitForTheFirstOfOthersAndTheCallerReturns() {
    Loops.run(() -> {
      Task<?> other = Asyncio.createTask(() -> {});

      DoneAndPending<Task<?>> outcome =
          Asyncio.wait(List.of(self(), other), ReturnWhen.FIRST_COMPLETED);

      assertThat(outcome.done()).containsExactly(other);
      assertThat(outcome.pending()).containsExactly(self());
    });
  }

  @Test
  void aGatherThatHasFailedAlreadyThrowsThatFailure() {
    IllegalStateException failure = new IllegalStateException("of the other");

    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            Future<?> all = Asyncio.gather(List.of(self(), Loops.failing(failure)));
            Loops.settle();
            all.await();
          });
      Loops.settle();
      Loops.settle();

      assertThat(task.exception()).isSameAs(failure);
    });
  }
}
