package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
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
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code echo client}: standard input to the server, what the server sends to standard output. */
@Command(
    name = "client",
    description =
        "Sends each line of standard input and prints what comes back, until the input ends; with"
            + " TLS, until as many bytes came back.")
final class ClientCommand implements Callable<Integer> {
  private static final int CHUNK_BYTES_MAX = 64 * 1024;

  /**
   * Not the loop's own executor: the end of {@code run} waits for the work there, and nothing can
   * end a read from a terminal that nobody types at.
   */
  private static final Executor INPUT =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("standard-input").daemon().factory());

  @Mixin private final Endpoint endpoint = new Endpoint();

  @Mixin private final ClientTlsOptions tls = new ClientTlsOptions();

  // Both tasks have these, on one loop.

  private long bytesSent;
  private long bytesPrinted;
  private boolean inputEnded;

  @Override
  public Integer call() throws IOException {
    Path unix = endpoint.unix();
    ConnectOptions options = tls.read();
    Asyncio.run(() -> talk(unix, options), endpoint.runOptions());
    return CommandLine.ExitCode.OK;
  }

  private Connection connect(@Nullable Path unix, ConnectOptions options) throws IOException {
    return unix != null
        ? Asyncio.openUnixConnection(unix, options.withServerHostname("localhost"))
        : Asyncio.openConnection(endpoint.host(), endpoint.port(), options);
  }

  private void talk(@Nullable Path unix, ConnectOptions options) throws IOException {
    try (Connection connection = connect(unix, options)) {
      tls.warnIfUnchecked(connection.writer().tlsSession());
      Task<@Nullable Void> sending = Asyncio.createTask(() -> sendInput(connection.writer()));
      // If the input fails there is nothing to wait for: this ends the reading below.
      sending.addDoneCallback(task -> closeIfFailed(task, connection));

      printReplies(connection);

      if (sending.done()) {
        sending.await(IOException.class);
      }
      // Before the input's end is asked for, which a thread may have seen and not yet told: what is
      // said of one server shall not depend on that.
      if (!connection.writer().canWriteEof() && bytesPrinted < bytesSent) {
        throw new IOException(
            "The server closed the connection when "
                + bytesPrinted
                + " of "
                + bytesSent
                + " bytes had come back");
      }
      if (!sending.done()) {
        throw new IOException("The server closed the connection before the input had ended");
      }
    }
  }

  /**
   * Standard input has no reading that could suspend a task, so another thread does it. It returns
   * what is there, up to a chunk: a line at a time from a terminal, many from a file.
   */
  private void sendInput(StreamWriter writer) throws IOException {
    Loop loop = Asyncio.runningLoop();
    InputStream input = System.in;
    byte[] chunk = new byte[CHUNK_BYTES_MAX];
    while (true) {
      int length = loop.runInExecutor(INPUT, () -> input.read(chunk)).await(IOException.class);
      if (length < 0) {
        endInput(writer);
        return;
      }
      bytesSent += length;
      writer.write(chunk, 0, length);
    }
  }

  /**
   * With TLS both directions end together: who says that no more is sent gets no more. So that is
   * left until as much has come back as was sent, as it does from a server that echoes.
   */
  private void endInput(StreamWriter writer) throws IOException {
    inputEnded = true;
    if (writer.canWriteEof()) {
      writer.writeEof();
    } else {
      closeIfAllIsBack(writer);
    }
  }

  private void closeIfAllIsBack(StreamWriter writer) {
    if (inputEnded && !writer.canWriteEof() && bytesPrinted >= bytesSent) {
      writer.close(); // The reading sees the end.
    }
  }

  private static void closeIfFailed(Future<?> sending, Connection connection) {
    if (!sending.cancelled() && sending.exception() != null) {
      connection.close();
    }
  }

  private void printReplies(Connection connection) throws IOException {
    PrintStream output = System.out;
    while (true) {
      byte[] chunk = read(connection.reader());
      if (chunk.length == 0) {
        return;
      }
      output.writeBytes(chunk);
      if (output.checkError()) { // Flushes, too.
        throw new IOException("Cannot write to standard output");
      }
      bytesPrinted += chunk.length;
      closeIfAllIsBack(connection.writer());
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
