package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
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
final class ServerCommand implements Callable<Integer> {
  private static final int CHUNK_BYTES_MAX = 64 * 1024;

  @Mixin private final Endpoint endpoint = new Endpoint();

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      converter = SecondsConverter.class,
      description = "How long open connections may take to finish at the end, 5 by default.")
  private Duration grace = ServerOptions.defaults().grace();

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      converter = CountConverter.class,
      description =
          "How many connections are served at once; the others wait. No limit by default.")
  private int maxConnections = ServerOptions.UNLIMITED;

  @Option(
      names = "--proxy-protocol",
      paramLabel = "CIDR",
      split = ",",
      converter = SourceConverter.class,
      description = {
        "Each connection must come from one of these addresses or ranges, and begin with a header"
            + " of the PROXY protocol, version 1 or 2."
      })
  private List<String> proxies = List.of();

  @Mixin private final ServerTlsOptions tls = new ServerTlsOptions();

  @Override
  public Integer call() throws IOException {
    Path unix = endpoint.unix();
    ServerOptions options = options().withTls(tls.read());
    Asyncio.run(() -> serve(unix, options), endpoint.runOptions().withHandleSignals(true));
    return CommandLine.ExitCode.OK;
  }

  private void serve(@Nullable Path unix, ServerOptions options) throws IOException {
    try (Server server = start(unix, options)) {
      IO.println(
          "listening on "
              + listening(server)
              + " ("
              + Asyncio.runningLoop().transport()
              + (options.tls() != null ? ", TLS)" : ")"));
      if (options.tls() != null) {
        tls.announce(options.tls());
      }
      server.serveForever();
    }
  }

  private ServerOptions options() {
    ServerOptions options =
        ServerOptions.defaults().withGrace(grace).withMaxConnections(maxConnections);
    return proxies.isEmpty() ? options : options.withProxyProtocol(proxies);
  }

  private Server start(@Nullable Path unix, ServerOptions options) throws IOException {
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
        .map(address -> TcpEndpoint.format(endpoint.host(), address.getPort()))
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

  private static final class CountConverter implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      try {
        int count = Integer.parseInt(value);
        if (count > 0) {
          return count;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new TypeConversionException("'" + value + "' is not a whole number above 0");
    }
  }

  private static final class SourceConverter implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
      try {
        return ServerOptions.defaults()
            .withProxyProtocol(List.of(value))
            .proxyProtocol()
            .getFirst();
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
