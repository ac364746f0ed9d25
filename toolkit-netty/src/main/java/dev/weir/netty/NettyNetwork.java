package dev.weir.netty;

import dev.weir.spi.ConnectRequest;
import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.ListenRequest;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsOptions;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** TCP, UDP and Unix sockets by Netty. */
final class NettyNetwork implements Network {
  private final NettyIo io;
  private final NettyIoDriver driver;
  private final AdoptedSockets adoptedSockets;

  /** Those that were not closed, the oldest first. */
  private final Set<NettyListener> listeners = new LinkedHashSet<>();

  NettyNetwork(NettyIo io, NettyIoDriver driver) {
    this.io = io;
    this.driver = driver;
    this.adoptedSockets = new AdoptedSockets(driver);
  }

  NettyIo io() {
    return io;
  }

  @Override
  public Attempt connect(
      ConnectRequest request, TransportProtocol protocol, Completion<Transport> outcome) {
    if (request.remote() instanceof UnixDomainSocketAddress remote) {
      if (!request.socketOptions().isEmpty()) {
        driver.request(() -> outcome.failed(onlyForTcp(request.socketOptions())));
        return () -> {};
      }
      UnixConnecting connecting =
          new UnixConnecting(
              driver, io.unixSockets(), remote, request.timeout(), protocol, outcome);
      driver.request(connecting::start);
      return connecting;
    }
    Connecting connecting = new Connecting(request, protocol, outcome);
    driver.request(connecting::start);
    return connecting;
  }

  @Override
  public void listen(
      ListenRequest request, Supplier<TransportProtocol> acceptor, Completion<Listener> outcome) {
    Destination here = new Destination(this, acceptor, () -> {});
    distribute(request, () -> here, outcome);
  }

  @Override
  public void adopt(
      java.nio.channels.SocketChannel socket,
      TransportProtocol protocol,
      Completion<Transport> outcome) {
    driver.request(() -> adoptedSockets.adopt(socket, protocol, outcome));
  }

  @Override
  public void distribute(
      ListenRequest request, Supplier<Destination> destinations, Completion<Listener> outcome) {
    driver.request(() -> {
      if (request.local() instanceof NettyAdopter.Address adopting) {
        outcome.succeeded(adopting.start(driver, destinations));
      } else if (request.local() instanceof UnixDomainSocketAddress local) {
        startListening(local, request, destinations, outcome);
      } else {
        startListening(request, destinations, outcome);
      }
    });
  }

  @Override
  public void openDatagram(
      DatagramRequest request,
      DatagramTransportProtocol protocol,
      Completion<DatagramTransport> outcome) {
    driver.request(() -> NettyDatagrams.open(driver, request, protocol, outcome));
  }

  NettyIoDriver driver() {
    return driver;
  }

  private void startListening(
      UnixDomainSocketAddress local,
      ListenRequest request,
      Supplier<Destination> destinations,
      Completion<Listener> outcome) {
    if (!request.socketOptions().isEmpty()) {
      outcome.failed(onlyForTcp(request.socketOptions()));
      return;
    }
    String refusal = io.unixSockets().refusal(local);
    if (refusal != null) {
      outcome.failed(new BindException(refusal));
      return;
    }
    ServerChannel channel;
    try {
      channel = io.unixSockets().listen(local, request.backlog());
    } catch (IOException | RuntimeException e) {
      outcome.failed(NettyErrors.ofBind(e, local));
      return;
    }
    NettyAcceptor accepting = new NettyAcceptor(driver, channel, request, destinations);
    channel.pipeline().addLast(accepting);
    accepting.bound(local);
    driver.eventLoop().register(channel);
    try {
      io.unixSockets().registered(channel, local, request.backlog());
    } catch (IOException e) {
      channel.close();
      outcome.failed(NettyErrors.ofBind(e, local));
      return;
    }
    NettyListener listener = new NettyListener(accepting);
    listeners.add(listener);
    outcome.succeeded(listener);
  }

