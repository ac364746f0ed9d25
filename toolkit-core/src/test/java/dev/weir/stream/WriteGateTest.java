package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WriteGateTest {
  private final WriteGate<String> gate = new WriteGate<>();

  @Test
  void mayWrite_whenOpen_isTrue() {
    assertThat(gate.mayWrite()).isTrue();
  }

  @Test
  void mayWrite_whenFull_isFalse() {
    gate.filled();

    assertThat(gate.mayWrite()).isFalse();
    assertThat(gate.full()).isTrue();
  }

  @Test
  void mayWrite_whenOpenButOthersWait_isFalse() {
    gate.filled();
    gate.enqueue("first");
    gate.drained();

    assertThat(gate.mayWrite()).as("a newcomer").isFalse();
    assertThat(gate.mayWrite("first")).isTrue();
  }

  @Test
  void drained_whenFull_wakesTheFirstWriterOnly() {
    gate.filled();
    gate.enqueue("first");
    gate.enqueue("second");

    assertThat(gate.drained()).containsExactly("first");
    assertThat(gate.mayWrite("second")).isFalse();
  }

  @Test
  void drained_whenFull_wakesEveryDrainerBeforeTheFirstWriter() {
    gate.filled();
    gate.enqueue("writer");
    gate.enqueueDrainer("drainer 1");
    gate.enqueueDrainer("drainer 2");

    assertThat(gate.drained()).containsExactly("drainer 1", "drainer 2", "writer");
  }

  @Test
  void drained_whenOpen_wakesNobody() {
    gate.enqueue("waits its turn");

    assertThat(gate.drained()).isEmpty();
  }

  @Test
  void leave_whenOpen_wakesTheNext() {
    gate.filled();
    gate.enqueue("first");
    gate.enqueue("second");
    gate.drained();

    assertThat(gate.leave("first")).isEqualTo("second");
    assertThat(gate.mayWrite("second")).isTrue();
  }

  @Test
  void leave_whenTheFirstFilledItAgain_wakesNobody() {
    gate.filled();
    gate.enqueue("first");
    gate.enqueue("second");
    gate.drained();
    gate.filled();

    assertThat(gate.leave("first")).isNull();
    assertThat(gate.drained()).containsExactly("second");
  }

  @Test
  void leave_ofOneFurtherBack_wakesNobodyAndKeepsTheOrder() {
    gate.filled();
    gate.enqueue("first");
    gate.enqueue("second");
    gate.enqueue("third");
    gate.drained();

    assertThat(gate.leave("second")).isNull();
    assertThat(gate.leave("first")).isEqualTo("third");
  }

  @Test
  void leave_ofTheLast_letsNewcomersIn() {
    gate.filled();
    gate.enqueue("only");
    gate.drained();

    assertThat(gate.leave("only")).isNull();
    assertThat(gate.mayWrite()).isTrue();
  }

  @Test
  void closed_wakesEverybodyOnce() {
    gate.filled();
    gate.enqueue("first");
    gate.enqueue("second");
    gate.enqueueDrainer("drainer");

    assertThat(gate.closed()).containsExactly("drainer", "first", "second");
    assertThat(gate.closed()).isEmpty();
  }

  @Test
  void filled_whenClosed_changesNothing() {
    gate.closed();
    gate.filled();

    assertThat(gate.full()).isFalse();
  }

  @Test
  void leaveDrainer_takesItOut() {
    gate.filled();
    gate.enqueueDrainer("drainer");
    gate.leaveDrainer("drainer");

    assertThat(gate.drained()).isEmpty();
  }
}
