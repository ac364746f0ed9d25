package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AcceptBackoffTest {
  private final AcceptBackoff backoff = new AcceptBackoff();

  @Test
  void failed_again_doublesThePauseUpToASecond() {
    assertThat(Stream.generate(backoff::failed).limit(7))
        .containsExactly(100L, 200L, 400L, 800L, 1000L, 1000L, 1000L);
  }

  @Test
  void failed_afterASuccess_beginsAnew() {
    backoff.failed();
    backoff.failed();

    backoff.succeeded();

    assertThat(backoff.failed()).isEqualTo(100);
  }

  @Test
  void takeReport_within10Seconds_isGivenOnce() {
    long start = Long.MAX_VALUE - 5; // The clock may go round.
    long tenSeconds = TimeUnit.SECONDS.toNanos(10);

    assertThat(backoff.takeReport(start)).isTrue();
    assertThat(backoff.takeReport(start + 1)).isFalse();
    assertThat(backoff.takeReport(start + tenSeconds - 1)).isFalse();
    assertThat(backoff.takeReport(start + tenSeconds)).isTrue();
    assertThat(backoff.takeReport(start + tenSeconds + 1)).isFalse();
  }

  /** Else a server at the edge, that fails at every other connection, would fill the log. */
  @Test
  void takeReport_afterASuccess_isNotGivenSooner() {
    backoff.takeReport(0);

    backoff.succeeded();

    assertThat(backoff.takeReport(1)).isFalse();
  }
}
