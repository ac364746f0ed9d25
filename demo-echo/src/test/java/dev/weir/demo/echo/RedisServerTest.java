package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our server of Redis's protocol, for clients that Redis has. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@ExtendWith(LeakCheck.class)
class RedisServerTest {
  private static void serve(TestServer.Body body) {
    TestServer.with(new RedisServer()::start, body);
  }

  /** {@return what redis-cli prints of the reply} */
  private static String ask(int port, String... words) throws Exception {
    String[] command = new String[words.length + 5];
    command[0] = "redis-cli";
    command[1] = "-h";
    command[2] = "127.0.0.1";
    command[3] = "-p";
    command[4] = String.valueOf(port);
    System.arraycopy(words, 0, command, 5, words.length);
    return ForeignProgram.run(command).strip();
  }

  @Test
  void redisCliGetsWhatItHasSet() {
    serve(port -> {
      assertThat(ask(port, "ping")).isEqualTo("PONG");
      assertThat(ask(port, "GET", "river")).isEmpty();
      assertThat(ask(port, "SET", "river", "Weir and \u00e4\u20ac")).isEqualTo("OK");
      assertThat(ask(port, "GET", "river")).isEqualTo("Weir and \u00e4\u20ac");
    });
  }

  @Test
  void redisCliCounts() {
    serve(port -> {
      assertThat(ask(port, "INCR", "visits")).isEqualTo("1");
      assertThat(ask(port, "-r", "3", "INCR", "visits")).isEqualTo("2\n3\n4");
      assertThat(ask(port, "GET", "visits")).isEqualTo("4");
    });
  }

  @Test
  void redisCliIsToldWhatCannotBeDone() {
    serve(port -> {
      assertThat(ask(port, "FLY", "away")).isEqualTo("ERR unknown command 'FLY'");
      assertThat(ask(port, "two\r\nlines")).isEqualTo("ERR unknown command 'two  lines'");
      assertThat(ask(port, "GET")).isEqualTo("ERR wrong number of arguments for 'GET' command");
      ask(port, "SET", "word", "weir");
      assertThat(ask(port, "INCR", "word"))
          .isEqualTo("ERR value is not an integer or out of range");
      ask(port, "SET", "most", String.valueOf(Long.MAX_VALUE));
      assertThat(ask(port, "INCR", "most")).isEqualTo("ERR increment or decrement would overflow");
    });
  }

  /** Each of the 20 clients has up to 16 commands on the way. */
  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  void commandsOfManyClientsThatComeTogetherAreAllDone(String transport) {
    TestServer.with(
        transport,
        new RedisServer()::start,
        port -> {
          String said =
              ForeignProgram.run(
                  "redis-benchmark",
                  "-h",
                  "127.0.0.1",
                  "-p",
                  String.valueOf(port),
                  "-c",
                  "20",
                  "-P",
                  "16",
                  "-n",
                  "4800",
                  "-q",
                  "-t",
                  "ping_mbulk,set,get,incr");

          assertThat(said).contains("PING_MBULK: ", "SET: ", "GET: ", "INCR: ");
          assertThat(ask(port, "GET", "counter:__rand_int__")).isEqualTo("4800");
        });
  }

  @Test
  void whatIsNoCommandIsAnError() {
    serve(port -> {
      String commands = "*0\r\n*1\r\n:1\r\n*1\r\n$4\r\nPING\r\n";

      assertThat(TestServer.sayAllOf(port, commands))
          .isEqualTo(
              """
              -ERR Protocol error: not a command
              -ERR Protocol error: not a command
              +PONG
              """
                  .replace("\n", "\r\n"));
    });
  }

  @Test
  void whoLeavesInTheMiddleOfACommandLeavesNothingBehind() {
    serve(port -> {
      for (int i = 0; i < 10; i++) {
        assertThat(TestServer.sayAllOf(port, "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$10\r\nonly"))
            .isEqualTo("+PONG\r\n");
      }
    });
  }
}
