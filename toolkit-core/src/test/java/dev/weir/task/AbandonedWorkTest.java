package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Work on another thread that goes on although nobody waits for it any more. */
class AbandonedWorkTest {
  private static final ContextVar<String> REQUEST = new ContextVar<>("request", "none");

  private final IOException failure = new IOException("disk full");
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  private String failWhenReleased() throws Exception {
    begun.countDown();
    release.await();
    throw failure;
  }

  /** Has {@code work}, which was begun and cancelled, end; and what it leaves behind, arrive. */
  private void letItEnd() {
    release.countDown();
    Loop.running().shutdownDefaultExecutor(Duration.ofHours(1));
    Loops.settle();
  }

  @Test
  void workOfToThreadThatFailsThenIsReportedOnceAndInTheContextOfTheCaller() {
    List<String> requests = new ArrayList<>();
    List<ExceptionContext> errors = new ArrayList<>();
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.setExceptionHandler((l, context) -> {
        errors.add(context);
        requests.add(REQUEST.get());
      });
      Task<?> task =
          loop.createTask(() -> {
            REQUEST.set("the caller's");
            loop.toThread(this::failWhenReleased);
          });
      Loops.settle();
      begun.await();

      task.cancel();
      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class);
      assertThat(errors).isEmpty();
      letItEnd();
    });

    assertReported(errors);
    assertThat(requests).containsExactly("the caller's");
  }

  @Test
  void workOfRunInExecutorThatFailsThenIsReportedOnce() {
    List<ExceptionContext> errors = new ArrayList<>();
    Loops.run(() -> {
      Loop.running().setExceptionHandler((l, context) -> errors.add(context));
      Future<String> work = Loop.running().runInExecutor(this::failWhenReleased);
      begun.await();

      work.cancel();
      letItEnd();
    });

    assertReported(errors);
  }

  private void assertReported(List<ExceptionContext> errors) {
    assertThat(errors)
        .singleElement()
        .satisfies(error -> {
          assertThat(error.exception()).isSameAs(failure);
          assertThat(error.message())
              .isEqualTo("Work on an executor failed after nobody waited for it any more");
          assertThat(error.future()).asString().contains("cancelled");
        });
  }

  @Test
  void workThatEndsAsCancelledThenIsNotReported() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<String> work =
          Loop.running()
              .runInExecutor(() -> {
                begun.countDown();
                release.await();
                throw new CancelledError("no longer wanted");
              });
      begun.await();

      work.cancel();
      letItEnd();

      assertThat(errors).isEmpty();
    });
  }

  @Test
  void workThatFailsAfterItsLoopWasClosedIsNotReported() {
    List<ExceptionContext> errors = new ArrayList<>();
    try (CapturedLog log = CapturedLog.open()) {
      try (ExecutorService own = Executors.newSingleThreadExecutor()) {
        Loop loop = Loops.open();
        loop.setExceptionHandler((l, context) -> errors.add(context));
        Future<String> work = loop.runInExecutor(own, this::failWhenReleased);
        work.cancel();
        loop.close();
        release.countDown();
      }

      assertThat(log.records()).isEmpty();
      assertThat(errors).isEmpty();
    }
  }
}
