package dev.weir.benchmarks;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.Spread;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.FiberKind;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Weir's streams, on one loop as a rule: what a user of Weir writes, in spirit the echo server of
 * the README.
 */
final class WeirEchoPeer implements EchoPeer {
  private static final ServerOptions OPTIONS =
      ServerOptions.defaults()
          .withBacklog(BACKLOG)
          .withGrace(Duration.ZERO)
          .withSpread(Spread.AUTO);

  private final CompletableFuture<Listening> listening = new CompletableFuture<>();
  private final Thread thread;
  private final @Nullable EchoTls tls;
  private final int loops;
  private final ServerOptions serverOptions;

  /** What the loop's thread tells the others. */
  private record Listening(Loop loop, Server server, int port) {}

  /** Fails where the engine for TLS is missing, before there is a loop. */
  private WeirEchoPeer(RunOptions options, ConnectionHandler handler, @Nullable EchoTls tls) {
    this.tls = tls;
    loops = options.loops();
    serverOptions = tls == null ? OPTIONS : OPTIONS.withTls(tls.weirs());
    thread = Thread.ofPlatform().daemon().name("weir-echo").unstarted(() -> run(options, handler));
  }

  static WeirEchoPeer start(FiberKind fibers, String transport, Mode mode) {
    RunOptions options = RunOptions.defaults().withFibers(fibers).withTransport(transport);
    return start(options, echo(mode), null);
  }

  /** Starts a server that has its connections served by several loops in turn. */
  static WeirEchoPeer startSpread(int loops, Mode mode) {
    return start(RunOptions.defaults().withLoops(loops), echo(mode), null);
  }

  /** Starts a server with TLS. */
  static WeirEchoPeer startSecured(FiberKind fibers, Mode mode, EchoTls tls) {
    return start(RunOptions.defaults().withFibers(fibers), echo(mode), tls);
  }

  /**
   * Starts a server that moves buffers, which knows no lines: it echoes bytes in both modes.
   *
   * @param tls null for none
   */
  static WeirEchoPeer startTransferring(@Nullable EchoTls tls) {
    return start(RunOptions.defaults(), StreamReader::transferTo, tls);
  }

  private static ConnectionHandler echo(Mode mode) {
    return switch (mode) {
      case BYTES -> WeirEchoPeer::echoBytes;
      case LINES -> WeirEchoPeer::echoLines;
    };
  }

  private static WeirEchoPeer start(
      RunOptions options, ConnectionHandler handler, @Nullable EchoTls tls) {
    WeirEchoPeer peer = new WeirEchoPeer(options, handler, tls);
    peer.thread.start();
    peer.listening.join();
    return peer;
  }

  private void run(RunOptions options, ConnectionHandler handler) {
    try {
      Asyncio.run(() -> serve(handler), options);
    } catch (CancelledError e) {
      // The usual end: close() ended serveForever().
    } catch (Throwable e) {
      listening.completeExceptionally(e);
    }
  }

  private void serve(ConnectionHandler handler) throws IOException {
    try (Server server = Asyncio.startServer(handler, "127.0.0.1", 0, serverOptions)) {
      int port = server.addresses().getFirst().getPort();
      listening.complete(new Listening(Asyncio.runningLoop(), server, port));
      server.serveForever();
    }
  }

  private static void echoBytes(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] data = reader.read(READ_BYTES_MAX);
        data.length > 0;
        data = reader.read(READ_BYTES_MAX)) {
      writer.write(data);
    }
  }

  private static void echoLines(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] line : reader) {
      writer.write(line);
    }
  }

  @Override
  public int port() {
    return listening.join().port();
  }

  @Override
  public String description() {
    Loop loop = listening.join().loop();
    return "Weir streams, "
        + loop.fibers().name().toLowerCase(Locale.ROOT)
        + " fibers, "
        + Versions.netty()
        + " "
        + loop.transport()
        + (loops == 1 ? ", one loop" : ", " + loops + " loops")
        + (tls == null ? "" : ", " + tls);
  }

  @Override
  public void close() {
    Listening running = listening.join();
    running.loop().callSoonThreadsafe(running.server()::close);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
