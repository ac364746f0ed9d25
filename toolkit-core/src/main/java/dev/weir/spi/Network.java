package dev.weir.spi;

import dev.weir.tls.TlsException;
import dev.weir.tls.TlsOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.function.Supplier;

/**
 * How a loop reaches other hosts. Methods are called on the loop and return at once; outcomes
 * arrive later, on the I/O fiber.
 */
public interface Network {
  /**
   * Starts to look a host name up, if the engine does that itself. It is not asked about literal
   * addresses.
   *
   * @param host a name
   * @param outcome receives its addresses, at least one, or an {@link
   *     java.net.UnknownHostException}
   * @return false if the JDK shall be asked, off the loop; then {@code outcome} is not called
   */
  default boolean resolve(String host, Completion<List<InetAddress>> outcome) {
    return false;
  }

  /**
   * Starts to look up the name of an address, if the engine does that itself.
   *
   * @param outcome receives the name, or an {@link java.net.UnknownHostException} if there is none
   * @return false if the JDK shall be asked, off the loop; then {@code outcome} is not called
   */
  default boolean resolveName(InetAddress address, Completion<String> outcome) {
    return false;
  }

  /**
   * Starts to connect.
   *
   * @param request where to, and how
   * @param protocol is told {@link TransportProtocol#connectionMade} before {@code outcome}
   *     succeeds
   * @param outcome receives the transport, or why there is none
   * @return the attempt, for giving it up
   */
  Attempt connect(
      ConnectRequest request, TransportProtocol protocol, Completion<Transport> outcome);

  /**
   * Starts to listen.
   *
   * @param request where, and how
   * @param acceptor makes the protocol of one accepted connection
   * @param outcome receives the listener, or why there is none
   */
  void listen(
      ListenRequest request, Supplier<TransportProtocol> acceptor, Completion<Listener> outcome);

  /**
   * Takes over a TCP connection that somebody else made or accepted.
   *
   * @param socket connected; it is closed if this fails
   * @param protocol is told {@link TransportProtocol#connectionMade} before {@code outcome}
   *     succeeds
   * @param outcome receives the transport, or why there is none
   * @throws UnsupportedOperationException if this engine has no sockets
   */
  default void adopt(
      SocketChannel socket, TransportProtocol protocol, Completion<Transport> outcome) {
    throw new UnsupportedOperationException("This network has no sockets: " + socket);
  }

  /**
   * Starts to listen for several loops: what is accepted on this one is served where {@code
   * destinations} says, each connection on one loop from its beginning to its end.
   *
   * @param request where, and how
   * @param destinations is asked on this loop, once for each accepted connection
   * @param outcome receives the listener, or why there is none
   * @throws UnsupportedOperationException if this engine's loops do not share connections
   */
  default void distribute(
      ListenRequest request, Supplier<Destination> destinations, Completion<Listener> outcome) {
    throw new UnsupportedOperationException(
        "This network is one loop's only: leave withSpread() out");
  }

  /**
   * Starts to open a datagram socket.
   *
   * @param request which, and how
   * @param protocol is told {@link DatagramTransportProtocol#connectionMade} before {@code outcome}
   *     succeeds
   * @param outcome receives the transport, or why there is none; also if nobody waits any more, who
   *     then aborts it
   * @throws UnsupportedOperationException if this network has no datagrams
   */
  default void openDatagram(
      DatagramRequest request,
      DatagramTransportProtocol protocol,
      Completion<DatagramTransport> outcome) {
    throw new UnsupportedOperationException(
        "This network, "
            + getClass().getName()
            + ", has no datagrams: use the loops of toolkit-netty, or VirtualLoop in tests");
  }

  /**
   * {@return a line for each connection and listener that is open, for the report of a test that
   * left it behind} Called on the loop.
   */
  default List<String> describeOpen() {
    return List.of();
  }

  /**
   * {@return whether a listener on a path makes a file there} Then the caller sees to it that
   * nothing is lost of what had been there, that nobody connects who may not, and that the file
   * goes in the end.
   */
  default boolean makesSocketFiles() {
    return true;
  }

  /** {@return whether connections can be secured with these options at once} Called on the loop. */
  default boolean isTlsPrepared(TlsOptions options) {
    return false;
  }

  /**
   * Does what has to be done once before connections are secured with these options: loads
   * certificates and libraries. May block; called off the loop, also by several threads at once.
   *
   * @throws TlsException if these options, or TLS at all, cannot be had
   */
  default void prepareTls(TlsOptions options) throws TlsException {
    throw new TlsException("There is no TLS in this network: leave withTls() and startTls() out");
  }

  /**
   * Where an accepted connection is served.
   *
   * @param network that of the loop, of the same engine
   * @param acceptor makes its protocol; called on that loop's I/O fiber
   * @param lost called instead of {@link TransportProtocol#connectionMade} if the connection ends
   *     before; on the I/O fiber of either loop
   */
  record Destination(Network network, Supplier<TransportProtocol> acceptor, Runnable lost) {}

  /** Receives how an operation ended: exactly one call, on the I/O fiber. */
  interface Completion<T> {
    /** The operation succeeded. */
    void succeeded(T value);

    /** The operation failed. */
    void failed(IOException cause);
  }

  /** A connection being made. */
  interface Attempt {
    /**
     * Gives the attempt up; its outcome is no longer reported, and a connection already made is
     * aborted. Without effect on an attempt whose outcome was reported. Called on the loop.
     */
    void abandon();
  }

  /** A socket that accepts connections. */
  interface Listener {
    /** {@return the address it is bound to, with the port that the system chose} */
    SocketAddress localAddress();

    /**
     * Says under which address the listener is known from now on: its socket's file is being given
     * another name. Connections that it accepts have it as their local address. Called on the loop.
     */
    default void renamed(SocketAddress localAddress) {}

    /**
     * Accepts no more connections until {@link #resumeAccepting}; the kernel queues them, up to the
     * backlog. None is accepted after the call. Called on the loop.
     */
    void pauseAccepting();

    /** Accepts again. Called on the loop. */
    void resumeAccepting();

    /**
     * Stops accepting. Accepted connections live on. A second call has no effect. Called on the
     * loop.
     */
    void close();
  }
}
