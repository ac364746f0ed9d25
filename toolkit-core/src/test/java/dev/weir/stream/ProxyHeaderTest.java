package dev.weir.stream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The examples are those of the specification, sections 2.1 and 2.2. */
class ProxyHeaderTest {
  private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";
  private static final String LONGEST_IPV6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

  private static InetSocketAddress at(String address, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(address), port);
  }

  private static String text(ProxyHeader header) {
    return new String(header.encode(), ISO_8859_1);
  }

  private static String hex(ProxyHeader header) {
    return HexFormat.of().formatHex(header.encode());
  }

  @Test
  void versionOneIsALineOfText() {
    assertThat(text(ProxyHeader.v1(at("192.168.0.1", 56324), at("192.168.0.11", 443))))
        .isEqualTo("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
    assertThat(text(ProxyHeader.v1(at("2001:db8::1", 1), at("::1", 0))))
        .isEqualTo("PROXY TCP6 2001:db8:0:0:0:0:0:1 0:0:0:0:0:0:0:1 1 0\r\n");
    assertThat(text(ProxyHeader.unknown())).isEqualTo("PROXY UNKNOWN\r\n");
  }

  @Test
  void theLongestLinesOfVersionOneAreThoseOfTheSpecification() {
    assertThat(text(ProxyHeader.v1(at("255.255.255.255", 65535), at("255.255.255.255", 65535))))
        .isEqualTo("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n")
        .hasSize(56);
    assertThat(text(ProxyHeader.v1(at(LONGEST_IPV6, 65535), at(LONGEST_IPV6, 65535))))
        .isEqualTo("PROXY TCP6 " + LONGEST_IPV6 + " " + LONGEST_IPV6 + " 65535 65535\r\n")
        .hasSize(104);
  }

  @Test
  void versionTwoIsBinary() {
    assertThat(hex(ProxyHeader.v2(at("192.0.2.1", 0x1234), at("198.51.100.2", 443))))
        .isEqualTo(SIGNATURE + "2111000c" + "c0000201" + "c6336402" + "1234" + "01bb");
    assertThat(hex(ProxyHeader.v2(at("2001:db8::1", 65535), at("::2", 80))))
        .isEqualTo(
            SIGNATURE
                + "21210024"
                + "20010db8000000000000000000000001"
                + "00000000000000000000000000000002"
                + "ffff"
                + "0050");
    assertThat(hex(ProxyHeader.local())).isEqualTo(SIGNATURE + "20000000");
  }

  @Test
  void aScopeStaysHere() throws Exception {
    InetSocketAddress scoped =
        new InetSocketAddress(
            java.net.Inet6Address.getByAddress(
                null, InetAddress.ofLiteral("fe80::1").getAddress(), 1),
            1);

    assertThat(text(ProxyHeader.v1(scoped, scoped)))
        .isEqualTo("PROXY TCP6 fe80:0:0:0:0:0:0:1 fe80:0:0:0:0:0:0:1 1 1\r\n");
  }

  @Test
  void addressesAreOfOneFamilyAndResolved() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ProxyHeader.v2(at("192.0.2.1", 1), at("::1", 1)))
        .withMessageContaining("not of one family");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> ProxyHeader.v1(InetSocketAddress.createUnresolved("a.example", 1), at("::1", 1)))
        .withMessageContaining("source is not resolved")
        .withMessageContaining("a.example");
  }

  @Test
  void headersAreValues() {
    ProxyHeader header = ProxyHeader.v1(at("192.0.2.1", 1), at("192.0.2.2", 2));

    assertThat(header)
        .isEqualTo(ProxyHeader.v1(at("192.0.2.1", 1), at("192.0.2.2", 2)))
        .hasSameHashCodeAs(ProxyHeader.v1(at("192.0.2.1", 1), at("192.0.2.2", 2)))
        .isNotEqualTo(ProxyHeader.v2(at("192.0.2.1", 1), at("192.0.2.2", 2)))
        .hasToString("ProxyHeader[v1, /192.0.2.1:1 -> /192.0.2.2:2]");
    assertThat(header.source()).isEqualTo(at("192.0.2.1", 1));
    assertThat(header.destination()).isEqualTo(at("192.0.2.2", 2));
    assertThat(ProxyHeader.local().source()).isNull();
    assertThat(ProxyHeader.unknown()).isNotEqualTo(ProxyHeader.local());
  }
}
