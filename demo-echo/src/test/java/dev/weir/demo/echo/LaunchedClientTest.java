package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code echo client} as a process with piped input, against a server of blocking sockets. */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchedClientTest {
  /** The common pool may have one thread only, and both ends of an exchange block. */
  private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

  private ServerSocket listener;
  private LaunchedProgram client;

  @BeforeEach
  void startBoth() throws IOException {
    listener = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    listener.setSoTimeout(30_000); // Should the client not come.
    client = LaunchedProgram.start("client", "--port", String.valueOf(listener.getLocalPort()));
  }

  @AfterEach
  void endBoth() throws IOException {
    client.close();
    listener.close();
  }

  @Test
  void eachLineIsSentAtOnceAndItsReplyPrinted() throws Exception {
    try (Socket server = listener.accept()) {
      for (String line : new String[] {"one\n", "\u00fcber\n"}) {
        client.input().write(line.getBytes(UTF_8));
        client.input().flush();
        assertThat(server.getInputStream().readNBytes(line.getBytes(UTF_8).length))
            .isEqualTo(line.getBytes(UTF_8));
        server.getOutputStream().write(("got " + line).getBytes(UTF_8));
        assertThat(client.nextLine() + "\n").isEqualTo("got " + line);
      }
      client.input().close();
      assertThat(server.getInputStream().read()).as("the end of its input").isEqualTo(-1);
    }

    assertThat(client.awaitExit()).isZero();
    assertThat(client.errors()).isEmpty();
  }

  @Test
  void theEndOfItsInputIsPassedOnAndTheRestOfTheRepliesPrinted() throws Exception {
    try (Socket server = listener.accept()) {
      client.input().write("no newline".getBytes(UTF_8));
      client.input().close();

      assertThat(server.getInputStream().readAllBytes()).isEqualTo("no newline".getBytes(UTF_8));
      server.getOutputStream().write("late\nand unfinished".getBytes(UTF_8));
    }

    assertThat(client.restOfOutput()).isEqualTo("late\nand unfinished");
    assertThat(client.awaitExit()).isZero();
    assertThat(client.errors()).isEmpty();
  }

  @Test
  void inputFasterThanTheServerIsHeldBackAndComesThroughWhole() throws Exception {
    String input = "A line of thirty characters...\n".repeat(200_000);
    CompletableFuture<Void> typing =
        CompletableFuture.runAsync(
            () -> {
              try (var out = client.input()) {
                out.write(input.getBytes(UTF_8));
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            },
            THREADS);
    CompletableFuture<Void> serving =
        CompletableFuture.runAsync(
            () -> {
              try (Socket server = listener.accept()) {
                server.getInputStream().transferTo(server.getOutputStream());
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            },
            THREADS);

    assertThat(client.restOfOutput()).isEqualTo(input);
    assertThat(client.awaitExit()).isZero();
    CompletableFuture.allOf(typing, serving).join();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aServerThatGoesAwayIsSaidOnOneLineAlthoughTheInputIsStillOpen(boolean reset)
      throws Exception {
    try (Socket server = listener.accept()) {
      client.input().write("hello\n".getBytes(UTF_8));
      client.input().flush();
      server.getInputStream().readNBytes("hello\n".length());
      server.setSoLinger(reset, 0);
    }

    assertThat(client.awaitExit()).isEqualTo(1);
    assertThat(client.errors())
        .isEqualTo(
            reset
                ? "echo: The server went away: Connection reset by peer\n"
                : "echo: The server closed the connection before the input had ended\n");
  }
}
