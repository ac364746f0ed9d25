package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AcceptGateTest {
  private final AcceptGate gate = new AcceptGate(10);

  @Test
  void opened_belowTheLimit_goesOn() {
    assertThat(gate.opened(9)).isFalse();
    assertThat(gate.paused()).isFalse();
  }

  @Test
  void opened_atTheLimit_pausesOnce() {
    assertThat(gate.opened(10)).isTrue();
    assertThat(gate.opened(11)).isFalse();
    assertThat(gate.paused()).isTrue();
  }

  @Test
  void ended_whenNotPaused_doesNothing() {
    assertThat(gate.ended(0)).isFalse();
  }

  @Test
  void ended_aboveNineTenths_staysPaused() {
    AcceptGate large = new AcceptGate(1000);
    large.opened(1000);

    assertThat(large.ended(901)).isFalse();
    assertThat(large.paused()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "2, 1", "9, 8", "10, 9", "1000, 900", "2147483647, 1932735282"})
  void ended_atNineTenths_resumesOnce(int max, int resumedAt) {
    AcceptGate paused = new AcceptGate(max);
    paused.opened(max);

    assertThat(paused.ended(resumedAt)).isTrue();
    assertThat(paused.ended(resumedAt - 1)).isFalse();
    assertThat(paused.paused()).isFalse();
  }

  @Test
  void opened_afterAResume_pausesAgain() {
    gate.opened(10);
    gate.ended(9);

    assertThat(gate.opened(10)).isTrue();
  }
}
