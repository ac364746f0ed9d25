package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ServerOptionsTest {
  private static final ServerOptions DEFAULTS = ServerOptions.defaults();

  @Test
  void theDefaultsAreAsDocumented() {
    assertThat(DEFAULTS.stream()).isEqualTo(StreamOptions.defaults());
    assertThat(DEFAULTS.backlog()).isEqualTo(100);
    assertThat(DEFAULTS.reuseAddress()).isTrue();
    assertThat(DEFAULTS.reusePort()).isFalse();
    assertThat(DEFAULTS.spread()).isEqualTo(Spread.NONE);
    assertThat(DEFAULTS.maxConnections()).isEqualTo(ServerOptions.UNLIMITED);
    assertThat(DEFAULTS.socketOptions()).isEmpty();
    assertThat(DEFAULTS.idleTimeout()).isNull();
    assertThat(DEFAULTS.firstByteTimeout()).isNull();
    assertThat(DEFAULTS.proxyProtocol()).isEmpty();
    assertThat(DEFAULTS.flushTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(DEFAULTS.grace()).isEqualTo(Duration.ofSeconds(5));
  }

  /** Each changes one option. */
  static Stream<UnaryOperator<ServerOptions>> changes() {
    return Stream.of(
        options -> options.withStream(StreamOptions.defaults().withLimit(1)),
        options -> options.withBacklog(7),
        options -> options.withReuseAddress(false),
        options -> options.withReusePort(true),
        options -> options.withSpread(Spread.AUTO),
        options -> options.withMaxConnections(7),
        options -> options.withSocketOption(StandardSocketOptions.SO_RCVBUF, 4096),
        options -> options.withKeepAlive(true),
        options -> options.withIdleTimeout(Duration.ofSeconds(7)),
        options -> options.withFirstByteTimeout(Duration.ofSeconds(7)),
        options -> options.withProxyProtocol(List.of("10.0.0.0/8")),
        options -> options.withFlushTimeout(Duration.ofSeconds(7)),
        options -> options.withGrace(Duration.ofSeconds(7)));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void aChangeMakesACopyThatDiffersInItAlone(UnaryOperator<ServerOptions> change) {
    String before = DEFAULTS.toString();

    ServerOptions changed = change.apply(DEFAULTS);

    assertThat(changed).isNotEqualTo(DEFAULTS).isEqualTo(change.apply(DEFAULTS));
    assertThat(changed).hasSameHashCodeAs(change.apply(DEFAULTS));
    assertThat(changed.toString()).isNotEqualTo(before);
    assertThat(DEFAULTS).hasToString(before);
  }

  @Test
  void everyChangeIsKeptByTheOthers() {
    List<UnaryOperator<ServerOptions>> changes = changes().toList();
    ServerOptions forwards = DEFAULTS;
    ServerOptions backwards = DEFAULTS;
    for (int i = 0; i < changes.size(); i++) {
      forwards = changes.get(i).apply(forwards);
      backwards = changes.get(changes.size() - 1 - i).apply(backwards);
    }

    assertThat(forwards).isEqualTo(backwards).hasSameHashCodeAs(backwards);
    assertThat(forwards.socketOptions())
        .isEqualTo(
            Map.of(
                StandardSocketOptions.SO_RCVBUF, 4096, StandardSocketOptions.SO_KEEPALIVE, true));
  }

  @Test
  void timeoutsCanBeTakenBack() {
    ServerOptions options =
        DEFAULTS.withIdleTimeout(Duration.ofSeconds(1)).withFirstByteTimeout(Duration.ofSeconds(1));

    assertThat(options.withIdleTimeout(null).withFirstByteTimeout(null)).isEqualTo(DEFAULTS);
  }

  @Test
  void valuesThatMakeNoSenseAreRefusedAndNamed() {
    Duration negative = Duration.ofSeconds(-1);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withBacklog(0))
        .withMessage("backlog < 1: 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withMaxConnections(0))
        .withMessage("maxConnections < 1: 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withGrace(negative))
        .withMessage("grace is negative: PT-1S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withFlushTimeout(negative))
        .withMessage("flushTimeout is negative: PT-1S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withIdleTimeout(Duration.ZERO))
        .withMessage("idleTimeout is not positive: PT0S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withFirstByteTimeout(negative))
        .withMessage("firstByteTimeout is not positive: PT-1S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withProxyProtocol(List.of()))
        .withMessageContaining("no trusted source");
    assertThatNullPointerException()
        .isThrownBy(() -> DEFAULTS.withSocketOption(StandardSocketOptions.SO_RCVBUF, null));
  }
}
