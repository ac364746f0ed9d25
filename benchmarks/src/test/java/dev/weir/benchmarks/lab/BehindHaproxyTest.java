package dev.weir.benchmarks.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two servers behind a proxy that nobody here wrote, under load. */
@Tag("slow")
@Timeout(60)
class BehindHaproxyTest {
  @Test
  void serversThatAreDrainedStoppedAndStartedInTurnLoseNoRequestAndSeeTheTrueClients()
      throws Exception {
    assumeTrue(Haproxy.isInstalled(), "haproxy is not installed, see build/install-lab");

    BehindHaproxy.Outcome outcome = BehindHaproxy.run(true, 1);

    assertThat(outcome.lost()).isEmpty();
    assertThat(outcome.misaddressed()).isZero();
    assertThat(outcome.answered()).isPositive();
  }
}
