package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TaskNamesAndStacksTest {
  @Test
  void aNameThatIsGivenIsKept() {
    Loops.run(() -> {
      assertThat(Asyncio.createTask(() -> "x", "mine").name()).isEqualTo("mine");
      assertThat(Asyncio.createTask(() -> {}, "mine").name()).isEqualTo("mine");
      assertThat(Asyncio.createTask(() -> "x", TaskOptions.defaults().withName("mine")).name())
          .isEqualTo("mine");
    });
  }

  @Test
  void tasksWithoutANameAreNumberedUpwardsOverAllLoops() {
    int first = Loops.call(() -> numberOf(Asyncio.createTask(() -> "x")));
    int second = Loops.call(() -> numberOf(Asyncio.createTask(() -> {})));

    assertThat(second).isGreaterThan(first);
  }

  private static int numberOf(Task<?> task) {
    assertThat(task.name()).matches("Task-\\d+");
    return Integer.parseInt(task.name().substring("Task-".length()));
  }

  @Test
  void theThreadOfATaskBearsItsName() {
    Loops.run(() -> {
      Task<String> task = Asyncio.createTask(() -> Thread.currentThread().getName(), "mine");

      assertThat(task.await()).isEqualTo("mine");
    });
  }

  @Test
  void aTaskThatIsRenamedRenamesItsThread() {
    Loops.run(() -> {
      Task<String> task =
          Asyncio.createTask(
              () -> {
                Asyncio.currentTask().setName("third");
                return Thread.currentThread().getName();
              },
              "first");
      task.setName("second");
      assertThat(task.name()).isEqualTo("second");

      assertThat(task.await()).isEqualTo("third");
      assertThat(task.name()).isEqualTo("third");
      assertThat(task.toString()).contains("third");
    });
  }

  @Test
  void aNullNameIsRefused() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(() -> {}, "mine");

      assertThatThrownBy(() -> task.setName(null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("name");
      assertThat(task.name()).isEqualTo("mine");
    });
  }

  @Test
  void aSuspendedTaskShowsItsWholeStack() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(TaskNamesAndStacksTest::outer);
      Asyncio.yieldNow();

      assertThat(task.stackTrace())
          .extracting(StackTraceElement::getMethodName)
          .containsSubsequence("sleep", "inner", "outer");
    });
  }

  private static void outer() {
    inner();
  }

  private static void inner() {
    Asyncio.sleep(Loops.LONG);
  }

  @Test
  void aTaskThatRunsShowsWhereItIs() {
    Loops.run(() -> {
      assertThat(Asyncio.currentTask().stackTrace())
          .extracting(StackTraceElement::getMethodName)
          .anyMatch(name -> name.contains("aTaskThatRunsShowsWhereItIs"));
    });
  }

  @Test
  void aFailedTaskShowsWhereItFailed() {
    Loops.run(() -> {
      IOException failure = new IOException("broken");
      Task<?> task = Loops.failing(failure);
      Loops.settle();

      assertThat(task.stackTrace()).isEqualTo(failure.getStackTrace()).isNotEmpty();
      task.exception();
    });
  }

  @Test
  void askingForTheStackIsNotAskingForTheFailure() {
    IOException failure = new IOException("broken");
    List<ExceptionContext> errors = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Task<?> task = Loops.failing(failure);
      Loops.settle();
      task.stackTrace();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void aTaskThatHasNotBegunOrEndedWellOrWasCancelledShowsNothing() {
    Loops.run(() -> {
      Task<?> ended = Asyncio.createTask(() -> {});
      Task<?> cancelled = Loops.sleeper();
      cancelled.cancel();
      Loops.settle();
      Task<?> unbegun = Asyncio.createTask(() -> {});

      assertThat(ended.stackTrace()).isEmpty();
      assertThat(cancelled.stackTrace()).isEmpty();
      assertThat(unbegun.stackTrace()).isEmpty();
    });
  }

  @Test
  void printStackPrintsTheTaskAndAFrameALine() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(TaskNamesAndStacksTest::outer, "mine");
      Asyncio.yieldNow();
      StringBuilder printed = new StringBuilder();

      task.printStack(printed);

      List<String> lines = printed.toString().lines().toList();
      assertThat(lines.getFirst()).isEqualTo("Task[mine, pending]");
      assertThat(lines).hasSize(1 + task.stackTrace().length);
      assertThat(lines).anyMatch(line -> line.startsWith("\tat ") && line.contains(".outer("));
    });
  }

  @Test
  void toStringTellsNameAndState() {
    Loops.run(() -> {
      Task<?> fine = Asyncio.createTask(() -> {}, "fine");
      Task<?> failed =
          Asyncio.createTask(
              () -> {
                throw new IOException("broken");
              },
              "bad");
      Task<?> sleeper = Asyncio.createTask(() -> Asyncio.sleep(Loops.LONG), "sleeper");
      assertThat(fine).hasToString("Task[fine, pending]");
      Loops.settle();
      failed.exception();

      assertThat(fine).hasToString("Task[fine, finished]");
      assertThat(failed).hasToString("Task[bad, failed: java.io.IOException: broken]");
      sleeper.cancel();
      assertThat(sleeper).hasToString("Task[sleeper, pending, cancelling]");
      Loops.settle();
      assertThat(sleeper).hasToString("Task[sleeper, cancelled]");
    });
  }
}
