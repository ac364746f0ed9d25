package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@link Context#carry} carries, where errors are reported: an MDC names the request. */
class CarriedInReportsTest {
  private final ThreadLocal<String> mdc = new ThreadLocal<>();
  private final Runnable endOfCarrying = Context.carry(mdc::get, mdc::set);
  private final List<String> seen = new ArrayList<>();

  @AfterEach
  void stopCarrying() {
    endOfCarrying.run();
    mdc.remove();
  }

  private void noteInTheHandler() {
    Loop.running()
        .setExceptionHandler(
            (loop, error) -> seen.add(error.exception().getMessage() + ": " + mdc.get()));
  }

  private static void fail(String name) {
    throw new IllegalStateException(name);
  }

  @Test
  void theHandlerSeesWhatTheFailedTaskOrCallbackWasMadeWith() {
    Loops.run(() -> {
      noteInTheHandler();
      mdc.set("request-7");
      Loop.running().callSoon(() -> fail("callback"));
      Asyncio.background(() -> fail("background"));
      mdc.set("main's");
      Loops.settle();

      assertThat(seen).containsExactly("callback: request-7", "background: request-7");
      assertThat(mdc.get()).isEqualTo("main's");
    });
  }

  @Test
  void theHandlerSeesWhatACallbackHasSetUntilItFailed() {
    Loops.run(() -> {
      noteInTheHandler();
      mdc.set("maker's");
      Loop.running()
          .callSoon(() -> {
            mdc.set("callback's");
            fail("callback");
          });
      Loops.settle();

      assertThat(seen).containsExactly("callback: callback's");
    });
  }

  @Test
  void aFailureThatNobodyAskedForIsReportedWithItAndTheReportingThreadKeepsItsOwn() {
    mdc.set("caller's");

    Loops.run(() -> {
      noteInTheHandler();
      mdc.set("request-7");
      Asyncio.createTask(() -> fail("unretrieved"));
      Loops.settle();
    });

    assertThat(seen).containsExactly("unretrieved: request-7");
    assertThat(mdc.get()).isEqualTo("caller's");
  }

  @Test
  void theLogSeesItWhereThereIsNoHandler() {
    try (CapturedLog log = CapturedLog.open()) {
      log.tee(new Appender());
      Loops.run(() -> {
        mdc.set("request-7");
        Asyncio.background(() -> fail("background"));
        mdc.remove();
        Loops.settle();
      });
    }

    assertThat(seen).containsExactly("request-7");
  }

  @Test
  void theLogSeesItWhenTheHandlerFails() {
    try (CapturedLog log = CapturedLog.open()) {
      log.tee(new Appender());
      Loops.run(() -> {
        Loop.running().setExceptionHandler((loop, error) -> fail("handler"));
        mdc.set("request-7");
        Asyncio.background(() -> fail("background"));
        mdc.remove();
        Loops.settle();
      });
    }

    assertThat(seen).containsExactly("request-7");
  }

  @Test
  void aReadThatThrowsDoesNotLoseTheReport() {
    Loops.run(() -> {
      noteInTheHandler();
      mdc.set("request-7");
      Asyncio.background(() -> fail("background"));
      Runnable endOfBroken =
          Context.carry(
              () -> {
                throw new IllegalStateException("cannot read");
              },
              value -> {});
      try (CapturedLog _ = CapturedLog.open()) {
        Loops.settle();
      } finally {
        endOfBroken.run();
      }

      assertThat(seen).containsExactly("background: request-7");
    });
  }

  private final class Appender extends Handler {
    @Override
    public void publish(LogRecord entry) {
      seen.add(String.valueOf(mdc.get()));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
