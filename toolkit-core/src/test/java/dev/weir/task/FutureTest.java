package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class FutureTest {
  @Test
  void awaitReturnsTheResultThatAnotherTaskSets() {
    String result =
        Loops.call(() -> {
          Future<String> future = Loop.running().createFuture();
          Loop.running().createTask(() -> future.setResult("there"));
          return future.await();
        });

    assertThat(result).isEqualTo("there");
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
  void awaitOfADoneFutureDoesNotSuspend() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Future<String> done = Loop.running().createFuture();
      done.setResult("x");
      Loop.running().createTask(() -> order.add("other task"));

      done.await();
      order.add("after await");
      Loops.settle();

      assertThat(order).containsExactly("after await", "other task");
    });
  }

  @Test
  void everyWaiterGetsTheResultInTheOrderOfWaiting() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      Future<String> future = loop.createFuture();
      for (int i = 0; i < 3; i++) {
        int number = i;
        loop.createTask(() -> order.add(number + future.await()));
      }
      Loops.settle();
      future.setResult("x");
      Loops.settle();

      assertThat(order).containsExactly("0x", "1x", "2x");
    });
  }

  @Test
  void callbacksAndWaitersFollowEachOtherInTheOrderOfRegistration() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<String> order = new ArrayList<>();
      Future<String> future = loop.createFuture();
      future.addDoneCallback(f -> order.add("first callback"));
      loop.createTask(() -> {
        future.await();
        order.add("task");
      });
      Loops.settle();
      future.addDoneCallback(f -> order.add("second callback"));

      future.setResult("x");
      assertThat(order).as("nothing is called inside setResult").isEmpty();
      Loops.settle();

      assertThat(order).containsExactly("first callback", "task", "second callback");
    });
  }

  @Test
  void aCallbackOnADoneFutureIsCalledSoonAndNotAtOnce() {
    Loops.run(() -> {
      List<Object> calls = new ArrayList<>();
      Future<String> future = Loop.running().createFuture();
      future.setResult("x");

      future.addDoneCallback(calls::add);
      assertThat(calls).isEmpty();
      Loops.settle();

      assertThat(calls).containsExactly(future);
    });
  }

  @Test
  void removeDoneCallbackRemovesEveryEqualOneAndCountsThem() {
    Loops.run(() -> {
      List<Object> calls = new ArrayList<>();
      Future<String> future = Loop.running().createFuture();
      Consumer<Object> callback = calls::add;
      future.addDoneCallback(callback);
      future.addDoneCallback(f -> calls.add("other"));
      future.addDoneCallback(callback);

      assertThat(future.removeDoneCallback(callback)).isEqualTo(2);
      assertThat(future.removeDoneCallback(callback)).isZero();
      future.setResult("x");
      Loops.settle();

      assertThat(calls).containsExactly("other");
    });
  }

  @Test
  void aCallbackThatThrowsIsReportedAndTheOthersStillRun() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      List<String> calls = new ArrayList<>();
      Future<String> future = Loop.running().createFuture();
      IllegalStateException failure = new IllegalStateException("bad callback");
      future.addDoneCallback(f -> {
        throw failure;
      });
      future.addDoneCallback(f -> calls.add("second"));

      future.setResult("x");
      Loops.settle();

      assertThat(calls).containsExactly("second");
      assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
    });
  }

  @Test
  void aSecondResultIsRefused() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.setResult("x");

      assertThatThrownBy(() -> future.setResult("y"))
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("done already");
      assertThatThrownBy(() -> future.setException(new IOException()))
          .isInstanceOf(InvalidStateException.class);
      assertThat(future.result()).isEqualTo("x");
    });
  }

  @Test
  void theResultOfAPendingFutureIsRefused() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThatThrownBy(future::result).isInstanceOf(InvalidStateException.class);
      assertThatThrownBy(future::exception).isInstanceOf(InvalidStateException.class);
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
      assertThatThrownBy(future::exception).isInstanceOf(CancelledError.class);
    });
  }

  @Test
  void exceptionTellsTheFailureAndNullForAResult() {
    Loops.run(() -> {
      Future<String> failed = Loop.running().createFuture();
      Future<String> fine = Loop.running().createFuture();
      IOException failure = new IOException("x");
      failed.setException(failure);
      fine.setResult("y");

      assertThat(failed.exception()).isSameAs(failure);
      assertThat(fine.exception()).isNull();
    });
  }

  @Test
  void everyCallFromAnotherThreadIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      List<Action> calls =
          List.of(
              () -> future.setResult("x"),
              () -> future.setException(new IOException()),
              future::cancel,
              future::done,
              future::cancelled,
              future::result,
              future::exception,
              () -> future.addDoneCallback(f -> {}),
              () -> future.removeDoneCallback(f -> {}));
      for (Action call : calls) {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other =
            Thread.ofPlatform()
                .start(() -> {
                  try {
                    call.run();
                  } catch (Throwable e) {
                    thrown.set(e);
                  }
                });
        other.join();

        assertThat(thrown.get())
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("weir-loop-")
            .hasMessageContaining("callSoonThreadsafe");
      }
      assertThat(future.done()).isFalse();
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
}
