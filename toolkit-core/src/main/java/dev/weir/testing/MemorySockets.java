package dev.weir.testing;

import dev.weir.spi.ConnectRequest;
import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.ListenRequest;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What listens and connects in a memory network. On the loop only. */
final class MemorySockets implements Network {
  private static final int FIRST_EPHEMERAL_PORT = 49_152;
  private static final int PORT_MAX = 65_535;

  final VirtualDriver driver;
  private final LoopContext loop;
  private final Agenda agenda;
  private final RandomGenerator random;

  private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
  private final Set<InetListener> listeners = new LinkedHashSet<>();
  private final Map<UnixName, UnixListener> unixListeners = new LinkedHashMap<>();
  private final MemoryDatagrams datagrams;
  private @Nullable MemoryNetwork network;
  private int nextPort = FIRST_EPHEMERAL_PORT;

  MemorySockets(VirtualDriver driver, LoopContext loop, Agenda agenda, RandomGenerator random) {
    this.driver = driver;
    this.loop = loop;
    this.agenda = agenda;
    this.random = random;
    this.datagrams = new MemoryDatagrams(this, agenda, random);
  }

  /** {@return the network that these sockets are in, made when it is first asked for} */
  MemoryNetwork network() {
    MemoryNetwork made = network;
    if (made == null) {
      made = new MemoryNetwork(agenda, random);
      network = made;
    }
    return made;
  }

  /** Has {@code request} run on the I/O fiber when it next polls. */
  void request(Runnable request) {
    requests.add(request);
    loop.ioRequested();
  }

