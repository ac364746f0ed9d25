package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.LinkConditions;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The room, without sockets: the clock is virtual, and an error nobody expects fails the run. */
class ChatServerTest {
  private static final String HOST = "127.0.0.1";
  private static final int PORT = 7;

  private interface Body {
    void run() throws Exception;
  }

  /** Runs a body beside a server, and ends that in its own way. */
  private static void serve(Body body) {
    VirtualLoop.run(() -> {
      ChatServer chat = new ChatServer();
      Server server = chat.start(HOST, PORT);
      Task<?> serving = Asyncio.createTask(() -> chat.serveForever(server));
      body.run();
      serving.cancel();
      Asyncio.wait(List.of(serving));
    });
  }

  private static Connection connect(String name) throws IOException {
    Connection connection = Asyncio.openConnection(HOST, PORT);
    assertThat(hear(connection)).isEqualTo("* What is your name?");
    say(connection, name);
    return connection;
  }

  private static Connection comeIn(String name, String here) throws IOException {
    Connection connection = connect(name);
    assertThat(hear(connection)).isEqualTo("* Welcome, " + name + ". " + here);
    return connection;
  }

  private static @Nullable String hear(Connection connection) throws IOException {
    return connection.reader().readLine(UTF_8);
  }

  private static void say(Connection connection, String line) throws IOException {
    connection.writer().writeLine(line);
  }

