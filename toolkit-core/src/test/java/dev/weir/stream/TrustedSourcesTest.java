package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrustedSourcesTest {
  private static boolean trusts(String source, String address) {
    return new TrustedSources(List.of(source))
        .contain(new InetSocketAddress(InetAddress.ofLiteral(address), 1));
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1,           10.0.0.1",
    "10.0.0.0/8,         10.255.255.255",
    "10.9.8.7/8,         10.0.0.1",
    "192.0.2.128/25,     192.0.2.200",
    "192.0.2.4/30,       192.0.2.7",
    "192.0.2.4/32,       192.0.2.4",
    "0.0.0.0/0,          203.0.113.9",
    "::1,                ::1",
    "2001:db8::/32,      2001:db8:ffff::1",
    "2001:db8::/33,      2001:db8:7fff::1",
    "::/0,               2001:db8::1",
    "::ffff:10.0.0.0/8,  10.0.0.1",
  })
  void whatIsWithinTheRangeIsTrusted(String source, String address) {
    assertThat(trusts(source, address)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1,       10.0.0.2",
    "10.0.0.0/8,     11.0.0.0",
    "192.0.2.128/25, 192.0.2.127",
    "192.0.2.4/30,   192.0.2.8",
    "0.0.0.0/0,      ::1",
    "::/0,           10.0.0.1",
    "2001:db8::/33,  2001:db8:8000::1",
    "unix,           127.0.0.1",
  })
  void whatIsOutsideIsNot(String source, String address) {
    assertThat(trusts(source, address)).isFalse();
  }

  @Test
  void oneOfSeveralIsEnough() {
    TrustedSources sources = new TrustedSources(List.of("10.0.0.1", "::1"));

    assertThat(sources.contain(new InetSocketAddress(InetAddress.ofLiteral("::1"), 1))).isTrue();
  }

  @Test
  void aUnixSocketIsTrustedByNameOnly() {
    UnixDomainSocketAddress peer = UnixDomainSocketAddress.of("");

    assertThat(new TrustedSources(List.of("unix")).contain(peer)).isTrue();
    assertThat(new TrustedSources(List.of("0.0.0.0/0", "::/0")).contain(peer)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/8",
        "localhost",
        "10",
        "10/8",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "10.0.0.0/x",
        "::/129",
        "::g",
        "10.0.0.1 "
      })
  void whatIsNeitherIsRefusedAndNamed(String source) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ServerOptions.defaults().withProxyProtocol(List.of("::1", source)))
        .withMessageStartingWith("trusted source '" + source + "': ")
        .withMessageContaining("10.0.0.0/8");
  }
}
