package dev.weir.testing;

import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.Network.Completion;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The datagram sockets of a memory network, and what is on its way between them. On the loop. */
final class MemoryDatagrams {
  private static final int FIRST_EPHEMERAL_PORT = 49_152;
  private static final int PORT_MAX = 65_535;

  private static final InetAddress BROADCAST = InetAddress.ofLiteral("255.255.255.255");
  private static final InetAddress ANY = InetAddress.ofLiteral("0.0.0.0");
  private static final InetAddress ANY_6 = InetAddress.ofLiteral("::");

  @SuppressWarnings("ArrayRecordComponent") // Neither compared nor handed out.
  private record Flight(
      long arrivesAtNanos,
      long number,
      MemoryDatagramTransport sender,
      InetSocketAddress from,
      InetSocketAddress to,
      byte[] bytes) {}

  final MemorySockets sockets;
  private final Agenda agenda;
  private final RandomGenerator random;
  private final Set<MemoryDatagramTransport> open = new LinkedHashSet<>();

  /** What arrives first on top, and of one time what was sent first. */
  private final PriorityQueue<Flight> flights =
      new PriorityQueue<>(
          Comparator.comparingLong(Flight::arrivesAtNanos).thenComparingLong(Flight::number));

  private long sent;
  private int nextPort = FIRST_EPHEMERAL_PORT;

  MemoryDatagrams(MemorySockets sockets, Agenda agenda, RandomGenerator random) {
    this.sockets = sockets;
    this.agenda = agenda;
    this.random = random;
  }

  void open(
      DatagramRequest request,
      DatagramTransportProtocol protocol,
      Completion<DatagramTransport> outcome) {
    InetAddress host = MemoryNetwork.host(); // By the caller's context.
    sockets.network(); // Made here, on the loop.
    sockets.request(() -> {
      MemoryDatagramTransport transport;
      try {
        transport = new MemoryDatagramTransport(this, bind(host, request), request, protocol);
      } catch (BindException e) {
        outcome.failed(e);
        return;
      }
      open.add(transport);
      protocol.connectionMade(transport);
      outcome.succeeded(transport);
    });
  }

  private BoundAddress bind(@Nullable InetAddress host, DatagramRequest request)
      throws BindException {
    InetSocketAddress local = localAddress(host, request);
    if (local.getPort() != 0) {
      BoundAddress wanted = new BoundAddress(host, local, request.reusePort());
      if (isTaken(wanted)) {
        throw new BindException("Address already in use: " + MemoryNetwork.format(local));
      }
      return wanted;
    }
    for (int tried = FIRST_EPHEMERAL_PORT; tried <= PORT_MAX; tried++) {
      InetSocketAddress free = new InetSocketAddress(local.getAddress(), nextPort);
      nextPort = nextPort == PORT_MAX ? FIRST_EPHEMERAL_PORT : nextPort + 1;
      BoundAddress bound = new BoundAddress(host, free, request.reusePort());
      if (!isTaken(new BoundAddress(host, free, false))) {
        return bound;
      }
    }
    throw new BindException("Cannot assign requested address: all ports are in use");
  }

  private static InetSocketAddress localAddress(
      @Nullable InetAddress host, DatagramRequest request) {
    InetSocketAddress local = request.local();
    InetSocketAddress remote = request.remote();
    if (remote == null || !request.isConnected()) {
      InetAddress any = remote != null && isIpv6(remote.getAddress()) ? ANY_6 : ANY;
      return local == null ? new InetSocketAddress(any, 0) : local;
    }
    if (local != null && !local.getAddress().isAnyLocalAddress()) {
      return local;
    }
    return new InetSocketAddress(
        MemoryNetwork.localHost(host, remote.getAddress()), local == null ? 0 : local.getPort());
  }

  private boolean isTaken(BoundAddress wanted) {
    return open.stream().anyMatch(other -> other.bound.isInTheWayOf(wanted));
  }

  private static boolean isIpv6(InetAddress address) {
    return address.getAddress().length == 16;
  }

