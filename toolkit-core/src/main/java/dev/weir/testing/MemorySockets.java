package dev.weir.testing;

import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  private final Map<InetSocketAddress, MemoryListener> listeners = new LinkedHashMap<>();
  private @Nullable MemoryNetwork network;
  private int nextPort = FIRST_EPHEMERAL_PORT;

  MemorySockets(VirtualDriver driver, LoopContext loop, Agenda agenda, RandomGenerator random) {
    this.driver = driver;
    this.loop = loop;
    this.agenda = agenda;
    this.random = random;
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
      List<InetAddress> found;
      try {
        found = asked.lookUp(host);
      } catch (UnknownHostException e) {
        outcome.failed(e);
        return;
      }
      outcome.succeeded(found);
    });
    return true;
  }

  @Override
  public void listen(
      InetSocketAddress local,
      int backlog,
      boolean reuseAddress,
      Supplier<TransportProtocol> acceptor,
      Completion<Listener> outcome) {
    request(() -> {
      int port = local.getPort() == 0 ? takePort() : local.getPort();
      InetSocketAddress address = new InetSocketAddress(local.getAddress(), port);
      if (listeners.containsKey(address)) {
        outcome.failed(
            new BindException("Address already in use: " + MemoryNetwork.format(address)));
        return;
      }
      MemoryListener listener = new MemoryListener(address, acceptor);
      listeners.put(address, listener);
      outcome.succeeded(listener);
    });
  }

  @Override
  public Attempt connect(
      InetSocketAddress remote,
      Duration timeout,
      TransportProtocol protocol,
      Completion<Transport> outcome) {
    InetAddress host = MemoryNetwork.localHost(remote.getAddress()); // By the caller's context.
    Link link = network().newLink(new InetSocketAddress(host, takePort()), remote);
    Connecting connecting = new Connecting(link, timeout, protocol, outcome);
    request(connecting::start);
    return connecting;
  }

  private int takePort() {
    int port = nextPort;
    nextPort = port == PORT_MAX ? FIRST_EPHEMERAL_PORT : port + 1;
    return port;
  }

  private @Nullable MemoryListener listenerAt(InetSocketAddress address) {
    MemoryListener exact = listeners.get(address);
    if (exact != null) {
      return exact;
    }
    for (MemoryListener listener : listeners.values()) {
      InetSocketAddress local = listener.address;
      if (local.getPort() == address.getPort() && local.getAddress().isAnyLocalAddress()) {
        return listener;
      }
    }
    return null;
  }

  @Override
  public List<String> describeOpen() {
    List<String> open = new ArrayList<>();
    for (MemoryListener listener : listeners.values()) {
      open.add("server listening on " + MemoryNetwork.format(listener.address));
    }
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
    if (network != null) {
      for (Link link : network.openLinks()) {
        link.openTransports().forEach(MemoryTransport::endWithLoop);
      }
    }
  }

  @Override
  public String toString() {
    return "MemorySockets[" + listeners.keySet() + "]";
  }

  private final class MemoryListener implements Listener {
    private final InetSocketAddress address;
    private final Supplier<TransportProtocol> acceptor;
    private boolean closed;

    MemoryListener(InetSocketAddress address, Supplier<TransportProtocol> acceptor) {
      this.address = address;
      this.acceptor = acceptor;
    }

    @Override
    public InetSocketAddress localAddress() {
      return address;
    }

    @Override
    public void close() {
      closed = true;
      listeners.remove(address, this);
    }

    @Override
    public String toString() {
      return "MemoryListener[" + MemoryNetwork.format(address) + (closed ? ", closed]" : "]");
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
      MemoryListener listener = listenerAt(link.server());
      boolean accepted =
          listener != null && link.conditions().answer() == LinkConditions.Answer.ACCEPTED;
      travel(
          Link.Direction.TO_CLIENT,
          () -> {
            if (listener != null && accepted) {
              connected(listener);
            } else {
              fail(
                  new ConnectException(
                      "Connection refused: " + MemoryNetwork.format(link.server())));
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
      travel(Link.Direction.TO_SERVER, () -> accept(listener));
      transport.connectionMade();
      outcome.succeeded(transport);
    }

    private void accept(MemoryListener listener) {
      if (listener.closed) {
        link.pipe(Link.Direction.TO_CLIENT).sendReset(); // As the kernel does with its queue.
        return;
      }
      MemoryTransport transport =
          new MemoryTransport(
              MemorySockets.this, link, Link.Direction.TO_CLIENT, listener.acceptor.get());
      transport.connectionMade();
      link.accepted(transport);
    }

    private void timedOut() {
      fail(
          new SocketTimeoutException(
              "No answer from "
                  + MemoryNetwork.format(link.server())
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
