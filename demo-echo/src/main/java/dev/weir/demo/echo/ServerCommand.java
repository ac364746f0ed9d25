package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code echo server}: serves until SIGINT or SIGTERM. */
@Command(
    name = "server",
    description = {
      "Sends back everything it receives.",
      "Ctrl-C, or SIGTERM, stops it: connections may finish within the grace; a second one ends"
          + " them at once."
    })
final class ServerCommand implements Runnable {
  private static final int CHUNK_BYTES_MAX = 64 * 1024;

  @Mixin private final Endpoint endpoint = new Endpoint();

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      converter = SecondsConverter.class,
      description = "How long open connections may take to finish at the end, 5 by default.")
  private Duration grace = ServerOptions.defaults().grace();

  @Override
  public void run() {
    Path unix = endpoint.unix();
    Asyncio.run(() -> serve(unix), endpoint.runOptions().withHandleSignals(true));
  }

  private void serve(@Nullable Path unix) throws IOException {
    try (Server server = start(unix)) {
      IO.println(
          "listening on " + listening(server) + " (" + Asyncio.runningLoop().transport() + ")");
      server.serveForever();
    }
  }

  private Server start(@Nullable Path unix) throws IOException {
    ServerOptions options = ServerOptions.defaults().withGrace(grace);
    return unix != null
        ? Asyncio.startUnixServer(ServerCommand::echo, unix, options)
        : Asyncio.startServer(ServerCommand::echo, endpoint.host(), endpoint.port(), options);
  }

  /**
   * {@return the path, or host and port; several if the host has several addresses and the system
   * chose their ports}
   */
  private String listening(Server server) {
    if (server.path() != null) {
      return server.path().toString();
    }
    return server.addresses().stream()
        .map(address -> Endpoint.format(endpoint.host(), address.getPort()))
        .distinct()
        .collect(Collectors.joining(", "));
  }

  /** Chunks and not lines: a line may be of any length, and the last may lack its end. */
  static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] chunk = reader.read(CHUNK_BYTES_MAX);
        chunk.length > 0;
        chunk = reader.read(CHUNK_BYTES_MAX)) {
      writer.write(chunk);
    }
  }

  private static final class SecondsConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String value) {
      try {
        long seconds = Long.parseLong(value);
        if (seconds >= 0) {
          return Duration.ofSeconds(seconds);
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new TypeConversionException("'" + value + "' is not a whole number of seconds");
    }
  }
}
