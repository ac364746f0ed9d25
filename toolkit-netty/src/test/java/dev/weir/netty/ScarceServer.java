package dev.weir.netty;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import java.io.IOException;

/**
 * An echo server for a process that may open few descriptors. It says where it listens, and for
 * each line of its standard input how many errors were reported. It logs nothing before the first
 * of them, so that the log has to be opened when there is nothing to open it with.
 */
final class ScarceServer {
  private ScarceServer() {}

  public static void main(String[] arguments) {
    Asyncio.run(ScarceServer::serve, RunOptions.defaults().withTransport(arguments[0]));
  }

  private static void serve() throws IOException {
    int[] reports = new int[1];
    Loop loop = Asyncio.runningLoop();
    loop.setExceptionHandler((reporting, context) -> {
      reports[0]++;
      reporting.defaultExceptionHandler(context);
    });
    ServerOptions options = ServerOptions.defaults().withBacklog(200);
    try (Server server = Asyncio.startServer(TestServer::echo, "127.0.0.1", 0, options)) {
      IO.println(server.addresses().getFirst().getPort());
      while (Asyncio.toThread(() -> System.in.read()) >= 0) {
        IO.println(reports[0]);
      }
    }
  }
}
