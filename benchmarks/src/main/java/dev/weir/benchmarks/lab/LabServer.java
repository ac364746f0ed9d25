package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import dev.weir.task.SignalException;
import dev.weir.task.TimeoutException;
import dev.weir.tls.TlsProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A server for the lab, the main class of a process of its own. It prints its port; each line of
 * its standard input asks for its {@link Figures}, and where that ends it ends, so that it does not
 * outlive who started it. SIGTERM makes it shut down within its grace.
 *
 * <p>It is written as a user would who trusts his clients: lengths that they send are read without
 * a look at them.
 */
public final class LabServer {
  private static final byte[] CHUNK = new byte[64 * 1024];
  private static final Pattern UNREAD = Pattern.compile("ReadBuffer\\[(\\d+) bytes");

  private final ServerOptions options;
  private final @Nullable Duration lineTimeout;

  // On the loop only.

  private @Nullable Server server;
  private long open;
  private long most;
  private long served;
  private long reports;
  private long unread;
  private long written;

  private LabServer(ServerOptions options, @Nullable Duration lineTimeout) {
    this.options = options;
    this.lineTimeout = lineTimeout;
  }

  /**
   * Serves until SIGTERM.
   *
   * @param args what differs from the defaults, each as {@code name=value}: {@code max}, the
   *     connections at once; {@code backlog}; {@code proxy}, the one trusted source of PROXY
   *     headers; {@code line}, the milliseconds that a client may take for a line; {@code grace},
   *     in milliseconds; {@code tls}, {@code jdk} or {@code boringssl}
   */
  public static void main(String[] args) {
    ServerOptions options = ServerOptions.defaults().withBacklog(4096);
    Duration lineTimeout = null;
    for (String arg : args) {
      String[] setting = arg.split("=", 2);
      String value = setting[1];
      switch (setting[0]) {
        case "max" -> options = options.withMaxConnections(Integer.parseInt(value));
        case "backlog" -> options = options.withBacklog(Integer.parseInt(value));
        case "proxy" -> options = options.withProxyProtocol(List.of(value));
        case "tls" ->
            options =
                options.withTls(LabTls.server(TlsProvider.valueOf(value.toUpperCase(Locale.ROOT))));
        case "grace" -> options = options.withGrace(millis(value));
        case "line" -> lineTimeout = millis(value);
        default -> throw new IllegalArgumentException("no such setting: " + arg);
      }
    }
    LabServer server = new LabServer(options, lineTimeout);
    try {
      Asyncio.run(server::serve, RunOptions.defaults().withHandleSignals(true));
    } catch (SignalException e) {
      // The usual end.
    }
    IO.println(ProcessFigures.leftOver());
    System.exit(0);
  }

  private static Duration millis(String value) {
    return Duration.ofMillis(Long.parseLong(value));
  }

  private void serve() throws IOException {
    Loop loop = Asyncio.runningLoop();
    loop.setExceptionHandler((_, _) -> reports++);
    try (Server started = Asyncio.startServer(this::count, "127.0.0.1", 0, options)) {
      server = started;
      IO.println(started.addresses().getFirst().getPort());
      Thread.ofPlatform().daemon().name("lab-questions").start(() -> answerQuestions(loop));
      started.serveForever();
    }
  }

  private void answerQuestions(Loop loop) {
    BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    try {
      while (questions.readLine() != null) {
        ProcessFigures process = ProcessFigures.now();
        loop.callSoonThreadsafe(() -> IO.println(figures(process).line()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().halt(0);
  }

  private Figures figures(ProcessFigures process) {
    return new Figures(
        open,
        most,
        served,
        reports,
        unread,
        written,
        process.heap(),
        process.direct(),
        process.resident(),
        process.descriptors());
  }

  // --- What it can be asked

  private void count(StreamReader reader, StreamWriter writer) throws IOException {
    served++;
    open++;
    most = Math.max(most, open);
    try {
      talk(reader, writer);
    } catch (TimeoutException e) {
      writer.abort(); // Its own time is up, and nobody else's.
    } finally {
      open--;
    }
  }

  private void talk(StreamReader reader, StreamWriter writer) throws IOException {
    do {
      String line = readLine(reader);
      if (line == null) {
        return;
      }
      switch (line.split(" ")[0]) {
        case "who" -> writer.writeLine(client(writer) + line.substring("who".length()));
        case "reply" -> reply(writer, Integer.parseInt(line.substring("reply ".length())));
        case "pour" -> pour(writer);
        case "frames" -> readFrames(reader, writer);
        case "endless" -> writer.writeLine(String.valueOf(skipEverything(reader)));
        default -> writer.writeLine(line);
      }
    } while (isServing()); // So that who is busy when the server ends is served to the end of a
    // reply.
  }

  private boolean isServing() {
    return server == null || server.isServing();
  }

  private @Nullable String readLine(StreamReader reader) throws IOException {
    return lineTimeout == null
        ? reader.readLine(UTF_8)
        : Asyncio.timeout(lineTimeout).call(_ -> reader.readLine(UTF_8));
  }

  private static String client(StreamWriter writer) {
    return ((InetSocketAddress) writer.remoteAddress()).getAddress().getHostAddress();
  }

  /** In pieces, so that the handler is in the middle of it for some time. */
  private static void reply(StreamWriter writer, int length) throws IOException {
    for (int left = length; left > 0; left -= CHUNK.length) {
      writer.write(left < CHUNK.length ? new byte[left] : CHUNK);
    }
  }

  private void pour(StreamWriter writer) throws IOException {
    while (true) {
      writer.write(CHUNK);
      written += CHUNK.length;
    }
  }

  private static void readFrames(StreamReader reader, StreamWriter writer) throws IOException {
    while (true) {
      int length = ByteBuffer.wrap(reader.readExactly(Integer.BYTES)).getInt();
      writer.writeLine(String.valueOf(reader.readExactly(length).length));
    }
  }

  /** Drops what is too long for a line, until a line comes or the stream ends. */
  private long skipEverything(StreamReader reader) throws IOException {
    long skipped = 0;
    while (true) {
      try {
        return skipped + reader.readLine().length;
      } catch (LimitOverrunException e) {
        unread = Math.max(unread, unread(reader));
        reader.skip(e.consumed());
        skipped += e.consumed();
      }
    }
  }

  private static long unread(StreamReader reader) {
    Matcher matcher = UNREAD.matcher(reader.toString());
    if (!matcher.find()) {
      throw new IllegalStateException("no count of bytes in " + reader);
    }
    return Long.parseLong(matcher.group(1));
  }

  @Override
  public String toString() {
    return "LabServer[" + server + ", " + open + " open]";
  }
}
