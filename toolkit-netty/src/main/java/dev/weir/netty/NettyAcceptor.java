package dev.weir.netty;

import dev.weir.spi.ListenRequest;
import dev.weir.spi.Network.Destination;
import dev.weir.spi.TransportProtocol;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns accepted channels into transports, while they are wanted and there are descriptors for
 * them.
 *
 * <p>When accepting fails it rests for a while; meanwhile the kernel queues clients. Those that
 * wait already are accepted on a descriptor put by for that, and reset: they learn at once what
 * they would learn in the end. What is connected is not disturbed.
 */
final class NettyAcceptor extends ChannelInboundHandlerAdapter {
  /** Refusing must end, however fast clients come. */
  private static final int REFUSED_MAX = 4096;

  /** What the kernel says of a client: length, address, port and scope. */
  private static final int ADDRESS_BYTES = 26;

  private final NettyIoDriver driver;
  private final ServerChannel channel;
  private final ListenRequest request;
  private final Supplier<Destination> destinations;

  // On the loop only.

  private final AcceptBackoff backoff = new AcceptBackoff();
  private final SpareDescriptor spare = new SpareDescriptor();

  /** Accepted by Netty in the read during which accepting was paused. */
  private final ArrayDeque<DuplexChannel> surplus = new ArrayDeque<>(0);

  /** Where it listens; null until it does. */
  private @Nullable SocketAddress localAddress;

  private boolean wanted = true;
  private boolean resting;
  private boolean closed;
  private long refused;

  NettyAcceptor(
      NettyIoDriver driver,
      ServerChannel channel,
      ListenRequest request,
      Supplier<Destination> destinations) {
    this.driver = driver;
    this.channel = channel;
    this.request = request;
    this.destinations = destinations;
    if (driver.io().isAsynchronous()) {
      channel.config().setAutoRead(false); // See accept().
    }
  }

  /** The channel listens there. */
  void bound(SocketAddress address) {
    localAddress = address;
    spare.take();
    channel.closeFuture().addListener(ended -> close());
    apply();
  }

  SocketAddress localAddress() {
    return Objects.requireNonNull(localAddress, "not bound");
  }

  /** Connections that are accepted from now on have this as their local address. */
  void renamed(SocketAddress address) {
    localAddress = address;
  }

  /** Accepts no more, and closes the channel. */
  void end() {
    wanted = false; // An accept may be under way, and what it brings is not served any more.
    closed = true;
    if (driver.io().isAsynchronous()) {
      stopListening();
    }
    channel.close();
  }

  /**
   * Closing waits for the accept that is under way to be cancelled. Until then clients would still
   * be let in, and nobody else could listen on the port.
   */
  private void stopListening() {
    if (channel instanceof UnixChannel unix && unix.fd() instanceof Socket listening) {
      try {
        listening.shutdown(true, false);
      } catch (IOException e) {
        // The closing that follows ends it.
      }
    }
  }

  private void close() {
    closed = true;
    spare.release();
    surplus.forEach(child -> child.unsafe().closeForcibly());
    surplus.clear();
  }

  void setWanted(boolean wanted) {
    this.wanted = wanted;
    if (channel.eventLoop().inEventLoop()) {
      apply(); // Within an accept: only now does it keep the next one from happening.
    } else {
      driver.request(this::apply);
    }
  }

  private void apply() {
    while (wanted && !surplus.isEmpty()) {
      serve(surplus.remove()); // Which may be the last that is wanted.
    }
    if (!closed) {
      accept();
    }
  }

