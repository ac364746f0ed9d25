package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Names that this system knows by itself, as the JDK finds them. */
class HostNamesTest {
  @Test
  void localhostHasWhatTheJdkFindsForIt() {
    OnLoop.run(
        "nio",
        () -> {
          InetAddress[] found = InetAddress.getAllByName("localhost");

          assertThat(Asyncio.getaddrinfo("localhost", 7))
              .containsExactlyElementsOf(
                  Arrays.stream(found).map(host -> new InetSocketAddress(host, 7)).toList());
          assertThat(Asyncio.getaddrinfo("localhost", 7, StandardProtocolFamily.INET))
              .allMatch(address -> address.getAddress() instanceof Inet4Address);
        });
  }

  @Test
  void theLoopbackHasTheNameThatTheJdkFindsForIt() {
    OnLoop.run(
        "nio",
        () -> {
          InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");

          assertThat(Asyncio.getnameinfo(new InetSocketAddress(loopback, 49_999)))
              .satisfies(names -> {
                assertThat(names.host())
                    .isEqualTo(InetAddress.ofLiteral("127.0.0.1").getCanonicalHostName());
                assertThat(names.service()).isEqualTo("49999");
              });
        });
  }

  @Test
  void aNameThatCannotBeOneIsUnknown() {
    OnLoop.run(
        "nio",
        () ->
            assertThatThrownBy(() -> Asyncio.getaddrinfo("not a name", 80))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("not a name"));
  }
}
