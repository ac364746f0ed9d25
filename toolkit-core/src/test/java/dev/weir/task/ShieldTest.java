package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShieldTest {
  private final IOException failure = new IOException("broken");
  private final List<ExceptionContext> errors = new ArrayList<>();

  @Test
  void theShieldHasTheResultOfTheInnerFuture() {
    Loops.run(() -> {
      Task<String> inner = Asyncio.createTask(() -> "x");

      assertThat(Asyncio.shield(inner).await()).isEqualTo("x");
    });
  }

  @Test
  void theShieldFailsWithTheFailureOfTheInnerFuture() {
    runCollectingErrors(() -> {
      Task<String> inner = Loops.failing(failure);

      assertThatThrownBy(() -> Asyncio.shield(inner).await()).isSameAs(failure);
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void aFutureThatIsDoneIsReturnedItself() {
    Loops.run(() -> {
      Future<String> done = Loops.done("x");

      assertThat(Asyncio.shield(done)).isSameAs(done);
    });
  }

  @Test
  void cancellingTheTaskThatAwaitsDoesNotReachTheInnerFuture() {
    Loops.run(() -> {
      Future<String> inner = Loop.running().createFuture();
      Task<?> waiter = Asyncio.createTask(() -> Asyncio.shield(inner).await());
      Loops.settle();

      waiter.cancel("enough");

      assertThatThrownBy(waiter::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      assertThat(inner.done()).isFalse();
      inner.setResult("went on");
    });
  }

  @Test
  void cancellingTheShieldDoesNotReachTheInnerTask() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<String> inner = Asyncio.createTask(() -> gate.await());
      Future<String> shield = Asyncio.shield(inner);
      Loops.settle();

      assertThat(shield.cancel()).isTrue();
      gate.setResult("went on");

      assertThat(shield.cancelled()).isTrue();
      assertThat(inner.cancelling()).isZero();
      assertThat(inner.await()).isEqualTo("went on");
    });
  }

  @Test
  void aTimeoutDoesNotReachTheInnerTask() {
    Loops.run(() -> {
      Future<String> gate = Loop.running().createFuture();
      Task<String> inner = Asyncio.createTask(() -> gate.await());

      assertThatThrownBy(() -> Asyncio.waitFor(Asyncio.shield(inner), Duration.ofMillis(1)))
          .isInstanceOf(TimeoutException.class);

      gate.setResult("went on");
      assertThat(inner.await()).isEqualTo("went on");
    });
  }

  @Test
  void anInnerFutureThatIsCancelledCancelsTheShield() {
    Loops.run(() -> {
      Future<String> inner = Loop.running().createFuture();
      Future<String> shield = Asyncio.shield(inner);

      inner.cancel("from inside");
      Loops.settle();

      assertThat(shield.cancelled()).isTrue();
      assertThatThrownBy(shield::result)
          .isInstanceOf(CancelledError.class)
          .hasMessage("from inside");
    });
  }

  @Test
  void aFailureAfterTheShieldWasCancelledIsReportedOnce() {
    Future<?>[] failed = new Future<?>[1];

    runCollectingErrors(() -> {
      Future<String> inner = Loop.running().createFuture();
      failed[0] = inner;
      Asyncio.shield(inner).cancel();

      inner.setException(failure);
      Loops.settle();
      assertThat(errors).as("soon").hasSize(1);
    });

    assertThat(errors)
        .singleElement()
        .satisfies(error -> {
          assertThat(error.exception()).isSameAs(failure);
          assertThat(error.message()).containsIgnoringCase("exception in shielded future");
          assertThat(error.future()).isSameAs(failed[0]);
        });
  }

  @Test
  void aFailureBehindTwoCancelledShieldsIsReportedOnce() {
    runCollectingErrors(() -> {
      Future<String> inner = Loop.running().createFuture();
      Asyncio.shield(inner).cancel();
      Asyncio.shield(inner).cancel();

      inner.setException(failure);
      Loops.settle();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void aFailureInTheRoundInWhichTheShieldWasCancelledIsReportedOnce() {
    runCollectingErrors(() -> {
      Future<String> inner = Loop.running().createFuture();
      Future<String> shield = Asyncio.shield(inner);
      inner.setException(failure);
      shield.cancel();
      Loops.settle();
      assertThat(errors).as("soon").hasSize(1);
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void cancelledShieldsDoNotGatherOnTheInnerFuture() {
    runCollectingErrors(() -> {
      Loop.running().setDebug(true); // Then a future says how many wait for it.
      Future<String> inner = Loop.running().createFuture();
      for (int i = 0; i < 3; i++) {
        Asyncio.shield(inner).cancel();
      }
      Loops.settle();

      assertThat(inner.toString()).as("who reports a late failure").contains(", 1 waiting");
      inner.setException(failure);
      Loops.settle();
    });

    assertThat(errors).singleElement().extracting(ExceptionContext::exception).isSameAs(failure);
  }

  @Test
  void aFailureAfterTheShieldWasCancelledIsNotReportedIfSomebodyElseWaitsForIt() {
    runCollectingErrors(() -> {
      Task<String> inner = Loops.failing(failure);
      Asyncio.shield(inner).cancel();

      assertThatThrownBy(inner::await).isSameAs(failure);
      Loops.settle();
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void aResultOrACancellationAfterTheShieldWasCancelledIsNotReported() {
    runCollectingErrors(() -> {
      Future<String> first = Loop.running().createFuture();
      Future<String> second = Loop.running().createFuture();
      Asyncio.shield(first).cancel();
      Asyncio.shield(second).cancel();

      first.setResult("x");
      second.cancel();
      Loops.settle();
    });

    assertThat(errors).isEmpty();
  }

  @Test
  void oneOfTwoShieldsCanBeCancelled() {
    Loops.run(() -> {
      Future<String> inner = Loop.running().createFuture();
      Future<String> first = Asyncio.shield(inner);
      Future<String> second = Asyncio.shield(inner);

      first.cancel();
      inner.setResult("x");

      assertThat(second.await()).isEqualTo("x");
    });
  }

  @Test
  void aShieldedTaskNeedsNoOtherReference() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Asyncio.shield(
              Asyncio.createTask(() -> {
                Asyncio.yieldNow();
                order.add("went on");
              }))
          .cancel();
      Loops.settle();

      assertThat(order).containsExactly("went on");
    });
  }

  @Test
  void aFutureOfAnotherLoopIsRefused() {
    Loops.run(() -> {
      try (Loop other = Loops.open()) {
        Future<String> foreign = other.createFuture();

        assertThatThrownBy(() -> Asyncio.shield(foreign))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("shield()")
            .hasMessageContaining("another loop");
      }
    });
  }

  private void runCollectingErrors(Action body) {
    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      body.run();
    });
  }
}
