package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FutureTest {
  @Test
  void awaitReturnsTheResultThatAnotherTaskSets() {
    String result =
        Loops.call(() -> {
          Future<String> future = Loop.running().createFuture();
          Asyncio.createTask(() -> future.setResult("there"));
          return future.await();
        });

    assertThat(result).isEqualTo("there");
  }

  @Test
  void aResultMayBeNull() {
    Loops.run(() -> {
      Future<String> future = Loops.done(null);

      assertThat(future.await()).isNull();
      assertThat(future.done()).isTrue();
      assertThat(future.exception()).isNull();
    });
  }

  @Test
  void awaitThrowsTheVeryExceptionThatWasSet() {
    IOException failure = new IOException("broken");

    assertThatThrownBy(() ->
            Loops.run(() -> {
              Future<String> future = Loop.running().createFuture();
              future.setException(failure);
              future.await(IOException.class);
            }))
        .isSameAs(failure);
  }

  @Test
  void awaitThatDeclaresAnExceptionThrowsOthersAsWell() {
    IllegalStateException failure = new IllegalStateException("no IOException");

    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.setException(failure);

      assertThatThrownBy(() -> future.await(IOException.class)).isSameAs(failure);
      assertThat(Loops.done("result").await(IOException.class)).isEqualTo("result");
      assertThatThrownBy(() -> future.await(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("declared");
    });
  }

  @Test
  void theExceptionIsThrownEachTimeWithTheStackOfItsOrigin() {
    IOException failure = new IOException("broken");
    StackTraceElement[] origin = failure.getStackTrace();

    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.setException(failure);

      assertThatThrownBy(future::result).isSameAs(failure);
      assertThatThrownBy(future::await).isSameAs(failure);
      assertThat(future.exception()).isSameAs(failure);
      assertThat(failure.getStackTrace()).isEqualTo(origin);
    });
  }

  @Test
  void inDebugModeTheExceptionTellsWhereItWasAwaited() {
    IOException failure = new IOException("broken");

    Loops.call(
        RunOptions.defaults().withDebug(true),
        () -> {
          Task<String> task = Loops.failing(failure);
          assertThatThrownBy(() -> awaitHere(task)).isSameAs(failure);
          return null;
        });

    assertThat(failure.getSuppressed())
        .singleElement()
        .satisfies(site ->
            assertThat(site.getStackTrace())
                .extracting(StackTraceElement::getMethodName)
                .contains("awaitHere"));
  }

  private static void awaitHere(Task<?> task) {
    task.await();
  }

  @Test
  void awaitOfADoneFutureDoesNotSuspend() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Future<String> done = Loops.done("x");
      Asyncio.createTask(() -> order.add("other task"));

      done.await();
      order.add("after await");
      Loops.settle();

      assertThat(order).containsExactly("after await", "other task");
    });
  }

  @Test
  void everyWaiterGetsTheResultInTheOrderOfWaiting() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Future<String> future = Loop.running().createFuture();
      for (int i = 0; i < 3; i++) {
        int number = i;
        Asyncio.createTask(() -> order.add(number + future.await()));
      }
      Loops.settle();
      future.setResult("x");
      assertThat(order).as("nobody runs inside setResult").isEmpty();
      Loops.settle();

      assertThat(order).containsExactly("0x", "1x", "2x");
    });
  }

  @Test
  void cancellingOneOfTwoWaitersCancelsTheFutureForBoth() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Task<?> first = Asyncio.createTask(() -> future.await());
      Task<?> second = Asyncio.createTask(() -> future.await());
      Loops.settle();

      first.cancel();
      Loops.settle();

      assertThat(future.cancelled()).isTrue();
      assertThat(first.cancelled()).isTrue();
      assertThat(second.cancelled()).isTrue();
    });
  }

  @Test
  void aDoneFutureTakesNoSecondResult() {
    Loops.run(() -> {
      Future<String> future = Loops.done("x");

      assertThatThrownBy(() -> future.setResult("y"))
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("done already")
          .hasMessageContaining("ask done()");
      assertThatThrownBy(() -> future.setException(new IOException()))
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("done already");
      assertThat(future.result()).isEqualTo("x");
    });
  }

  @Test
  void aFailedFutureTakesNoResult() {
    Loops.run(() -> {
      IOException failure = new IOException("x");
      Future<String> future = Loop.running().createFuture();
      future.setException(failure);

      assertThatThrownBy(() -> future.setResult("y")).isInstanceOf(InvalidStateException.class);
      assertThatThrownBy(() -> future.setException(new IOException()))
          .isInstanceOf(InvalidStateException.class);
      assertThat(future.exception()).isSameAs(failure);
    });
  }

  @Test
  void aCancelledFutureTakesNoResult() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.cancel();

      assertThatThrownBy(() -> future.setResult("y")).isInstanceOf(InvalidStateException.class);
      assertThatThrownBy(() -> future.setException(new IOException()))
          .isInstanceOf(InvalidStateException.class);
      assertThat(future.cancelled()).isTrue();
    });
  }

  @Test
  void aNullExceptionIsRefused() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThatThrownBy(() -> future.setException(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("exception");
      assertThat(future.done()).isFalse();
    });
  }

  @Test
  void theResultOfAPendingFutureIsRefused() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThat(future.done()).isFalse();
      assertThat(future.cancelled()).isFalse();
      assertThatThrownBy(future::result)
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("Result is not set.")
          .hasMessageContaining("await()");
      assertThatThrownBy(future::exception)
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("Exception is not set.")
          .hasMessageContaining("await()");
    });
  }

  @Test
  void aCancelledFutureThrowsCancelledErrorWithTheMessage() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThat(future.cancel("enough")).isTrue();
      assertThat(future.cancel("again")).isFalse();

      assertThat(future.cancelled()).isTrue();
      assertThat(future.done()).isTrue();
      assertThatThrownBy(future::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThatThrownBy(future::result).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThatThrownBy(future::exception).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void aDoneFutureCannotBeCancelled() {
    Loops.run(() -> {
      Future<String> future = Loops.done("x");

      assertThat(future.cancel()).isFalse();

      assertThat(future.cancelled()).isFalse();
      assertThat(future.result()).isEqualTo("x");
    });
  }

  @Test
  void aFutureThatFailsWithCancelledErrorIsNotCancelled() {
    Loops.run(() -> {
      CancelledError error = new CancelledError("set");
      Future<String> future = Loop.running().createFuture();
      future.setException(error);

      assertThat(future.cancelled()).isFalse();
      assertThat(future.exception()).isSameAs(error);
      assertThatThrownBy(future::await).isSameAs(error);
    });
  }

  @Test
  void exceptionTellsTheFailureAndNullForAResult() {
    Loops.run(() -> {
      IOException failure = new IOException("x");
      Future<String> failed = Loop.running().createFuture();
      failed.setException(failure);

      assertThat(failed.exception()).isSameAs(failure);
      assertThat(failed.cancelled()).isFalse();
      assertThat(Loops.done("y").exception()).isNull();
    });
  }

  @Test
  void aFutureKnowsItsLoop() {
    Loops.run(() -> {
      assertThat(Loop.running().createFuture().loop()).isSameAs(Loop.running());
    });
  }

  @Test
  void awaitInACallbackIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<String> future = Loop.running().createFuture();

      Loop.running().callSoon(future::await);
      Loops.settle();

      assertThat(errors)
          .singleElement()
          .satisfies(error ->
              assertThat(error.exception())
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("no task to suspend")
                  .hasMessageContaining("createTask"));
    });
  }

  @Test
  void awaitInACallbackIsRefusedEvenIfTheFutureIsDone() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<String> done = Loops.done("x");

      Loop.running().callSoon(done::await);
      Loops.settle();

      assertThat(errors)
          .singleElement()
          .satisfies(error -> assertThat(error.exception()).hasMessageContaining("no task"));
    });
  }

  @Test
  void everyCallOnAClosedLoopsFutureSaysThatItIsClosed() {
    Future<String> future = Loops.call(() -> Loop.running().createFuture());

    List<Action> calls =
        List.of(
            future::await,
            future::done,
            future::result,
            future::cancel,
            () -> future.setResult(""));
    for (Action call : calls) {
      assertThatThrownBy(call::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void toStringTellsTheState() {
    Loops.run(() -> {
      Future<String> failed = Loop.running().createFuture();
      failed.setException(new IOException("broken"));
      failed.exception();
      Future<String> cancelled = Loop.running().createFuture();
      cancelled.cancel();

      assertThat(Loop.running().createFuture()).hasToString("Future[pending]");
      assertThat(Loops.done("x")).hasToString("Future[finished]");
      assertThat(failed).hasToString("Future[failed: java.io.IOException: broken]");
      assertThat(cancelled).hasToString("Future[cancelled]");
    });
  }
}