  // --- On the way

  /** Sends a datagram. On the I/O fiber. */
  void send(MemoryDatagramTransport sender, byte[] bytes, InetSocketAddress to) {
    if (to.getAddress().equals(BROADCAST) && !sender.request.broadcast()) {
      sender.protocol.sendFailed(
          to,
          new SocketException(
              "Permission denied: "
                  + MemoryNetwork.format(to)
                  + ": ask for broadcast in the options to send there"));
      return;
    }
    DatagramConditions conditions = sockets.network().datagramConditions();
    InetSocketAddress from = sender.addressTowards(to);
    int copies = happens(conditions.loss()) ? 0 : happens(conditions.duplication()) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      long arrivesAtNanos = Agenda.saturatedAdd(agenda.nowNanos(), delayNanos(conditions));
      flights.add(new Flight(arrivesAtNanos, sent++, sender, from, to, bytes));
      agenda.at(arrivesAtNanos, this::arrive);
    }
  }

  private boolean happens(double probability) {
    return probability > 0 && random.nextDouble() < probability;
  }

  private long delayNanos(DatagramConditions conditions) {
    long min = Agenda.nanos(conditions.delayMin());
    long max = Agenda.nanos(conditions.delayMax());
    return min == max ? min : random.nextLong(min, Agenda.saturatedAdd(max, 1));
  }

  /** One arrives: the one whose turn it is, in whatever order the agenda runs what is due. */
  private void arrive() {
    Flight flight = flights.remove();
    List<MemoryDatagramTransport> receivers = receivers(flight);
    for (MemoryDatagramTransport receiver : receivers) {
      receiver.arrived(flight.bytes, flight.from);
    }
    if (receivers.isEmpty() && !isForMany(flight.to) && !isCutOff(flight)) {
      long backAtNanos =
          Agenda.saturatedAdd(
              agenda.nowNanos(), delayNanos(sockets.network().datagramConditions()));
      agenda.at(backAtNanos, () -> flight.sender.unreachable(flight.to));
    }
  }

  private List<MemoryDatagramTransport> receivers(Flight flight) {
    List<MemoryDatagramTransport> found = new ArrayList<>();
    if (isForMany(flight.to)) {
      for (MemoryDatagramTransport socket : open) {
        InetAddress host = MemoryNetwork.localHost(socket.bound.host(), flight.from.getAddress());
        if (socket.isMember(flight.to, flight.from)
            && !sockets.network().separated(flight.from.getAddress(), host)) {
          found.add(socket);
        }
      }
      return found;
    }
    if (isCutOff(flight)) {
      return found;
    }
    int highest = 1;
    for (MemoryDatagramTransport socket : open) {
      int precision = socket.precision(flight.from, flight.to);
      if (precision > highest) {
        found.clear();
        highest = precision;
      }
      if (precision == highest) {
        found.add(socket);
      }
    }
    return found.isEmpty()
        ? found
        : List.of(found.get(flight.from.getPort() % found.size())); // Where several share the port.
  }

  private boolean isCutOff(Flight flight) {
    return sockets.network().separated(flight.from.getAddress(), flight.to.getAddress());
  }

  static boolean isForMany(InetSocketAddress to) {
    return to.getAddress().isMulticastAddress() || to.getAddress().equals(BROADCAST);
  }

  static IOException unreachable(InetSocketAddress to) {
    return new PortUnreachableException(
        "Port unreachable: nobody receives at " + MemoryNetwork.format(to));
  }

  // --- The end

  void closed(MemoryDatagramTransport transport) {
    open.remove(transport);
  }

  void describeOpen(List<String> descriptions) {
    for (MemoryDatagramTransport transport : open) {
      descriptions.add(transport.describe());
    }
  }

  /** Ends every socket. */
  void close() {
    List.copyOf(open).forEach(MemoryDatagramTransport::endWithLoop);
  }

  @Override
  public String toString() {
    return "MemoryDatagrams[" + open + ", " + flights.size() + " on the way]";
  }
}
