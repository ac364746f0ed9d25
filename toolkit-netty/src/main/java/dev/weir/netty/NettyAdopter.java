package dev.weir.netty;

import dev.weir.spi.Network.Destination;
import dev.weir.spi.Network.Listener;
import dev.weir.spi.TransportProtocol;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Takes over channels that others accepted, in the place of a listener. */
final class NettyAdopter implements Listener {
  /** By which a server asks for one, where others have an address to listen on. */
  static final class Address extends SocketAddress {
    private static final long serialVersionUID = 1;

    private final boolean ofMessages;
    private transient @Nullable NettyAdopter adopter;

    /**
     * @param ofMessages whether what arrives has to wait until the handler has made a connection of
     *     messages of it
     */
    Address(boolean ofMessages) {
      this.ofMessages = ofMessages;
    }

    NettyAdopter adopter() {
      return Objects.requireNonNull(adopter, "not started");
    }

    NettyAdopter start(NettyIoDriver driver, Supplier<Destination> destinations) {
      NettyAdopter started = new NettyAdopter(this, driver, destinations);
      driver.adopters().add(started);
      adopter = started;
      return started;
    }

    @Override
    public String toString() {
      return "channels taken over";
    }
  }

  private final Address address;
  private final NettyIoDriver driver;
  private final Supplier<Destination> destinations;

  // On the loop only.

  /** Taken over while no more connections were wanted. */
  private final ArrayDeque<DuplexChannel> surplus = new ArrayDeque<>(0);

  private boolean wanted = true;
  private boolean closed;

  private NettyAdopter(Address address, NettyIoDriver driver, Supplier<Destination> destinations) {
    this.address = address;
    this.driver = driver;
    this.destinations = destinations;
  }

  // --- On the channel's event loop

  /** Takes a channel over. Any thread. */
  void adopt(DuplexChannel channel) {
    EventLoop theirs = channel.eventLoop();
    if (theirs.inEventLoop()) {
      hold(channel);
    } else {
      theirs.execute(() -> hold(channel));
    }
  }

  private void hold(DuplexChannel channel) {
    keep(channel);
    // Behind whatever sets the pipeline up right now.
    channel.eventLoop().execute(() -> move(channel));
  }

  /** Keeps what arrives until the channel is {@linkplain #serve served}. On its event loop. */
  static void keep(Channel channel) {
    channel.config().setAutoRead(false);
    Holding holding = new Holding();
    channel.pipeline().addFirst(new ReadGuard(holding::isEmpty)).addLast(holding);
  }

  private void move(DuplexChannel channel) {
    EventLoop ours = driver.eventLoop();
    if (ours.isShuttingDown()) {
      channel.close(); // Here, where its handlers hear of it.
    } else if (channel.eventLoop() == ours) {
      attach(channel);
    } else if (isOfOurKind(channel)) {
      channel
          .deregister()
          .addListener(deregistered -> {
            if (deregistered.isSuccess()) {
              register(channel);
            } else {
              channel.close();
            }
          });
    } else {
      register(new BridgeChannel(channel));
    }
  }

  private boolean isOfOurKind(Channel channel) {
    return channel.unsafe() instanceof IoHandle handle
        && driver.eventLoop() instanceof IoEventLoop ours
        && ours.isCompatible(handle.getClass());
  }

  private void register(DuplexChannel channel) {
    try {
      driver
          .eventLoop()
          .register(channel)
          .addListener(registered -> {
            if (registered.isSuccess()) {
              attach(channel);
            } else {
              channel.unsafe().closeForcibly();
            }
          });
    } catch (RejectedExecutionException e) {
      channel.unsafe().closeForcibly(); // The loop has ended.
    }
  }

  // --- On the loop's I/O fiber

  private void attach(DuplexChannel channel) {
    if (closed) {
      channel.close();
    } else if (wanted) {
      serve(channel);
    } else {
      surplus.add(channel);
    }
  }

  private void serve(DuplexChannel channel) {
    if (!channel.isActive()) {
      channel.close();
      return;
    }
    serve(driver, channel, destinations.get().acceptor().get(), address.ofMessages);
  }

  /**
   * Makes a connected channel that is on the loop now a connection of this loop's.
   *
   * @param ofMessages whether what arrives has to wait for a connection of messages
   */
  static NettyTransport serve(
      NettyIoDriver driver, DuplexChannel channel, TransportProtocol protocol, boolean ofMessages) {
    Holding holding = channel.pipeline().get(Holding.class);
    if (holding == null) {
      holding = new Holding(); // A bridge's: what was held on the far side comes by it.
      channel.pipeline().addLast(holding);
    }
    boolean behindHandlers = hasOthers(channel, holding);
    NettyTransport transport = new NettyTransport(driver, channel, protocol);
    if (channel instanceof BridgeChannel bridge) {
      bridge.open(); // Before anything is read.
    }
    transport.adopted(holding, behindHandlers, ofMessages);
    return transport;
  }

  private static boolean hasOthers(Channel channel, ChannelHandler ours) {
    for (Map.Entry<String, ChannelHandler> one : channel.pipeline()) {
      if (one.getValue() != ours && !(one.getValue() instanceof ReadGuard)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public SocketAddress localAddress() {
    return address;
  }

  @Override
  public void pauseAccepting() {
    wanted = false;
  }

  @Override
  public void resumeAccepting() {
    wanted = true;
    driver.request(() -> {
      while (wanted && !closed && !surplus.isEmpty()) {
        serve(surplus.remove()); // Which may be the last that is wanted.
      }
    });
  }

  @Override
  public void close() {
    closed = true;
    driver.adopters().remove(this);
    driver.request(this::closeSurplus);
  }

  /** The loop ends, and nobody has closed this before. */
  void endWithLoop() {
    closed = true;
    closeSurplus();
  }

  private void closeSurplus() {
    surplus.forEach(Channel::close);
    surplus.clear();
  }

  /** Keeps what arrives while a channel is moved, and hands it on when it is removed. */
  static final class Holding extends ChannelInboundHandlerAdapter {
    private final ArrayDeque<Object> held = new ArrayDeque<>(0);

    /** What happened behind that: the end of the stream is an event, and a handler may fail. */
    private final ArrayDeque<Consumer<ChannelHandlerContext>> events = new ArrayDeque<>(0);

    /** A message that has begun may become whole, and a TLS handshake may go on. */
    boolean isEmpty() {
      return held.isEmpty();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      held.add(message);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      events.add(next -> next.fireUserEventTriggered(event));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      events.add(next -> next.fireExceptionCaught(cause));
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
      if (!context.channel().isOpen()) {
        held.forEach(ReferenceCountUtil::release);
        return;
      }
      boolean any = !held.isEmpty();
      for (Object message = held.poll(); message != null; message = held.poll()) {
        context.fireChannelRead(message);
      }
      if (any) {
        context.fireChannelReadComplete();
      }
      events.forEach(event -> event.accept(context));
    }
  }

  @Override
  public String toString() {
    return "NettyAdopter[" + surplus.size() + " waiting" + (closed ? ", closed]" : "]");
  }
}
