package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackgroundTest {
  private final IOException failure = new IOException("broken");
  private final List<String> order = new ArrayList<>();

  @Test
  void itRunsBesideItsCaller() {
    Loops.run(() -> {
      Asyncio.background(() -> order.add("background"));
      order.add("caller");
      Loops.settle();

      assertThat(order).containsExactly("caller", "background");
      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void aFailureIsReportedAtOnceAndOnce() {
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Asyncio.background(() -> {
        throw failure;
      });
      Loops.settle();
      assertThat(errors).hasSize(1);
    });

    assertThat(errors)
        .singleElement()
        .satisfies(error -> {
          assertThat(error.exception()).isSameAs(failure);
          assertThat(error.message()).contains("Background task failed", "Task-");
          assertThat(error.future()).isInstanceOf(Task.class);
        });
  }

  @Test
  void aCancellationIsNoFailure() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Asyncio.background(() -> Asyncio.sleep(Loops.LONG));
      Asyncio.yieldNow();

      for (Task<?> task : Asyncio.allTasks()) {
        if (task != Asyncio.currentTask()) {
          task.cancel();
        }
      }
      Loops.settle();

      assertThat(errors).isEmpty();
    });
  }

  @Test
  void itMayBeStartedInACallback() {
    Loops.run(() -> {
      Loop.running().callSoon(() -> Asyncio.background(() -> order.add("background")));
      Loops.settle();

      assertThat(order).containsExactly("background");
    });
  }

  @Test
  void aSignalGoesToTheOneWhoRunsTheLoopAndNotToTheHandlerAsWell() {
    List<ExceptionContext> errors = new ArrayList<>();
    SignalException signal = new SignalException("INT", 2, null);

    assertThatThrownBy(() ->
            Loops.run(() -> {
              Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
              Asyncio.background(() -> {
                throw signal;
              });
              Asyncio.sleep(Loops.LONG);
            }))
        .isSameAs(signal);

    assertThat(errors).isEmpty();
  }
}
