package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.spi.IoDriver;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimersTest {
  private final Timers timers = new Timers();
  private final List<TimerHandle> expired = new ArrayList<>();
  private long sequence;

  @Test
  void nextDeadline_whenEmpty_isNone() {
    assertThat(timers.nextDeadlineNanos()).isEqualTo(IoDriver.NO_DEADLINE);
  }

  @Test
  void nextDeadline_isTheEarliestThatIsWanted() {
    TimerHandle cancelled = add(10);
    add(20);
    add(30);
    cancel(cancelled);

    assertThat(timers.nextDeadlineNanos()).isEqualTo(20);
  }

  @Test
  void expire_handsOutWhatIsDueInOrder() {
    TimerHandle third = add(30);
    TimerHandle first = add(10);
    TimerHandle second = add(10);
    add(31);

    timers.expire(30, expired::add);

    assertThat(expired).containsExactly(first, second, third);
    assertThat(timers.size()).isEqualTo(1);
  }

  @Test
  void expire_whenCancelled_handsOutNothing() {
    cancel(add(10));

    timers.expire(10, expired::add);

    assertThat(expired).isEmpty();
    assertThat(timers.size()).isZero();
  }

  @Test
  void cancelledTimersDoNotPileUp() {
    add(1);
    for (int i = 0; i < 1_000_000; i++) {
      cancel(add(1_000_000));
    }

    assertThat(timers.size()).isLessThan(250);
  }

  private TimerHandle add(long whenNanos) {
    TimerHandle timer = new TimerHandle(null, () -> {}, whenNanos, sequence++);
    timers.add(timer);
    return timer;
  }

  private void cancel(TimerHandle timer) {
    timer.withdraw();
    timers.cancelled();
  }
}
