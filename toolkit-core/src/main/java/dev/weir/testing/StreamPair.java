package dev.weir.testing;

import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Futures;
import dev.weir.task.Loop;
import dev.weir.task.ReturnWhen;
import dev.weir.task.Task;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Both ends of one connection, on one loop: what a test of streams works on.
 *
 * <pre>{@code
 * try (StreamPair pair = StreamPair.open()) {
 *   pair.left().writer().writeLine("hello");
 *   assert "hello".equals(pair.right().reader().readLine(UTF_8));
 * }
 * }</pre>
 *
 * <p>{@link #open()} connects over the network of the running loop, whichever that is: on a real
 * loop the pair is a TCP connection, on one with a network in memory it is not. {@link
 * #openUnix(Path)} does so by a Unix socket. A pair with TLS is opened with {@linkplain
 * #open(ServerOptions, ConnectOptions) options that say so}, or secured later by {@link #startTls}.
 *
 * @param left one end; the one that connected, if {@code open} made the pair
 * @param right the other end; the one that was accepted
 */
public record StreamPair(StreamEnd left, StreamEnd right) implements AutoCloseable {
  private static final String HOST = "127.0.0.1";

  /** Checks that both ends are there. */
  public StreamPair {
    Objects.requireNonNull(left, "left");
    Objects.requireNonNull(right, "right");
  }

  /** Suspends until both ends are connected; see {@link #open(StreamOptions)}. */
  public static StreamPair open() throws IOException {
    return open(StreamOptions.defaults());
  }

  /**
   * Suspends until both ends are connected, by a server on a port of 127.0.0.1 that the system
   * chooses. It listens no longer than that.
   *
   * @param options what each end buffers
   * @return the pair, to be closed by the caller
   * @throws IOException if the network lets nobody listen or connect; nothing is left behind then
   * @throws CancelledError if the task is cancelled; nothing is left behind then
   * @throws IllegalStateException outside a task
   */
  public static StreamPair open(StreamOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    return open(
        ServerOptions.defaults().withStream(options),
        ConnectOptions.defaults().withStream(options));
  }

  /**
   * Suspends until both ends are connected, as {@link #open(StreamOptions)} does, and secured if
   * the options have TLS. The server's certificate has then to be for 127.0.0.1, or for the
   * {@linkplain ConnectOptions#withServerHostname server hostname} of the options.
   *
   * @param accepting how the right end is accepted
   * @param connecting how the left end connects
   * @return the pair, to be closed by the caller
   * @throws IOException if nobody can listen or connect; nothing is left behind then
   * @throws CancelledError if the task is cancelled; nothing is left behind then
   * @throws IllegalStateException outside a task
   */
  public static StreamPair open(ServerOptions accepting, ConnectOptions connecting)
      throws IOException {
    Objects.requireNonNull(accepting, "accepting");
    Objects.requireNonNull(connecting, "connecting");
    return open(
        "StreamPair.open()",
        handler -> Server.start(handler, HOST, 0, accepting),
        server -> Connection.open(HOST, server.addresses().getFirst().getPort(), connecting));
  }

  /** Suspends until both ends are connected; see {@link #openUnix(Path, StreamOptions)}. */
  public static StreamPair openUnix(Path path) throws IOException {
    return openUnix(path, StreamOptions.defaults());
  }

  /**
   * Suspends until both ends are connected, by a server on the Unix socket at {@code path}. It
   * listens no longer than that.
   *
   * @param path where nothing is yet
   * @param options what each end buffers
   * @return the pair, to be closed by the caller
   * @throws IOException if the network lets nobody listen or connect; nothing is left behind then
   * @throws CancelledError if the task is cancelled; nothing is left behind then
   * @throws IllegalStateException outside a task
   */
  public static StreamPair openUnix(Path path, StreamOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    return openUnix(
        path,
        ServerOptions.defaults().withStream(options),
        ConnectOptions.defaults().withStream(options));
  }

  /**
   * Suspends until both ends are connected, as {@link #openUnix(Path, StreamOptions)} does, and
   * secured if the options have TLS.
   *
   * @param path where nothing is yet
   * @param accepting how the right end is accepted
   * @param connecting how the left end connects; with TLS it says for which {@linkplain
   *     ConnectOptions#withServerHostname server hostname} the certificate has to be
   * @return the pair, to be closed by the caller
   * @throws IOException if nobody can listen or connect; nothing is left behind then
   * @throws CancelledError if the task is cancelled; nothing is left behind then
   * @throws IllegalStateException outside a task
   */
  public static StreamPair openUnix(Path path, ServerOptions accepting, ConnectOptions connecting)
      throws IOException {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(accepting, "accepting");
    Objects.requireNonNull(connecting, "connecting");
    return open(
        "StreamPair.openUnix()",
        handler -> Server.startUnix(handler, path, accepting),
        server -> Connection.openUnix(path, connecting));
  }

  private interface Start {
    Server with(ConnectionHandler handler) throws IOException;
  }

  private interface Connect {
    Connection to(Server server) throws IOException;
  }

  private static StreamPair open(String what, Start start, Connect connect) throws IOException {
    Loop loop = Loop.running();
    loop.ensureInTask(what);
    Future<StreamEnd> accepted = loop.createFuture();
    Server server =
        start.with((reader, writer) -> {
          if (!accepted.done()) {
            writer.detach();
            accepted.setResult(new StreamEnd(reader, writer));
          }
        });
    Connection connected = null;
    boolean opened = false;
    try {
      connected = connect.to(server);
      StreamEnd right = accepted.await();
      opened = true;
      return new StreamPair(new StreamEnd(connected.reader(), connected.writer()), right);
    } finally {
      if (opened) {
        server.close();
      } else {
        end(server, connected);
      }
    }
  }

  /** Ends what was made of a pair that does not come about, and waits until it is gone. */
  private static void end(Server server, @Nullable Connection connected) {
    if (connected != null) {
      connected.writer().abort();
    }
    server.shutdown(Duration.ZERO);
  }

  /**
   * Suspends until the connection is secured, both ends at once: the left one as the client, the
   * right one as the server. What was written before has to be read before, or it fails.
   *
   * @param server how the right end secures it
   * @param client how the left end does
   * @param serverHostname for whom the server's certificate has to be
   * @throws IOException if they do not come to terms; with what the other end says as suppressed.
   *     The connection is aborted then
   * @throws CancelledError if the task is cancelled; the connection is aborted then
   * @throws IllegalStateException outside a task, or if it is secured already
   */
  public void startTls(ServerTls server, ClientTls client, String serverHostname)
      throws IOException {
    Loop loop = Loop.running();
    loop.ensureInTask("StreamPair.startTls()");
    Task<TlsSession> serving =
        loop.createTask(() -> right.writer().startTls(server), "startTls of the right end");
    try {
      left.writer().startTls(client, serverHostname);
      serving.await(IOException.class);
    } catch (IOException e) {
      Throwable atServer = failure(serving);
      if (atServer != null && atServer != e) {
        e.addSuppressed(atServer);
      }
      throw e;
    } finally {
      serving.cancel();
      failure(serving);
    }
  }

  /** Waits until a task has ended. Returns what it failed with. */
  private static @Nullable Throwable failure(Task<?> task) {
    Futures.wait(List.of(task), ReturnWhen.ALL_COMPLETED, null);
    return task.cancelled() ? null : task.exception();
  }

  /** Closes both writers, which sends what they hold in the background. Never waits or throws. */
  @Override
  public void close() {
    left.writer().close();
    right.writer().close();
  }
}
