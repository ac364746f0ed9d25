package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is the user's and shows in messages, but throws when it is asked for a text. */
class BrokenToStringTest {
  private final IllegalStateException failure = new IllegalStateException("the real failure");
  private final List<String> order = new ArrayList<>();

  private final class FailingCallback implements Runnable, Consumer<Future<?>> {
    @Override
    public void run() {
      throw failure;
    }

    @Override
    public void accept(Future<?> done) {
      throw failure;
    }

    @Override
    public String toString() {
      throw new UnsupportedOperationException("toString");
    }
  }

  private record Work(String result) implements Coroutine<String> {
    @Override
    public String run() {
      return result;
    }

    @Override
    public String toString() {
      throw new UnsupportedOperationException("toString");
    }
  }

  private static final class SpeechlessException extends RuntimeException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new UnsupportedOperationException("getMessage");
    }
  }

  @Test
  void aCallbackWithOneIsReportedWithWhatTheCallbackThrew() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loop.running().callSoon(new FailingCallback());
      Loop.running().callSoon(() -> order.add("next"));
      Loops.settle();

      assertReported(errors);
      assertThat(order).containsExactly("next");
    });
  }

  @Test
  void aDoneCallbackWithOneIsReportedWithWhatTheCallbackThrew() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loops.done("x").addDoneCallback(new FailingCallback());
      Loops.settle();

      assertReported(errors);
    });
  }

  private void assertReported(List<ExceptionContext> errors) {
    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().exception()).isSameAs(failure);
    assertThat(errors.getFirst().message())
        .contains("Exception in callback")
        .contains(FailingCallback.class.getName())
        .contains("toString() throws java.lang.UnsupportedOperationException");
  }

  @Test
  void aHandleOfSuchACallbackHasATextAllTheSame() {
    Loops.run(() -> {
      Handle handle = Loop.running().callLater(Duration.ofHours(1), new FailingCallback());

      assertThat(handle.toString()).contains("Handle[", FailingCallback.class.getName(), "due at");
      handle.cancel();
    });
  }

  @Test
  void aFutureThatFailedWithOneRefusesASecondResultAsEveryOtherDoes() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      future.setException(new SpeechlessException());

      assertThatThrownBy(() -> future.setResult("x"))
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("done already")
          .hasMessageContaining(SpeechlessException.class.getName());
      assertThatThrownBy(future::await).isInstanceOf(SpeechlessException.class);
    });
  }

  @Test
  void aFutureWithSuchAPurposeHasATextAllTheSame() {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture(new FailingCallback());

      assertThatThrownBy(future::result)
          .isInstanceOf(InvalidStateException.class)
          .hasMessageContaining("pending, for " + FailingCallback.class.getName());
    });
  }

  @Test
  void workWithOneIsDoneAllTheSame() {
    Loops.run(() -> {
      Future<String> work = Loop.running().runInExecutor(new Work("worked"));

      assertThat(work.await()).isEqualTo("worked");
    });
  }
}
