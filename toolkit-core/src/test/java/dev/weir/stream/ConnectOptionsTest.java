package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.weir.tls.ClientTls;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class ConnectOptionsTest {
  private static final ConnectOptions DEFAULTS = ConnectOptions.defaults();

  @Test
  void theDefaultsAreThoseOfTheDocumentation() {
    assertThat(DEFAULTS.stream()).isEqualTo(StreamOptions.defaults());
    assertThat(DEFAULTS.connectTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(DEFAULTS.happyEyeballsDelay()).isEqualTo(Duration.ofMillis(250));
    assertThat(DEFAULTS.localAddress()).isNull();
    assertThat(DEFAULTS.socketOptions()).isEmpty();
    assertThat(DEFAULTS.proxy()).isNull();
    assertThat(DEFAULTS.proxyHeader()).isNull();
  }

  @Test
  void eachWitherChangesOneOptionOfACopy() {
    List<UnaryOperator<ConnectOptions>> withers =
        List.of(
            options -> options.withStream(StreamOptions.defaults().withLimit(1)),
            options -> options.withConnectTimeout(Duration.ofSeconds(1)),
            options -> options.withHappyEyeballsDelay(Duration.ZERO),
            options -> options.withLocalAddress("localhost", 1),
            options -> options.withSocketOption(StandardSocketOptions.SO_KEEPALIVE, true),
            options -> options.withProxy(ProxyServer.socks5("proxy.example", 1080)),
            options -> options.withProxyHeader(ProxyHeader.local()),
            options -> options.withTls(ClientTls.defaults()),
            options -> options.withServerHostname("server.example"));
    ConnectOptions all = DEFAULTS;
    for (UnaryOperator<ConnectOptions> wither : withers) {
      ConnectOptions one = wither.apply(DEFAULTS);

      assertThat(one).isNotEqualTo(DEFAULTS).isEqualTo(wither.apply(DEFAULTS));
      assertThat(one).hasSameHashCodeAs(wither.apply(DEFAULTS));
      assertThat(wither.apply(all)).isNotEqualTo(all);

      all = wither.apply(all);
    }

    assertThat(DEFAULTS.toString())
        .isEqualTo(
            "ConnectOptions[stream="
                + StreamOptions.defaults()
                + ", connectTimeout=PT30S, happyEyeballsDelay=PT0.25S, localAddress=null,"
                + " socketOptions={}, proxy=null, proxyHeader=null, tls=null,"
                + " serverHostname=null]");
    assertThat(all.toString())
        .contains("connectTimeout=PT1S", "happyEyeballsDelay=PT0S", "localhost", "SO_KEEPALIVE")
        .contains("SOCKS5 proxy proxy.example:1080", "ProxyHeader[v2, no addresses]")
        .contains("ClientTls[trusts the system's certificates", "serverHostname=server.example");
    assertThat(all.localAddress()).isEqualTo(InetSocketAddress.createUnresolved("localhost", 1));
  }

  @Test
  void whatMakesNoSenseIsRefusedWithItsValue() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withConnectTimeout(Duration.ZERO))
        .withMessage("connectTimeout is not positive: PT0S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withHappyEyeballsDelay(Duration.ofMillis(-1)))
        .withMessage("happyEyeballsDelay is negative: PT-0.001S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withLocalAddress("localhost", 65_536))
        .withMessageContaining("65536");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withServerHostname(""))
        .withMessageContaining("serverHostname is empty");
    assertThatNullPointerException().isThrownBy(() -> DEFAULTS.withLocalAddress(null, 1));
    assertThatNullPointerException().isThrownBy(() -> DEFAULTS.withStream(null));
  }

  // --- Socket options

  @Test
  void aSocketOptionThatIsGivenTwiceHasTheLaterValue() {
    ConnectOptions options =
        DEFAULTS
            .withSocketOption(StandardSocketOptions.SO_RCVBUF, 1000)
            .withSocketOption(StandardSocketOptions.SO_RCVBUF, 2000);

    assertThat(options.socketOptions())
        .isEqualTo(Map.of(StandardSocketOptions.SO_RCVBUF, 2000))
        .isUnmodifiable();
  }

  @Test
  @SuppressWarnings({"unchecked", "rawtypes"}) // What the compiler refuses is what is tested.
  void aSocketOptionOfTheWrongTypeIsRefusedWhenItIsGiven() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            DEFAULTS.withSocketOption((SocketOption) StandardSocketOptions.TCP_NODELAY, "yes"))
        .withMessage("TCP_NODELAY takes a value of type Boolean, not yes of type String");
    assertThatNullPointerException()
        .isThrownBy(() -> DEFAULTS.withSocketOption(StandardSocketOptions.TCP_NODELAY, null));
  }

  @Test
  void aSocketOptionOutOfRangeIsRefusedWhenItIsGiven() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withSocketOption(StandardSocketOptions.SO_SNDBUF, -1))
        .withMessage("SO_SNDBUF is negative: -1");
    for (Duration timeout : List.of(Duration.ofNanos(999_999), Duration.ofDays(25))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DEFAULTS.withSocketOption(TcpSocketOptions.TCP_USER_TIMEOUT, timeout))
          .withMessageContaining("TCP_USER_TIMEOUT is not from 1 ms")
          .withMessageContaining(timeout.toString());
    }
    assertThat(DEFAULTS.withSocketOption(StandardSocketOptions.SO_LINGER, -1).socketOptions())
        .containsEntry(StandardSocketOptions.SO_LINGER, -1);
  }
}
