package dev.weir.stream;

import dev.weir.spi.AddressUnavailableException;
import dev.weir.spi.ListenRequest;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.Network.Destination;
import dev.weir.spi.Network.Listener;
import dev.weir.spi.UnixAddresses;
import dev.weir.task.CancelledError;
import dev.weir.task.Context;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.TimerHandle;
import java.io.IOException;
import java.net.BindException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Listens for connections and has each one served by a task, as {@code asyncio.Server}. Made by
 * {@code Asyncio.startServer}, and listening from then on.
 *
 * <p>Only tasks and callbacks of its loop may use it; elsewhere its calls throw {@link
 * IllegalStateException}. If it is {@linkplain ServerOptions#withSpread spread}, that is the loop
 * on which it was started, and its calls are for the connections of all loops; the others do soon
 * what is said to be done at once, and where a call suspends it waits for them as well.
 */
public final class Server implements AutoCloseable {
  /**
   * How long connections may take to go once they were aborted. They take a round, unless a handler
   * hangs on.
   */
  private static final Duration ABORT_TIMEOUT = Duration.ofSeconds(1);

  final Loop loop;
  final ConnectionHandler handler;
  final ServerOptions options;

  /** The starter's: each handler runs in a copy of it. */
  final Context context = Context.copyOfCurrent();

  private final Branches branches;

  // On the loop only.

  private final AcceptGate gate;

  /** How many connections count for the gate: its own, or all that it has handed out. */
  private int taken;

  private final List<Listener> listeners = new ArrayList<>();
  private final Set<ServedConnection> connections = new LinkedHashSet<>();
  private final List<Future<@Nullable Void>> closeWaiters = new ArrayList<>();
  private final List<InetSocketAddress> addresses = new ArrayList<>();
  private @Nullable Future<@Nullable Void> serving;
  private @Nullable Path path;
  private @Nullable SocketFile socketFile;
  private boolean removingFile;
  private boolean closed;

  /**
   * @param max how many connections there may be at once
   * @param branches this one, if it is alone, and those of other loops
   */
  Server(Loop loop, ConnectionHandler handler, ServerOptions options, int max, Branches branches) {
    this.loop = loop;
    this.handler = handler;
    this.options = options;
    this.gate = new AcceptGate(max);
    this.branches = branches;
  }

  /**
   * Suspends until the server listens; see {@code Asyncio.startServer}.
   *
   * @param handler serves one connection
   * @param host a name, every address of which is listened on, or a literal address; null or empty
   *     for all interfaces
   * @param port from 0 to 65535; 0 lets the system choose, for each address another one
   * @return the server
   * @throws IllegalArgumentException if the port is out of range
   * @throws java.net.UnknownHostException if the name has no address
   * @throws java.net.BindException if the address is in use or not this machine's. An IPv6 address
   *     that this machine does not have is left out, with a warning, if there is another
   * @throws dev.weir.tls.TlsException if the TLS of the options cannot be had
   * @throws IOException if it fails otherwise
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server start(
      ConnectionHandler handler, @Nullable String host, int port, ServerOptions options)
      throws IOException {
    return start(handler, List.of(host == null ? "" : host), port, options);
  }

  /**
   * Suspends until the server listens on every address of several hosts. It listens on all of them
   * or on none. What the hosts have in common is listened on once: an address of all interfaces,
   * {@code ""}, {@code "::"} or {@code "0.0.0.0"}, takes every other one in, of either family.
   *
   * @param hosts one or more names or literal addresses; an empty one stands for all interfaces
   * @throws IllegalArgumentException if there is no host, or the port is out of range
   * @see #start(ConnectionHandler, String, int, ServerOptions)
   */
  public static Server start(
      ConnectionHandler handler, List<String> hosts, int port, ServerOptions options)
      throws IOException {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask("startServer()");
    if (hosts.isEmpty()) {
      throw new IllegalArgumentException(
          "no host to listen on: an empty string stands for all interfaces");
    }
    Server server = Branches.grow(loop, handler, options);
    try {
      server.prepareTls();
      server.listenOnAll(server.resolve(hosts, port));
    } catch (IOException | RuntimeException | Error e) {
      server.close();
      server.abortClients(); // What one listener had accepted before another failed.
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
   * @throws IllegalArgumentException if the path is empty, or of some other file system; or if the
   *     server is to be spread with {@link Spread#REUSE_PORT}
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
    if (options.spread() == Spread.REUSE_PORT) {
      throw new IllegalArgumentException(
          "A Unix socket has no port that several could listen on: use Spread.DISTRIBUTE");
    }
    Server server = Branches.grow(loop, handler, options);
    try {
      server.prepareTls();
      server.listenOn(address);
    } catch (IOException | RuntimeException | Error e) {
      server.close();
      throw e;
    }
    return server;
  }

  /**
   * Suspends until the server takes connections from an address of the engine's own kind, which is
   * for engines; programs use {@link #start} and {@link #startUnix}.
   *
   * @param handler serves one connection
   * @param local what the engine is to make a listener of
   * @return the server, which has no {@linkplain #addresses addresses}
   * @throws IOException if the engine has no such listener
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server startAt(
      ConnectionHandler handler, SocketAddress local, ServerOptions options) throws IOException {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(local, "local");
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask("startAt()");
    Server server = Branches.grow(loop, handler, options);
    try {
      server.prepareTls();
      server.listen(local);
    } catch (IOException | RuntimeException | Error e) {
      server.close();
      throw e;
    }
    return server;
  }

  /** Now, since a certificate that cannot be used is no matter of the first client's. */
  private void prepareTls() throws IOException {
    if (options.tls() != null) {
      StartingTls.prepare(loop, options.tls());
    }
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
      Path bound = BlockingWork.run(loop, file::prepare);
      listen(UnixDomainSocketAddress.of(bound)).renamed(address);
      BlockingWork.run(loop, file::publish);
    }
    path = wanted;
  }

  /** The address of all interfaces: with IPv6 it takes IPv4 connections too. */
  private static final String ANY_ADDRESS = new InetSocketAddress(0).getAddress().getHostAddress();

  private Set<InetSocketAddress> resolve(List<String> hosts, int port) throws IOException {
    Set<InetSocketAddress> resolved = new LinkedHashSet<>();
    for (String host : hosts) {
      resolved.addAll(Addresses.resolve(loop, host.isEmpty() ? ANY_ADDRESS : host, port));
    }
    return resolved;
  }

  /**
   * Addresses of all interfaces come first: where one is listened on, the kernel has no place for
   * another. That of IPv6 may not be there, though.
   */
  private void listenOnAll(Set<InetSocketAddress> wanted) throws IOException {
    List<InetSocketAddress> ordered = new ArrayList<>(wanted);
    ordered.sort(Comparator.comparing(address -> !isOfAllInterfaces(address))); // Stable.
    List<IOException> unavailable = new ArrayList<>();
    for (InetSocketAddress address : ordered) {
      if (addresses.stream().anyMatch(Server::isOfAllInterfaces)) {
        break;
      }
      try {
        listen(address);
      } catch (AddressUnavailableException e) {
        if (!(address.getAddress() instanceof Inet6Address)) {
          throw e;
        }
        unavailable.add(e); // Many a machine has names with IPv6 addresses, and no IPv6.
      }
    }
    if (listeners.isEmpty()) {
      IOException first = unavailable.removeFirst();
      unavailable.forEach(first::addSuppressed);
      throw first;
    }
    if (branches.listenEach()) {
      for (InetSocketAddress address : List.copyOf(addresses)) { // With the ports chosen.
        branches.listen(request(address));
      }
    }
    for (IOException skipped : unavailable) {
      Logging.LOGGER.log(
          System.Logger.Level.WARNING, "Listening without one address: " + skipped.getMessage());
    }
  }

  private static boolean isOfAllInterfaces(InetSocketAddress address) {
    return address.getAddress().isAnyLocalAddress();
  }

  private Listener listen(SocketAddress address) throws IOException {
    Future<Listener> listening = loop.createFuture();
    listen(request(address), new FutureCompletion<>(listening, Listener::close));
    return listening.await(IOException.class);
  }

  private ListenRequest request(SocketAddress address) {
    return new ListenRequest(
        address,
        options.backlog(),
        options.reuseAddress(),
        options.reusePort() || branches.listenEach(),
        options.socketOptions());
  }

  /** Starts to listen for this loop's connections, or for those of all. */
  void listen(ListenRequest request, Completion<Listener> outcome) {
    Listening listening = new Listening(outcome);
    if (branches.distribute()) {
      loop.network().distribute(request, branches::next, listening);
    } else {
      loop.network().listen(request, () -> new ServedConnection(this), listening);
    }
  }

  /** {@return what serves a connection that was accepted for this loop} */
  Destination destination() {
    return new Destination(loop.network(), () -> new ServedConnection(this), this::lost);
  }

  /** Takes a listener over at once, and not when the task runs: it may accept before. */
  private final class Listening implements Completion<Listener> {
    private final Completion<Listener> outcome;

    Listening(Completion<Listener> outcome) {
      this.outcome = outcome;
    }

    @Override
    public void succeeded(Listener listener) {
      if (closed) {
        listener.close(); // The task was cancelled meanwhile.
        return;
      }
      listeners.add(listener);
      if (listener.localAddress() instanceof InetSocketAddress local) {
        addresses.add(local);
      }
      if (gate.paused()) {
        listener.pauseAccepting();
      }
      outcome.succeeded(listener);
    }

    @Override
    public void failed(IOException cause) {
      outcome.failed(cause);
    }
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
    branches.follow(this, Server::close);
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
   * Closes every connection that is open now, as {@link StreamWriter#close} does: what was written
   * is sent in the background, within the {@linkplain ServerOptions#flushTimeout flush timeout},
   * and their handlers see the end of the stream. Never waits, never throws. Corresponds to {@code
   * close_clients()}.
   */
  public void closeClients() {
    if (!loop.isClosed()) {
      loop.ensureHeld("Server.closeClients()");
      List.copyOf(connections).forEach(ServedConnection::close);
      branches.follow(this, Server::closeClients);
    }
  }

  /**
   * Aborts every connection that is open now, as {@link StreamWriter#abort} does: what is unsent is
   * dropped, and the next read or write of a handler throws {@link ConnectionResetException}. Never
   * waits, never throws. Corresponds to {@code abort_clients()}.
   */
  public void abortClients() {
    if (!loop.isClosed()) {
      loop.ensureHeld("Server.abortClients()");
      List.copyOf(connections).forEach(ServedConnection::abort);
      branches.follow(this, Server::abortClients);
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
      endConnections();
    }
    awaitEnd(ABORT_TIMEOUT);
  }

  private void endConnections() {
    List.copyOf(connections).forEach(ServedConnection::end);
    branches.follow(this, Server::endConnections);
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

  // --- What connections do

  boolean isClosed() {
    return closed;
  }

  void connected(ServedConnection connection) {
    connections.add(connection);
    if (!branches.distribute()) {
      taken();
    }
  }

  /** A connection counts from here on. */
  void taken() {
    taken++;
    if (gate.opened(taken)) {
      listeners.forEach(Listener::pauseAccepting);
    }
  }

  /** A connection that counted does so no more. */
  void released() {
    taken--;
    if (gate.ended(taken) && !closed) {
      resumeAccepting();
    }
  }

  /** A connection that was accepted never came to be served. */
  void lost() {
    if (branches.distribute()) {
      branches.released(this);
    }
  }

  /** A connection is closed and its handler has ended. */
  void ended(ServedConnection connection) {
    if (!connections.remove(connection)) {
      return;
    }
    if (branches.distribute()) {
      branches.released(this);
    } else {
      released();
    }
    wakeIfEnded();
  }

  private void resumeAccepting() {
    for (Listener listener : listeners) {
      if (gate.paused()) {
        break; // The listeners before have something at hand, and that was enough already.
      }
      listener.resumeAccepting();
    }
  }

  void wakeIfEnded() {
    if (hasEnded()) {
      closeWaiters.forEach(Server::complete);
      branches.ended(this);
    }
  }

  private boolean hasEnded() {
    return closed && connections.isEmpty() && !removingFile && branches.othersHaveEnded(this);
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
        + branches.describe()
        + (closed ? ", closed]" : gate.paused() ? ", not accepting]" : "]");
  }
}