  @Test
  void aLineFromOneGoesToAllOthers() {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection bob = comeIn("Bob", "Here: Ann");
          Connection cid = comeIn("Cid", "Here: Ann, Bob")) {
        say(ann, "hello");
        say(bob, "hello, Ann");

        assertThat(hear(ann)).isEqualTo("* Bob came in");
        assertThat(hear(ann)).isEqualTo("* Cid came in");
        assertThat(hear(ann)).isEqualTo("Bob: hello, Ann");
        assertThat(hear(bob)).isEqualTo("* Cid came in");
        assertThat(hear(bob)).isEqualTo("Ann: hello");
        assertThat(hear(cid)).isEqualTo("Ann: hello");
        assertThat(hear(cid)).isEqualTo("Bob: hello, Ann");
      }
    });
  }

  @Test
  void whoLeavesHasBeenHeardToTheEndAndHisNameIsFree() {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection bob = comeIn("Bob", "Here: Ann")) {
        assertThat(hear(ann)).isEqualTo("* Bob came in");
        bob.writer().write("I must go\r\n\r\nbye");
        bob.writer().writeEof();

        assertThat(hear(ann)).isEqualTo("Bob: I must go");
        assertThat(hear(ann)).isEqualTo("Bob: bye");
        assertThat(hear(ann)).isEqualTo("* Bob left");
        assertThat(hear(bob)).isNull();
        comeIn("Bob", "Here: Ann").close();
      }
    });
  }

  @Test
  void whoIsLostHasLeft() {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection bob = comeIn("Bob", "Here: Ann")) {
        bob.writer().abort();

        assertThat(hear(ann)).isEqualTo("* Bob came in");
        assertThat(hear(ann)).isEqualTo("* Bob left");
      }
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"Ann", "ANN", " ann\r", "\uff21nn"})
  void aNameThatIsHereInAnyShapeIsRefused(String name) {
    serve(() -> {
      try (Connection _ = comeIn("Ann", "Nobody else is here");
          Connection other = connect(name)) {
        assertThat(hear(other)).matches("\\* '(?i)ann' is here already: .*");
        assertThat(hear(other)).isNull();
      }
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "*", "Ann Lee", "Ann:", "abcdefghijklmnopqrstu", "An\u202en", "\t"})
  void whatIsNoNameIsRefused(String name) {
    serve(() -> {
      try (Connection connection = connect(name)) {
        assertThat(hear(connection)).matches("\\* '.*' is no name: write 1 to 20 letters.*");
        assertThat(hear(connection)).isNull();
      }
    });
  }

  @Test
  void noEscapeSequenceReachesAnybody() {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection bob = comeIn("Bob", "Here: Ann");
          Connection eve = connect("\u001b[2JEve")) {
        assertThat(hear(eve)).startsWith("* '\ufffd[2JEve' is no name");
        say(bob, "\u001b[31mred\u009b0m\u0007\ta\u202eb\u2028c\b\u007f");
        bob.writer().write(new byte[] {(byte) 0x9b, 'x', '\n'}); // No UTF-8.

        assertThat(hear(ann)).isEqualTo("* Bob came in");
        assertThat(hear(ann))
            .isEqualTo("Bob: \ufffd[31mred\ufffd0m\ufffd a\ufffdb\ufffdc\ufffd\ufffd");
        assertThat(hear(ann)).isEqualTo("Bob: \ufffdx");
      }
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {4097, 8192, 100_000})
  void aLineThatIsTooLongIsHeardByNobodyAndTheNextOneIs(int length) {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection bob = comeIn("Bob", "Here: Ann")) {
        say(bob, "x".repeat(length));
        say(bob, "sorry");

        assertThat(hear(bob)).isEqualTo("* Nobody heard that: a line has at most 4096 bytes");
        assertThat(hear(ann)).isEqualTo("* Bob came in");
        assertThat(hear(ann)).isEqualTo("Bob: sorry");
      }
    });
  }

  @Test
  void whoSendsLongLinesOnlyAndDoesNotListenIsNoMatterForAReport() {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection eve = comeIn("Eve", "Here: Ann")) {
        String line = "x".repeat(5000);
        for (int i = 0; i < 10_000; i++) {
          say(eve, line);
        }
        say(eve, "did you hear that?");

        assertThat(hear(ann)).isEqualTo("* Eve came in");
        assertThat(hear(ann)).isEqualTo("Eve: did you hear that?");
      }
    });
  }

  @Test
  void whoDoesNotListenIsDroppedAndTheOthersGoOn() {
    int lines = 300;
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection bob = comeIn("Bob", "Here: Ann");
          Connection slow = comeIn("Slow", "Here: Ann, Bob")) {
        Task<?> talking = Asyncio.createTask(() -> sayMuch(ann, lines));
        assertThat(hear(bob)).isEqualTo("* Slow came in");
        List<String> heard = new ArrayList<>();
        while (heard.size() <= lines) {
          heard.add(hear(bob));
        }

        String dropped = "* Slow was dropped, who is too slow to listen";
        assertThat(heard).containsOnlyOnce(dropped);
        // 4 KiB each: what the server holds, the network, and what his end has read ahead.
        assertThat(heard.indexOf(dropped)).isBetween(64, 130);
        assertThat(heard.getLast()).startsWith("Ann: " + (lines - 1) + " ");
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> slow.reader().skip(lines * 4096L));
        talking.await();
      }
    });
  }

  private static void sayMuch(Connection speaker, int lines) throws IOException {
    for (int i = 0; i < lines; i++) {
      say(speaker, i + " " + "x".repeat(4000));
    }
  }

  @Test
  void whoListensOnASlowLineIsNotDroppedForOneWhoPastesAFile() {
    serve(() -> {
      MemoryNetwork network = MemoryNetwork.current();
      network.setConditions(LinkConditions.perfect().withBytesPerSecond(10_000));
      try (Connection bob = comeIn("Bob", "Nobody else is here")) {
        network.setConditions(LinkConditions.perfect());
        try (Connection ann = comeIn("Ann", "Here: Bob")) {
          for (int i = 0; i < 10_000; i++) {
            say(ann, "a line of a file, as long as most: " + i);
          }

          assertThat(hear(bob)).isEqualTo("* Ann came in");
          for (int i = 0; i < 10_000; i++) {
            assertThat(hear(bob)).endsWith(": " + i);
          }
        }
      }
    });
  }

  @Test
  void whoSaysNothingMayStayButNotWithoutAName() {
    serve(() -> {
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection nameless = Asyncio.openConnection(HOST, PORT)) {
        assertThatExceptionOfType(ConnectionResetException.class)
            .isThrownBy(() -> nameless.reader().skip(1000));
        assertThat(Loop.running().time()).isLessThan(Duration.ofMinutes(2));

        Asyncio.sleep(Duration.ofDays(30));

        comeIn("Bob", "Here: Ann").close();
        assertThat(hear(ann)).isEqualTo("* Bob came in");
      }
    });
  }

  @Test
  void theEndOfTheServerIsSaidAndNobodyWhoDoesNotListenDelaysIt() {
    VirtualLoop.run(() -> {
      ChatServer chat = new ChatServer();
      Server server = chat.start(HOST, PORT);
      Task<?> serving = Asyncio.createTask(() -> chat.serveForever(server));
      try (Connection ann = comeIn("Ann", "Nobody else is here");
          Connection slow = comeIn("Slow", "Here: Ann")) {
        assertThat(hear(ann)).isEqualTo("* Slow came in");
        sayMuch(ann, 60); // Fewer than would have him dropped.
        Asyncio.sleep(Duration.ofSeconds(10));
        Duration before = Loop.running().time();

        serving.cancel();
        Asyncio.wait(List.of(serving));

        assertThat(Loop.running().time().minus(before)).isLessThan(Duration.ofSeconds(3));
        assertThat(hear(ann)).isEqualTo("* The server is going down");
        assertThat(hear(ann)).isNull();
        slow.writer().abort();
      }
    });
  }
}
