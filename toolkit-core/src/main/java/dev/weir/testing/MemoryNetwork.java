package dev.weir.testing;

import dev.weir.task.ContextVar;
import dev.weir.task.Loop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
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
 * address, or a name that stands for its addresses. Code runs on the host 127.0.0.1 unless {@link
 * #onHost} says otherwise.
 *
 * <p>On the loop only; elsewhere its calls throw {@link IllegalStateException}.
 */
public final class MemoryNetwork {
  private static final InetAddress LOCALHOST = InetAddress.ofLiteral("127.0.0.1");
  private static final InetAddress LOCALHOST_6 = InetAddress.ofLiteral("::1");

  /** Who connects to another host, if the test does not say. From the block for documentation. */
  private static final InetAddress ELSEWHERE = InetAddress.ofLiteral("192.0.2.1");

  private static final InetAddress ELSEWHERE_6 = InetAddress.ofLiteral("2001:db8::1");

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

  private final Map<String, List<InetAddress>> hosts = new LinkedHashMap<>();
  private LinkPolicy policy = attempt -> LinkConditions.perfect();
  private final Map<InetSocketAddress, Integer> attempts = new HashMap<>();
  private final Set<InetAddress> isolated = new HashSet<>();
  private final List<Pair> partitions = new ArrayList<>();
  private final Set<Link> links = new LinkedHashSet<>();

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
    hosts.put(name, List.copyOf(literals));
  }

  /**
   * Puts the calling code, and the tasks that it makes, on a host until the token is closed: its
   * connections come from there.
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

  /** {@return the connections that are open on one side or both, in the order of their making} */
  public List<Link> links() {
    loop.ensureHeld("MemoryNetwork.links()");
    return openLinks();
  }

  // --- Partitions

  /**
   * Lets nothing pass between two hosts until {@link #heal}: what is sent is held up, attempts to
   * connect are not answered, and nobody is told.
   */
  public void partition(String host, String otherHost) {
    loop.ensureHeld("MemoryNetwork.partition()");
    for (InetAddress address : addresses(host)) {
      for (InetAddress other : addresses(otherHost)) {
        partitions.add(new Pair(address, other));
      }
    }
  }

  /** Lets nothing pass from or to a host until {@link #heal}; see {@link #partition}. */
  public void isolate(String host) {
    loop.ensureHeld("MemoryNetwork.isolate()");
    isolated.addAll(addresses(host));
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

  List<InetAddress> lookUp(String name) throws UnknownHostException {
    List<InetAddress> found = hosts.get(name);
    if (found == null) {
      throw new UnknownHostException(
          name + ": the memory network has only " + hosts.keySet() + "; add it with addHost()");
    }
    return found;
  }

  /** {@return where the calling code connects from, to reach {@code remote}} */
  static InetAddress localHost(InetAddress remote) {
    InetAddress host = HOST.get();
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
  Link newLink(InetSocketAddress from, InetSocketAddress to) {
    int number = attempts.merge(to, 1, Integer::sum);
    LinkConditions conditions =
        Objects.requireNonNull(
            policy.conditionsFor(new ConnectAttempt(from, to, number, random)), "conditions");
    Link link = new Link(loop, this, agenda, random, from, to, conditions);
    remember(link);
    return link;
  }

  void remember(Link link) {
    links.add(link);
  }

  List<Link> openLinks() {
    return links.stream().filter(Link::isOpen).toList();
  }

  void forget(Link link) {
    links.remove(link);
  }

  private List<InetAddress> addresses(String host) {
    Objects.requireNonNull(host, "host");
    List<InetAddress> named = hosts.get(host);
    return named != null ? named : List.of(InetAddress.ofLiteral(host));
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
