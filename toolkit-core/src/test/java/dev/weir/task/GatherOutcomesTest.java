package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code gather(..., return_exceptions=True)}. */
class GatherOutcomesTest {
  private final IOException failure = new IOException("broken");

  @Test
  void outcomesComeInTheOrderOfTheArgumentsFailuresAndCancellationsAmongThem() {
    Loops.run(() -> {
      Future<String> cancelled = Loop.running().createFuture();
      Future<List<Outcome<String>>> all =
          Asyncio.gatherOutcomes(
              List.of(Loops.failing(failure), cancelled, Asyncio.createTask(() -> "fine")));
      cancelled.cancel("the child");

      List<Outcome<String>> outcomes = all.await();

      assertThat(outcomes.get(0)).isEqualTo(new Outcome.Failure<>(failure));
      assertThat(outcomes.get(1))
          .isInstanceOfSatisfying(
              Outcome.Failure.class,
              child ->
                  assertThat(child.exception())
                      .isInstanceOf(CancelledError.class)
                      .hasMessage("the child"));
      assertThat(outcomes.get(2)).isEqualTo(new Outcome.Success<>("fine"));
    });
  }

  @Test
  void itWaitsForAllEvenIfOneFails() {
    Loops.run(() -> {
      Future<String> open = Loop.running().createFuture();
      Future<List<Outcome<String>>> all =
          Asyncio.gatherOutcomes(List.of(Loops.failing(failure), open));
      Loops.settle();
      assertThat(all.done()).isFalse();

      open.setResult("x");

      assertThat(all.await())
          .containsExactly(new Outcome.Failure<>(failure), new Outcome.Success<>("x"));
    });
  }

  @Test
  void coroutinesRunSideBySide() {
    Loops.run(() -> {
      List<Outcome<String>> outcomes =
          Asyncio.<String>gatherOutcomes(
                  () -> "fine",
                  () -> {
                    throw failure;
                  })
              .await();

      assertThat(outcomes)
          .containsExactly(new Outcome.Success<>("fine"), new Outcome.Failure<>(failure));
    });
  }

  @Test
  void whatStandsInTheListIsNotReportedAsWell() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Asyncio.gatherOutcomes(List.of(Loops.failing(failure), Loops.failing(failure))).await();
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void gatheringNothingIsDoneAtOnce() {
    Loops.run(() -> {
      assertThat(Asyncio.gatherOutcomes(List.<Future<String>>of()).result()).isEmpty();
    });
  }

  @Test
  void aFutureThatIsGivenTwiceStandsTwiceInTheList() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> "x");

      assertThat(Asyncio.gatherOutcomes(List.of(task, task)).await())
          .containsExactly(new Outcome.Success<>("x"), new Outcome.Success<>("x"));
    });
  }

  @Test
  void cancellingCancelsTheChildrenAndFailsWhenAllHaveEnded() {
    Loops.run(() -> {
      Future<String> cleanUp = Loop.running().createFuture();
      Task<?> quick = Loops.sleeper();
      Task<?> slow = GatherTest.sleeperThatCleansUp(cleanUp);
      Future<? extends List<?>> all = Asyncio.gatherOutcomes(List.of(quick, slow));

      assertThat(all.cancel("enough")).isTrue();
      Loops.settle();
      assertThat(quick.cancelled()).isTrue();
      assertThat(all.done()).as("one still cleans up").isFalse();

      cleanUp.setResult("cleaned up");
      assertThatThrownBy(all::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThat(all.cancelled()).isFalse();
    });
  }

  @Test
  void aCancelledGatherFailsWithCancelledErrorEvenIfEveryChildSwallowedIt() {
    Loops.run(() -> {
      Future<List<Outcome<String>>> all = Asyncio.gatherOutcomes(List.of(GatherTest.stubborn()));

      all.cancel("enough");

      assertThatThrownBy(all::await).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void cancellingWhenEveryChildIsDoneIsRefused() {
    Loops.run(() -> {
      Future<String> child = Loop.running().createFuture();
      Future<List<Outcome<String>>> all = Asyncio.gatherOutcomes(List.of(child));
      child.setException(failure);

      assertThat(all.cancel()).isFalse();
      assertThat(all.await()).containsExactly(new Outcome.Failure<>(failure));
    });
  }

  @Test
  void futuresOfAnotherLoopAreRefused() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> foreign = other.createFuture();

        assertThatThrownBy(() -> Asyncio.gatherOutcomes(List.of(foreign)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("another loop");
      }
    });
  }

  @Test
  void theOutcomeOfAPendingFutureIsRefused() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Outcome.of(Loop.running().createFuture()))
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("pending");
    });
  }
}
