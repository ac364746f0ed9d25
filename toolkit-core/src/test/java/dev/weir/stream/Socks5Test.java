package dev.weir.stream;

import static dev.weir.stream.ScriptedProxy.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ScriptedProxy.Exchange;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** RFC 1928 and RFC 1929, against proxies that keep to a script. */
class Socks5Test {
  private static final ProxyServer PROXY =
      ProxyServer.socks5(ScriptedProxy.HOST, ScriptedProxy.PORT);
  private static final ProxyServer AUTHENTICATED = PROXY.withCredentials("user", "päss");

  private static final Exchange NO_AUTHENTICATION = new Exchange(3, bytes(5, 0));
  private static final Exchange PASSWORD_WANTED = new Exchange(4, bytes(5, 2));
  private static final Exchange PASSWORD_ACCEPTED = new Exchange(12, bytes(1, 0));
  private static final byte[] CONNECTED = bytes(5, 0, 0, 1, 10, 0, 0, 1, 0x12, 0x34);

  private static Exchange connected(int bytesAwaited) {
    return new Exchange(bytesAwaited, CONNECTED);
  }

  private static Connection open(String host, int port, ProxyServer proxy) throws IOException {
    return Asyncio.openConnection(host, port, ConnectOptions.defaults().withProxy(proxy));
  }

  private static String echoed(Connection connection, String text) throws IOException {
    connection.writer().write(text);
    return new String(connection.reader().readExactly(text.length()), ISO_8859_1);
  }

  private static String chars(Object... parts) {
    return new String(bytes(parts), ISO_8859_1);
  }

  // --- What is sent

