package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class ExceptionHandlerTest {
  private static final ContextVar<String> REQUEST = new ContextVar<>("request");

  private final IllegalStateException failure = new IllegalStateException("bad callback");
  private final SignalException signal = new SignalException("INT", 2, null);

  // --- Who gets an error

  @Test
  void theHandlerGetsWhatACallbackThrowsAndTheOthersRun() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      List<String> order = new ArrayList<>();

      Handle handle = Loop.running().callSoon(this::fail);
      Loop.running().callSoon(() -> order.add("next"));
      Loops.settle();

      assertThat(errors).hasSize(1);
      assertThat(errors.getFirst().message()).contains("Exception in callback");
      assertThat(errors.getFirst().exception()).isSameAs(failure);
      assertThat(errors.getFirst().handle()).isSameAs(handle);
      assertThat(errors.getFirst().future()).isNull();
      assertThat(order).containsExactly("next");
    });
  }

  @Test
  void everyKindOfCallbackIsReported() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<Object> future = loop.createFuture();

      Handle timer = loop.callLater(Duration.ZERO, this::fail);
      Handle handedOver = loop.callSoonThreadsafe(this::fail);
      future.addDoneCallback(done -> fail());
      future.setResult("x");
      loop.sleep(Duration.ofNanos(1));
      Loops.settle();

      assertThat(errors).hasSize(3);
      assertThat(errors).extracting(ExceptionContext::exception).containsOnly(failure);
      assertThat(errors).extracting(ExceptionContext::handle).contains(timer, handedOver);
    });
  }

  @Test
  void withoutAHandlerAnErrorIsLogged() {
    try (CapturedLog log = CapturedLog.open()) {
      Loops.run(() -> {
        assertThat(Loop.running().exceptionHandler()).isNull();
        Loop.running().callSoon(this::fail);
        Loops.settle();
      });

      assertThat(log.records()).hasSize(1);
      assertThat(log.records().getFirst().getLevel()).isEqualTo(Level.SEVERE);
      assertThat(log.records().getFirst().getMessage()).contains("Exception in callback");
      assertThat(log.records().getFirst().getThrown()).isSameAs(failure);
    }
  }

  @Test
  void nullPutsTheLogBackInPlaceOfAHandler() {
    try (CapturedLog log = CapturedLog.open()) {
      Loops.run(() -> {
        List<ExceptionContext> errors = new ArrayList<>();
        ExceptionHandler handler = (loop, context) -> errors.add(context);
        Loop.running().setExceptionHandler(handler);
        assertThat(Loop.running().exceptionHandler()).isSameAs(handler);

        Loop.running().setExceptionHandler(null);
        Loop.running().callSoon(this::fail);
        Loops.settle();

        assertThat(Loop.running().exceptionHandler()).isNull();
        assertThat(errors).isEmpty();
        assertThat(log.records()).hasSize(1);
      });
    }
  }

  @Test
  void anErrorCanBeReportedByHand() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      ExceptionContext context = ExceptionContext.of("the pump stopped", failure);

      Loop.running().callExceptionHandler(context);

      assertThat(errors).hasSize(1);
      assertThat(errors.getFirst()).isSameAs(context);
    });
  }

  @Test
  void aHandlerMayHandOnToTheDefaultOne() {
    try (CapturedLog log = CapturedLog.open()) {
      Loops.run(() -> {
        Loop.running().setExceptionHandler(Loop::defaultExceptionHandler);
        Loop.running().callExceptionHandler(ExceptionContext.of("no exception at all", null));
      });

      assertThat(log.records())
          .extracting(LogRecord::getMessage)
          .containsOnly("no exception at all");
    }
  }

  @Test
  void reportingFromAnotherThreadIsRefused() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<ExceptionContext> errors = Loops.collectErrors();
      Future<?> report =
          loop.runInExecutor(() -> {
            loop.callExceptionHandler(ExceptionContext.of("x", null));
            return null;
          });

      assertThatThrownBy(report::await)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("Loop.callExceptionHandler()")
          .hasMessageContaining("callSoonThreadsafe");
      assertThat(errors).isEmpty();
    });
  }

  @Test
  void anErrorOfTheEngineIsReportedAndTheLoopPollsOn() {
    IOException broken = new IOException("broken poll");
    AtomicInteger polls = new AtomicInteger();
    List<ExceptionContext> errors = new ArrayList<>();
    Runnable failFirst =
        () -> {
          if (polls.incrementAndGet() == 1) {
            throw Sneaky.rethrow(broken);
          }
        };

    try (Runner runner =
        new Runner(
            RunOptions.defaults(),
            (transport, context) -> new ObservedDriver(context, failFirst, () -> {}))) {
      runner.loop().setExceptionHandler((loop, context) -> errors.add(context));
      runner.run(() -> {
        while (errors.isEmpty() || polls.get() < 2) {
          Loop.running().yieldNow();
        }
      });
    }

    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message()).contains("polling");
    assertThat(errors.getFirst().exception()).isSameAs(broken);
  }

  // --- Where the handler runs

  @Test
  void theHandlerRunsInTheContextOfTheFailingCallback() {
    Loops.run(() -> {
      List<String> requests = collectRequests();

      Context context = Context.empty();
      context.run(() -> REQUEST.set("of the callback"));
      REQUEST.set("of main");
      Loop.running().callSoon(this::fail, context);
      Loops.settle();

      assertThat(requests).containsExactly("of the callback");
    });
  }

  @Test
  void theHandlerRunsInTheContextOfTheFailingTask() {
    List<String> requests = new ArrayList<>();

    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> requests.add(REQUEST.get("none")));
      Loop.running()
          .background(() -> {
            REQUEST.set("of the background task");
            fail();
          });
      Loop.running()
          .createTask(() -> {
            REQUEST.set("of the unretrieved task");
            fail();
          });
      Loops.settle();
    });

    assertThat(requests).containsExactly("of the background task", "of the unretrieved task");
  }

  @Test
  void theHandlerIsOnTheLoopAndMaySchedule() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Loop.running()
          .setExceptionHandler((loop, context) -> {
            assertThat(loop).isSameAs(Loop.running());
            loop.callSoon(() -> order.add("scheduled by the handler"));
          });

      Loop.running().callSoon(this::fail);
      Loops.settle();

      assertThat(order).containsExactly("scheduled by the handler");
    });
  }

  // --- A handler that fails itself

  @Test
  void whenAHandlerThrowsTheDefaultOneGetsBothErrors() {
    Error worse = new AssertionError("bad handler");
    try (CapturedLog log = CapturedLog.open()) {
      runFailingCallbackWithHandlerThatThrows(worse);

      assertThat(log.records()).hasSize(1);
      assertThat(log.records().getFirst().getMessage())
          .contains("Exception in exception handler")
          .contains("Exception in callback");
      assertThat(log.records().getFirst().getThrown()).isSameAs(worse);
      assertThat(worse.getSuppressed()).containsExactly(failure);
    }
  }

  @Test
  void aHandlerThatThrowsTheVeryErrorIsLoggedOnce() {
    try (CapturedLog log = CapturedLog.open()) {
      runFailingCallbackWithHandlerThatThrows(failure);

      assertThat(log.records()).hasSize(1);
      assertThat(log.records().getFirst().getThrown()).isSameAs(failure);
      assertThat(failure.getSuppressed()).isEmpty();
    }
  }

  private void runFailingCallbackWithHandlerThatThrows(Throwable thrown) {
    Loops.run(() -> {
      Loop.running()
          .setExceptionHandler((loop, context) -> {
            throw Sneaky.rethrow(thrown);
          });
      Loop.running().callSoon(this::fail);
      Loops.settle();
    });
  }

  @Test
  void aSignalExceptionPassesThroughTheReportOfACallback() {
    assertThatThrownBy(() ->
            Loops.run(() -> {
              throwSignalInHandler();
              Loop.running().callSoon(this::fail);
              Loop.running().sleep(Duration.ofHours(1));
            }))
        .isSameAs(signal);
  }

  @Test
  void aSignalExceptionPassesThroughTheReportOfABackgroundTask() {
    assertThatThrownBy(() ->
            Loops.run(() -> {
              throwSignalInHandler();
              Loop.running().background(this::fail);
              Loop.running().sleep(Duration.ofHours(1));
            }))
        .isSameAs(signal);
  }

  @Test
  void aSignalExceptionPassesThroughAReportByHand() {
    assertThatThrownBy(() ->
            Loops.run(() -> {
              throwSignalInHandler();
              Loop.running().callExceptionHandler(ExceptionContext.of("x", null));
            }))
        .isSameAs(signal);
  }

  /** Once only: the end of the run reports as well. */
  private void throwSignalInHandler() {
    Loop.running()
        .setExceptionHandler((loop, context) -> {
          loop.setExceptionHandler((l, c) -> {});
          throw signal;
        });
  }

  @Test
  void aLogThatThrowsDoesNotEndTheLoop() {
    AtomicInteger attempts = new AtomicInteger();
    try (CapturedLog log = CapturedLog.open()) {
      log.tee(new FullDisk(attempts));

      Loops.run(() -> {
        for (int i = 0; i < 3; i++) {
          Loop.running().callSoon(this::fail);
          Loops.settle();
        }
      });
    }

    assertThat(attempts).hasValue(3);
  }

  private static final class FullDisk extends Handler {
    private final AtomicInteger attempts;

    FullDisk(AtomicInteger attempts) {
      this.attempts = attempts;
    }

    @Override
    public void publish(LogRecord entry) {
      attempts.incrementAndGet();
      throw new LinkageError("no descriptor left");
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private void fail() {
    throw failure;
  }

  private static List<String> collectRequests() {
    List<String> requests = new ArrayList<>();
    Loop.running().setExceptionHandler((loop, context) -> requests.add(REQUEST.get("none")));
    return requests;
  }
}
