package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.ExceptionGroup;
import dev.weir.task.Task;
import dev.weir.testing.StreamPair;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The client at a keyboard and a screen that are connections in memory, like the one between. */
class ChatClientTest {
  private static final String HOST = "127.0.0.1";
  private static final int PORT = 7;

  /** The user's side, and the client, which is a task. */
  private record User(StreamWriter keyboard, StreamReader screen, Task<@Nullable Void> client) {
    void type(String keys) throws IOException {
      keyboard.write(keys);
    }

    @Nullable String see() throws IOException {
      return screen.readLine(UTF_8);
    }
  }

  private interface Body {
    void run(User user) throws Exception;
  }

  private static void with(ConnectionHandler handler, boolean onTerminal, Body body) {
    VirtualLoop.run(() -> {
      try (Server server = Asyncio.startServer(handler, HOST, PORT)) {
        talk(onTerminal, body);
        server.shutdown(Duration.ofSeconds(1));
      }
    });
  }

  private static void talk(boolean onTerminal, Body body) throws Exception {
    try (StreamPair keyboard = StreamPair.open();
        StreamPair screen = StreamPair.open();
        Connection connection = Asyncio.openConnection(HOST, PORT)) {
      ChatClient client =
          new ChatClient(keyboard.right().reader(), screen.left().writer(), onTerminal);
      Task<@Nullable Void> task = Asyncio.createTask(() -> client.talk(connection, "Ann"));
      body.run(new User(keyboard.left().writer(), screen.right().reader(), task));
    }
  }

  /** Asks for the name, welcomes, and goes on. */
  private static ConnectionHandler welcoming(ConnectionHandler then) {
    return (reader, writer) -> {
      writer.writeLine("* What is your name?");
      writer.writeLine("* Welcome, " + reader.readLine(UTF_8) + ".");
      then.handle(reader, writer);
    };
  }

  @Test
  void linesGoOutAndMessagesComeInEachAtItsTime() {
    with(
        welcoming((reader, writer) -> {
          writer.writeLine("Bob: hello");
          for (String line : reader.lines(UTF_8)) {
            writer.writeLine("heard: " + line);
          }
        }),
        false,
        user -> {
          assertThat(user.see()).isEqualTo("* Welcome, Ann.");
          user.type("half a");
          assertThat(user.see()).isEqualTo("Bob: hello");
          user.type(" line\n");
          assertThat(user.see()).isEqualTo("heard: half a line");
          user.keyboard().writeEof();
          user.client().await();
        });
  }

  @Test
  void onATerminalAMessageTakesThePlaceOfTheLineAndWhatTheServerSendsIsMadePlain() {
    with(
        welcoming((reader, writer) -> {
          writer.writeLine("Eve: \u001b[2Jboo");
          reader.readAll();
        }),
        true,
        user -> {
          assertThat(user.see()).isEqualTo("\r\u001b[K* Welcome, Ann.");
          assertThat(user.see()).isEqualTo("\r\u001b[KEve: \ufffd[2Jboo");
          user.type("/quit\n");
          user.client().await();
        });
  }

  @Test
  void whatWasTypedBeforeTheEndArrivesAndWhatIsBehindQuitDoesNot() {
    int lines = 1000;
    StringBuilder heard = new StringBuilder();
    with(
        welcoming((reader, writer) -> {
          for (String line : reader.lines(UTF_8)) {
            Asyncio.sleep(Duration.ofMillis(50));
            heard.append(line).append(' ');
          }
        }),
        false,
        user -> {
          StringBuilder typed = new StringBuilder();
          for (int i = 0; i < lines; i++) {
            user.type(i + "\n");
            typed.append(i).append(' ');
          }
          user.type("/quit\nsecret\n");
          user.client().await();

          assertThat(heard).hasToString(typed.toString());
        });
  }

  @Test
  void theServersEndIsAFailureAlsoInTheMiddleOfALine() {
    with(
        welcoming((reader, writer) -> reader.readLine()),
        false,
        user -> {
          user.type("hello\nhalf");

          assertFailsWith(user, "The server has gone: it closed the connection");
        });
  }

  @Test
  void aLostConnectionIsAFailure() {
    with(
        welcoming((_, writer) -> {
          Asyncio.sleep(Duration.ofSeconds(1));
          writer.abort();
        }),
        false,
        user -> assertFailsWith(user, "The server has gone: "));
  }

  @Test
  void anInputThatIsNoLinesIsAFailure() {
    with(
        welcoming((reader, _) -> reader.readAll()),
        false,
        user -> {
          user.type("x".repeat(100_000));

          assertFailsWith(user, "The input has a line of more than ");
        });
  }

  private static void assertFailsWith(User user, String message) {
    assertThatExceptionOfType(ExceptionGroup.class)
        .isThrownBy(() -> user.client().await())
        .satisfies(group ->
            assertThat(group.exceptions())
                .hasOnlyElementsOfType(IOException.class)
                .first()
                .extracting(Throwable::getMessage)
                .asString()
                .startsWith(message));
  }

  @Test
  void aNameThatIsRefusedIsAFailureWithTheServersReason() {
    with(
        (reader, writer) -> {
          writer.writeLine("* What is your name?");
          reader.readLine();
          writer.writeLine("* 'Ann' is \u001bhere already");
        },
        true,
        user ->
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> user.client().await(IOException.class))
                .withMessage("The server says: * 'Ann' is \ufffdhere already"));
  }

  @Test
  void aServerThatHasNothingToSayIsAFailure() {
    with(
        (_, _) -> {},
        false,
        user ->
            assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> user.client().await(IOException.class)));
  }

  @Test
  void whoCancelsTheClientLeavesNothingBehind() {
    with(
        welcoming((reader, _) -> reader.readAll()),
        false,
        user -> {
          assertThat(user.see()).isEqualTo("* Welcome, Ann.");
          user.type("half");
          user.client().cancel();
          Asyncio.wait(List.of(user.client()));

          assertThat(user.client().cancelled()).isTrue();
        });
  }
}
