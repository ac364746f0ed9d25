package dev.weir.stream;

import dev.weir.spi.ListenRequest;
import dev.weir.spi.Network.Listener;
import dev.weir.spi.Transport;
import dev.weir.spi.UnixAddresses;
import dev.weir.task.CancelledError;
import dev.weir.task.Context;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TaskOptions;
import dev.weir.task.TimerHandle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Listens for connections and has each one served by a task, as {@code asyncio.Server}. Made by
 * {@code Asyncio.startServer}, and listening from then on.
 *
 * <p>Only tasks and callbacks of its loop may use it; elsewhere its calls throw {@link
 * IllegalStateException}.
 */
public final class Server implements AutoCloseable {
  /**
   * How long connections may take to go once they were aborted. They take a round, unless a handler
   * hangs on.
   */
  private static final Duration ABORT_TIMEOUT = Duration.ofSeconds(1);

  private final Loop loop;
  private final ConnectionHandler handler;
  private final ServerOptions options;

  /** The starter's: each handler runs in a copy of it. */
  private final Context context = Context.copyOfCurrent();

  private final List<Listener> listeners = new ArrayList<>();
  private final Set<ServedConnection> connections = new LinkedHashSet<>();
  private final List<Future<@Nullable Void>> closeWaiters = new ArrayList<>();
  private final List<InetSocketAddress> addresses = new ArrayList<>();
  private @Nullable Future<@Nullable Void> serving;
  private @Nullable Path path;
  private @Nullable SocketFile socketFile;
  private boolean removingFile;
  private boolean closed;

  private Server(Loop loop, ConnectionHandler handler, ServerOptions options) {
    this.loop = loop;
    this.handler = handler;
    this.options = options;
  }

  /**
   * Suspends until the server listens; see {@code Asyncio.startServer}.
   *
   * @param handler serves one connection
   * @param host a name, every address of which is listened on, or a literal address; null or empty
   *     for all interfaces
   * @param port from 0 to 65535; 0 lets the system choose
   * @return the server
   * @throws IllegalArgumentException if the port is out of range
   * @throws java.net.UnknownHostException if the name has no address
   * @throws java.net.BindException if the address is in use or not this machine's
   * @throws IOException if it fails otherwise
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server start(
      ConnectionHandler handler, @Nullable String host, int port, ServerOptions options)
      throws IOException {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask("startServer()");
    Server server = new Server(loop, handler, options);
    String resolved = host == null || host.isEmpty() ? ANY_ADDRESS : host;
    try {
      for (InetSocketAddress address : Addresses.resolve(loop, resolved, port)) {
        server.listen(address);
      }
    } catch (IOException | RuntimeException | Error e) {
      server.close();
      throw e;
    }
    return server;
  }

  /**
   * Suspends until the server listens on a Unix socket; see {@code Asyncio.startUnixServer}.
   *
   * @param handler serves one connection
   * @param path where the socket is made, or a name that begins with {@code @}
   * @return the server
   * @throws IllegalArgumentException if the path is empty, or of some other file system
   * @throws java.net.BindException if there is something that does not give way, nothing can be
   *     made there, or the path is too long
   * @throws IOException if it fails otherwise
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server startUnix(ConnectionHandler handler, Path path, ServerOptions options)
      throws IOException {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask("startUnixServer()");
    UnixDomainSocketAddress address = UnixPaths.address(path);
    Server server = new Server(loop, handler, options);
    try {
      server.listenOn(address);
    } catch (IOException | RuntimeException | Error e) {
      server.close();
      throw e;
    }
    return server;
  }

  private void listenOn(UnixDomainSocketAddress address) throws IOException {
    Path wanted = address.getPath();
    if (UnixAddresses.isAbstract(wanted) || !loop.network().makesSocketFiles()) {
      String tooLong = UnixPaths.tooLong(wanted, 0);
      if (tooLong != null) {
        throw new BindException(tooLong);
      }
      listen(address);
    } else {
      SocketFile file = new SocketFile(wanted, options.unixPermissions());
      socketFile = file;
      Path bound = BlockingFiles.run(loop, file::prepare);
      listen(UnixDomainSocketAddress.of(bound)).renamed(address);
      BlockingFiles.run(loop, file::publish);
    }
    path = wanted;
  }

  /** The address of all interfaces: with IPv6 it takes IPv4 connections too. */
  private static final String ANY_ADDRESS = new InetSocketAddress(0).getAddress().getHostAddress();

