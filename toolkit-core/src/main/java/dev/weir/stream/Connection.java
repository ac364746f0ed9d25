package dev.weir.stream;

import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import java.io.IOException;
import java.util.Objects;

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
