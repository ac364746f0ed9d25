package dev.weir.netty;

import dev.weir.spi.ConnectRequest;
import dev.weir.spi.ListenRequest;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** TCP and Unix sockets by Netty. */
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
      ConnectRequest request, TransportProtocol protocol, Completion<Transport> outcome) {
    if (request.remote() instanceof UnixDomainSocketAddress remote) {
      UnixConnecting connecting =
          new UnixConnecting(
              driver, io.unixSockets(), remote, request.timeout(), protocol, outcome);
      driver.request(connecting::start);
      return connecting;
    }
    Connecting connecting =
        new Connecting((InetSocketAddress) request.remote(), request.timeout(), protocol, outcome);
    driver.request(connecting::start);
    return connecting;
  }

  @Override
  public void listen(
      ListenRequest request, Supplier<TransportProtocol> acceptor, Completion<Listener> outcome) {
    driver.request(() -> {
      if (request.local() instanceof UnixDomainSocketAddress local) {
        startListening(local, request.backlog(), acceptor, outcome);
      } else {
        startListening(request, acceptor, outcome);
      }
    });
  }

  private void startListening(
      UnixDomainSocketAddress local,
      int backlog,
      Supplier<TransportProtocol> acceptor,
      Completion<Listener> outcome) {
    String refusal = io.unixSockets().refusal(local);
    if (refusal != null) {
      outcome.failed(new BindException(refusal));
      return;
    }
    ServerChannel channel;
    try {
      channel = io.unixSockets().listen(local, backlog);
    } catch (IOException | RuntimeException e) {
      outcome.failed(NettyErrors.ofBind(e, local));
      return;
    }
    Acceptor accepting = new Acceptor(channel, acceptor);
    channel.pipeline().addLast(accepting);
    NettyListener listener = new NettyListener(channel, accepting, local);
    listeners.add(listener);
    driver.eventLoop().register(channel);
    outcome.succeeded(listener);
  }

  private void startListening(
      ListenRequest request, Supplier<TransportProtocol> acceptor, Completion<Listener> outcome) {
    InetSocketAddress local = (InetSocketAddress) request.local();
    ServerSocketChannel channel;
    try {
      channel = io.newServerSocketChannel();
    } catch (RuntimeException e) {
      outcome.failed(NettyErrors.ofBind(e, local)); // No descriptor is left, say.
      return;
    }
    channel.config().setOption(ChannelOption.SO_BACKLOG, request.backlog());
    channel.config().setOption(ChannelOption.SO_REUSEADDR, request.reuseAddress());
    Acceptor accepting = new Acceptor(channel, acceptor);
    channel.pipeline().addLast(accepting);
    driver.eventLoop().register(channel);
    channel
        .bind(local)
        .addListener(bound -> {
          if (bound.isSuccess()) {
            NettyListener listener = new NettyListener(channel, accepting, channel.localAddress());
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
    private final ServerChannel channel;
    private final Acceptor acceptor;

    NettyListener(ServerChannel channel, Acceptor acceptor, SocketAddress localAddress) {
      this.channel = channel;
      this.acceptor = acceptor;
      acceptor.localAddress = localAddress;
    }

    @Override
    public SocketAddress localAddress() {
      return Objects.requireNonNull(acceptor.localAddress);
    }

    @Override
    public void renamed(SocketAddress localAddress) {
      acceptor.localAddress = localAddress;
    }

    @Override
    public void pauseAccepting() {
      acceptor.setWanted(false);
    }

    @Override
    public void resumeAccepting() {
      acceptor.setWanted(true);
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

    private final ServerChannel channel;
    private final Supplier<TransportProtocol> protocols;

    /** Where it listens; null until it does. */
    private @Nullable SocketAddress localAddress;

    private boolean wanted = true;
    private boolean resting;

    Acceptor(ServerChannel channel, Supplier<TransportProtocol> protocols) {
      this.channel = channel;
      this.protocols = protocols;
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
      channel.config().setAutoRead(wanted && !resting);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
      DuplexChannel child = (DuplexChannel) accepted;
      if (localAddress instanceof UnixDomainSocketAddress) {
        UnixDomainSocketAddress peer = UnixSockets.ofPeer(child.remoteAddress());
        new NettyTransport(driver, child, protocols.get(), localAddress, peer);
      } else {
        new NettyTransport(driver, child, protocols.get());
      }
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
      if (!resting) {
        loop.report(
            "Accepting connections failed on "
                + localAddress
                + "; trying again in "
                + PAUSE_SECONDS
                + " s",
            cause);
        resting = true;
        apply();
        channel
            .eventLoop()
            .schedule(
                () -> {
                  resting = false;
                  apply();
                },
                PAUSE_SECONDS,
                TimeUnit.SECONDS);
      }
    }
  }
}
