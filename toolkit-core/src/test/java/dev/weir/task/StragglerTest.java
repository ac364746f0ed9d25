package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tasks that are in blocking code when their loop closes, ignore the interrupt, and end later. */
class StragglerTest {
  /** Bounds a wait that takes this long only if the test fails. */
  private static final Duration FAILED = Duration.ofSeconds(10);

  private final IllegalArgumentException failure = new IllegalArgumentException("after the end");
  private final List<ExceptionContext> errors = new ArrayList<>();
  private final CountDownLatch mayEnd = new CountDownLatch(1);
  private final CapturedLog log = CapturedLog.open();
  private Loop loop;
  private final List<Task<?>> stragglers = new ArrayList<>();

  @BeforeEach
  void needsMountedFibers() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocked task holds the turn, and the loop");
  }

  @AfterEach
  void closeLog() {
    log.close();
  }

  @Test
  void itsFailureIsLoggedOnce() throws InterruptedException {
    open();
    loop.createTask(this::failInTheEnd, "straggler");
    closeUnder(1);

    end();

    assertThat(log.containing("straggler"))
        .singleElement()
        .extracting(LogRecord::getThrown)
        .isSameAs(failure);
    assertThat(errors).as("that it was pending").hasSize(1);
  }

  @Test
  void itsFailurePassesThroughItsScopes() throws InterruptedException {
    open();
    loop.createTask(
        () ->
            Asyncio.timeout(Duration.ZERO)
                .run(scope ->
                    new TaskGroup()
                        .run(group -> {
                          group.createTask(this::failInTheEnd, "child");
                          failInTheEnd();
                        })),
        "straggler");
    closeUnder(2);

    end();

    assertThat(log.containing("straggler"))
        .singleElement()
        .extracting(LogRecord::getThrown)
        .isSameAs(failure);
    assertThat(log.containing("child")).hasSize(1);
  }

  @Test
  void thatItMetTheClosedLoopIsNoFailure() throws InterruptedException {
    open();
    Task<?> task =
        loop.createTask(() -> {
          Loops.awaitThroughInterrupts(mayEnd);
          Asyncio.yieldNow();
        });
    closeUnder(1);

    end();

    assertThat(log.records()).isEmpty();
    assertThat(task.toString()).contains("is closed");
  }

  @Test
  void manyThatEndAtOnceDoNotMeetInWhatWasTheLoops() throws InterruptedException {
    open();
    for (int i = 0; i < 100; i++) {
      loop.createTask(this::failInTheEnd, "straggler " + i + ".");
    }
    closeUnder(100);

    end();

    for (int i = 0; i < 100; i++) {
      assertThat(log.containing("straggler " + i + ".")).hasSize(1);
    }
    assertThat(loop.unretrieved).isEmpty();
    assertThat(loop.tasks.list()).isEmpty();
    assertThat(loop.carrier.ready).isEmpty();
  }

  @Test
  void aThreadThatWaitsForItGetsItsFailureAndTheLogDoesNot() throws InterruptedException {
    open();
    CompletableFuture<?> follower = Asyncio.runCoroutineThreadsafe(this::failInTheEnd, loop);
    closeUnder(1);

    mayEnd.countDown();

    assertThatThrownBy(() -> follower.get(FAILED.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCause(failure);
    end();
    assertThat(log.records()).isEmpty();
  }

  @Test
  void aThreadThatWaitsForItGetsItsResult() throws Exception {
    open();
    CompletableFuture<String> follower =
        Asyncio.runCoroutineThreadsafe(
            () -> {
              Loops.awaitThroughInterrupts(mayEnd);
              return "result";
            },
            loop);
    closeUnder(1);

    mayEnd.countDown();

    assertThat(follower.get(FAILED.toSeconds(), TimeUnit.SECONDS)).isEqualTo("result");
  }

  private void open() {
    loop = Loops.open();
    loop.setExceptionHandler((l, context) -> errors.add(context));
  }

  private Object failInTheEnd() {
    Loops.awaitThroughInterrupts(mayEnd);
    throw failure;
  }

  /** Closes the loop while {@code count} tasks are in blocking code. */
  private void closeUnder(int count) {
    loop.runUntilComplete(() -> {
      Loops.settle();
      assertThat(loop.allTasks()).hasSize(count + 1);
    });
    stragglers.addAll(loop.tasks.list());
    loop.close();
  }

  /** Lets the tasks end and waits for their threads. */
  private void end() throws InterruptedException {
    mayEnd.countDown();
    for (Task<?> task : stragglers) {
      assertThat(task.fiber.thread().join(FAILED)).as(task.toString()).isTrue();
    }
  }
}
