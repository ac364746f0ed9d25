package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.pipe.ReadPipe;
import dev.weir.stream.Connection;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Task;
import dev.weir.task.TaskGroup;
import java.io.Console;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads what its user types while messages arrive: two tasks, each of which is a plain loop.
 *
 * <p>The terminal is left as it is: it shows what is typed, and hands it over line by line. A
 * message that arrives meanwhile takes the place of the half line on the screen; what was typed is
 * still there, and Ctrl-R has the terminal show it again.
 */
public final class ChatClient {
  private static final String QUIT = "/quit";

  /** To the left margin, and clear the line. */
  private static final String CLEAR_LINE = "\r\u001B[K";

  private final StreamReader keyboard;
  private final StreamWriter screen;
  private final boolean onTerminal;

  ChatClient(StreamReader keyboard, StreamWriter screen, boolean onTerminal) {
    this.keyboard = keyboard;
    this.screen = screen;
    this.onTerminal = onTerminal;
  }

  /** Talks on standard input and output, a terminal or not, until the user leaves. */
  static void run(String host, int port, String name) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, port);
        ReadPipe input = Asyncio.standardInput();
        StreamWriter output = Asyncio.standardOutput()) {
      new ChatClient(input.reader(), output, onTerminal()).talk(connection, name);
      output.writeEof();
      output.waitClosed(); // Fails if not everything could be shown.
    }
  }

  @SuppressWarnings("SystemConsoleNull") // It is null again in JDK 25, where no terminal is.
  private static boolean onTerminal() {
    Console console = System.console(); // Of both directions: a half line is shown where it lands.
    return console != null && console.isTerminal();
  }

  /**
   * Suspends until the user has left, by the end of the input or {@value #QUIT}.
   *
   * @throws IOException if the server does not take the name
   * @throws dev.weir.task.ExceptionGroup of an {@link IOException}, if the server goes before
   */
  void talk(Connection connection, String name) throws IOException {
    introduce(connection, name);
    new TaskGroup()
        .run(group -> {
          Task<@Nullable Void> typing =
              group.createTask(() -> sendLines(connection.writer()), "typing");
          showMessages(connection.reader());
          if (!typing.done()) {
            throw new IOException("The server has gone: it closed the connection");
          }
        });
  }

  private void introduce(Connection connection, String name) throws IOException {
    connection.writer().writeLine(PlainText.of(name));
    String question = nextMessage(connection.reader());
    String answer = nextMessage(connection.reader());
    if (question == null || answer == null) {
      throw new IOException("The server closed the connection instead of a welcome");
    }
    if (!answer.startsWith(ChatServer.WELCOME)) {
      throw new IOException("The server says: " + answer);
    }
    show(answer);
  }

  private void sendLines(StreamWriter writer) throws IOException {
    String line = nextTyped();
    while (line != null && !line.equals(QUIT)) {
      writer.writeLine(line);
      line = nextTyped();
    }
    writer.writeEof(); // And the server closes the connection when it has read everything.
  }

  private @Nullable String nextTyped() throws IOException {
    try {
      return keyboard.readLine(UTF_8);
    } catch (LimitOverrunException e) {
      throw new IOException("The input has a line of more than " + e.consumed() + " bytes", e);
    }
  }

  private void showMessages(StreamReader reader) throws IOException {
    String message = nextMessage(reader);
    while (message != null) {
      show(message);
      message = nextMessage(reader);
    }
  }

  private static @Nullable String nextMessage(StreamReader reader) throws IOException {
    try {
      String line = reader.readLine(UTF_8);
      return line == null ? null : PlainText.of(line); // Who knows what server that is.
    } catch (IOException e) {
      throw new IOException("The server has gone: " + e.getMessage(), e);
    }
  }

  private void show(String message) throws IOException {
    screen.writeLine(onTerminal ? CLEAR_LINE + message : message);
  }
}
