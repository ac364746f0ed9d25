package dev.weir.demo.echo;

import static dev.weir.demo.echo.LaunchedProgram.connect;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The commands of other protocols than echoes, as processes: the jar has the codecs they need. */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchedProtocolsTest {
  private LaunchedProgram server;

  @AfterEach
  void kill() {
    if (server != null) {
      server.close();
    }
  }

  private int start(String command) throws IOException {
    server = LaunchedProgram.start(command, "--port", "0");
    return server.nextPort();
  }

  private void assertEndsQuietly() throws Exception {
    server.signal("TERM");

    assertThat(server.awaitExit()).isEqualTo(143);
    assertThat(server.errors()).isEmpty();
  }

  private static String say(int port, String request) throws IOException {
    try (Socket client = connect(port)) {
      client.getOutputStream().write(request.replace("\n", "\r\n").getBytes(US_ASCII));
      client.shutdownOutput();
      return new String(client.getInputStream().readAllBytes(), US_ASCII);
    }
  }

  @Test
  void httpAnswersARequest() throws Exception {
    int port = start("http");

    assertThat(say(port, "GET / HTTP/1.1\nConnection: close\n\n"))
        .startsWith("HTTP/1.1 200 OK\r\n")
        .endsWith("Hello from Weir\n");
    assertEndsQuietly();
  }

  @Test
  void webSocketShakesHands() throws Exception {
    int port = start("websocket");

    assertThat(
            say(
                port,
                """
                GET / HTTP/1.1
                Host: localhost
                Connection: Upgrade
                Upgrade: websocket
                Sec-WebSocket-Version: 13
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

                """))
        .startsWith("HTTP/1.1 101 ")
        .contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"); // As in RFC 6455.
    assertEndsQuietly();
  }

  @Test
  void redisClientAsksRedisServer() throws Exception {
    int port = start("redis-server");

    assertThat(ask(port, "SET", "river", "Weir")).isEqualTo("OK");
    assertThat(ask(port, "GET", "river")).isEqualTo("Weir");
    assertThat(ask(port, "FLY")).isEqualTo("echo: ERR unknown command 'FLY'");
    assertEndsQuietly();
  }

  /** {@return what the client prints of the reply} */
  private static String ask(int port, String... words) throws Exception {
    String[] arguments = new String[words.length + 3];
    arguments[0] = "redis-client";
    arguments[1] = "--port";
    arguments[2] = String.valueOf(port);
    System.arraycopy(words, 0, arguments, 3, words.length);
    try (LaunchedProgram client = LaunchedProgram.start(arguments)) {
      String said = client.restOfOutput();
      client.awaitExit();
      return (said + client.errors()).strip();
    }
  }
}