  /**
   * Accepts the next one, if it is wanted. Where accepting is asynchronous each one is asked for:
   * to turn auto-read off cancels the accept that is under way, and if it is turned on again before
   * that is done, Netty 4.2.18 accepts no more.
   */
  private void accept() {
    boolean now = wanted && !resting;
    if (!driver.io().isAsynchronous()) {
      channel.config().setAutoRead(now);
    } else if (now) {
      channel.read();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (!closed && driver.io().isAsynchronous()) {
      accept();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object accepted) {
    backoff.succeeded();
    DuplexChannel child = (DuplexChannel) accepted;
    if (wanted) {
      serve(child);
    } else {
      surplus.add(child);
    }
  }

  private void serve(DuplexChannel child) {
    Child accepted = new Child(child, destinations.get(), localAddress);
    try {
      NettySocketOptions.set(child, request.socketOptions(), driver.io()); // None for Unix.
      if (accepted.driver() == driver) {
        accepted.begin();
      } else {
        accepted.driver().take(accepted);
      }
    } catch (RuntimeException | SocketException e) {
      accepted.refuse();
      if (backoff.takeReport(driver.nanoTime())) { // As likely as not the next one fails as well.
        driver.report("Cannot serve a connection accepted on " + localAddress, e);
      }
    }
  }

  /**
   * An accepted channel, perhaps on its way to another loop.
   *
   * @param local where it was accepted
   */
  private record Child(
      DuplexChannel channel, Destination destination, @Nullable SocketAddress local)
      implements NettyIoDriver.Arrival {
    /** {@return that of the loop that serves it} */
    NettyIoDriver driver() {
      return ((NettyNetwork) destination.network()).driver();
    }

    /** On the loop that serves it. */
    void begin() {
      NettyIoDriver driver = driver();
      TransportProtocol protocol = destination.acceptor().get();
      if (local instanceof UnixDomainSocketAddress) {
        UnixDomainSocketAddress peer = UnixSockets.ofPeer(channel.remoteAddress());
        new NettyTransport(driver, channel, protocol, local, peer);
      } else {
        new NettyTransport(driver, channel, protocol);
      }
      driver
          .eventLoop()
          .register(channel)
          .addListener(registered -> {
            if (!registered.isSuccess()) {
              refuse();
            }
          });
    }

    @Override
    public void serve() {
      try {
        begin();
      } catch (RuntimeException e) {
        refuse();
        driver().report("Cannot serve a connection accepted on " + local, e);
      }
    }

    @Override
    public void refuse() {
      channel.unsafe().closeForcibly();
      destination.lost().run();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (resting || closed) {
      return;
    }
    // Before anything else, and until the rest is over: even to load a class may take a descriptor,
    // and if that fails once it fails for ever. So does opening the log.
    boolean spared = spare.release();
    if (NettyErrors.says(cause, "aborted")) {
      spare.take(); // A client reset before it was accepted, which is its own business.
      return;
    }
    resting = true;
    apply();
    if (spared) {
      refuseThoseWaiting();
    }
    rest(cause);
  }

  private void rest(Throwable cause) {
    long pauseMillis = backoff.failed();
    if (backoff.takeReport(driver.nanoTime())) {
      driver.report(
          "Accepting connections failed on "
              + localAddress
              + "; trying again in "
              + pauseMillis
              + " ms, and then at least once a second. Refused so far: "
              + refused,
          cause);
    }
    channel.eventLoop().schedule(this::restEnded, pauseMillis, TimeUnit.MILLISECONDS);
  }

  private void restEnded() {
    resting = false;
    if (!closed) {
      spare.take();
      apply();
    }
  }

  private void refuseThoseWaiting() {
    try {
      for (int i = 0; i < REFUSED_MAX && refuse(); i++) {
        refused++;
      }
    } catch (IOException e) {
      // Somebody else was quicker and has the descriptor. The clients wait on.
    }
  }

  /** Resets the connection that waits longest. Returns whether one did wait. */
  private boolean refuse() throws IOException {
    if (channel instanceof NioListenerChannel nio) {
      return nio.refuse();
    }
    if (channel instanceof UnixChannel unix && unix.fd() instanceof Socket listening) {
      int descriptor = listening.accept(new byte[ADDRESS_BYTES]);
      if (descriptor < 0) {
        return false;
      }
      Socket client = new Socket(descriptor);
      try {
        if (localAddress instanceof InetSocketAddress) {
          client.setSoLinger(0);
        }
      } finally {
        client.close();
      }
      return true;
    }
    return false;
  }

  @Override
  public String toString() {
    return "NettyAcceptor[" + channel + (wanted ? "" : ", paused") + (resting ? ", resting]" : "]");
  }
}
