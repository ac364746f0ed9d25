package dev.weir.testing;

import dev.weir.task.ContextVar;
import dev.weir.task.Loop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The network of a {@link VirtualLoop}: within the process, in virtual time, and as bad as a test
 * wants it. {@code openConnection} and {@code startServer} use it without knowing; a test reaches
 * it through {@link #current} to name hosts and to cause faults.
 *
 * <pre>{@code
 * MemoryNetwork network = MemoryNetwork.current();
 * network.addHost("db.example", "10.0.0.1", "10.0.0.2");
 * network.setConditions(LinkConditions.perfect().withDelay(Duration.ofMillis(20)));
 * network.isolate("10.0.0.1");
 * }</pre>
 *
 * <p>Any literal address can be listened on and connected to, without being added. A host is an
 * address, or a name that stands for its addresses; case does not count in names.
 *
 * <p>Unless {@link #onHost} says otherwise, code runs on the default host. Its address is 127.0.0.1
 * or ::1 to itself; to reach others it connects from 192.0.2.1 or 2001:db8::1. Any of the four, and
 * the name {@code localhost}, stands for it in {@link #partition} and {@link #isolate}. A server
 * that it starts on a wildcard address answers at every address at which no other server does; one
 * that another host starts there answers at that host's own address.
 *
 * <p>Datagrams arrive in order unless {@link #setDatagramConditions} says otherwise. What is sent
 * to a port where nobody receives is lost; a connected sender is told. Groups of multicast and the
 * broadcast address 255.255.255.255 reach every host.
 *
 * <p>Unix sockets are its own as well: a path is just a name, of which each host has its own, and
 * no file is made. As on a real one, an abort is an end of the stream to the peer, unless there are
 * bytes unread.
 *
 * <p>On the loop only; elsewhere its calls throw {@link IllegalStateException}.
 */
public final class MemoryNetwork {
  private static final InetAddress LOCALHOST = InetAddress.ofLiteral("127.0.0.1");
  private static final InetAddress LOCALHOST_6 = InetAddress.ofLiteral("::1");

  /** Who connects to another host, if the test does not say. From the block for documentation. */
  private static final InetAddress ELSEWHERE = InetAddress.ofLiteral("192.0.2.1");

  private static final InetAddress ELSEWHERE_6 = InetAddress.ofLiteral("2001:db8::1");

  private static final List<InetAddress> DEFAULT_HOST =
      List.of(LOCALHOST, LOCALHOST_6, ELSEWHERE, ELSEWHERE_6);

  private static final ContextVar<@Nullable InetAddress> HOST =
      new ContextVar<>("memory network host", null);

  private record Pair(InetAddress one, InetAddress other) {
    boolean matches(InetAddress a, InetAddress b) {
      return (one.equals(a) && other.equals(b)) || (one.equals(b) && other.equals(a));
    }
  }

  private final Loop loop = Loop.running();
  private final Agenda agenda;
  private final RandomGenerator random;

  /** By the name in lower case. */
  private final Map<String, List<InetAddress>> hosts = new LinkedHashMap<>();

  private final Map<String, Duration> lookupDelays = new HashMap<>();
  private final Set<String> failingLookups = new HashSet<>();
  private LinkPolicy policy = attempt -> LinkConditions.perfect();

  private DatagramConditions datagramConditions = DatagramConditions.perfect();

  /** By address, or by the path of a Unix socket. */
  private final Map<Object, Integer> attempts = new HashMap<>();

  private final Set<InetAddress> isolated = new HashSet<>();
  private final List<Pair> partitions = new ArrayList<>();
  private final Set<Link> links = new LinkedHashSet<>();

  /** From where the links come. */
  private final Set<InetSocketAddress> clients = new HashSet<>();

  MemoryNetwork(Agenda agenda, RandomGenerator random) {
    this.agenda = agenda;
    this.random = random;
    hosts.put("localhost", List.of(LOCALHOST));
  }

  /**
   * {@return the running loop's network}
   *
   * @throws IllegalStateException if the running loop is not a virtual one
   */
  public static MemoryNetwork current() {
    return VirtualDriver.ofRunningLoop("MemoryNetwork.current()").sockets().network();
  }

  // --- Hosts

  /**
   * Gives a host a name, which can be looked up from then on.
   *
   * @param addresses one or more literals, in the order in which a lookup returns them
   * @throws IllegalArgumentException if there is none, or one is no literal
   */
  public void addHost(String name, String... addresses) {
    Objects.requireNonNull(name, "name");
    loop.ensureHeld("MemoryNetwork.addHost()");
    if (addresses.length == 0) {
      throw new IllegalArgumentException("no address for host '" + name + "'");
    }
    List<InetAddress> literals = new ArrayList<>();
    for (String address : addresses) {
      literals.add(InetAddress.ofLiteral(address));
    }
    hosts.put(lowerCase(name), List.copyOf(literals));
  }

  /**
   * Lets lookups of a name take so long from now on, whether they succeed or fail. Names are looked
   * up at once by default.
   *
   * @throws IllegalArgumentException if {@code delay} is negative
   */
  public void setLookupDelay(String name, Duration delay) {
    Objects.requireNonNull(name, "name");
    loop.ensureHeld("MemoryNetwork.setLookupDelay()");
    if (delay.isNegative()) {
      throw new IllegalArgumentException("delay is negative: " + delay);
    }
    lookupDelays.put(lowerCase(name), delay);
  }

  /**
   * Lets lookups of a name fail from now on, or succeed again, with an {@link
   * UnknownHostException}; those under way too. Its addresses can be reached as before.
   */
  public void setLookupFails(String name, boolean fails) {
    Objects.requireNonNull(name, "name");
    loop.ensureHeld("MemoryNetwork.setLookupFails()");
    if (fails) {
      failingLookups.add(lowerCase(name));
    } else {
      failingLookups.remove(lowerCase(name));
    }
  }

  /**
   * Puts the calling code, and the tasks that it makes, on a host until the token is closed: its
   * connections come from there, and what it starts on a wildcard address listens there.
   *
   * <pre>{@code
   * try (var _ = network.onHost("10.0.0.7")) {
   *   connection = Asyncio.openConnection("10.0.0.1", 80);
   * }
   * }</pre>
   *
   * @param host a name that was added, the first address of which counts, or a literal
   */
  public ContextVar.Token<@Nullable InetAddress> onHost(String host) {
    loop.ensureHeld("MemoryNetwork.onHost()");
    return HOST.set(addresses(host).getFirst());
  }

  // --- Conditions

  /** Sets the conditions of all connections that are attempted from now on. */
  public void setConditions(LinkConditions conditions) {
    Objects.requireNonNull(conditions, "conditions");
    setLinkPolicy(attempt -> conditions);
  }

  /** Sets who decides on the conditions of connections that are attempted from now on. */
  public void setLinkPolicy(LinkPolicy policy) {
    Objects.requireNonNull(policy, "policy");
    loop.ensureHeld("MemoryNetwork.setLinkPolicy()");
    this.policy = policy;
  }

  /** Sets the conditions of all datagrams that are sent from now on. */
  public void setDatagramConditions(DatagramConditions conditions) {
    Objects.requireNonNull(conditions, "conditions");
    loop.ensureHeld("MemoryNetwork.setDatagramConditions()");
    this.datagramConditions = conditions;
  }

  /** {@return the connections that are open on one side or both, in the order of their making} */
  public List<Link> links() {
    loop.ensureHeld("MemoryNetwork.links()");
    return openLinks();
  }

  // --- Partitions

  /**
   * Lets nothing pass between two hosts until {@link #heal}: what is sent is held up, datagrams are
   * lost, attempts to connect are not answered, and nobody is told.
   */
  public void partition(String host, String otherHost) {
    loop.ensureHeld("MemoryNetwork.partition()");
    for (InetAddress address : allAddresses(host)) {
      for (InetAddress other : allAddresses(otherHost)) {
        partitions.add(new Pair(address, other));
      }
    }
  }

  /** Lets nothing pass from or to a host until {@link #heal}; see {@link #partition}. */
  public void isolate(String host) {
    loop.ensureHeld("MemoryNetwork.isolate()");
    isolated.addAll(allAddresses(host));
  }

  /** Ends every partition: what was held up arrives. */
  public void heal() {
    loop.ensureHeld("MemoryNetwork.heal()");
    partitions.clear();
    isolated.clear();
    List.copyOf(links).forEach(Link::unblockedMaybe);
  }

  // --- For the sockets

  boolean separated(InetAddress one, InetAddress other) {
    if (sameHost(one, other)) {
      return false;
    }
    if (isolated.contains(one) || isolated.contains(other)) {
      return true;
    }
    for (Pair partition : partitions) {
      if (partition.matches(one, other)) {
        return true;
      }
    }
    return false;
  }

  private static boolean sameHost(InetAddress one, InetAddress other) {
    return one.equals(other) || (isDefaultHost(one) && isDefaultHost(other));
  }

  /** {@return whether {@code address} is the default host's} */
  static boolean isDefaultHost(InetAddress address) {
    return address.isLoopbackAddress() || DEFAULT_HOST.contains(address);
  }

  DatagramConditions datagramConditions() {
    return datagramConditions;
  }

  Duration lookupDelay(String name) {
    return lookupDelays.getOrDefault(lowerCase(name), Duration.ZERO);
  }

  List<InetAddress> lookUp(String name) throws UnknownHostException {
    if (failingLookups.contains(lowerCase(name))) {
      throw new UnknownHostException(name + ": the memory network was told to fail its lookups");
    }
    List<InetAddress> found = hosts.get(lowerCase(name));
    if (found == null) {
      throw new UnknownHostException(
          name + ": the memory network has only " + hosts.keySet() + "; add it with addHost()");
    }
    return found;
  }

  /** {@return the first name that was given to {@code address}, in lower case, or null} */
  @Nullable String nameOf(InetAddress address) {
    for (Map.Entry<String, List<InetAddress>> host : hosts.entrySet()) {
      if (host.getValue().contains(address)) {
        return host.getKey();
      }
    }
    return null;
  }

  /** {@return the host on which the calling code was put; null for the default one} */
  static @Nullable InetAddress host() {
    return HOST.get();
  }

  /** {@return the host whose Unix sockets the calling code sees} */
  static InetAddress unixHost() {
    InetAddress host = HOST.get();
    return host == null || isDefaultHost(host) ? LOCALHOST : host;
  }

  /** {@return where the calling code connects from, to reach {@code remote}} */
  static InetAddress localHost(InetAddress remote) {
    return localHost(HOST.get(), remote);
  }

  /** {@return where {@code host}, null for the default one, sends from, to reach {@code remote}} */
  static InetAddress localHost(@Nullable InetAddress host, InetAddress remote) {
    if (host != null) {
      return host;
    }
    boolean ipv4 = remote.getAddress().length == LOCALHOST.getAddress().length;
    if (remote.isLoopbackAddress()) {
      return ipv4 ? LOCALHOST : LOCALHOST_6;
    }
    return ipv4 ? ELSEWHERE : ELSEWHERE_6;
  }

  /** Makes the link of an attempt to connect. */
  Link newLink(InetSocketAddress from, InetSocketAddress to, @Nullable Path path) {
    int number = attempts.merge(path == null ? to : path, 1, Integer::sum);
    LinkConditions conditions =
        Objects.requireNonNull(
            policy.conditionsFor(new ConnectAttempt(from, to, path, number, random)), "conditions");
    Link link = new Link(loop, this, agenda, random, from, to, path, conditions);
    remember(link);
    return link;
  }

  void remember(Link link) {
    links.add(link);
    clients.add(link.client());
  }

  /** {@return whether a connection comes from there} */
  boolean isClient(InetSocketAddress address) {
    return clients.contains(address);
  }

  List<Link> openLinks() {
    return links.stream().filter(Link::isOpen).toList();
  }

  void forget(Link link) {
    links.remove(link);
    clients.remove(link.client());
  }

  private List<InetAddress> addresses(String host) {
    Objects.requireNonNull(host, "host");
    List<InetAddress> named = hosts.get(lowerCase(host));
    return named != null ? named : List.of(InetAddress.ofLiteral(host));
  }

  /** {@return the addresses of a host, with all of the default one's for any of them} */
  private Set<InetAddress> allAddresses(String host) {
    Set<InetAddress> all = new LinkedHashSet<>(addresses(host));
    if (all.stream().anyMatch(MemoryNetwork::isDefaultHost)) {
      all.addAll(DEFAULT_HOST);
    }
    return all;
  }

  private static String lowerCase(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  static String format(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  @Override
  public String toString() {
    return "MemoryNetwork[hosts " + hosts.keySet() + ", " + links.size() + " links]";
  }
}
