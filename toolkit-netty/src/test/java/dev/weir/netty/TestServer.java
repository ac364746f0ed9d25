package dev.weir.netty;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.io.IOException;
import java.net.Socket;

/** A server on a port of the system's choosing, and clients for it. */
final class TestServer {
  private TestServer() {}

  /** A test's body that needs a server. */
  interface ServerBody {
    void run(Server server, int port) throws Exception;
  }

  /** Runs a body beside a server, during which no error may reach the loop's exception handler. */
  static void with(String transport, ConnectionHandler handler, ServerBody body) {
    with(transport, handler, ServerOptions.defaults(), body);
  }

  static void with(
      String transport, ConnectionHandler handler, ServerOptions options, ServerBody body) {
    OnLoop.run(transport, () -> serve(handler, options, body));
  }

  private static void serve(ConnectionHandler handler, ServerOptions options, ServerBody body)
      throws Exception {
    try (Server server = Asyncio.startServer(handler, "127.0.0.1", 0, options)) {
      body.run(server, server.addresses().getFirst().getPort());
    }
  }

  /** Sends every line back. */
  static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] line : reader) {
      writer.write(line);
    }
  }

  /** Sends back what comes. */
  static void echoBytes(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] chunk = reader.read(64 * 1024); chunk.length > 0; chunk = reader.read(64 * 1024)) {
      writer.write(chunk);
    }
  }

  static Connection connect(int port) throws IOException {
    return Asyncio.openConnection("127.0.0.1", port);
  }

  /** Sends a line and returns the answer, as one step of a talk with {@link #echo}. */
  static String ask(Connection connection, String line) throws IOException {
    connection.writer().write(line + "\n");
    String answer = RawPeer.text(connection.reader().readLine());
    return answer.endsWith("\n") ? answer.substring(0, answer.length() - 1) : answer;
  }

  /**
   * Connects a plain blocking socket; the kernel answers at once, even before the server accepts.
   */
  static Socket connectPlainly(int port) throws IOException {
    return new Socket("127.0.0.1", port);
  }
}
