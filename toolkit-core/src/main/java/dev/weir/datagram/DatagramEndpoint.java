package dev.weir.datagram;

import dev.weir.datagram.internal.DatagramOpening;
import dev.weir.datagram.internal.Destinations;
import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.Network.Completion;
import dev.weir.stream.Addresses;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sends and receives datagrams (UDP). Asyncio has callbacks for this only; here a task receives one
 * after another.
 *
 * <pre>{@code
 * try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("127.0.0.1", 9999)) {
 *   for (Datagram datagram : endpoint) {
 *     try {
 *       endpoint.send(datagram.data(), datagram.sender());
 *     } catch (IOException e) {
 *       // Nobody can answer this one; the others wait.
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p><b>What may be lost.</b> A datagram arrives once, several times or never, in any order. What
 * arrives and is not received waits in a queue, whose {@linkplain DatagramOptions#queueSize bounds}
 * hold whatever is sent: when it is full, the oldest is dropped, and {@link #dropped} counts it.
 * What the kernel drops before that, because the loop was busy, is not counted here. A datagram
 * longer than {@link DatagramOptions#maxSize} is dropped whole, and {@link #truncated} counts it.
 *
 * <p><b>Errors.</b> When the system reports one to a connected endpoint, that nobody receives at
 * its remote address say, the next {@link #receive} or {@link #send} throws it, once. On an
 * endpoint that is not connected, one address is no matter of the others: that a datagram could not
 * be sent is counted by {@link #sendErrors}, and thrown by the next {@code send} to the same
 * address, unless one to another has failed since. The endpoint goes on.
 *
 * <p><b>Whom to believe.</b> Anybody may send to an endpoint that is not connected, and under any
 * address, one that cannot be answered too: {@link #send} to port 0 throws a {@link
 * SocketException}. A connected one receives from its remote address only.
 *
 * <p>Only tasks and callbacks of the endpoint's loop may use it; elsewhere its calls throw {@link
 * IllegalStateException}.
 */
public final class DatagramEndpoint implements AutoCloseable, Iterable<Datagram> {
  private final Loop loop;
  private final DatagramOptions options;
  private final Inbox inbox;
  private final WaitLine receivers;
  private final WaitLine senders;

  private @Nullable DatagramTransport transport;
  private @Nullable DatagramRequest request;

  /** What the system reported, until somebody was told. */
  private @Nullable IOException error;

  /** The newest of an endpoint that is not connected, until a sender to the address was told. */
  private @Nullable SendError sendError;

  private long sendErrors;

  private boolean writingPaused;
  private boolean closed;
  private boolean lost;
  private @Nullable IOException lostCause;
  private long truncated;

  private record SendError(InetSocketAddress to, IOException cause) {}

  private DatagramEndpoint(Loop loop, DatagramOptions options) {
    this.loop = loop;
    this.options = options;
    this.inbox = new Inbox(options.queueSize(), options.queueBytes());
    this.receivers = new WaitLine(loop, this);
    this.senders = new WaitLine(loop, this);
  }

  /**
   * Suspends until the endpoint is there; see {@code Asyncio.openDatagramEndpoint}.
   *
   * <p>Addresses may be unresolved, {@link InetSocketAddress#createUnresolved}: names are looked up
   * off the loop, and the first of their addresses counts that can be used.
   *
   * @param local where to receive; null for a port that the system chooses
   * @param remote whom to send to and receive from; null for everybody
   * @throws IllegalArgumentException if both are null
   * @throws java.net.UnknownHostException if a name has no address
   * @throws java.net.BindException if the local address is in use, or is none of this machine's
   * @throws IOException if it fails otherwise: a socket option that the transport does not have,
   *     say
   * @throws CancelledError if the task is cancelled; no socket is left
   */
  public static DatagramEndpoint open(
      @Nullable InetSocketAddress local,
      @Nullable InetSocketAddress remote,
      DatagramOptions options)
      throws IOException {
    Objects.requireNonNull(options, "options");
    DatagramEndpoint endpoint = new DatagramEndpoint(Loop.running(), options);
    DatagramOpening.open(
        "openDatagramEndpoint()", local, remote, endpoint::requestFor, endpoint.new Receiver());
    return endpoint;
  }

  private DatagramRequest requestFor(
      @Nullable InetSocketAddress local, @Nullable InetSocketAddress remote) {
    DatagramRequest made =
        new DatagramRequest(
            local,
            remote,
            options.broadcast(),
            options.reusePort(),
            options.maxSize(),
            options.socketOptions());
    request = made;
    return made;
  }

  private DatagramTransport transport() {
    return Objects.requireNonNull(transport, "not open");
  }

  // --- Receiving

  /**
   * Suspends until there is a datagram. Tasks that wait get them in the order of their calls.
   * Cancelling it loses nothing: the datagram is for the next.
   *
   * @throws PortUnreachableException if the endpoint is connected and the system has learned that
   *     nobody receives there
   * @throws SocketException after {@link #close}, and if it is closed meanwhile
   * @throws IOException if the system has reported something else that is no matter of one datagram
   *     that was sent, or the endpoint is connected
   */
  public Datagram receive() throws IOException {
    Datagram datagram = next("DatagramEndpoint.receive()");
    if (datagram == null) {
      throw new SocketException("receive() on a closed endpoint");
    }
    return datagram;
  }

  /** {@return the next datagram, when it is there; null if the endpoint was closed} */
  private @Nullable Datagram next(String call) throws IOException {
    loop.ensureInTask(call);
    try {
      boolean myTurn = receivers.isEmpty();
      while (!myTurn || !isAnythingToReceive()) {
        receivers.await(myTurn);
        myTurn = true;
      }
      return take();
    } finally {
      if (isAnythingToReceive()) {
        receivers.wakeFirst();
      }
    }
  }

  private boolean isAnythingToReceive() {
    return !inbox.isEmpty() || error != null || closed || lost;
  }

  private @Nullable Datagram take() throws IOException {
    if (closed) {
      return null;
    }
    throwError();
    Datagram datagram = inbox.poll();
    if (datagram == null) {
      throw lostException();
    }
    return datagram;
  }

  private void throwError() throws IOException {
    IOException thrown = error;
    if (thrown != null) {
      error = null;
      throw fresh(thrown);
    }
  }

  /** {@return one of the same kind, with the caller's stack: the other has the I/O fiber's} */
  private static IOException fresh(IOException told) {
    String message = told.getMessage();
    IOException fresh =
        switch (told) {
          case PortUnreachableException _ -> new PortUnreachableException(message);
          case NoRouteToHostException _ -> new NoRouteToHostException(message);
          case SocketException _ -> new SocketException(message);
          default -> new IOException(message);
        };
    fresh.initCause(told);
    return fresh;
  }

  private SocketException lostException() {
    SocketException exception =
        new SocketException(
            "The socket was closed" + (lostCause == null ? "" : ": " + lostCause.getMessage()));
    exception.initCause(lostCause);
    return exception;
  }

  /**
   * {@return what {@link #receive} returns, one after another, until the endpoint is closed} Its
   * {@code hasNext} suspends, and throws {@link UncheckedIOException} where {@code receive} throws
   * an {@link IOException}.
   */
  @Override
  public Iterator<Datagram> iterator() {
    return new Iterator<>() {
      private @Nullable Datagram next;

      @Override
      public boolean hasNext() {
        if (next == null) {
          try {
            next = DatagramEndpoint.this.next("DatagramEndpoint.iterator().hasNext()");
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
        return next != null;
      }

      @Override
      public Datagram next() {
        if (!hasNext()) {
          throw new NoSuchElementException("The endpoint was closed");
        }
        Datagram returned = Objects.requireNonNull(next, "next");
        next = null;
        return returned;
      }
    };
  }

  // --- Sending

  /**
   * Sends a datagram, perhaps an empty one, to the remote address; see {@link #send(byte[],
   * InetSocketAddress)}.
   *
   * @throws IllegalArgumentException if the endpoint has no remote address, or it is too long
   */
  public void send(byte[] data) throws IOException {
    sendWaiting(data, null);
  }

  /**
   * Sends a datagram, perhaps an empty one, and suspends before that while more than {@linkplain
   * DatagramOptions#highWater high water} is unsent. Tasks that wait go on in the order of their
   * calls. The array may be reused as soon as the call returns; cancelled, it sent nothing.
   *
   * <p>That it returns does not mean that anybody receives it.
   *
   * @param to where, not a name that is still to be looked up
   * @throws IllegalArgumentException if the endpoint has another remote address, {@code to} cannot
   *     be sent to, or the datagram is longer than UDP carries
   * @throws SocketException after {@link #close}, and if it is closed meanwhile; and if {@code to}
   *     has port 0, which whoever sends can claim to have
   * @throws IOException if the system has reported an error of an earlier datagram, on an endpoint
   *     that is not connected of one to the same address; this one was not sent
   */
  public void send(byte[] data, InetSocketAddress to) throws IOException {
    Objects.requireNonNull(to, "to");
    sendWaiting(data, to);
  }

  private void sendWaiting(byte[] data, @Nullable InetSocketAddress to) throws IOException {
    String call = "DatagramEndpoint.send()";
    loop.ensureInTask(call);
    InetSocketAddress destination = ensureDestination(call, data, to);
    try {
      boolean myTurn = senders.isEmpty();
      while (!myTurn || !mayGoOn()) {
        senders.await(myTurn);
        myTurn = true;
      }
      ensureOpen();
      throwErrorTowards(destination);
      transport().send(data, 0, data.length, destination);
    } finally {
      if (mayGoOn()) {
        senders.wakeFirst();
      }
    }
  }

  private void throwErrorTowards(@Nullable InetSocketAddress destination) throws IOException {
    throwError();
    SendError failed = sendError;
    if (failed != null
        && failed.to.equals(destination == null ? transport().remoteAddress() : destination)) {
      sendError = null;
      throw fresh(failed.cause);
    }
  }

  private boolean mayGoOn() {
    return !writingPaused || closed || lost;
  }

  private void ensureOpen() throws IOException {
    if (closed) {
      throw new SocketException("send() on a closed endpoint");
    }
    if (lost) {
      throw lostException();
    }
  }

  private @Nullable InetSocketAddress ensureDestination(
      String call, byte[] data, @Nullable InetSocketAddress to) throws IOException {
    DatagramRequest asked = Objects.requireNonNull(request, "not open");
    return Destinations.ensure(call, transport(), asked, data.length, to);
  }

  /**
   * Sends a datagram if it can without waiting, as {@link #send(byte[], InetSocketAddress)}; also
   * from a callback. Never suspends.
   *
   * @param to where; null for the remote address
   * @return false if too much is unsent or others wait; nothing was sent then
   */
  public boolean trySend(byte[] data, @Nullable InetSocketAddress to) throws IOException {
    String call = "DatagramEndpoint.trySend()";
    loop.ensureHeld(call);
    InetSocketAddress destination = ensureDestination(call, data, to);
    ensureOpen();
    throwErrorTowards(destination);
    if (writingPaused || !senders.isEmpty()) {
      return false;
    }
    transport().send(data, 0, data.length, destination);
    return true;
  }

  // --- Multicast

  /**
   * Suspends until the endpoint receives what is sent to a multicast group at its port. It has to
   * be bound to that port, of a wildcard address as a rule.
   *
   * @param group of the endpoint's family
   * @param on the interface at which they arrive
   * @throws IllegalArgumentException if {@code group} is not the address of one
   * @throws IOException if it cannot be joined: the transport has no multicast, as kqueue, say
   * @throws CancelledError if the task is cancelled; then it may be joined or not
   */
  public void join(InetAddress group, NetworkInterface on) throws IOException {
    changeMembership("join()", group, on, null, DatagramTransport::join);
  }

  /** Joins a group as {@link #join(InetAddress, NetworkInterface)}, to receive from one sender. */
  public void join(InetAddress group, NetworkInterface on, InetAddress source) throws IOException {
    changeMembership(
        "join()", group, on, Objects.requireNonNull(source, "source"), DatagramTransport::join);
  }

  /**
   * Suspends until the endpoint has left a group.
   *
   * @throws IOException if it was not joined like this
   */
  public void leave(InetAddress group, NetworkInterface on) throws IOException {
    changeMembership("leave()", group, on, null, DatagramTransport::leave);
  }

  /** Leaves a group that was joined for one sender. */
  public void leave(InetAddress group, NetworkInterface on, InetAddress source) throws IOException {
    changeMembership(
        "leave()", group, on, Objects.requireNonNull(source, "source"), DatagramTransport::leave);
  }

  private interface Change {
    void begin(
        DatagramTransport transport,
        InetAddress group,
        NetworkInterface on,
        @Nullable InetAddress source,
        Completion<InetAddress> outcome);
  }

  private void changeMembership(
      String call,
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Change change)
      throws IOException {
    Objects.requireNonNull(on, "on");
    loop.ensureInTask("DatagramEndpoint." + call);
    if (!group.isMulticastAddress()) {
      throw new IllegalArgumentException(
          "Not the address of a multicast group: "
              + group.getHostAddress()
              + "; those are of 224.0.0.0/4 and ff00::/8");
    }
    if (closed) {
      throw new SocketException(call + " on a closed endpoint");
    }
    Future<InetAddress> changed = loop.createFuture(this);
    change.begin(
        transport(),
        group,
        on,
        source,
        new Completion<>() {
          @Override
          public void succeeded(InetAddress of) {
            if (!changed.done()) {
              changed.setResult(of);
            }
          }

          @Override
          public void failed(IOException cause) {
            if (!changed.done()) {
              changed.setException(cause);
            }
          }
        });
    changed.await(IOException.class);
  }

  // --- State

  /** {@return the address that the endpoint is bound to, with the port that the system chose} */
  public InetSocketAddress localAddress() {
    loop.ensureHeld("DatagramEndpoint.localAddress()");
    return transport().localAddress();
  }

  /** {@return the address that it was opened for; null if there is none} */
  public @Nullable InetSocketAddress remoteAddress() {
    loop.ensureHeld("DatagramEndpoint.remoteAddress()");
    return transport().remoteAddress();
  }

  /** {@return how many datagrams were dropped because too many waited to be received} */
  public long dropped() {
    loop.ensureHeld("DatagramEndpoint.dropped()");
    return inbox.dropped();
  }

  /** {@return how many datagrams were dropped because they were longer than the largest} */
  public long truncated() {
    loop.ensureHeld("DatagramEndpoint.truncated()");
    return truncated;
  }

  /**
   * {@return how many datagrams could not be sent, as the system said after {@link #send} had
   * returned}
   */
  public long sendErrors() {
    loop.ensureHeld("DatagramEndpoint.sendErrors()");
    return sendErrors;
  }

  /**
   * {@return what the engine has beneath that is of a type, Netty's channel for instance; null if
   * it has nothing of it} Corresponds to {@code get_extra_info()}.
   */
  public <T> @Nullable T extraInfo(Class<T> type) {
    loop.ensureHeld("DatagramEndpoint.extraInfo()");
    return transport().extraInfo(type);
  }

  // --- The end

  /**
   * Sends what is unsent in the background, then closes. What was not received is dropped; who
   * waits is woken, and who iterates is done. Never waits, never throws, except on another thread;
   * a second call has no effect, nor one after the loop has ended.
   */
  @Override
  public void close() {
    if (loop.isClosed()) {
      return;
    }
    loop.ensureHeld("DatagramEndpoint.close()");
    if (!closed) {
      closed = true;
      inbox.clear();
      transport().close();
      receivers.wakeAll();
      senders.wakeAll();
    }
  }

  @Override
  public String toString() {
    DatagramTransport open = transport;
    if (open == null) {
      return "DatagramEndpoint[not open]";
    }
    InetSocketAddress remote = open.remoteAddress();
    return "DatagramEndpoint["
        + Addresses.format(open.localAddress())
        + (remote == null ? "" : " -> " + Addresses.format(remote))
        + ", "
        + inbox
        + (closed ? ", closed]" : "]");
  }

  /** What the engine tells. */
  private final class Receiver implements DatagramTransportProtocol {
    @Override
    public void connectionMade(DatagramTransport made) {
      transport = made;
      made.setWriteBufferLimits(options.highWater(), options.lowWater());
    }

    @Override
    public void datagramReceived(ByteBuffer data, InetSocketAddress sender, boolean cutOff) {
      if (closed) {
        return;
      }
      if (cutOff) {
        truncated++;
        return;
      }
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      inbox.add(new Datagram(bytes, sender));
      receivers.wakeFirst();
    }

    @Override
    public void errorReceived(IOException cause) {
      if (error == null) {
        error = cause; // The first says more than what follows from it.
        receivers.wakeFirst();
      }
    }

    @Override
    public void sendFailed(InetSocketAddress to, IOException cause) {
      sendErrors++;
      if (Objects.requireNonNull(request, "not open").isConnected()) {
        errorReceived(cause);
      } else {
        sendError = new SendError(to, cause);
      }
    }

    @Override
    public void connectionLost(@Nullable IOException cause) {
      lost = true;
      lostCause = cause;
      receivers.wakeAll();
      senders.wakeAll();
    }

    @Override
    public void pauseWriting() {
      writingPaused = true;
    }

    @Override
    public void resumeWriting() {
      writingPaused = false;
      senders.wakeFirst();
    }
  }
}
