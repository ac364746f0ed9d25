package dev.weir.netty;

import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** TCP by Netty. */
final class NettyNetwork implements Network {
  private final NettyIo io;
  private final NettyIoDriver driver;
  private final LoopContext loop;

  /** Those that were not closed, the oldest first. */
  private final Set<NettyListener> listeners = new LinkedHashSet<>();

  NettyNetwork(NettyIo io, NettyIoDriver driver, LoopContext loop) {
    this.io = io;
    this.driver = driver;
    this.loop = loop;
  }

  @Override
  public Attempt connect(
      InetSocketAddress remote,
      Duration timeout,
      TransportProtocol protocol,
      Completion<Transport> outcome) {
    Connecting connecting = new Connecting(remote, timeout, protocol, outcome);
    driver.request(connecting::start);
    return connecting;
  }

  @Override
  public void listen(
      InetSocketAddress local,
      int backlog,
      boolean reuseAddress,
      Supplier<TransportProtocol> acceptor,
      Completion<Listener> outcome) {
    driver.request(() -> startListening(local, backlog, reuseAddress, acceptor, outcome));
  }

  private void startListening(
      InetSocketAddress local,
      int backlog,
      boolean reuseAddress,
      Supplier<TransportProtocol> acceptor,
      Completion<Listener> outcome) {
    ServerSocketChannel channel;
    try {
      channel = io.newServerSocketChannel();
    } catch (RuntimeException e) {
      outcome.failed(NettyErrors.ofBind(e, local)); // No descriptor is left, say.
      return;
    }
    channel.config().setOption(ChannelOption.SO_BACKLOG, backlog);
    channel.config().setOption(ChannelOption.SO_REUSEADDR, reuseAddress);
    channel.pipeline().addLast(new Acceptor(acceptor));
    driver.eventLoop().register(channel);
    channel
        .bind(local)
        .addListener(bound -> {
          if (bound.isSuccess()) {
            NettyListener listener = new NettyListener(channel);
            listeners.add(listener);
            outcome.succeeded(listener);
          } else {
            channel.close();
            outcome.failed(NettyErrors.ofBind(bound.cause(), local));
          }
        });
  }

  @Override
  public List<String> describeOpen() {
    List<String> open = new ArrayList<>();
    for (NettyListener listener : listeners) {
      open.add("server listening on " + NettyErrors.format(listener.localAddress()));
    }
    for (NettyTransport transport : driver.open()) {
      open.add(transport.describe());
    }
    return open;
  }

  private static int connectTimeoutMillis(Duration timeout) {
    // Compared as durations first: toMillis() of a long one overflows.
    return timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) > 0
        ? Integer.MAX_VALUE
        : Math.max(1, (int) timeout.toMillis());
  }

  private final class Connecting implements Attempt {
    private final InetSocketAddress remote;
    private final Duration timeout;
    private final TransportProtocol protocol;
    private final Completion<Transport> outcome;
    private @Nullable SocketChannel channel;
    private boolean ended;

    Connecting(
        InetSocketAddress remote,
        Duration timeout,
        TransportProtocol protocol,
        Completion<Transport> outcome) {
      this.remote = remote;
      this.timeout = timeout;
      this.protocol = protocol;
      this.outcome = outcome;
    }

    void start() {
      if (ended) {
        return;
      }
      SocketChannel opened;
      try {
        opened = io.newSocketChannel();
      } catch (RuntimeException e) {
        fail(e);
        return;
      }
      channel = opened;
      opened.config().setConnectTimeoutMillis(connectTimeoutMillis(timeout));
      NettyTransport transport = new NettyTransport(driver, opened, protocol);
      driver.eventLoop().register(opened);
      opened
          .connect(remote)
          .addListener(connected -> {
            if (!connected.isSuccess()) {
              opened.close();
              fail(connected.cause());
            } else if (!ended) {
              ended = true;
              outcome.succeeded(transport);
            }
          });
    }

    private void fail(Throwable cause) {
      if (!ended) {
        ended = true;
        outcome.failed(NettyErrors.ofConnect(cause, remote, timeout));
      }
    }

    @Override
    public void abandon() {
      if (!ended) {
        ended = true;
        driver.request(() -> {
          if (channel != null) {
            channel.close();
          }
        });
      }
    }
  }

  private final class NettyListener implements Listener {
    private final ServerSocketChannel channel;
    private final InetSocketAddress localAddress;

    NettyListener(ServerSocketChannel channel) {
      this.channel = channel;
      this.localAddress = channel.localAddress();
    }

    @Override
    public InetSocketAddress localAddress() {
      return localAddress;
    }

    @Override
    public void close() {
      listeners.remove(this);
      driver.request(channel::close);
    }
  }

  /** Turns accepted channels into transports. */
  private final class Acceptor extends ChannelInboundHandlerAdapter {
    /** Retrying at once would only fail again: the usual reason is that no descriptor is left. */
    private static final int PAUSE_SECONDS = 1;

    private final Supplier<TransportProtocol> protocols;

    Acceptor(Supplier<TransportProtocol> protocols) {
      this.protocols = protocols;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
      SocketChannel child = (SocketChannel) accepted;
      new NettyTransport(driver, child, protocols.get());
      driver
          .eventLoop()
          .register(child)
          .addListener(registered -> {
            if (!registered.isSuccess()) {
              child.unsafe().closeForcibly();
            }
          });
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      Channel channel = context.channel();
      if (channel.config().isAutoRead()) {
        loop.report(
            "Accepting connections failed on "
                + channel.localAddress()
                + "; trying again in "
                + PAUSE_SECONDS
                + " s",
            cause);
        channel.config().setAutoRead(false);
        channel
            .eventLoop()
            .schedule(() -> channel.config().setAutoRead(true), PAUSE_SECONDS, TimeUnit.SECONDS);
      }
    }
  }
}
