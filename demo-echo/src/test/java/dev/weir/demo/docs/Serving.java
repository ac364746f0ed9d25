package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.demo.echo.EchoServer;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.Spread;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.RunOptions;
import dev.weir.task.TaskGroup;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The servers of docs/serving.md, which shows the methods as they stand here. */
final class Serving {
  private Serving() {}

  static ServerOptions guarded() {
    return ServerOptions.defaults()
        .withMaxConnections(10_000)
        .withFirstByteTimeout(Duration.ofSeconds(10))
        .withIdleTimeout(Duration.ofMinutes(2));
  }

  static Server startOnBothLoopbacks(int port) throws IOException {
    return Asyncio.startServer(EchoServer::echo, List.of("127.0.0.1", "::1"), port, guarded());
  }

  static void serveOn(int loops, int port) {
    Asyncio.run(
        () -> {
          ServerOptions options = guarded().withSpread(Spread.AUTO);
          try (Server server = Asyncio.startServer(EchoServer::echo, "127.0.0.1", port, options)) {
            server.serveForever();
          }
        },
        RunOptions.defaults().withLoops(loops));
  }

  static Server startBehindProxies(ConnectionHandler handler, int port) throws IOException {
    ServerOptions options = guarded().withProxyProtocol(List.of("127.0.0.1", "10.0.0.0/8"));
    return Asyncio.startServer(handler, "127.0.0.1", port, options);
  }

  static Server startForTheGroup(ConnectionHandler handler, Path path) throws IOException {
    ServerOptions options =
        ServerOptions.defaults().withUnixPermissions(PosixFilePermissions.fromString("rw-rw----"));
    return Asyncio.startUnixServer(handler, path, options);
  }

  /** Stops gently: who is being served has 30 s, and nobody new is. */
  static void stop(Server server) {
    server.shutdown(Duration.ofSeconds(30));
  }

  // --- A reverse proxy

  static void proxy(StreamReader reader, StreamWriter writer, String host, int port)
      throws IOException {
    try (Connection backend = Asyncio.openConnection(host, port)) {
      new TaskGroup()
          .run(group -> {
            group.createTask(() -> handOn(group, reader, backend.writer()));
            group.createTask(() -> handOn(group, backend.reader(), writer));
          });
    }
  }

  /** Hands on one direction, and its end; the other goes on. */
  private static void handOn(TaskGroup group, StreamReader from, StreamWriter to) {
    try {
      from.transferTo(to);
      to.writeEof();
    } catch (IOException e) {
      group.cancel(); // One side is lost, and the other has nobody to talk to.
    }
  }

  // --- A file server

  static void sendAsked(StreamReader reader, StreamWriter writer, Path root) throws IOException {
    String name = reader.readLine(UTF_8);
    Path file = find(root, name);
    if (file == null) {
      writer.writeLine("no such file");
      return;
    }
    try {
      Asyncio.timeout(Duration.ofMinutes(5)).run(timeout -> writer.sendFile(file));
    } catch (TimeoutException e) {
      writer.abort(); // The client must not take a part for the whole.
    }
  }

  /** {@return the file; null if there is none of that name, or it is outside of the root} */
  private static @Nullable Path find(Path root, @Nullable String name) {
    return Asyncio.toThread(() -> {
      Path file = name == null ? null : root.resolve(name).normalize();
      return file != null && file.startsWith(root) && Files.isRegularFile(file) ? file : null;
    });
  }

  /** SIGHUP has the settings read again. */
  static void reloadOnSighup(Runnable reload) {
    Asyncio.runningLoop().addSignalHandler("HUP", reload);
  }
}
