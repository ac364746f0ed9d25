package org.example.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import java.io.IOException;

/** Says one line to an echo server of its own, and prints the answer and what it ran on. */
public final class Main {
  public static void main(String[] args) {
    Asyncio.run(() -> {
      try (Server server = Asyncio.startServer(Main::echo, "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
          connection.writer().writeLine("hello");
          String line = connection.reader().readLine(UTF_8);
          Loop loop = Asyncio.runningLoop();
          System.out.println("ECHO " + line + " " + loop.transport() + " " + loop.fibers());
        }
      }
    });
  }

  private static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] line : reader) {
      writer.write(line);
    }
  }

  private Main() {}
}