  private void startListening(
      ListenRequest request, Supplier<Destination> destinations, Completion<Listener> outcome) {
    InetSocketAddress local = (InetSocketAddress) request.local();
    ServerSocketChannel channel;
    try {
      tryOut(request.socketOptions());
      channel = io.newServerSocketChannel();
    } catch (SocketException e) {
      outcome.failed(e);
      return;
    } catch (RuntimeException e) {
      outcome.failed(NettyErrors.ofBind(e, local)); // No descriptor is left, say.
      return;
    }
    io.acceptInBatches(channel);
    channel.config().setOption(ChannelOption.SO_BACKLOG, request.backlog());
    channel.config().setOption(ChannelOption.SO_REUSEADDR, request.reuseAddress());
    if (request.reusePort()) {
      channel.config().setOption(io.reusePort(), true);
    }
    NettyAcceptor accepting = new NettyAcceptor(driver, channel, request, destinations);
    channel.pipeline().addLast(accepting);
    driver.eventLoop().register(channel);
    channel
        .bind(local)
        .addListener(bound -> {
          if (bound.isSuccess()) {
            accepting.bound(channel.localAddress());
            NettyListener listener = new NettyListener(accepting);
            listeners.add(listener);
            outcome.succeeded(listener);
          } else {
            channel.close();
            outcome.failed(NettyErrors.ofBind(bound.cause(), local));
          }
        });
  }

  private static SocketException onlyForTcp(Map<SocketOption<?>, Object> options) {
    return new SocketException(
        "Unix sockets are made without socket options; leave out " + options);
  }

  /** Sets options that accepted sockets are to have, on a socket that is good for nothing else. */
  private void tryOut(Map<SocketOption<?>, Object> options) throws SocketException {
    if (!options.isEmpty()) {
      SocketChannel tried = io.newSocketChannel();
      try {
        NettySocketOptions.set(tried, options, io);
      } finally {
        tried.unsafe().closeForcibly();
      }
    }
  }

  @Override
  public List<String> describeOpen() {
    List<String> open = new ArrayList<>();
    for (NettyListener listener : listeners) {
      open.add("server listening on " + NettyErrors.format(listener.localAddress()));
    }
    for (DriverSocket socket : driver.open()) {
      open.add(socket.describe());
    }
    return open;
  }

  @Override
  public boolean isTlsPrepared(TlsOptions options) {
    return TlsHandlers.prepared(options) != null;
  }

  @Override
  public void prepareTls(TlsOptions options) throws TlsException {
    TlsHandlers.prepare(options);
  }

  private static int connectTimeoutMillis(Duration timeout) {
    // Compared as durations first: toMillis() of a long one overflows. Zero is none for Netty,
    // which spares it a timer.
    return timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) > 0
        ? 0
        : Math.max(1, (int) timeout.toMillis());
  }

  private final class Connecting implements Attempt {
    private final ConnectRequest request;
    private final InetSocketAddress remote;
    private final TransportProtocol protocol;
    private final Completion<Transport> outcome;
    private @Nullable SocketChannel channel;
    private boolean ended;

    Connecting(ConnectRequest request, TransportProtocol protocol, Completion<Transport> outcome) {
      this.request = request;
      this.remote = (InetSocketAddress) request.remote();
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
      opened.config().setConnectTimeoutMillis(connectTimeoutMillis(request.timeout()));
      NettyTransport transport = new NettyTransport(driver, opened, protocol);
      try {
        NettySocketOptions.set(opened, request.socketOptions(), io);
      } catch (SocketException e) {
        opened.unsafe().closeForcibly();
        ended = true;
        outcome.failed(e);
        return;
      }
      driver.eventLoop().register(opened);
      opened
          .connect(remote, request.local())
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
        outcome.failed(NettyErrors.ofConnect(cause, request));
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
    private final NettyAcceptor acceptor;

    NettyListener(NettyAcceptor acceptor) {
      this.acceptor = acceptor;
    }

    @Override
    public SocketAddress localAddress() {
      return acceptor.localAddress();
    }

    @Override
    public void renamed(SocketAddress localAddress) {
      acceptor.renamed(localAddress);
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
      driver.request(acceptor::end);
    }
  }
}
