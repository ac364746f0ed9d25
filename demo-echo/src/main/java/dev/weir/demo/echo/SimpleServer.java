package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.io.IOException;

/**
 * Reads a message of up to 100 bytes, prints it and sends it back. In Python:
 *
 * <pre>{@code
 * async def handle_client(reader, writer):
 *     data = await reader.read(100)
 *     message = data.decode()
 *     print(f"Received: {message}")
 *     writer.write(data)
 *     await writer.drain()
 *     writer.close()
 *
 * async def main():
 *     server = await asyncio.start_server(handle_client, '127.0.0.1', 8888)
 *     async with server:
 *         await server.serve_forever()
 *
 * asyncio.run(main())
 * }</pre>
 */
public final class SimpleServer {
  private SimpleServer() {}

  static void handleClient(StreamReader reader, StreamWriter writer) throws IOException {
    byte[] data = reader.read(100);
    String message = new String(data, UTF_8);
    IO.println("Received: " + message);
    writer.write(data);
    writer.drain(); // As in Python; here write() has already waited if it had to.
    writer.close();
  }

  /** Serves on 127.0.0.1, on the port that is the first argument, by default 8888. */
  public static void main(String... args) {
    int port = args.length > 0 ? Integer.parseInt(args[0]) : 8888;
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(SimpleServer::handleClient, "127.0.0.1", port)) {
        IO.println("Serving on " + server.addresses()); // Says which port it is, if that was 0.
        server.serveForever();
      }
    });
  }
}
