package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.spi.IoDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SleepTest {
  private static final Duration SHORT = Duration.ofMillis(2);

  private final List<String> order = new ArrayList<>();

  @Test
  void sleepLastsAtLeastTheDelayByTheClockOfTheLoop() {
    Loops.run(() -> {
      Duration before = Loop.running().time();

      Asyncio.sleep(SHORT);

      assertThat(Loop.running().time().minus(before)).isGreaterThanOrEqualTo(SHORT);
    });
  }

  @Test
  void otherTasksRunMeanwhile() {
    Loops.run(() -> {
      Asyncio.createTask(() -> order.add("other task"));
      Asyncio.sleep(SHORT);
      order.add("slept");

      assertThat(order).containsExactly("other task", "slept");
    });
  }

  @Test
  void sleepReturnsTheResultItWasGiven() {
    Loops.run(() -> {
      assertThat(Asyncio.sleep(Duration.ofNanos(1), "result")).isEqualTo("result");
      assertThat(Asyncio.sleep(Duration.ZERO, "result")).isEqualTo("result");
      assertThat(Asyncio.<String>sleep(Duration.ZERO, null)).isNull();
    });
  }

  @Test
  void withoutADelayItLetsWhatIsReadyRunExactlyOnce() {
    Loops.run(() -> {
      for (Action yield :
          List.<Action>of(
              () -> Asyncio.sleep(Duration.ZERO),
              () -> Asyncio.sleep(Duration.ofSeconds(-1)),
              Asyncio::yieldNow)) {
        order.clear();
        Asyncio.createTask(() -> {
          order.add("first round");
          Asyncio.yieldNow();
          order.add("second round");
        });

        yield.run();

        assertThat(order).containsExactly("first round");
        Loops.settle();
      }
    });
  }

  @Test
  void withoutADelayThereIsNoTimer() {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(() -> Asyncio.sleep(Duration.ZERO));
      Asyncio.yieldNow();

      assertThat(Loop.running().carrier.timers.size()).isZero();
      assertThat(task.done()).isFalse();
    });
  }

  @Test
  void aCancelledSleepCancelsItsTimer() {
    Loops.run(() -> {
      Task<?> sleeper = Loops.sleeper();
      assertThat(Loop.running().carrier.timers.nextDeadlineNanos())
          .isNotEqualTo(IoDriver.NO_DEADLINE);

      sleeper.cancel();
      Loops.settle();

      assertThat(sleeper.cancelled()).isTrue();
      assertThat(Loop.running().carrier.timers.nextDeadlineNanos()).isEqualTo(IoDriver.NO_DEADLINE);
    });
  }

  @Test
  void aTaskThatOnlyYieldsCanBeCancelled() {
    Loops.run(() -> {
      Task<?> task =
          Asyncio.createTask(() -> {
            while (true) {
              Asyncio.yieldNow();
            }
          });
      Asyncio.yieldNow();

      task.cancel("enough");

      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("enough");
    });
  }

  @Test
  void theShorterSleepEndsFirst() {
    Loops.run(() -> {
      Task<?> longer = Loops.sleeper();
      Task<?> shorter = Asyncio.createTask(() -> Asyncio.sleep(SHORT));
      shorter.await();

      assertThat(longer.done()).isFalse();
    });
  }

  @Test
  void theLongestDelayIsNoneThatOverflows() {
    Loops.run(() -> {
      Task<?> sleeper = Asyncio.createTask(() -> Asyncio.sleep(Duration.ofSeconds(Long.MAX_VALUE)));
      Loops.settle();

      assertThat(sleeper.done()).isFalse();
    });
  }

  @Test
  void aNullDelayIsRefused() {
    Loops.run(() ->
        assertThatThrownBy(() -> Asyncio.sleep(null)).isInstanceOf(NullPointerException.class));
  }

  @Test
  void sleepNeedsATask() {
    assertThatThrownBy(() -> Asyncio.sleep(SHORT))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop")
        .hasMessageContaining("Asyncio.run");
    assertThatThrownBy(Asyncio::yieldNow)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }

  @Test
  void sleepInACallbackIsRefusedAndSaysWhatToDo() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();

      Loop.running().callSoon(() -> Asyncio.sleep(SHORT));
      Loop.running().callSoon(Asyncio::yieldNow);
      Loops.settle();

      assertThat(errors)
          .extracting(ExceptionContext::exception)
          .hasSize(2)
          .allSatisfy(exception ->
              assertThat(exception)
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("no task to suspend")
                  .hasMessageContaining("createTask"));
    });
  }
}
