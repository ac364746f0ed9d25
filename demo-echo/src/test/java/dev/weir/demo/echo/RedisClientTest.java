package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Our client of Redis's protocol, on Redis itself. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@ExtendWith(LeakCheck.class)
class RedisClientTest {
  @TempDir private static Path folder;

  private interface Body {
    void run(RedisClient client, int port) throws Exception;
  }

  /** Runs a body that has a Redis for itself. */
  private static void withRedis(Body body) {
    Asyncio.run(() -> {
      int port = freePort();
      try (ForeignProgram redis =
          ForeignProgram.start(
              "redis-server",
              "--port",
              String.valueOf(port),
              "--bind",
              "127.0.0.1",
              "--save",
              "",
              "--dir",
              folder.toString())) {
        assertThat(redis.nextLineWith("Ready to accept connections")).isNotNull();
        try (RedisClient client = RedisClient.connect("127.0.0.1", port)) {
          body.run(client, port);
        }
      }
    });
  }

  /** Redis takes no 0 for "any". */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void everyKindOfReplyHasItsValue() {
    withRedis((client, _) -> {
      assertThat(client.call("PING")).isEqualTo("PONG");
      assertThat(client.call("GET", "river")).isNull();
      assertThat(client.call("SET", "river", "Weir and \u00e4\u20ac")).isEqualTo("OK");
      assertThat(client.call("GET", "river")).isEqualTo("Weir and \u00e4\u20ac");
      assertThat(client.call("INCR", "visits")).isEqualTo(1L);
      assertThat(client.call("MGET", "river", "nothing"))
          .isEqualTo(Arrays.asList("Weir and \u00e4\u20ac", null));
      assertThat(client.call("SET", "empty", "")).isEqualTo("OK");
      assertThat(client.call("GET", "empty")).isEqualTo("");
    });
  }

  @Test
  void anErrorIsThrownAndTheNextCommandGoesOn() {
    withRedis((client, _) -> {
      client.call("SET", "word", "weir");

      assertThatExceptionOfType(RedisClient.RedisException.class)
          .isThrownBy(() -> client.call("INCR", "word"))
          .withMessage("ERR value is not an integer or out of range");
      assertThat(client.call("GET", "word")).isEqualTo("weir");
    });
  }

  /** More than fits into all buffers on the way, so that sending has to wait for replies. */
  @Test
  void tasksThatAskAtOnceEachGetTheirOwnReply() {
    withRedis((client, _) -> {
      String padding = "x".repeat(1000);
      List<Task<Object>> echoes = new ArrayList<>();
      for (int i = 0; i < 20_000; i++) {
        String word = i + padding;
        echoes.add(Asyncio.createTask(() -> client.call("ECHO", word)));
      }

      for (int i = 0; i < echoes.size(); i++) {
        assertThat(echoes.get(i).await()).isEqualTo(i + padding);
      }
    });
  }

  @Test
  void theReplyToACancelledCallIsNobodyElses() {
    withRedis((client, _) -> {
      assertThatExceptionOfType(TimeoutException.class)
          .isThrownBy(() ->
              Asyncio.timeout(Duration.ofMillis(1))
                  .run(timeout -> client.call("BLPOP", "nothing", "0.1")));

      assertThat(client.call("ECHO", "mine")).isEqualTo("mine");
    });
  }

  @Test
  void aLargeValueComesWhole() {
    withRedis((client, _) -> {
      String value = "0123456789".repeat(500_000);
      client.call("SET", "large", value);

      assertThat(client.call("GET", "large")).isEqualTo(value);
    });
  }

  @Test
  void whoeverWaitsLearnsThatTheServerHasGone() {
    withRedis((client, port) -> {
      Task<Object> waiting = Asyncio.createTask(() -> client.call("BLPOP", "nothing", "0"));

      try (RedisClient other = RedisClient.connect("127.0.0.1", port)) {
        other.call("CLIENT", "KILL", "TYPE", "normal");
      }

      assertThatExceptionOfType(IOException.class).isThrownBy(() -> waiting.await());
      assertThatExceptionOfType(IOException.class).isThrownBy(() -> client.call("PING"));
    });
  }
}
