package dev.weir.protocol;

import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.CancelledError;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Opens and accepts connections for protocols; see the functions of the same names in {@code
 * Asyncio}.
 */
public final class Protocols {
  private Protocols() {}

  /**
   * Suspends until connected; see {@code Asyncio.createConnection}.
   *
   * @param factory makes the protocol, once connected, and with TLS once secured. What it throws is
   *     thrown, and the connection aborted
   * @return the transport and the protocol, which was told of it
   * @throws IOException as {@link Connection#open} does
   * @throws CancelledError if the task is cancelled; all attempts are given up
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connect(
      Supplier<? extends P> factory, String host, int port, ConnectOptions options)
      throws IOException {
    Objects.requireNonNull(factory, "factory");
    return attach(factory, Connection.open(host, port, options), options.stream());
  }

  /**
   * Suspends until connected to a Unix socket; see {@code Asyncio.createUnixConnection}.
   *
   * @throws IOException as {@link Connection#openUnix} does
   * @throws CancelledError if the task is cancelled; the attempt is given up
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectUnix(
      Supplier<? extends P> factory, Path path, ConnectOptions options) throws IOException {
    Objects.requireNonNull(factory, "factory");
    return attach(factory, Connection.openUnix(path, options), options.stream());
  }

  /**
   * Suspends until an accepted connection is this loop's, and secured if the options say so; see
   * {@code Asyncio.connectAcceptedSocket}.
   *
   * @throws IOException as {@link Connection#adopt} and {@link
   *     dev.weir.stream.StreamWriter#startTls(ServerTls)} do
   * @throws CancelledError if the task is cancelled; the connection is aborted
   */
  public static <P extends BaseProtocol<Transport>> Attached<Transport, P> connectAccepted(
      Supplier<? extends P> factory, SocketChannel socket, ServerOptions options)
      throws IOException {
    Objects.requireNonNull(factory, "factory");
    Connection connection = Connection.adopt(socket, options.stream());
    ServerTls tls = options.tls();
    if (tls != null) {
      connection.writer().startTls(tls);
    }
    return attach(factory, connection, options.stream());
  }

  private static <P extends BaseProtocol<Transport>> Attached<Transport, P> attach(
      Supplier<? extends P> factory, Connection connection, StreamOptions options) {
    boolean attached = false;
    try {
      P protocol = factory.get();
      Transport transport = ConnectionTransport.takeOver(connection.writer(), options, protocol);
      attached = true;
      return new Attached<>(transport, protocol);
    } finally {
      if (!attached) {
        connection.writer().abort();
      }
    }
  }

  /**
   * Suspends until the server listens on every address of several hosts; see {@code
   * Asyncio.createServer}.
   *
   * @param factory makes the protocol of one connection; where it fails, that connection is closed,
   *     and the failure reported
   * @throws IOException as {@link Server#start} does
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server listen(
      Supplier<? extends BaseProtocol<Transport>> factory,
      List<String> hosts,
      int port,
      ServerOptions options)
      throws IOException {
    return Server.start(handler(factory, options), hosts, port, options);
  }

  /**
   * Suspends until the server listens on a Unix socket; see {@code Asyncio.createUnixServer}.
   *
   * @throws IOException as {@link Server#startUnix} does
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server listenUnix(
      Supplier<? extends BaseProtocol<Transport>> factory, Path path, ServerOptions options)
      throws IOException {
    return Server.startUnix(handler(factory, options), path, options);
  }

  private static ConnectionHandler handler(
      Supplier<? extends BaseProtocol<Transport>> factory, ServerOptions options) {
    Objects.requireNonNull(factory, "factory");
    Objects.requireNonNull(options, "options");
    return (reader, writer) ->
        ConnectionTransport.takeOver(writer, options.stream(), factory.get());
  }

  /**
   * Suspends until a connection is secured, with this end as the client; see {@code
   * Asyncio.startTls}.
   *
   * @throws IllegalArgumentException if the transport is none that {@link #connect} or {@link
   *     #listen} made
   * @throws IOException as {@link dev.weir.stream.StreamWriter#startTls(ClientTls, String)} does
   */
  public static TlsSession startTls(Transport transport, ClientTls tls, String serverHostname)
      throws IOException {
    return ofEngine(transport).startTls(tls, serverHostname);
  }

  /**
   * Suspends until a connection is secured, with this end as the server; see {@code
   * Asyncio.startTls}.
   *
   * @throws IllegalArgumentException if the transport is none that {@link #connect} or {@link
   *     #listen} made
   * @throws IOException as {@link dev.weir.stream.StreamWriter#startTls(ServerTls)} does
   */
  public static TlsSession startTls(Transport transport, ServerTls tls) throws IOException {
    return ofEngine(transport).startTls(tls);
  }

  private static ConnectionTransport ofEngine(Transport transport) {
    if (transport instanceof ConnectionTransport connection) {
      return connection;
    }
    throw new IllegalArgumentException(
        "startTls() needs a transport of createConnection() or createServer(), not " + transport);
  }
}
