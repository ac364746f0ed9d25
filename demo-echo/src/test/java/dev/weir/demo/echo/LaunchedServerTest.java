package dev.weir.demo.echo;

import static dev.weir.demo.echo.LaunchedProgram.awaitRefusal;
import static dev.weir.demo.echo.LaunchedProgram.connect;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code echo server} as a process, talked to by the JDK's blocking sockets. */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchedServerTest {
  /** The common pool may have one thread only, and both ends of an exchange block. */
  private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

  private LaunchedProgram server;

  @AfterEach
  void kill() {
    if (server != null) {
      server.close();
    }
  }

  @Test
  void itSaysOnOneLineWhereItListens() throws Exception {
    server = LaunchedProgram.start("server", "--port", "0", "--transport", "nio");

    String line = server.nextLine();
    server.signal("TERM");

    assertThat(line).matches("listening on 127\\.0\\.0\\.1:[1-9][0-9]* \\(nio\\)");
    assertThat(server.restOfOutput()).isEmpty();
    assertThat(server.awaitExit()).isEqualTo(143);
    assertThat(server.errors()).isEmpty();
  }

  /**
   * Several times, because what can be lost is what the server still holds when the end arrives.
   */
  @Test
  void itGivesBackEverythingThatWasSentBeforeTheHalfClose() throws Exception {
    server = LaunchedProgram.start("server", "--port", "0");
    int port = server.nextPort();
    byte[] sent = new byte[2_000_001]; // Hardly a line in it is within the limit of lines.
    new Random(1).nextBytes(sent);

    for (int i = 0; i < 20; i++) {
      try (Socket client = connect(port)) {
        CompletableFuture<Void> sending =
            CompletableFuture.runAsync(() -> sendAndHalfClose(client, sent), THREADS);

        assertThat(client.getInputStream().readAllBytes()).hasSize(sent.length).isEqualTo(sent);
        sending.join();
      }
    }
  }

  private static void sendAndHalfClose(Socket client, byte[] bytes) {
    try {
      client.getOutputStream().write(bytes);
      client.shutdownOutput();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void aSignalStopsItOnceTheOpenConnectionsHaveFinished(String signal, int status)
      throws Exception {
    server = LaunchedProgram.start("server", "--port", "0", "--grace", "600");
    assumeFalse(
        signal.equals("INT") && server.ignoresInterrupts(),
        "SIGINT is ignored here, as in a background job of a script");
    int port = server.nextPort();

    try (Socket client = connect(port)) {
      assertEchoes(client, "before");
      server.signal(signal);
      awaitRefusal(port);
      assertEchoes(client, "after");
    }

    assertThat(server.awaitExit()).isEqualTo(status);
    assertThat(server.errors()).isEmpty();
  }

  @Test
  void theGraceEndsAConnectionThatDoesNotFinish() throws Exception {
    server = LaunchedProgram.start("server", "--port", "0", "--grace", "0");

    try (Socket client = connect(server.nextPort())) {
      assertEchoes(client, "before");
      server.signal("TERM");

      assertThat(server.awaitExit()).isEqualTo(143);
    }
    assertThat(server.errors()).isEmpty();
  }

  @Test
  void aSecondSignalEndsTheGrace() throws Exception {
    server = LaunchedProgram.start("server", "--port", "0", "--grace", "600");
    int port = server.nextPort();

    try (Socket client = connect(port)) {
      assertEchoes(client, "before");
      server.signal("TERM");
      awaitRefusal(port);
      server.signal("TERM");

      assertThat(server.awaitExit()).isEqualTo(143);
    }
    assertThat(server.errors()).isEmpty();
  }

  @Test
  void aPortInUseEndsItWithOneLine() throws Exception {
    try (ServerSocket other = new ServerSocket(0)) {
      String port = String.valueOf(other.getLocalPort());
      server = LaunchedProgram.start("server", "--host", "0.0.0.0", "--port", port);

      assertThat(server.awaitExit()).isEqualTo(1);
      assertThat(server.errors()).isEqualTo("echo: Address already in use: 0.0.0.0:" + port + "\n");
      assertThat(server.restOfOutput()).isEmpty();
    }
  }

  @Test
  void itServesNoMoreAtOnceThanItIsTold() throws Exception {
    server = LaunchedProgram.start("server", "--port", "0", "--max-connections", "1");
    int port = server.nextPort();

    try (Socket second = serveFirstOfTwo(port)) {
      assertThat(new String(second.getInputStream().readNBytes(7), UTF_8)).isEqualTo("waiting");
    }
  }

  /** {@return a second client, which has asked already and is served when the first has gone} */
  private static Socket serveFirstOfTwo(int port) throws IOException {
    try (Socket first = connect(port)) {
      assertEchoes(first, "first");
      Socket second = connect(port);
      second.getOutputStream().write("waiting".getBytes(UTF_8));
      assertEchoes(first, "still");
      assertThat(second.getInputStream().available()).isZero();
      return second;
    }
  }

  @Test
  void behindAProxyItTakesTheHeaderOffAndTurnsOthersAway() throws Exception {
    String proxies = "10.0.0.0/8,127.0.0.1";
    server = LaunchedProgram.start("server", "--port", "0", "--proxy-protocol", proxies);
    int port = server.nextPort();

    try (Socket client = connect(port)) {
      client
          .getOutputStream()
          .write("PROXY TCP4 192.0.2.1 198.51.100.7 56324 7\r\n".getBytes(UTF_8));
      assertEchoes(client, "behind a proxy");
    }
    try (Socket client = connect(port)) {
      client.getOutputStream().write("without any header\r\n".getBytes(UTF_8));
      assertThatThrownBy(() -> client.getInputStream().read())
          .isInstanceOf(SocketException.class)
          .hasMessageContaining("reset");
    }
  }

  @Test
  void itKnowsItsVersion() throws Exception {
    server = LaunchedProgram.start("--version");

    assertThat(server.restOfOutput()).matches("echo \\(Weir\\) [0-9]+\\.[0-9]+\\S*\n");
    assertThat(server.awaitExit()).isZero();
    assertThat(server.errors()).isEmpty();
  }

  private static void assertEchoes(Socket client, String text) throws IOException {
    client.getOutputStream().write(text.getBytes(UTF_8));
    assertThat(new String(client.getInputStream().readNBytes(text.length()), UTF_8))
        .isEqualTo(text);
  }
}
