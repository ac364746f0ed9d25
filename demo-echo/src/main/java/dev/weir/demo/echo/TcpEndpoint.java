package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.task.FiberKind;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of everything here that speaks TCP: where the server is, what the loop runs on. */
final class TcpEndpoint {
  /** The names that Weir knows; an enum, so that picocli checks and lists them. */
  private enum TransportName {
    AUTO,
    NIO,
    EPOLL
  }

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

  // Null leaves these two to the system properties weir.transport and weir.fibers, and to Weir's
  // own choice.

  @Option(
      names = "--transport",
      paramLabel = "NAME",
      description = "auto, nio or epoll; auto by default, which takes the fastest there is.")
  private @Nullable TransportName transport;

  @Option(
      names = "--fibers",
      paramLabel = "KIND",
      description = "What tasks run on: auto, mounted or portable; auto by default.")
  private @Nullable FiberKind fibers;

  String host() {
    return host;
  }

  int port() {
    return port;
  }

  RunOptions runOptions() {
    RunOptions options = RunOptions.defaults();
    if (transport != null) {
      options = options.withTransport(transport.name().toLowerCase(Locale.ROOT));
    }
    if (fibers != null) {
      options = options.withFibers(fibers);
    }
    return options;
  }

  /** Starts a server, says on standard output where it listens, and serves until a signal. */
  void serve(Starter starter) {
    Asyncio.run(
        () -> {
          try (Server server = starter.start(host, port)) {
            int chosen = server.addresses().getFirst().getPort();
            IO.println(
                "listening on %s (%s)"
                    .formatted(format(host, chosen), Asyncio.runningLoop().transport()));
            server.serveForever();
          }
        },
        runOptions().withHandleSignals(true));
  }

  /** {@return host and port as one, an IPv6 address in brackets} */
  static String format(String host, int port) {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
