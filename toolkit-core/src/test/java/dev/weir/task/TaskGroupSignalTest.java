package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A signal in a group: as asyncio's KeyboardInterrupt, it is thrown alone. */
class TaskGroupSignalTest {
  private final SignalException interrupt = new SignalException("INT", 2, null);
  private final SignalException terminate = new SignalException("TERM", 15, null);
  private final IOException failure = new IOException("failure");

  @Test
  void theSignalOfATaskEndsTheGroupAndIsThrownAlone() {
    List<String> cancelled = new ArrayList<>();

    Throwable thrown =
        outcomeOf(group -> {
          group.createTask(Bodies.notingCancellation(cancelled, "other task"));
          group.createTask(Bodies.failing(interrupt));
          Bodies.notingCancellation(cancelled, "body").run();
        });

    assertThat(thrown).isSameAs(interrupt);
    assertThat(cancelled).containsExactly("other task", "body");
  }

  @Test
  void theSignalOfTheBodyEndsTheGroupAndIsThrownAlone() {
    List<String> cancelled = new ArrayList<>();

    Throwable thrown =
        outcomeOf(group -> {
          group.createTask(Bodies.notingCancellation(cancelled, "task"));
          Loop.running().yieldNow();
          throw interrupt;
        });

    assertThat(thrown).isSameAs(interrupt);
    assertThat(cancelled).containsExactly("task");
  }

  @Test
  void theFirstOfTwoSignalsIsThrown() {
    Throwable thrown =
        outcomeOf(group -> {
          group.createTask(Bodies.failingWhenCancelled(terminate));
          group.createTask(Bodies.failing(interrupt));
        });

    assertThat(thrown).isSameAs(interrupt);
  }

  @Test
  void theSignalOfTheBodyComesBeforeThoseOfTheTasksItCancels() {
    Throwable thrown =
        outcomeOf(group -> {
          group.createTask(Bodies.failingWhenCancelled(terminate));
          Loop.running().yieldNow();
          throw interrupt;
        });

    assertThat(thrown).isSameAs(interrupt);
  }

  @Test
  void theCancellationThatASignalBroughtIsTakenBack() {
    List<Integer> cancelling = new ArrayList<>();

    Throwable thrown =
        outcomeOf(outer -> {
          try {
            new TaskGroup().run(inner -> inner.createTask(Bodies.failing(interrupt)));
          } catch (SignalException e) {
            cancelling.add(Loop.currentTask().cancelling());
          }
        });

    assertThat(thrown).isNull();
    assertThat(cancelling).containsExactly(0);
  }

  @Test
  void failuresThatASignalDisplacesAreReported() {
    List<ExceptionContext> errors = new ArrayList<>();
    IOException bodys = new IOException("body");

    Throwable thrown =
        outcomeOf(group -> {
          Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
          group.createTask(Bodies.failing(failure));
          group.createTask(Bodies.failingWhenCancelled(interrupt));
          Bodies.failingWhenCancelled(bodys).run();
        });

    assertThat(thrown).isSameAs(interrupt);
    assertThat(errors).extracting(ExceptionContext::exception).containsExactly(failure, bodys);
    assertThat(errors.getFirst().message()).contains("TaskGroup").contains("INT");
  }

  /** Returns what a group with {@code body} throws. A signal ends the run; the next one goes on. */
  private static Throwable outcomeOf(ScopeAction<TaskGroup, Exception> body) {
    try (Loop loop = Loop.open(RunOptions.defaults(), ParkingDriver::new)) {
      Task<Throwable> main = loop.createTask(() -> catchThrowable(() -> new TaskGroup().run(body)));
      while (true) {
        try {
          return loop.runUntilComplete(main);
        } catch (SignalException e) {
          assertThat(main.done()).isFalse();
        }
      }
    }
  }
}