  void serveRequests() {
    for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
      try {
        request.run();
      } catch (RuntimeException | Error e) {
        loop.report("Error in the memory network", e);
      }
    }
  }

  @Override
  public boolean resolve(String host, Completion<List<InetAddress>> outcome) {
    MemoryNetwork asked = network();
    request(() -> {
      Duration delay = asked.lookupDelay(host);
      if (delay.isZero()) {
        answer(asked, host, outcome);
      } else {
        agenda.after(Agenda.nanos(delay), () -> answer(asked, host, outcome));
      }
    });
    return true;
  }

  private static void answer(
      MemoryNetwork asked, String host, Completion<List<InetAddress>> outcome) {
    List<InetAddress> found;
    try {
      found = asked.lookUp(host);
    } catch (UnknownHostException e) {
      outcome.failed(e);
      return;
    }
    outcome.succeeded(found);
  }

  @Override
  public boolean resolveName(InetAddress address, Completion<String> outcome) {
    MemoryNetwork asked = network();
    request(() -> {
      String name = asked.nameOf(address);
      if (name == null) {
        outcome.failed(new UnknownHostException("no host of the memory network has " + address));
      } else {
        outcome.succeeded(name);
      }
    });
    return true;
  }

  @Override
  public void listen(
      ListenRequest asked, Supplier<TransportProtocol> acceptor, Completion<Listener> outcome) {
    InetAddress host = MemoryNetwork.host(); // By the caller's context.
    InetAddress unixHost = MemoryNetwork.unixHost();
    network(); // Made here, on the loop: the request may need it where no loop is running.
    request(() -> {
      MemoryListener listener;
      try {
        listener =
            asked.local() instanceof UnixDomainSocketAddress local
                ? bind(new UnixName(unixHost, local.getPath()), acceptor)
                : bind(host, (InetSocketAddress) asked.local(), asked.reusePort(), acceptor);
      } catch (BindException e) {
        outcome.failed(e);
        return;
      }
      outcome.succeeded(listener);
    });
  }

  @Override
  public boolean makesSocketFiles() {
    return false;
  }

  private MemoryListener bind(UnixName name, Supplier<TransportProtocol> acceptor)
      throws BindException {
    if (unixListeners.containsKey(name)) {
      throw new BindException(
          "Address already in use: "
              + name.path
              + ": a server listens there; stop it, or choose another path");
    }
    UnixListener listener = new UnixListener(name, acceptor);
    unixListeners.put(name, listener);
    return listener;
  }

  private MemoryListener bind(
      @Nullable InetAddress host,
      InetSocketAddress local,
      boolean reusePort,
      Supplier<TransportProtocol> acceptor)
      throws BindException {
    InetAddress address = local.getAddress();
    int port =
        local.getPort() == 0
            ? takePort(host == null || !address.isAnyLocalAddress() ? address : host)
            : local.getPort();
    InetListener listener =
        new InetListener(
            new BoundAddress(host, new InetSocketAddress(address, port), reusePort), acceptor);
    if (listeners.stream().anyMatch(other -> listener.bound.isInTheWayOf(other.bound))) {
      throw new BindException("Address already in use: " + listener.describe());
    }
    listeners.add(listener);
    return listener;
  }

  @Override
  public Attempt connect(
      ConnectRequest asked, TransportProtocol protocol, Completion<Transport> outcome) {
    Path path = null;
    InetSocketAddress remote;
    if (asked.remote() instanceof UnixDomainSocketAddress unix) {
      path = unix.getPath();
      remote = new InetSocketAddress(MemoryNetwork.unixHost(), 0);
    } else {
      remote = (InetSocketAddress) asked.remote();
    }
    InetSocketAddress local;
    try {
      local = localAddress(asked, remote);
    } catch (BindException e) {
      request(() -> outcome.failed(e));
      return () -> {};
    }
    Link link = network().newLink(local, remote, path);
    Connecting connecting = new Connecting(link, asked.timeout(), protocol, outcome);
    request(connecting::start);
    return connecting;
  }

  @Override
  public void openDatagram(
      DatagramRequest asked,
      DatagramTransportProtocol protocol,
      Completion<DatagramTransport> outcome) {
    datagrams.open(asked, protocol, outcome);
  }

  /** {@return from where a connection comes: from where it was asked to, in part or in whole} */
  private InetSocketAddress localAddress(ConnectRequest asked, InetSocketAddress remote)
      throws BindException {
    if (asked.remote() instanceof UnixDomainSocketAddress) {
      return new InetSocketAddress(remote.getAddress(), takePort(remote.getAddress()));
    }
    InetSocketAddress wanted = (InetSocketAddress) asked.local();
    InetAddress host =
        wanted == null || wanted.getAddress().isAnyLocalAddress()
            ? MemoryNetwork.localHost(remote.getAddress()) // By the caller's context.
            : wanted.getAddress();
    if (wanted == null || wanted.getPort() == 0) {
      return new InetSocketAddress(host, takePort(host));
    }
    InetSocketAddress local = new InetSocketAddress(host, wanted.getPort());
    if (network().isClient(local)
        || listeners.stream().anyMatch(listener -> listener.bound.address().equals(local))) {
      throw new BindException("Address already in use: " + MemoryNetwork.format(local));
    }
    return local;
  }

  /** {@return a port at {@code address} that nobody listens on and no connection comes from} */
  private int takePort(InetAddress address) throws BindException {
    for (int tried = FIRST_EPHEMERAL_PORT; tried <= PORT_MAX; tried++) {
      int port = nextPort;
      nextPort = port == PORT_MAX ? FIRST_EPHEMERAL_PORT : port + 1;
      boolean listenedOn =
          listeners.stream().anyMatch(listener -> listener.bound.address().getPort() == port);
      if (!listenedOn && !network().isClient(new InetSocketAddress(address, port))) {
        return port;
      }
    }
    throw new BindException(
        "Cannot assign requested address: all ports of "
            + address.getHostAddress()
            + " from "
            + FIRST_EPHEMERAL_PORT
            + " on are in use");
  }

  /**
   * {@return who answers there, if anybody: the one whose address says it most precisely; one of
   * them by the client's port, where several share the port}
   */
  private @Nullable MemoryListener listenerFor(Link link) {
    if (link.path() != null) {
      return unixListeners.get(new UnixName(link.server().getAddress(), link.path()));
    }
    InetAddress from = link.client().getAddress();
    List<InetListener> found = new ArrayList<>();
    int highest = 1;
    for (InetListener listener : listeners) {
      int precision = listener.bound.precision(from, link.server());
      if (precision > highest) {
        found.clear();
        highest = precision;
      }
      if (precision == highest) {
        found.add(listener);
      }
    }
    return found.isEmpty() ? null : found.get(link.client().getPort() % found.size());
  }

  @Override
  public List<String> describeOpen() {
    List<String> open = new ArrayList<>();
    for (MemoryListener listener : listeners) {
      open.add("server listening on " + listener.describe());
    }
    for (MemoryListener listener : unixListeners.values()) {
      open.add("server listening on " + listener.describe());
    }
    datagrams.describeOpen(open);
    if (network != null) {
      for (Link link : network.links()) {
        open.add(link.describe());
      }
    }
    return open;
  }

  /** Ends every connection and listener. */
  void close() {
    serveRequests();
    listeners.clear();
    unixListeners.clear();
    datagrams.close();
    if (network != null) {
      for (Link link : network.openLinks()) {
        link.openTransports().forEach(MemoryTransport::endWithLoop);
      }
    }
  }

  @Override
  public String toString() {
    return "MemorySockets" + listeners;
  }

  /** The name of a Unix socket, of which each host has its own. */
  private record UnixName(InetAddress host, Path path) {}

  private final class UnixListener extends MemoryListener {
    private final UnixName name;

    UnixListener(UnixName name, Supplier<TransportProtocol> acceptor) {
      super(MemorySockets.this, acceptor);
      this.name = name;
    }

    @Override
    public SocketAddress localAddress() {
      return UnixDomainSocketAddress.of(name.path);
    }

    @Override
    String describe() {
      return name.path.toString();
    }

    @Override
    void withdraw() {
      unixListeners.remove(name, this);
    }
  }

  private final class InetListener extends MemoryListener {
    private final BoundAddress bound;

    InetListener(BoundAddress bound, Supplier<TransportProtocol> acceptor) {
      super(MemorySockets.this, acceptor);
      this.bound = bound;
    }

    @Override
    public SocketAddress localAddress() {
      return bound.address();
    }

    @Override
    String describe() {
      return MemoryNetwork.format(bound.address());
    }

    @Override
    void withdraw() {
      listeners.remove(this);
    }
  }

  /** An attempt to connect: there, back, and the server learns of it in the end. */
  private final class Connecting implements Attempt {
    private final Link link;
    private final Duration timeout;
    private final TransportProtocol protocol;
    private final Completion<Transport> outcome;
    private Agenda.@Nullable Entry deadline;
    private boolean ended;

    Connecting(
        Link link, Duration timeout, TransportProtocol protocol, Completion<Transport> outcome) {
      this.link = link;
      this.timeout = timeout;
      this.protocol = protocol;
      this.outcome = outcome;
    }

    void start() {
      if (ended) {
        return;
      }
      deadline = agenda.after(Agenda.nanos(timeout), this::timedOut);
      if (link.conditions().answer() != LinkConditions.Answer.NONE) {
        travel(Link.Direction.TO_SERVER, this::arriveAtServer);
      }
    }

    private void travel(Link.Direction direction, Runnable step) {
      link.travel(direction, link.pipe(direction).delayNanos(), step);
    }

    private void arriveAtServer() {
      MemoryListener listener = listenerFor(link);
      boolean accepted =
          listener != null && link.conditions().answer() == LinkConditions.Answer.ACCEPTED;
      travel(
          Link.Direction.TO_CLIENT,
          () -> {
            if (listener != null && accepted) {
              connected(listener);
            } else {
              boolean missing = listener == null && link.path() != null;
              fail(
                  new ConnectException(
                      (missing ? "No such socket: " : "Connection refused: ")
                          + link.describeServer()));
            }
          });
    }

    private void connected(MemoryListener listener) {
      if (ended) {
        return;
      }
      end();
      MemoryTransport transport =
          new MemoryTransport(MemorySockets.this, link, Link.Direction.TO_SERVER, protocol);
      link.connected(transport);
      travel(Link.Direction.TO_SERVER, () -> listener.arrived(link));
      transport.connectionMade();
      outcome.succeeded(transport);
    }

    private void timedOut() {
      fail(
          new SocketTimeoutException(
              "No answer from "
                  + link.describeServer()
                  + " within "
                  + TaskReport.time(Agenda.nanos(timeout))));
    }

    private void fail(IOException cause) {
      if (!ended) {
        end();
        network().forget(link);
        outcome.failed(cause);
      }
    }

    private void end() {
      ended = true;
      if (deadline != null) {
        deadline.cancel();
      }
    }

    @Override
    public void abandon() {
      if (!ended) {
        end();
        network().forget(link);
      }
    }
  }
}
