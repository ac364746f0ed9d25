package dev.weir.demo.echo;

import dev.weir.task.FiberKind;
import dev.weir.task.RunOptions;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of everything here: what the loop runs on. */
final class LoopOptions {
  /** The names that Weir knows; an enum, so that picocli checks and lists them. */
  private enum TransportName {
    AUTO,
    NIO,
    EPOLL
  }

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
}
