package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of everything here that speaks TCP: where the server is, what the loop runs on. */
final class TcpEndpoint {
  /** Starts some kind of server. */
  @FunctionalInterface
  interface Starter {
    Server start(String host, int port) throws IOException;
  }

  @Option(
      names = "--host",
      paramLabel = "HOST",
      converter = HostConverter.class,
      description = "The server's name or address, ${DEFAULT-VALUE} by default.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "PORT",
      converter = PortConverter.class,
      description =
          "The server's port, ${DEFAULT-VALUE} by default; a server takes any free one for 0.")
  private int port = 8888;

  @Mixin private final LoopOptions loop = new LoopOptions();

  String host() {
    return host;
  }

  int port() {
    return port;
  }

  RunOptions runOptions() {
    return loop.runOptions();
  }

  /** Starts a server, says on standard output where it listens, and serves until a signal. */
  void serve(Starter starter) {
    serve(starter, Server::serveForever);
  }

  /** The same for a server that ends in its own way when the signal cancels its task. */
  void serve(Starter starter, Consumer<Server> serveForever) {
    Asyncio.run(
        () -> {
          try (Server server = starter.start(host, port)) {
            int chosen = server.addresses().getFirst().getPort();
            IO.println(
                "listening on %s (%s)"
                    .formatted(format(host, chosen), Asyncio.runningLoop().transport()));
            serveForever.accept(server);
          }
        },
        runOptions().withHandleSignals(true));
  }

  /** {@return host and port as one, an IPv6 address in brackets} */
  static String format(String host, int port) {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
