package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.stream.WriteBufferFullException;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.text.Normalizer;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A room where each hears all others: asks who comes in for a name, and hands each line on as
 * {@code name: line}. Lines that begin with a star are the server's own, and no name has one.
 *
 * <p>Nobody waits for a slow listener: what is said is written to all at once, and whoever leaves
 * too much of it untaken is dropped.
 */
public final class ChatServer {
  /** What the answer to a name begins with, if it will do. */
  static final String WELCOME = "* Welcome, ";

  /** As much as a terminal lets its user type. */
  private static final int LINE_BYTES_MAX = 4096;

  private static final byte[] TOO_LONG =
      ("* Nobody heard that: a line has at most " + LINE_BYTES_MAX + " bytes\n").getBytes(UTF_8);

  private static final int UNSENT_BYTES_MAX = 256 * 1024;

  /** What the system holds besides, which could be megabytes. */
  private static final int SEND_BUFFER_BYTES = 64 * 1024;

  private static final int MEMBERS_MAX = 1_000;
  private static final Duration TIME_FOR_A_NAME = Duration.ofMinutes(1);
  private static final Duration TIME_FOR_LAST_WORDS = Duration.ofSeconds(1);

  /**
   * After each line its speaker pauses, or a file that somebody pastes would have everybody dropped
   * who has a slower connection.
   */
  private static final Duration PAUSE = Duration.ofMillis(50);

  /** No space and no colon, so that it is seen where a name ends; no star. */
  private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{M}\\p{N}._-]{1,20}");

  /**
   * Who is here. One loop runs all connections, and between two suspensions a task has it for
   * itself: no lock, and nobody comes or goes while a line is handed on.
   */
  private final Map<String, Member> members = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

  private static final class Member {
    final String name;
    final StreamWriter writer;
    boolean dropped;

    Member(String name, StreamWriter writer) {
      this.name = name;
      this.writer = writer;
    }
  }

  Server start(String host, int port) throws IOException {
    StreamOptions stream =
        StreamOptions.defaults()
            .withLimit(LINE_BYTES_MAX)
            .withAsyncioWrites(true) // They never wait, and fail at the cap.
            .withHardCap(UNSENT_BYTES_MAX);
    ServerOptions options =
        ServerOptions.defaults()
            .withStream(stream)
            .withMaxConnections(MEMBERS_MAX)
            .withFirstByteTimeout(TIME_FOR_A_NAME)
            .withKeepAlive(true) // Who says nothing may stay, but no machine that is gone.
            .withSocketOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
    return Asyncio.startServer(this::serve, host, port, options);
  }

  /** Serves until the task is cancelled, then says so, and ends each connection behind that. */
  void serveForever(Server server) {
    try {
      server.waitClosed();
    } finally {
      sayToAllBut(null, "* The server is going down");
      server.close();
      server.closeClients();
      server.shutdown(TIME_FOR_LAST_WORDS);
    }
  }

  private void serve(StreamReader reader, StreamWriter writer) throws IOException {
    writer.writeLine("* What is your name?");
    String answer = nextLine(reader, writer);
    if (answer == null) {
      return;
    }
    String name = Normalizer.normalize(answer.strip(), Normalizer.Form.NFKC);
    String objection = objectionTo(name);
    if (objection != null) {
      writer.writeLine("* " + objection);
      return;
    }
    Member member = new Member(name, writer);
    writer.writeLine(WELCOME + name + ". " + whoIsHere());
    members.put(name, member);
    try {
      sayToAllBut(member, "* " + name + " came in");
      handOnLines(reader, member);
    } finally {
      members.remove(name);
      sayToAllBut(
          member,
          "* " + name + (member.dropped ? " was dropped, who is too slow to listen" : " left"));
    }
  }

  private @Nullable String objectionTo(String name) {
    if (!NAME.matcher(name).matches()) {
      return "'"
          + PlainText.of(name)
          + "' is no name: write 1 to 20 letters, digits, dots, dashes or underscores";
    }
    if (members.containsKey(name)) {
      return "'" + name + "' is here already: come back with another name";
    }
    return null;
  }

  private String whoIsHere() {
    return members.isEmpty()
        ? "Nobody else is here"
        : "Here: " + String.join(", ", members.keySet());
  }

  private void handOnLines(StreamReader reader, Member member) throws IOException {
    String line = nextLine(reader, member.writer);
    while (line != null) {
      if (!line.isBlank()) {
        sayToAllBut(member, member.name + ": " + PlainText.of(line));
        Asyncio.sleep(PAUSE);
      }
      line = nextLine(reader, member.writer);
    }
  }

  /** {@return the next line that is not too long, or null if there is none} */
  private static @Nullable String nextLine(StreamReader reader, StreamWriter writer)
      throws IOException {
    boolean inLongLine = false;
    while (true) {
      try {
        String line = reader.readLine(UTF_8);
        if (line == null || !inLongLine) {
          return line;
        }
        inLongLine = false; // That was its end.
        writer.tryWrite(TOO_LONG); // Who does not listen misses nothing else by that.
      } catch (LimitOverrunException e) {
        inLongLine = true;
        reader.skip(e.consumed());
      }
    }
  }

  /** Waits for nobody. That somebody leaves is said by the task that served them. */
  private void sayToAllBut(@Nullable Member speaker, String message) {
    for (Member member : members.values()) {
      if (member == speaker) {
        continue;
      }
      try {
        member.writer.writeLine(message);
      } catch (WriteBufferFullException e) {
        member.dropped = true;
        member.writer.abort(); // And so ends what is read from there.
      } catch (IOException e) {
        // Just gone.
      }
    }
  }
}
