package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.io.IOException;

/** Sends every line back to where it came from. */
public final class EchoServer {
  public static void main(String[] args) {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(EchoServer::echo, "127.0.0.1", 8888)) {
        server.serveForever();
      }
    });
  }

  /**
   * Serves one connection: as plain a loop as over a file, yet it occupies no thread while it
   * waits.
   */
  public static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] line : reader) {
      writer.write(line);
    }
  }

  private EchoServer() {}
}
