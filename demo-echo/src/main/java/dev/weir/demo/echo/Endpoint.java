package dev.weir.demo.echo;

import dev.weir.task.FiberKind;
import dev.weir.task.RunOptions;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of server and client alike: where the server is, and what the loop runs on. */
final class Endpoint {
  /** The names that Weir knows; an enum, so that picocli checks and lists them. */
  private enum TransportName {
    AUTO,
    NIO,
    EPOLL
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

  @Option(
      names = "--unix",
      paramLabel = "PATH",
      converter = UnixPathConverter.class,
      description =
          "The path of a Unix socket to use instead of --host and --port; @NAME for an abstract"
              + " name, on Linux.")
  private @Nullable Path unix;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

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

  /**
   * {@return the path of the Unix socket to use, or null for host and port}
   *
   * @throws ParameterException if both are asked for
   */
  @Nullable Path unix() {
    CommandSpec asked = Objects.requireNonNull(command, "set by picocli");
    if (unix != null) {
      for (String other : new String[] {"--host", "--port"}) {
        if (asked.commandLine().getParseResult().hasMatchedOption(other)) {
          throw new ParameterException(
              asked.commandLine(), "--unix takes the place of " + other + ": write one of them");
        }
      }
    }
    return unix;
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

  /** {@return host and port as one, an IPv6 address in brackets} */
  static String format(String host, int port) {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
