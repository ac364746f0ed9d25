package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** WebSockets with clients of Python's and Node's, and with peers that get them wrong. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@ExtendWith(LeakCheck.class)
class WebSocketServerTest {
  private static final String RESOURCES = "src/test/resources/";

  /** Node 22 has a WebSocket without it, and takes it all the same. */
  private static final String NODE_OPTION = "--experimental-websocket";

  private static final String HANDSHAKE =
      """
      GET /any HTTP/1.1\r
      Host: localhost\r
      Connection: Upgrade\r
      Upgrade: websocket\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
      \r
      """;

  private static void serve(TestServer.Body body) {
    TestServer.with(WebSocketServer::start, body);
  }

  // --- Clients of others

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  void aClientOfPythonGetsBackWhatItSends(String transport) throws Exception {
    String python = pythonWithWebSockets();
    TestServer.with(
        transport,
        WebSocketServer::start,
        port -> {
          String said =
              ForeignProgram.run(
                  python, RESOURCES + "websocket_client.py", "ws://127.0.0.1:" + port + "/");

          assertThat(said)
              .isEqualTo(
                  """
                  text came back: True
                  bytes came back: True
                  nothing came back: True
                  fragments came back: in three fragments
                  the ping was answered
                  in order: True
                  closed with: 4321 enough
                  many at once: True
                  """);
        });
  }

  /** {@return a Python that has the package; Debian gives it to its own, which may be another} */
  private static String pythonWithWebSockets() throws InterruptedException {
    for (String python : List.of("python3", "/usr/bin/python3")) {
      if (succeeds(python, "-c", "import websockets")) {
        return python;
      }
    }
    assumeTrue(false, "no python3 on this machine has websockets, see build/install-lab");
    throw new AssertionError();
  }

  @Test
  void aClientOfNodeGetsBackWhatItSends() throws Exception {
    assumeTrue(
        succeeds(
            "node", NODE_OPTION, "--eval", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"),
        "no node on this machine has a WebSocket: 20.10 or newer has");
    serve(port -> {
      String said =
          ForeignProgram.run(
              "node",
              NODE_OPTION,
              RESOURCES + "websocket_client.mjs",
              "ws://127.0.0.1:" + port + "/");

      assertThat(said)
          .endsWith(
              """
              text came back: true
              bytes came back: true
              closed with: 4321 enough true
              """);
    });
  }

  private static boolean succeeds(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false; // There is no such program.
    }
  }

  // --- Peers by hand

  @Test
  void curlIsToldThatThisIsNoPlaceForHttp() {
    serve(port -> {
      String said =
          ForeignProgram.run(
              "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:" + port);

      assertThat(said).isEqualTo("400");
    });
  }

  @Test
  void textThatIsNoUtf8EndsTheConnectionWithTheCodeForIt() {
    serve(port -> {
      byte[] end = endAfter(port, "81 82 00000000 ff fe");

      assertThat(end).startsWith(0x88);
      assertThat(closeCode(end)).isEqualTo(1007);
    });
  }

  @Test
  void aFrameWithoutAMaskEndsTheConnectionWithTheCodeForIt() {
    serve(port -> assertThat(closeCode(endAfter(port, "81 02 68 69"))).isEqualTo(1002));
  }

  @Test
  void aHandlerThatReturnsClosesWithTheCodeForAllIsWell() {
    TestServer.with(
        (host, port) ->
            NettyStreams.<WebSocketFrame, WebSocketFrame>startMessageServer(
                connection -> connection.send(connection.receive()),
                host,
                port,
                ServerOptions.defaults(),
                WebSocketFrame.class,
                WebSocketServer::addHandlers),
        port -> {
          byte[] end = endAfter(port, "81 81 00000000 78");

          assertThat(end).startsWith(0x81, 1, 'x', 0x88);
          assertThat(closeCode(Arrays.copyOfRange(end, 3, end.length))).isEqualTo(1000);
        });
  }

  @Test
  void whoLeavesInTheMiddleOfFragmentsLeavesNothingBehind() {
    serve(port -> {
      for (int i = 0; i < 10; i++) {
        try (Connection connection = shakeHands(port)) {
          connection.writer().write(frames("81 81 00000000 78   01 82 00000000 68 69   80 84 00"));
          assertThat(connection.reader().readExactly(3)).containsExactly(0x81, 1, 'x');
          if (i % 2 == 0) {
            connection.writer().abort();
          }
        }
      }
      try (Connection connection = shakeHands(port)) {
        connection.writer().write(frames("82 81 00000000 07"));
        assertThat(connection.reader().readExactly(3)).containsExactly(0x82, 1, 7);
      }
    });
  }

  private static Connection shakeHands(int port) throws IOException {
    Connection connection = Asyncio.openConnection("127.0.0.1", port);
    connection.writer().write(HANDSHAKE);
    assertThat(new String(connection.reader().readUntil("\r\n\r\n".getBytes())))
        .startsWith("HTTP/1.1 101 ");
    return connection;
  }

  /** {@return all that comes after these frames, until the server closes the connection} */
  private static byte[] endAfter(int port, String frames) throws IOException {
    try (Connection connection = shakeHands(port)) {
      connection.writer().write(frames(frames));
      return connection.reader().readAll();
    }
  }

  private static byte[] frames(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private static int closeCode(byte[] frame) {
    return (frame[2] & 0xff) << 8 | frame[3] & 0xff;
  }
}
