package dev.weir.stream;

import dev.weir.Asyncio;
import dev.weir.task.Coroutine;
import dev.weir.task.Future;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Lets other steps of a virtual loop have their turn. */
final class Rounds {
  private Rounds() {}

  /**
   * Lets everything run that is ready, and arrive what is on its way: virtual time passes only when
   * there is nothing else to do.
   */
  static void settle() {
    Asyncio.sleep(Duration.ofNanos(1));
  }

  /**
   * Lets rounds pass until {@code condition} holds. It is asked first in every round, before a task
   * that the network made ready in the round before: so the caller acts between the two.
   */
  static void until(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Asyncio.yieldNow();
    }
  }

  /** Does something in a callback and waits for it. */
  static <T> T inCallback(Coroutine<T> body) {
    Future<T> outcome = Asyncio.runningLoop().createFuture();
    Asyncio.runningLoop()
        .callSoon(() -> {
          try {
            outcome.setResult(body.run());
          } catch (Throwable e) {
            outcome.setException(e);
          }
        });
    return outcome.await();
  }
}