  @Test
  void aNameGoesToTheProxyAsItIs() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy proxy = ScriptedProxy.start(NO_AUTHENTICATION, connected(21));
          Connection connection = open("target.example", 8080, PROXY)) {
        assertThat(echoed(connection, "hello")).isEqualTo("hello");
        assertThat(proxy.heard())
            .isEqualTo(chars(5, 1, 0, 5, 1, 0, 3, 14, "target.example", 0x1f, 0x90, "hello"));
      }
    });
  }

  @Test
  void aLiteralGoesToTheProxyAsAnAddress() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy proxy = ScriptedProxy.start(NO_AUTHENTICATION, connected(10));
          Connection _ = open("192.0.2.1", 443, PROXY)) {
        assertThat(proxy.heard()).isEqualTo(chars(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 1, 187));
      }
    });
    VirtualLoop.run(() -> {
      try (ScriptedProxy proxy = ScriptedProxy.start(NO_AUTHENTICATION, connected(22));
          Connection _ = open("2001:db8::1", 1, PROXY)) {
        assertThat(proxy.heard())
            .isEqualTo(
                chars(5, 1, 0, 5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0)
                    + chars(0, 0, 0, 0, 0, 0, 0, 1, 0, 1));
      }
    });
  }

  @Test
  void theUserIsNamedOnlyWhereTheProxyWantsToKnow() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy proxy =
              ScriptedProxy.start(PASSWORD_WANTED, PASSWORD_ACCEPTED, connected(21));
          Connection _ = open("target.example", 80, AUTHENTICATED)) {
        assertThat(proxy.heard())
            .startsWith(chars(5, 2, 0, 2, 1, 4, "user", 5) + chars("päss") + chars(5, 1, 0, 3));
      }
    });
    VirtualLoop.run(() -> {
      try (ScriptedProxy proxy = ScriptedProxy.start(new Exchange(4, bytes(5, 0)), connected(21));
          Connection _ = open("target.example", 80, AUTHENTICATED)) {
        assertThat(proxy.heard()).startsWith(chars(5, 2, 0, 2, 5, 1, 0, 3)).doesNotContain("user");
      }
    });
  }

  // --- What is answered

  @Test
  void answersMayBeCutAnywhereAndWhatTheTargetSaysBehindThemIsNotLost() {
    byte[] behind = bytes(5, 0, 0, 3, 4, "name", 0, 80, "220 hello\n");
    int length = 2 + 2 + behind.length;
    for (int cut = 0; cut <= length; cut++) {
      int at = cut;
      VirtualLoop.run(() -> {
        try (ScriptedProxy _ =
                ScriptedProxy.start(PASSWORD_WANTED, PASSWORD_ACCEPTED, new Exchange(21, behind))
                    .cutAt(at);
            Connection connection = open("target.example", 80, AUTHENTICATED)) {
          assertThat(connection.reader().readLine()).isEqualTo(bytes("220 hello\n"));
          assertThat(echoed(connection, "EHLO")).isEqualTo("EHLO");
        }
      });
    }
  }

  @Test
  void aBoundAddressOfAnyTypeIsSkipped() {
    Map<String, byte[]> bound =
        Map.of(
            "IPv4", bytes(1, 1, 2, 3, 4),
            "IPv6", bytes(4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            "an empty name", bytes(3, 0),
            "a name", bytes(3, 255, "n".repeat(255)));
    bound.forEach((type, address) ->
        VirtualLoop.run(() -> {
          byte[] answer = new byte[3 + address.length + 2];
          answer[0] = 5;
          System.arraycopy(address, 0, answer, 3, address.length);
          try (ScriptedProxy _ = ScriptedProxy.start(NO_AUTHENTICATION, new Exchange(21, answer));
              Connection connection = open("target.example", 80, PROXY)) {
            assertThat(echoed(connection, "hello")).as(type).isEqualTo("hello");
          }
        }));
  }

  @Test
  void theProxysReasonIsGivenInWords() {
    Map<Integer, String> reasons =
        Map.of(
            1, "general failure",
            2, "its rules do not allow it",
            3, "the network is unreachable",
            4, "the host is unreachable",
            5, "the connection was refused",
            6, "the time to live expired",
            7, "it does not know the command",
            8, "it does not know addresses of this type",
            99, "reply 99");
    reasons.forEach((code, reason) ->
        VirtualLoop.run(() -> {
          try (ScriptedProxy _ =
              ScriptedProxy.start(NO_AUTHENTICATION, new Exchange(21, bytes(5, code)))) {
            assertThatThrownBy(() -> open("target.example", 80, PROXY))
                .isInstanceOf(ProxyException.class)
                .hasMessage(
                    "The SOCKS5 proxy proxy.example:1080 did not connect to target.example:80: "
                        + reason);
          }
        }));
  }

  @Test
  void aProxyThatWantsAPasswordSaysSo() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy _ = ScriptedProxy.start(new Exchange(3, bytes(5, 255)))) {
        assertThatThrownBy(() -> open("target.example", 80, PROXY))
            .isInstanceOf(ProxyException.class)
            .hasMessageContaining("wants to know who asks")
            .hasMessageContaining("withCredentials()");
      }
    });
  }

  @Test
  void aPasswordThatIsRefusedIsNotShown() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy _ = ScriptedProxy.start(PASSWORD_WANTED, new Exchange(12, bytes(1, 1)))) {
        assertThatThrownBy(() -> open("target.example", 80, AUTHENTICATED))
            .isInstanceOf(ProxyException.class)
            .hasMessage(
                "The SOCKS5 proxy proxy.example:1080 does not accept the user and password");
      }
    });
  }

  @Test
  void nonsenseIsRefused() {
    Map<String, Exchange[]> scripts =
        Map.of(
            "answers in version 72, not 5",
            new Exchange[] {new Exchange(3, bytes("HTTP/1.1 400 Bad Request\r\n\r\n"))},
            "chose authentication method 2, which was not offered",
            new Exchange[] {new Exchange(3, bytes(5, 2))},
            "answers with an address of type 9",
            new Exchange[] {NO_AUTHENTICATION, new Exchange(21, bytes(5, 0, 0, 9))});
    scripts.forEach((words, script) ->
        VirtualLoop.run(() -> {
          try (ScriptedProxy _ = ScriptedProxy.start(script)) {
            assertThatThrownBy(() -> open("target.example", 80, PROXY))
                .isInstanceOf(ProxyException.class)
                .hasMessageContaining(words);
          }
        }));
  }

  @Test
  void aProxyThatGoesAwayMeanwhileIsSaidToHave() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy _ = ScriptedProxy.startAndEnd(new Exchange(3, bytes(5)))) {
        assertThatThrownBy(() -> open("target.example", 80, PROXY))
            .isInstanceOf(ProxyException.class)
            .hasMessageStartingWith("The SOCKS5 proxy proxy.example:1080 went away")
            .hasCauseInstanceOf(IncompleteReadException.class);
      }
    });
  }
}