  private Listener listen(SocketAddress address) throws IOException {
    Future<Listener> listening = loop.createFuture();
    loop.network()
        .listen(
            new ListenRequest(address, options.backlog(), options.reuseAddress(), false, Map.of()),
            ServedConnection::new,
            new FutureCompletion<>(listening, Listener::close));
    Listener listener;
    try {
      listener = listening.await(IOException.class);
    } catch (CancelledError e) {
      if (listening.done() && !listening.cancelled() && listening.exception() == null) {
        listening.result().close(); // It listened in the round in which the task was cancelled.
      }
      throw e;
    }
    listeners.add(listener);
    if (listener.localAddress() instanceof InetSocketAddress local) {
      addresses.add(local);
    }
    return listener;
  }

  /**
   * {@return the addresses it listens on, with the ports the system chose; none once it is closed,
   * and none if it listens on a Unix socket}
   */
  public List<InetSocketAddress> addresses() {
    loop.ensureHeld("Server.addresses()");
    return closed ? List.of() : List.copyOf(addresses);
  }

  /** {@return the path of the Unix socket it listens on; null if it is closed, or has none} */
  public @Nullable Path path() {
    loop.ensureHeld("Server.path()");
    return closed ? null : path;
  }

  /** {@return whether it listens} */
  public boolean isServing() {
    loop.ensureHeld("Server.isServing()");
    return !closed;
  }

  /**
   * Suspends until the task is cancelled, then does {@link #shutdown} with the {@linkplain
   * ServerOptions#grace grace} of its options. Closing the server cancels it as well.
   *
   * @throws CancelledError always, in the end
   * @throws IllegalStateException if the server is closed, or another task is in this call
   */
  public void serveForever() {
    loop.ensureInTask("Server.serveForever()");
    if (closed) {
      throw new IllegalStateException("serveForever() on a closed server: start another");
    }
    if (serving != null) {
      throw new IllegalStateException("serveForever() is already running, in another task");
    }
    Future<@Nullable Void> forever = loop.createFuture(this);
    serving = forever;
    try {
      forever.await();
    } finally {
      serving = null;
      shutdown(options.grace());
    }
  }

  /**
   * Stops listening at once; open connections live on. Connections that the kernel had queued are
   * reset. The file of a Unix socket is removed in the background. Never waits, never throws; a
   * second call has no effect.
   */
  @Override
  public void close() {
    if (closed || loop.isClosed()) {
      return;
    }
    loop.ensureHeld("Server.close()");
    closed = true;
    for (Listener listener : listeners) {
      listener.close();
    }
    if (serving != null) {
      serving.cancel("the server was closed");
    }
    if (socketFile != null) {
      remove(socketFile);
    }
    wakeIfEnded();
  }

  private void remove(SocketFile file) {
    file.disown();
    Future<?> removal;
    try {
      removal =
          loop.runInExecutor(() -> {
            tryToRemove(file);
            return file;
          });
    } catch (IllegalStateException e) {
      tryToRemove(file); // The executor was shut down, and close() does not throw.
      return;
    }
    removingFile = true;
    removal.addDoneCallback(removed -> {
      removingFile = false;
      wakeIfEnded();
    });
  }

  private static void tryToRemove(SocketFile file) {
    try {
      file.remove();
    } catch (IOException e) {
      Logging.LOGGER.log(System.Logger.Level.WARNING, "Cannot remove " + file, e);
    }
  }

