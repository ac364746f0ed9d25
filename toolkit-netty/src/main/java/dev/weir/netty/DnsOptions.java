package dev.weir.netty;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link DnsResolver} asks.
 *
 * @param servers who is asked, the next when one does not answer; if there is none, those of the
 *     system, from {@code /etc/resolv.conf} for instance
 * @param searchDomains what is appended to a short name; null for those of the system
 * @param queryTimeout how long one server has for one question, 5 s by default
 * @param timeout how long a lookup may take in all, over servers, search domains and aliases, 15 s
 *     by default
 * @param cacheSize how many names are remembered, those that were asked for last, 1,000 by default.
 *     Each is kept as long as its server says. Failures are not remembered
 * @param maxLookups how many lookups are under way at a time, 256 by default, each on a socket of
 *     its own; the others wait for their turn, and their {@code timeout} runs meanwhile. That goes
 *     for names that are remembered too: who waits for a server that does not answer is before them
 */
public record DnsOptions(
    List<InetSocketAddress> servers,
    @Nullable List<String> searchDomains,
    Duration queryTimeout,
    Duration timeout,
    int cacheSize,
    int maxLookups) {
  /** Checks the options. */
  public DnsOptions {
    servers = List.copyOf(servers);
    for (InetSocketAddress server : servers) {
      if (server.isUnresolved()) {
        throw new IllegalArgumentException(
            "The DNS server "
                + server
                + " is a name, which nobody could look up: write its address");
      }
    }
    searchDomains = searchDomains == null ? null : List.copyOf(searchDomains);
    ensurePositive(queryTimeout, "queryTimeout");
    ensurePositive(timeout, "timeout");
    if (cacheSize < 1) {
      throw new IllegalArgumentException("cacheSize < 1: " + cacheSize);
    }
    if (maxLookups < 1) {
      throw new IllegalArgumentException("maxLookups < 1: " + maxLookups);
    }
  }

  private static void ensurePositive(Duration duration, String name) {
    if (!duration.isPositive()) {
      throw new IllegalArgumentException(name + " is not positive: " + duration);
    }
  }

  /** {@return the defaults} */
  public static DnsOptions defaults() {
    return new DnsOptions(
        List.of(), null, Duration.ofSeconds(5), Duration.ofSeconds(15), 1000, 256);
  }

  /**
   * {@return these options with other servers}
   *
   * @throws IllegalArgumentException if one is unresolved
   */
  public DnsOptions withServers(List<InetSocketAddress> servers) {
    return new DnsOptions(servers, searchDomains, queryTimeout, timeout, cacheSize, maxLookups);
  }

  /** {@return these options with other search domains, none if the list is empty} */
  public DnsOptions withSearchDomains(@Nullable List<String> searchDomains) {
    return new DnsOptions(servers, searchDomains, queryTimeout, timeout, cacheSize, maxLookups);
  }

  /**
   * {@return these options with another time for one question}
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public DnsOptions withQueryTimeout(Duration queryTimeout) {
    return new DnsOptions(servers, searchDomains, queryTimeout, timeout, cacheSize, maxLookups);
  }

  /**
   * {@return these options with another time for a lookup}
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public DnsOptions withTimeout(Duration timeout) {
    return new DnsOptions(servers, searchDomains, queryTimeout, timeout, cacheSize, maxLookups);
  }

  /**
   * {@return these options with room for another number of names}
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public DnsOptions withCacheSize(int cacheSize) {
    return new DnsOptions(servers, searchDomains, queryTimeout, timeout, cacheSize, maxLookups);
  }

  /**
   * {@return these options with another number of lookups at a time}
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public DnsOptions withMaxLookups(int maxLookups) {
    return new DnsOptions(servers, searchDomains, queryTimeout, timeout, cacheSize, maxLookups);
  }
}
