package dev.weir.demo.echo;

import dev.weir.task.RunOptions;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the echo server and its client alike, which may meet on a Unix socket as well. */
final class Endpoint {
  @Mixin private final TcpEndpoint tcp = new TcpEndpoint();

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

  String host() {
    return tcp.host();
  }

  int port() {
    return tcp.port();
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
    return tcp.runOptions();
  }
}