  /**
   * Stops listening, gives handlers time to end, then aborts the connections that are left and
   * cancels their handlers. Suspends until all are gone, or a second after that: a handler may hang
   * on. If the task is cancelled meanwhile, they are aborted at once.
   *
   * @param grace how long handlers may take
   * @throws CancelledError if the task is cancelled
   */
  public void shutdown(Duration grace) {
    loop.ensureInTask("Server.shutdown()");
    close();
    try {
      awaitEnd(grace);
    } finally {
      if (!connections.isEmpty()) {
        for (ServedConnection connection : List.copyOf(connections)) {
          connection.abort();
        }
      }
    }
    awaitEnd(ABORT_TIMEOUT);
  }

  /**
   * Suspends until the server is closed, no connection is left, and the file of a Unix socket is
   * removed. Corresponds to {@code wait_closed()}.
   */
  public void waitClosed() {
    loop.ensureInTask("Server.waitClosed()");
    awaitEnd(null);
  }

  private void awaitEnd(@Nullable Duration timeout) {
    if (hasEnded()) {
      return;
    }
    Future<@Nullable Void> ended = loop.createFuture(this);
    closeWaiters.add(ended);
    TimerHandle timer = timeout == null ? null : loop.callLater(timeout, () -> complete(ended));
    try {
      ended.await();
    } finally {
      closeWaiters.remove(ended);
      if (timer != null) {
        timer.cancel();
      }
    }
  }

  private void wakeIfEnded() {
    if (hasEnded()) {
      closeWaiters.forEach(Server::complete);
    }
  }

  private boolean hasEnded() {
    return closed && connections.isEmpty() && !removingFile;
  }

  private static void complete(Future<@Nullable Void> future) {
    if (!future.done()) {
      future.setResult(null);
    }
  }

  @Override
  public String toString() {
    return "Server["
        + (path != null ? path : addresses)
        + ", "
        + connections.size()
        + (connections.size() == 1 ? " connection" : " connections")
        + (closed ? ", closed]" : "]");
  }

  /** One accepted connection and the task that serves it. Listed until both have ended. */
  private final class ServedConnection extends StreamProtocol {
    private @Nullable Task<?> task;
    private boolean handled;
    private boolean disconnected;

    ServedConnection() {
      super(loop, options.stream());
    }

    @Override
    public void connectionMade(Transport transport) {
      super.connectionMade(transport);
      if (closed) {
        transport.abort(); // Accepted in the round in which the server was closed.
        return;
      }
      connections.add(this);
      task = loop.createTask(this::serve, TaskOptions.defaults().withContext(context.copy()));
      // And not a finally in serve(): a task that is cancelled before its first step never gets
      // there.
      task.addDoneCallback(ended -> handlerEnded());
    }

    @Override
    public void connectionLost(@Nullable IOException cause) {
      super.connectionLost(cause);
      disconnected = true;
      forgetIfEnded();
    }

    void abort() {
      transport().abort();
      if (task != null) {
        task.cancel("the server is shutting down");
      }
    }

    private void serve() {
      try {
        handler.handle(reader, writer);
      } catch (CancelledError e) {
        throw e;
      } catch (Throwable e) {
        report(e);
      }
    }

    private void handlerEnded() {
      handled = true;
      if (!writer.detached()) {
        writer.close(options.flushTimeout());
      }
      forgetIfEnded();
    }

    private void report(Throwable failure) {
      if (isOwn(failure)) {
        Logging.LOGGER.log(
            System.Logger.Level.DEBUG,
            "Connection from " + UnixAddresses.describe(transport().remoteAddress()) + " failed",
            failure);
        return;
      }
      Throwable bare =
          failure instanceof UncheckedIOException unchecked && unchecked.getCause() != null
              ? unchecked.getCause()
              : failure;
      loop.callExceptionHandler(
          new ExceptionContext(
              "Exception in the handler of the connection from "
                  + UnixAddresses.describe(transport().remoteAddress()),
              bare,
              task,
              null,
              null));
    }

    private void forgetIfEnded() {
      if (handled && disconnected && connections.remove(this)) {
        wakeIfEnded();
      }
    }
  }

  /** Logged lazily, so that a program that logs nothing never sets logging up. */
  private static final class Logging {
    static final System.Logger LOGGER = System.getLogger("dev.weir.stream");
  }
}
