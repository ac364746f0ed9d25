package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class GatherTest {
  private final IOException failure = new IOException("broken");

  @Test
  void resultsComeInTheOrderOfTheArgumentsAndNotOfCompletion() {
    Loops.run(() -> {
      Future<String> first = Loop.running().createFuture();
      Future<String> second = Loop.running().createFuture();
      Future<List<String>> all = Asyncio.gather(List.of(first, second));

      second.setResult("b");
      first.setResult("a");

      assertThat(all.await()).containsExactly("a", "b");
    });
  }

  @Test
  void coroutinesRunSideBySide() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      List<Integer> results =
          Asyncio.gather(() -> steps(order, "a", 1), () -> steps(order, "b", 2)).await();

      assertThat(results).containsExactly(1, 2);
      assertThat(order).containsExactly("a begins", "b begins", "a ends", "b ends");
    });
  }

  private static int steps(List<String> order, String name, int result) {
    order.add(name + " begins");
    Asyncio.yieldNow();
    order.add(name + " ends");
    return result;
  }

  @Test
  void nullIsAResultLikeOthers() {
    Loops.run(() -> {
      Future<String> nothing = Loops.done(null);

      assertThat(Asyncio.gather(List.of(nothing, Loops.done("x"))).await())
          .containsExactly(null, "x");
    });
  }

  @Test
  void gatheringNothingIsDoneAtOnce() {
    Loops.run(() -> {
      assertThat(Asyncio.gather(List.<Future<String>>of()).result()).isEmpty();
      assertThat(Asyncio.<String>gather().result()).isEmpty();
    });
  }

  @Test
  void gatheringWhatIsDoneIsDoneAtOnce() {
    Loops.run(() -> {
      assertThat(Asyncio.gather(List.of(Loops.done("a"), Loops.done("b"))).result())
          .containsExactly("a", "b");
    });
  }

  @Test
  void aFutureThatIsGivenTwiceIsWaitedForOnce() {
    Loops.run(() -> {
      int[] runs = {0};
      Task<Integer> task = Asyncio.createTask(() -> ++runs[0]);

      assertThat(Asyncio.gather(List.of(task, task, task)).await()).containsExactly(1, 1, 1);
      assertThat(runs[0]).isEqualTo(1);
    });
  }

  @Test
  void theFirstFailureIsThatOfTheWholeAtOnceAndTheOthersGoOn() {
    Loops.run(() -> {
      Future<String> failing = Loop.running().createFuture();
      Task<?> sibling = Loops.sleeper();
      Future<? extends List<?>> all = Asyncio.gather(List.of(sibling, failing));

      failing.setException(failure);

      assertThatThrownBy(all::await).isSameAs(failure);
      assertThat(all.exception()).isSameAs(failure);
      assertThat(sibling.done()).isFalse();
      assertThat(sibling.cancelling()).isZero();
    });
  }

  @Test
  void aFailureThatComesAfterTheFirstIsReportedAtTheEnd() {
    IOException later = new IOException("later");
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Future<List<String>> all =
          Asyncio.gather(List.of(Loops.failing(failure), Loops.failing(later)));
      assertThatThrownBy(all::await).isSameAs(failure);
      Loops.settle();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(later);
  }

  @Test
  void aLaterFailureThatSomebodyAsksForIsNotReported() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Task<String> first = Loops.failing(failure);
      Task<String> second = Loops.failing(new IOException("later"));
      Future<List<String>> all = Asyncio.gather(List.of(first, second));
      assertThatThrownBy(all::await).isSameAs(failure);
      assertThatThrownBy(second::await).hasMessage("later");
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void aFailureThatWasThereBeforeCounts() {
    Loops.run(() -> {
      Future<String> failed = Loop.running().createFuture();
      failed.setException(failure);

      assertThat(Asyncio.gather(List.of(Loops.sleeper(), failed)).exception()).isSameAs(failure);
    });
  }

  @Test
  void aCancelledChildIsAFailureAndDoesNotCancelTheWhole() {
    Loops.run(() -> {
      Future<String> child = Loop.running().createFuture();
      Task<?> sibling = Loops.sleeper();
      Future<? extends List<?>> all = Asyncio.gather(List.of(child, sibling));

      child.cancel("the child");
      Loops.settle();

      assertThat(all.done()).as("at once").isTrue();
      assertThat(all.cancelled()).isFalse();
      assertThat(all.exception()).isInstanceOf(CancelledError.class).hasMessage("the child");
      assertThatThrownBy(all::await).isInstanceOf(CancelledError.class).hasMessage("the child");
      assertThat(sibling.cancelling()).isZero();
    });
  }

  @Test
  void cancellingCancelsEveryChildThatIsNotDone() {
    Loops.run(() -> {
      Future<String> done = Loops.done("x");
      Task<?> first = Loops.sleeper();
      Task<?> second = Loops.sleeper();
      Future<? extends List<?>> all = Asyncio.gather(List.of(done, first, second));

      assertThat(all.cancel("enough")).isTrue();
      assertThat(all.done()).as("not before the children").isFalse();
      Loops.settle();

      assertThat(first.cancelled()).isTrue();
      assertThat(second.cancelled()).isTrue();
      assertThat(done.cancelled()).isFalse();
      assertThat(all.cancelled()).isFalse();
      assertThat(all.exception()).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void aCancelledGatherEndsWhenTheFirstOfItsChildrenHasEndedAsCancelled() {
    Loops.run(() -> {
      Future<String> cleanUp = Loop.running().createFuture();
      Task<?> quick = Loops.sleeper();
      Task<?> slow = sleeperThatCleansUp(cleanUp);
      Future<? extends List<?>> all = Asyncio.gather(List.of(quick, slow));

      all.cancel();
      Loops.settle();

      assertThat(quick.cancelled()).isTrue();
      assertThat(slow.done()).as("still cleans up").isFalse();
      assertThat(all.exception()).isInstanceOf(CancelledError.class);
      cleanUp.setResult("cleaned up");
      Loops.settle();
      assertThat(slow.cancelled()).isTrue();
    });
  }

  @Test
  void aCancelledGatherFailsWithCancelledErrorEvenIfEveryChildSwallowedIt() {
    Loops.run(() -> {
      Task<String> stubborn = stubborn();
      Future<List<String>> all = Asyncio.gather(List.of(stubborn));

      all.cancel("enough");
      Loops.settle();

      assertThat(stubborn.result()).isEqualTo("stayed");
      assertThat(all.cancelled()).isFalse();
      assertThat(all.exception()).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void aChildThatFailsFirstWhileAllAreCancelledIsTheFailure() {
    Loops.run(() -> {
      Task<?> failing =
          Asyncio.createTask(() -> {
            try {
              Asyncio.sleep(Loops.LONG);
            } catch (CancelledError e) {
              throw failure;
            }
          });
      Future<? extends List<?>> all = Asyncio.gather(List.of(failing, Loops.sleeper()));

      all.cancel();
      Loops.settle();

      assertThat(all.exception()).isSameAs(failure);
    });
  }

  @Test
  void cancellingWhenEveryChildIsDoneIsRefused() {
    Loops.run(() -> {
      Future<String> child = Loop.running().createFuture();
      Future<List<String>> all = Asyncio.gather(List.of(child));
      child.setResult("x");

      assertThat(all.done()).as("it hears of its child in the next round").isFalse();
      assertThat(all.cancel()).isFalse();
      assertThat(all.await()).containsExactly("x");
      assertThat(all.cancel()).as("done").isFalse();
    });
  }

  @Test
  void aTaskIsCancelledEvenIfTheGatherItAwaitsRefuses() {
    Loops.run(() -> {
      Future<String> child = Loop.running().createFuture();
      Task<?> waiter = Asyncio.createTask(() -> Asyncio.gather(List.of(child)).await());
      Loops.settle();

      child.setResult("x");
      waiter.cancel("enough");

      assertThatThrownBy(waiter::await).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void cancellingTheTaskThatAwaitsCancelsTheChildren() {
    Loops.run(() -> {
      Task<?> child = Loops.sleeper();
      Task<?> waiter = Asyncio.createTask(() -> Asyncio.gather(List.of(child)).await());
      Loops.settle();

      waiter.cancel("enough");
      Loops.settle();

      assertThat(child.cancelled()).isTrue();
      assertThat(waiter.cancelled()).isTrue();
      assertThatThrownBy(waiter::result).hasMessage("enough");
    });
  }

  @Test
  void cancellingAGatherOfGathersReachesTheTasksInside() {
    Loops.run(() -> {
      Task<?> task = Loops.sleeper();
      Future<? extends List<?>> all = Asyncio.gather(List.of(Asyncio.gather(List.of(task))));

      all.cancel();
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
      assertThat(all.exception()).isInstanceOf(CancelledError.class);
    });
  }

  @Test
  void futuresOfAnotherLoopAreRefused() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> foreign = other.createFuture();

        assertThatThrownBy(() -> Asyncio.gather(List.of(Loops.done("x"), foreign)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("gather()")
            .hasMessageContaining("another loop")
            .hasMessageContaining("one loop only");
      }
    });
  }

  @Test
  void aNullCoroutineIsRefusedBeforeAnyBegins() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Asyncio.gather(() -> "x", null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("coroutines[1]");

      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void aNullFutureIsRefused() {
    Loops.run(() -> {
      List<Future<String>> futures = Arrays.asList(Loops.done("x"), null);

      assertThatThrownBy(() -> Asyncio.gather(futures)).isInstanceOf(NullPointerException.class);
    });
  }

  @Test
  void gatherWorksInACallback() {
    Loops.run(() -> {
      List<Object> results = new ArrayList<>();
      Loop.running()
          .callSoon(() -> {
            Future<List<String>> all = Asyncio.gather(() -> "a", () -> "b");
            all.addDoneCallback(done -> results.addAll(done.result()));
          });
      Loops.settle();

      assertThat(results).containsExactly("a", "b");
    });
  }

  /** Makes a task that swallows its cancellation, and has it begin. */
  static Task<String> stubborn() {
    Task<String> stubborn =
        Asyncio.createTask(() -> {
          try {
            Asyncio.sleep(Loops.LONG);
          } catch (CancelledError e) {
            return "stayed";
          }
          return "slept";
        });
    Asyncio.yieldNow();
    return stubborn;
  }

  /** Makes a task that waits for {@code cleanUp} once it is cancelled, and has it begin. */
  static Task<?> sleeperThatCleansUp(Future<?> cleanUp) {
    Task<?> sleeper =
        Asyncio.createTask(() -> {
          try {
            Asyncio.sleep(Loops.LONG);
          } finally {
            cleanUp.await();
          }
        });
    Asyncio.yieldNow();
    return sleeper;
  }
}
