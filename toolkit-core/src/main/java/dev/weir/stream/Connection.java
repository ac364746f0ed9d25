package dev.weir.stream;

import dev.weir.spi.ConnectRequest;
import dev.weir.spi.Network.Attempt;
import dev.weir.spi.Transport;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.tls.ClientTls;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection that this side opened: the pair that {@code asyncio.open_connection} returns, to be
 * closed as one.
 *
 * <p>Threads: as for {@link StreamReader} and {@link StreamWriter}.
 */
public final class Connection implements AutoCloseable {
  private final StreamProtocol protocol;

  private Connection(StreamProtocol protocol) {
    this.protocol = protocol;
  }

  /**
   * Suspends until connected; see {@code Asyncio.openConnection}.
   *
   * <p>Where a name has several addresses, the next is tried beside those before it as soon as they
   * have not answered for the {@linkplain ConnectOptions#happyEyeballsDelay delay}, or one of them
   * has failed; the first to connect wins.
   *
   * @param host a name, which is looked up off the loop, or a literal address
   * @param port from 0 to 65535
   * @return the connection
   * @throws IllegalArgumentException if the port is out of range, or the host is not fit to be sent
   *     to the proxy of the options
   * @throws java.net.UnknownHostException if the name has no address
   * @throws java.net.ConnectException if the connection is refused
   * @throws java.net.BindException if the local address of the options cannot be used
   * @throws java.net.SocketTimeoutException if it takes longer than the connect timeout; it says
   *     what was tried
   * @throws ProxyException if the proxy of the options does not open the connection
   * @throws dev.weir.tls.CertificateRejectedException if the server's certificate is not to be
   *     trusted, or not for this host
   * @throws dev.weir.tls.TlsException if the connection cannot be secured otherwise
   * @throws IOException if it fails otherwise. Where the name has several addresses, the failure of
   *     the first is thrown, with those of the others as suppressed
   * @throws CancelledError if the task is cancelled; all attempts are given up
   */
  public static Connection open(String host, int port, ConnectOptions options) throws IOException {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(options, "options");
    Addresses.ensurePort(port);
    Loop loop = Loop.running();
    loop.ensureInTask("openConnection()");
    return new Connection(new Connecting(loop, host, port, options).run());
  }

  /**
   * Suspends until connected to a Unix socket; see {@code Asyncio.openUnixConnection}.
   *
   * @param path that of the socket, or a name that begins with {@code @}
   * @return the connection
   * @throws IllegalArgumentException if the path is empty, or of some other file system; or if the
   *     options have a proxy or a local address, which are for TCP, or TLS and no {@linkplain
   *     ConnectOptions#withServerHostname server hostname}
   * @throws java.net.ConnectException if there is no socket, nobody listens on it, or the user may
   *     not connect; or if the path is too long
   * @throws java.net.SocketTimeoutException if the server's queue stays full for the connect
   *     timeout
   * @throws IOException if it fails otherwise
   * @throws CancelledError if the task is cancelled; the attempt is given up
   */
  public static Connection openUnix(Path path, ConnectOptions options) throws IOException {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask("openUnixConnection()");
    ensureNotForTcp(options.proxy(), "withProxy()");
    ensureNotForTcp(options.localAddress(), "withLocalAddress()");
    ensureNameForTls(options);
    UnixDomainSocketAddress address = UnixPaths.address(path);
    String tooLong = UnixPaths.tooLong(path, 0);
    if (tooLong != null) {
      throw new ConnectException(tooLong);
    }
    return open(loop, address, options);
  }

  /**
   * Suspends until a TCP connection that somebody else made or accepted is this loop's: one that
   * the program was started with, say, as by inetd ({@link System#inheritedChannel}).
   *
   * @param socket connected; the connection's own from now on, and closed if this fails
   * @return the connection
   * @throws IllegalArgumentException if it is not connected, or not by TCP; it stays as it is then
   * @throws UnsupportedOperationException if the loop's network has no sockets; likewise
   * @throws IOException if it is closed
   * @throws CancelledError if the task is cancelled; the connection is aborted
   */
  public static Connection adopt(SocketChannel socket, StreamOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask("Connection.adopt()");
    if (!(socket.getRemoteAddress() instanceof InetSocketAddress)) {
      throw new IllegalArgumentException("Not a connected TCP socket: " + socket);
    }
    StreamProtocol protocol = new StreamProtocol(loop, options);
    Future<Transport> adopted = loop.createFuture();
    loop.network().adopt(socket, protocol, new FutureCompletion<>(adopted, Transport::abort));
    try {
      adopted.await(IOException.class);
    } catch (CancelledError e) {
      if (adopted.done() && !adopted.cancelled()) {
        adopted.exception(); // It may have failed in the round in which the task was cancelled.
      }
      protocol.abortIfConnected();
      throw e;
    }
    return new Connection(protocol);
  }

  private static void ensureNotForTcp(@Nullable Object option, String wither) {
    if (option != null) {
      throw new IllegalArgumentException(
          wither
              + " is for TCP, and openUnixConnection() connects to a Unix socket: leave it out, or"
              + " use openConnection(); it was given "
              + option);
    }
  }

  private static void ensureNameForTls(ConnectOptions options) {
    ClientTls tls = options.tls();
    if (tls != null && tls.hostnameChecked() && options.serverHostname() == null) {
      throw new IllegalArgumentException(
          "A Unix socket has no host name that the server's certificate could be for: say for which"
              + " it is with withServerHostname()");
    }
  }

  private static Connection open(Loop loop, SocketAddress address, ConnectOptions options)
      throws IOException {
    StreamProtocol protocol = new StreamProtocol(loop, options.stream());
    Future<Transport> connected = loop.createFuture();
    Attempt attempt =
        loop.network()
            .connect(
                new ConnectRequest(
                    address, null, options.connectTimeout(), options.socketOptions()),
                protocol,
                new FutureCompletion<>(connected, Transport::abort));
    try {
      connected.await(IOException.class);
    } catch (CancelledError e) {
      attempt.abandon();
      if (connected.done() && !connected.cancelled()) {
        connected.exception(); // It may have failed in the round in which the task was cancelled.
      }
      protocol.abortIfConnected(); // It may have been made in the round in which the task was
      // cancelled.
      throw e;
    }
    Connecting.begin(loop, protocol, options, null, () -> {});
    return new Connection(protocol);
  }

  /** {@return the stream of what the peer sends} */
  public StreamReader reader() {
    return protocol.reader;
  }

  /** {@return the stream of what is sent to the peer} */
  public StreamWriter writer() {
    return protocol.writer;
  }

  /**
   * The same as {@link StreamWriter#close}: what was written is sent in the background. Never
   * waits, never throws.
   */
  @Override
  public void close() {
    protocol.writer.close();
  }

  @Override
  public String toString() {
    return "Connection[" + protocol.reader + ", " + protocol.writer + "]";
  }
}
