package dev.weir.stream;

import dev.weir.Asyncio;
import dev.weir.task.ExceptionContext;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A server on the memory network, and clients for it. */
final class MemoryServer {
  private MemoryServer() {}

  /** A test's body that needs a server. */
  interface ServerBody {
    void run(Server server, int port) throws Exception;
  }

  /** Runs a body beside a server, during which no error may reach the loop's exception handler. */
  static void with(ConnectionHandler handler, ServerBody body) {
    with(handler, ServerOptions.defaults(), body);
  }

  static void with(ConnectionHandler handler, ServerOptions options, ServerBody body) {
    VirtualLoop.run(() -> serve(handler, options, body));
  }

  /** Runs a body beside a server, and returns what was reported to the loop's exception handler. */
  static List<ExceptionContext> reportsOf(ConnectionHandler handler, ServerBody body) {
    List<ExceptionContext> reports = new ArrayList<>();
    VirtualLoop.run(() -> {
      Asyncio.runningLoop().setExceptionHandler((loop, context) -> reports.add(context));
      serve(handler, ServerOptions.defaults(), body);
    });
    return reports;
  }

  private static void serve(ConnectionHandler handler, ServerOptions options, ServerBody body)
      throws Exception {
    try (Server server = start(handler, options)) {
      body.run(server, port(server));
    }
  }

  static Server start(ConnectionHandler handler) throws IOException {
    return start(handler, ServerOptions.defaults());
  }

  static Server start(ConnectionHandler handler, ServerOptions options) throws IOException {
    return Asyncio.startServer(handler, "127.0.0.1", 0, options);
  }

  static int port(Server server) {
    return server.addresses().getFirst().getPort();
  }

  /** Sends every line back. */
  static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] line : reader) {
      writer.write(line);
    }
  }

  static Connection connect(int port) throws IOException {
    return Asyncio.openConnection("127.0.0.1", port);
  }

  static Connection connect(Server server) throws IOException {
    return connect(port(server));
  }

  /** Sends a line and returns the answer, as one step of a talk with {@link #echo}. */
  static String ask(Connection connection, String line) throws IOException {
    connection.writer().write(line + "\n");
    String answer = MemoryPeer.text(connection.reader().readLine());
    return answer.endsWith("\n") ? answer.substring(0, answer.length() - 1) : answer;
  }
}
