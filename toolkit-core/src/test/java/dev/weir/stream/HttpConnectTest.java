package dev.weir.stream;

import static dev.weir.stream.ScriptedProxy.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ScriptedProxy.Exchange;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The method CONNECT of HTTP, against proxies that keep to a script. */
class HttpConnectTest {
  private static final ProxyServer PROXY =
      ProxyServer.httpConnect(ScriptedProxy.HOST, ScriptedProxy.PORT);
  private static final ProxyServer AUTHENTICATED = PROXY.withCredentials("user", "open sesame");

  private static final String REQUEST =
      "CONNECT target.example:80 HTTP/1.1\r\nHost: target.example:80\r\n\r\n";
  private static final String OK = "HTTP/1.1 200 Connection established\r\n\r\n";

  private static Exchange answer(String answer) {
    return new Exchange(REQUEST.length(), bytes(answer));
  }

  private static Connection open(ProxyServer proxy) throws IOException {
    return open("target.example", proxy);
  }

  private static Connection open(String host, ProxyServer proxy) throws IOException {
    return Asyncio.openConnection(host, 80, ConnectOptions.defaults().withProxy(proxy));
  }

  private static String heardFor(String host, ProxyServer server, int bytesAwaited) {
    return VirtualLoop.run(() -> {
      try (ScriptedProxy proxy = ScriptedProxy.start(new Exchange(bytesAwaited, bytes(OK)));
          Connection _ = open(host, server)) {
        return proxy.heard();
      }
    });
  }

  // --- What is sent

  @Test
  void aNameGoesToTheProxyAsItIs() {
    assertThat(heardFor("target.example", PROXY, REQUEST.length())).isEqualTo(REQUEST);
  }

  @Test
  void anAddressOfIpv6StandsInBrackets() {
    String target = "[2001:db8:0:0:0:0:0:1]:80";
    String request = REQUEST.replace("target.example:80", target);

    assertThat(heardFor("2001:db8::1", PROXY, request.length())).isEqualTo(request);
  }

  @Test
  void theUserIsNamedInBase64() {
    String authorization = "Proxy-Authorization: Basic dXNlcjpvcGVuIHNlc2FtZQ==\r\n";

    assertThat(heardFor("target.example", AUTHENTICATED, REQUEST.length() + authorization.length()))
        .isEqualTo(REQUEST.substring(0, REQUEST.length() - 2) + authorization + "\r\n");
  }

  // --- What is answered

  @Test
  void answersMayBeCutAnywhereAndWhatTheTargetSaysBehindThemIsNotLost() {
    String answer =
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200 Connection established\r\n"
            + "Content-Length: 5\r\nVia: 1.1 proxy\r\n\r\n220 hello\n";
    for (int cut = 0; cut <= answer.length(); cut++) {
      int at = cut;
      VirtualLoop.run(() -> {
        try (ScriptedProxy _ = ScriptedProxy.start(answer(answer)).cutAt(at);
            Connection connection = open(PROXY)) {
          assertThat(connection.reader().readLine()).isEqualTo(bytes("220 hello\n"));
          connection.writer().write("EHLO");
          assertThat(connection.reader().readExactly(4)).isEqualTo(bytes("EHLO"));
        }
      });
    }
  }

  @Test
  void linesMayEndInABareNewline() {
    VirtualLoop.run(() -> {
      try (ScriptedProxy _ = ScriptedProxy.start(answer("HTTP/1.1 200\nVia: x\n\nhello"));
          Connection connection = open(PROXY)) {
        assertThat(connection.reader().readExactly(5)).isEqualTo(bytes("hello"));
      }
    });
  }

  @Test
  void aLineLimitOfTheStreamsDoesNotBoundTheHeader() {
    VirtualLoop.run(() -> {
      ConnectOptions narrow =
          ConnectOptions.defaults()
              .withProxy(PROXY)
              .withStream(StreamOptions.defaults().withLimit(1));
      try (ScriptedProxy _ = ScriptedProxy.start(answer(OK + "hello"));
          Connection connection = Asyncio.openConnection("target.example", 80, narrow)) {
        assertThat(connection.reader().readExactly(5)).isEqualTo(bytes("hello"));
      }
    });
  }

  private static void assertRefused(ProxyServer proxy, String answer, String message) {
    VirtualLoop.run(() -> {
      try (ScriptedProxy _ = ScriptedProxy.start(answer(answer))) {
        assertThatThrownBy(() -> open(proxy))
            .isInstanceOf(ProxyException.class)
            .hasMessage("The HTTP proxy proxy.example:1080 " + message);
      }
    });
  }

  @Test
  void theProxysReasonIsGiven() {
    assertRefused(
        PROXY,
        "HTTP/1.1 403 Forbidden\r\n\r\n",
        "did not connect to target.example:80: 'HTTP/1.1 403 Forbidden'");
    assertRefused(
        PROXY,
        "HTTP/1.1 301 Moved\r\n\r\n",
        "did not connect to target.example:80: 'HTTP/1.1 301 Moved'");
    assertRefused(
        PROXY,
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "wants to know who asks, give it ProxyServer.withCredentials():"
            + " 'HTTP/1.1 407 Proxy Authentication Required'");
    assertRefused(
        AUTHENTICATED,
        "HTTP/1.1 407 No\r\n\r\n",
        "does not accept the user and password: 'HTTP/1.1 407 No'");
  }

  @Test
  void theReasonIsFitForALog() {
    assertRefused(
        PROXY,
        "HTTP/1.1 502 \u001b[31mred\u0000\rtwo\r\n\r\n",
        "did not connect to target.example:80: 'HTTP/1.1 502 ?[31mred??two'");
    assertRefused(
        PROXY,
        "HTTP/1.1 502 " + "x".repeat(1000) + "\r\n\r\n",
        "did not connect to target.example:80: 'HTTP/1.1 502 " + "x".repeat(187) + "...'");
    assertRefused(
        AUTHENTICATED,
        "HTTP/1.1 502 dXNlcjpvcGVuIHNlc2FtZQ== is user:open sesame\r\n\r\n",
        "did not connect to target.example:80: 'HTTP/1.1 502 *** is user:***'");
  }

  @Test
  void nonsenseIsRefused() {
    for (String line : List.of("SSH-2.0-x", "HTTP/2 200", "HTTP/1.1 20", "HTTP/1.1  200", "")) {
      assertRefused(PROXY, line + "\r\n\r\n", "does not answer in HTTP: '" + line + "'");
    }
  }

  @Test
  void aHeaderWithoutEndIsRefusedAfterEightKibibytes() {
    String field = "X: " + "y".repeat(95) + "\r\n";
    String tooLong = "answers with a header of more than 8192 bytes";
    String start = OK.substring(0, OK.length() - 2);

    assertRefused(PROXY, start + field.repeat(100), tooLong);
    assertRefused(PROXY, "H".repeat(10_000), tooLong);
    assertRefused(PROXY, "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000), tooLong);
  }

  @Test
  void theLongestHeaderThatIsAllowedIsTaken() {
    String start = "HTTP/1.1 200 OK\r\nX: ";
    String header = start + "y".repeat(8192 - start.length() - 4) + "\r\n\r\n";
    VirtualLoop.run(() -> {
      try (ScriptedProxy _ = ScriptedProxy.start(answer(header + "hello"));
          Connection connection = open(PROXY)) {
        assertThat(connection.reader().readExactly(5)).isEqualTo(bytes("hello"));
      }
    });
  }
}
