package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code echo client}: standard input to the server, what the server sends to standard output. */
@Command(
    name = "client",
    description =
        "Sends each line of standard input and prints what comes back, until the input ends.")
final class ClientCommand implements Runnable {
  private static final int CHUNK_BYTES_MAX = 64 * 1024;

  /**
   * Not the loop's own executor: the end of {@code run} waits for the work there, and nothing can
   * end a read from a terminal that nobody types at.
   */
  private static final Executor INPUT =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("standard-input").daemon().factory());

  @Mixin private final Endpoint endpoint = new Endpoint();

  @Override
  public void run() {
    Path unix = endpoint.unix();
    Asyncio.run(() -> talk(unix), endpoint.runOptions());
  }

  private Connection connect(@Nullable Path unix) throws IOException {
    return unix != null
        ? Asyncio.openUnixConnection(unix)
        : Asyncio.openConnection(endpoint.host(), endpoint.port());
  }

  private void talk(@Nullable Path unix) throws IOException {
    try (Connection connection = connect(unix)) {
      Task<@Nullable Void> sending = Asyncio.createTask(() -> sendInput(connection.writer()));
      // If the input fails there is nothing to wait for: this ends the reading below.
      sending.addDoneCallback(task -> closeIfFailed(task, connection));

      printReplies(connection.reader());

      if (!sending.done()) {
        throw new IOException("The server closed the connection before the input had ended");
      }
      sending.await(IOException.class);
    }
  }

  /**
   * Standard input has no reading that could suspend a task, so another thread does it. It returns
   * what is there, up to a chunk: a line at a time from a terminal, many from a file.
   */
  private static void sendInput(StreamWriter writer) throws IOException {
    Loop loop = Asyncio.runningLoop();
    InputStream input = System.in;
    byte[] chunk = new byte[CHUNK_BYTES_MAX];
    while (true) {
      int length = loop.runInExecutor(INPUT, () -> input.read(chunk)).await(IOException.class);
      if (length < 0) {
        writer.writeEof();
        return;
      }
      writer.write(chunk, 0, length);
    }
  }

  private static void closeIfFailed(Future<?> sending, Connection connection) {
    if (!sending.cancelled() && sending.exception() != null) {
      connection.close();
    }
  }

  private static void printReplies(StreamReader reader) throws IOException {
    PrintStream output = System.out;
    while (true) {
      byte[] chunk = read(reader);
      if (chunk.length == 0) {
        return;
      }
      output.writeBytes(chunk);
      if (output.checkError()) { // Flushes, too.
        throw new IOException("Cannot write to standard output");
      }
    }
  }

  private static byte[] read(StreamReader reader) throws IOException {
    try {
      return reader.read(CHUNK_BYTES_MAX);
    } catch (IOException e) {
      throw new IOException("The server went away: " + e.getMessage(), e);
    }
  }
}
