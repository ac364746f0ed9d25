package dev.weir.stream;

import static dev.weir.stream.ScriptedProxy.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ScriptedProxy.Exchange;
import dev.weir.task.Loop;
import dev.weir.testing.CancelEverywhere;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What holds for every kind of proxy, and for what a connection begins with. */
class ProxiedConnectionTest {
  private static final ProxyServer SOCKS =
      ProxyServer.socks5(ScriptedProxy.HOST, ScriptedProxy.PORT);
  private static final ProxyServer HTTP =
      ProxyServer.httpConnect(ScriptedProxy.HOST, ScriptedProxy.PORT);

  private static ConnectOptions by(ProxyServer proxy) {
    return ConnectOptions.defaults().withProxy(proxy);
  }

  // --- What must not be sent

  @Test
  void aHostThatWouldSpeakToTheProxyIsRefusedBeforeAnythingIsSent() {
    List<String> hosts =
        List.of(
            "a\u0000b", "a\rb", "a\nb", "a\r\nHost: evil", "a b", "a/b", "a@b", "a:b", "", "[a]");
    VirtualLoop.run(() -> {
      for (ProxyServer proxy : List.of(SOCKS, HTTP)) {
        for (String host : hosts) {
          assertThatIllegalArgumentException()
              .as(host)
              .isThrownBy(() -> Asyncio.openConnection(host, 80, by(proxy)));
        }
        assertThatIllegalArgumentException()
            .isThrownBy(() -> Asyncio.openConnection("n".repeat(256), 80, by(proxy)))
            .withMessageContaining("256");
        assertThatIllegalArgumentException()
            .isThrownBy(() -> Asyncio.openConnection("fe80::1%1", 80, by(proxy)))
            .withMessageContaining("scope");
      }
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Asyncio.openConnection("a\nb", 80, by(HTTP)))
          .withMessage(
              "a host's name has the character U+000A at 1, which a proxy must not be sent");
    });
  }

  @Test
  void credentialsThatWouldSpeakToTheProxyAreRefusedAndThePasswordIsNotShown() {
    for (ProxyServer proxy : List.of(SOCKS, HTTP)) {
      for (String bad : List.of("a\u0000secret", "a\rsecret", "a\nsecret", "a\u0085secret")) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> proxy.withCredentials("user", bad))
            .withMessage("the proxy's password has a control character");
        assertThatIllegalArgumentException()
            .isThrownBy(() -> proxy.withCredentials(bad, "password"))
            .withMessage("the proxy's user has a control character");
      }
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SOCKS.withCredentials("user", "ä".repeat(128)))
        .withMessage("the proxy's password is not from 1 to 255 bytes long: 256");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SOCKS.withCredentials("", "password"))
        .withMessage("the proxy's user is not from 1 to 255 bytes long: 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HTTP.withCredentials("us:er", "password"))
        .withMessageContaining("us:er")
        .withMessageNotContaining("password");
  }

  @Test
  void aNameOfOtherLettersGoesInAscii() {
    assertThat(ProxyTarget.of("bücher.example", 80)).hasToString("xn--bcher-kva.example:80");
  }

  @Test
  void proxiesAreValuesThatShowNoSecret() {
    assertThat(HTTP.withCredentials("user", "secret"))
        .isEqualTo(HTTP.withCredentials("user", "secret"))
        .hasSameHashCodeAs(HTTP.withCredentials("user", "secret"))
        .isNotEqualTo(HTTP)
        .isNotEqualTo(SOCKS.withCredentials("user", "secret"))
        .hasToString("HTTP proxy proxy.example:1080");
    assertThat(SOCKS.withCredentials("user", "secret").credentials().toString())
        .doesNotContain("secret");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ProxyServer.socks5("proxy.example", 0))
        .withMessageContaining("0 is not from 1 to 65535");
    assertThatIllegalArgumentException().isThrownBy(() -> ProxyServer.httpConnect("", 80));
  }

  // --- The connection with the proxy

  @Test
  void aProxyThatRefusesToTalkIsSaidToBeRefused() {
    VirtualLoop.run(() -> {
      MemoryNetwork.current().addHost(ScriptedProxy.HOST, "10.0.0.80");

      assertThatThrownBy(() -> Asyncio.openConnection("target.example", 80, by(SOCKS)))
          .isInstanceOf(ConnectException.class)
          .hasMessage("Connection refused: 10.0.0.80:1080");
    });
  }

  @Test
  void aProxyThatDoesNotAnswerTimesOut() {
    for (ProxyServer proxy : List.of(SOCKS, HTTP)) {
      VirtualLoop.run(() -> {
        try (ScriptedProxy _ = ScriptedProxy.start(new Exchange(10_000, bytes()))) {
          assertThatThrownBy(() -> Asyncio.openConnection("target.example", 80, by(proxy)))
              .isInstanceOf(SocketTimeoutException.class)
              .hasMessage("The " + proxy + " did not connect to target.example:80 within 30.0 s");
          assertThat(Loop.running().time()).isEqualTo(Duration.ofSeconds(30));
          Rounds.settle();
          assertThat(MemoryNetwork.current().links()).isEmpty();
        }
      });
    }
  }

  @Test
  void aHandshakeCancelledAnywhereLeavesNoConnection() {
    VirtualLoop.run(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      try (ScriptedProxy _ =
          ScriptedProxy.start(
              new Exchange(3, bytes(5, 0)),
              new Exchange(21, bytes(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)))) {
        int cancelled =
            CancelEverywhere.<MemoryNetwork>run(
                () -> network,
                _ -> Asyncio.openConnection("target.example", 80, by(SOCKS)).close(),
                _ -> {
                  Asyncio.sleep(Duration.ofSeconds(1));
                  assertThat(network.links()).isEmpty();
                });

        assertThat(cancelled).isGreaterThan(9); // Lookup, connect, two answers.
      }
    });
  }

  // --- The PROXY protocol

  @Test
  void aHeaderOfTheProxyProtocolIsTheFirstThatTheServerReceives() {
    InetSocketAddress client = new InetSocketAddress("198.51.100.7", 1234);
    InetSocketAddress front = new InetSocketAddress("192.0.2.1", 80);
    for (ProxyHeader header :
        List.of(
            ProxyHeader.v1(client, front),
            ProxyHeader.v2(client, front),
            ProxyHeader.local(),
            ProxyHeader.unknown())) {
      byte[] expected = header.encode();
      VirtualLoop.run(() -> {
        ConnectOptions options = ConnectOptions.defaults().withProxyHeader(header);
        try (Server _ = echoAt("10.0.0.1");
            Connection connection = Asyncio.openConnection("10.0.0.1", 80, options)) {
          connection.writer().write("hello");

          assertThat(connection.reader().readExactly(expected.length)).isEqualTo(expected);
          assertThat(connection.reader().readExactly(5)).isEqualTo(bytes("hello"));
        }
      });
    }
  }

  @Test
  void aHeaderOfTheProxyProtocolGoesThroughAProxy() {
    VirtualLoop.run(() -> {
      ConnectOptions options = by(HTTP).withProxyHeader(ProxyHeader.unknown());
      String request = "CONNECT target.example:80 HTTP/1.1\r\nHost: target.example:80\r\n\r\n";
      try (ScriptedProxy proxy =
              ScriptedProxy.start(
                  new Exchange(request.length(), bytes("HTTP/1.1 200 OK\r\n\r\n")));
          Connection connection = Asyncio.openConnection("target.example", 80, options)) {
        connection.reader().readExactly(15);

        assertThat(proxy.heard()).isEqualTo(request + "PROXY UNKNOWN\r\n");
      }
    });
  }

  private static Server echoAt(String host) throws IOException {
    return Asyncio.startServer(
        (reader, writer) -> {
          for (byte[] chunk = reader.read(100); chunk.length > 0; chunk = reader.read(100)) {
            writer.write(chunk);
          }
        },
        host,
        80);
  }

  // --- Random answers

  /**
   * Half of the answers are mutations of a right one, or nothing but the beginning would be tested.
   */
  @Test
  @Tag("slow")
  @Tag("once")
  void randomAnswersEndInAConnectionOrAnIOException() {
    byte[] socks = bytes(5, 2, 1, 0, 5, 0, 0, 3, 4, "name", 0, 80, "hello");
    byte[] http = bytes("HTTP/1.1 100 Go\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\nhello");
    for (int thousand = 0; thousand < 50; thousand++) {
      long seed = thousand;
      VirtualLoop.run(() -> {
        RandomGenerator random = new java.util.Random(seed);
        int[] outcomes = new int[2];
        ProxyServer socksProxy = SOCKS.withCredentials("user", "password");
        for (int i = 0; i < 1000; i++) {
          outcomes[tryOnce(random, socksProxy, socks)]++;
          outcomes[tryOnce(random, HTTP, http)]++;
        }
        assertThat(outcomes).as("failures and connections").doesNotContain(0);
        Rounds.settle();
        assertThat(MemoryNetwork.current().links()).isEmpty();
      });
    }
  }

  private static int tryOnce(RandomGenerator random, ProxyServer proxy, byte[] right)
      throws IOException {
    byte[] answer = random.nextBoolean() ? mutated(random, right) : noise(random);
    try (ScriptedProxy _ = ScriptedProxy.startAndEnd(new Exchange(1, answer))) {
      try (Connection connection = Asyncio.openConnection("target.example", 80, by(proxy))) {
        connection.reader().readAll();
        return 1;
      } catch (IOException e) {
        assertThat(String.valueOf(e.getMessage())).hasSizeLessThan(400).matches("[ -~]*");
        return 0;
      }
    }
  }

  private static byte[] mutated(RandomGenerator random, byte[] right) {
    byte[] answer = Arrays.copyOf(right, random.nextInt(right.length / 2, right.length + 1));
    for (int changes = random.nextInt(3); changes > 0; changes--) {
      answer[random.nextInt(answer.length)] = (byte) random.nextInt();
    }
    return answer;
  }

  private static byte[] noise(RandomGenerator random) {
    byte[] noise = new byte[random.nextInt(random.nextInt(50) == 0 ? 20_000 : 64)];
    random.nextBytes(noise);
    return noise.length > 0 && random.nextBoolean()
        ? new String(noise, StandardCharsets.ISO_8859_1)
            .replace('\n', ' ')
            .getBytes(StandardCharsets.ISO_8859_1)
        : noise;
  }
}
