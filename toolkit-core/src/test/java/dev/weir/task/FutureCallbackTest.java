package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class FutureCallbackTest {
  private final List<Object> calls = new ArrayList<>();

  @Test
  void callbacksAndWaitersFollowEachOtherInTheOrderOfRegistration() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.addDoneCallback(f -> calls.add("first callback"));
      Asyncio.createTask(() -> {
        future.await();
        calls.add("task");
      });
      Loops.settle();
      future.addDoneCallback(f -> calls.add("second callback"));

      future.setResult("x");
      assertThat(calls).as("nothing is called inside setResult").isEmpty();
      Loops.settle();

      assertThat(calls).containsExactly("first callback", "task", "second callback");
    });
  }

  @Test
  void aCallbackIsQueuedBehindWhatIsReadyWhenTheFutureIsDone() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.addDoneCallback(f -> calls.add("done callback"));

      Loop.running().callSoon(() -> calls.add("ready before"));
      future.setResult("x");
      Loop.running().callSoon(() -> calls.add("ready after"));
      Loops.settle();

      assertThat(calls).containsExactly("ready before", "done callback", "ready after");
    });
  }

  @Test
  void aCallbackOnADoneFutureIsCalledSoonAndNotAtOnce() {
    Loops.run(() -> {
      Future<String> future = Loops.done("x");

      future.addDoneCallback(calls::add);
      assertThat(calls).isEmpty();
      Loops.settle();

      assertThat(calls).containsExactly(future);
    });
  }

  @Test
  void callbacksAreCalledForAFailureAndForACancellation() {
    Loops.run(() -> {
      Future<String> failed = Loop.running().createFuture();
      Future<String> cancelled = Loop.running().createFuture();
      failed.addDoneCallback(future -> calls.add(future.exception().getMessage()));
      cancelled.addDoneCallback(future -> calls.add(future.cancelled()));

      failed.setException(new IOException("broken"));
      cancelled.cancel();
      Loops.settle();

      assertThat(calls).containsExactly("broken", true);
    });
  }

  @Test
  void aCallbackThatIsRegisteredTwiceIsCalledTwice() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Consumer<Object> callback = calls::add;
      future.addDoneCallback(callback);
      future.addDoneCallback(callback);

      future.setResult("x");
      Loops.settle();

      assertThat(calls).containsExactly(future, future);
    });
  }

  @Test
  void removeDoneCallbackRemovesEveryEqualOneAndCountsThem() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.addDoneCallback(new Recording("a"));
      future.addDoneCallback(new Recording("b"));
      future.addDoneCallback(new Recording("a"));

      assertThat(future.removeDoneCallback(new Recording("a"))).isEqualTo(2);
      assertThat(future.removeDoneCallback(new Recording("a"))).isZero();
      future.setResult("x");
      Loops.settle();

      assertThat(calls).containsExactly("b");
    });
  }

  /** Equal to every other one of the same name. */
  private final class Recording implements Consumer<Future<String>> {
    private final String name;

    Recording(String name) {
      this.name = name;
    }

    @Override
    public void accept(Future<String> future) {
      calls.add(name);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Recording that && name.equals(that.name);
    }

    @Override
    public int hashCode() {
      return name.hashCode();
    }
  }

  @Test
  void theOnlyCallbackCanBeRemovedAndAnotherAdded() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Consumer<Object> callback = calls::add;
      future.addDoneCallback(callback);

      assertThat(future.removeDoneCallback(callback)).isEqualTo(1);
      future.addDoneCallback(f -> calls.add("other"));
      future.setResult("x");
      Loops.settle();

      assertThat(calls).containsExactly("other");
    });
  }

  @Test
  void removingACallbackLeavesTheTasksThatWait() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Consumer<Object> callback = calls::add;
      future.addDoneCallback(callback);
      Task<String> waiter = Asyncio.createTask(() -> future.await());
      Loops.settle();

      future.removeDoneCallback(callback);
      future.setResult("x");

      assertThat(waiter.await()).isEqualTo("x");
      assertThat(calls).isEmpty();
    });
  }

  @Test
  void aCallbackThatIsQueuedAlreadyIsNotRemoved() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Consumer<Object> callback = calls::add;
      future.addDoneCallback(callback);
      future.setResult("x");

      assertThat(future.removeDoneCallback(callback)).isZero();
      Loops.settle();

      assertThat(calls).containsExactly(future);
    });
  }

  @Test
  void aCallbackThatThrowsIsReportedAndTheOthersStillRun() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
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
      assertThat(errors.getFirst().message()).contains("callback");
    });
  }

  @Test
  void aNullCallbackIsRefused() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();

      assertThatThrownBy(() -> future.addDoneCallback(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("callback");
      assertThatThrownBy(() -> future.addDoneCallback(calls::add, null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("context");
      assertThatThrownBy(() -> future.removeDoneCallback(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("callback");
    });
  }
}
