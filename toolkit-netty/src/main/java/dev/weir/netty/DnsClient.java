package dev.weir.netty;

import dev.weir.spi.Network.Completion;
import io.netty.channel.ChannelFactory;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.kqueue.KQueueDatagramChannel;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.uring.IoUringDatagramChannel;
import io.netty.resolver.DefaultHostsFileEntriesResolver;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverChannelStrategy;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;
import io.netty.resolver.dns.NoopDnsCnameCache;
import io.netty.resolver.dns.SequentialDnsServerAddressStreamProvider;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Netty's DNS client on one loop. Its jar is optional, so no other class but its cache names one of
 * its classes, and this one is loaded for those only who ask for it. On the I/O fiber.
 */
final class DnsClient {
  /** As many as glibc's eight hops of aliases take, for each family. */
  private static final int QUERIES_MAX = 16;

  private final NettyIoDriver driver;
  private final DnsNameResolver resolver;
  private final Runnable ending = this::close;

  /** Netty's resolver does not close the sockets of lookups that are under way. */
  private final OpenChannels open;

  /** What is under way, by who waits for it. */
  private final Map<Completion<?>, Lookup> lookups = new LinkedHashMap<>();

  private DnsClient(NettyIoDriver driver, DnsNameResolver resolver, OpenChannels open) {
    this.driver = driver;
    this.resolver = resolver;
    this.open = open;
  }

  /**
   * A lookup that is under way. A cancelled one of Netty's only forgets who waits.
   *
   * @param channel by which it asks; null if it asks nobody
   */
  private record Lookup(Future<?> future, @Nullable DatagramChannel channel) {
    void cancel() {
      future.cancel(false);
      if (channel != null) {
        channel.close();
      }
    }
  }

  /** Makes clients, once what the system says was read. */
  interface Maker {
    /** {@return a client that ends with the loop} On the I/O fiber. */
    DnsClient make();
  }

  /** Reads the files of the system that say who is to be asked. Blocks; called off the loop. */
  static Maker prepare(NettyIoDriver driver, DnsOptions options) {
    OpenChannels open = new OpenChannels(datagramChannels(driver.io()));
    DnsNameResolverBuilder builder =
        new DnsNameResolverBuilder()
            .datagramChannelFactory(open)
            .socketChannelFactory(driver.io()::newSocketChannel) // For answers that were cut off.
            // A port of its own for each lookup is one more thing that a forger has to guess.
            .datagramChannelStrategy(DnsNameResolverChannelStrategy.ChannelPerResolution)
            .hostsFileEntriesResolver(new DefaultHostsFileEntriesResolver())
            .resolveCache(new BoundedDnsCache(options.cacheSize()))
            .cnameCache(NoopDnsCnameCache.INSTANCE) // It has no bound.
            .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE)
            .completeOncePreferredResolved(false) // Who connects wants to try both families.
            .maxQueriesPerResolve(QUERIES_MAX)
            .queryTimeoutMillis(Math.max(1, options.queryTimeout().toMillis()));
    if (!options.servers().isEmpty()) {
      builder.nameServerProvider(new SequentialDnsServerAddressStreamProvider(options.servers()));
    }
    List<String> searchDomains = options.searchDomains();
    if (searchDomains != null) {
      builder.searchDomains(searchDomains);
    }
    return () -> {
      DnsNameResolver resolver = builder.eventLoop(driver.eventLoop()).build();
      DnsClient made = new DnsClient(driver, resolver, open);
      driver.endWithLoop(made.ending);
      return made;
    };
  }

  private static ChannelFactory<DatagramChannel> datagramChannels(NettyIo io) {
    return switch (io) {
      case EPOLL -> EpollDatagramChannel::new;
      case KQUEUE -> KQueueDatagramChannel::new;
      case IO_URING -> IoUringDatagramChannel::new;
      case NIO -> NioDatagramChannel::new;
    };
  }

  void resolve(String host, Completion<List<InetAddress>> outcome) {
    open.last = null;
    Future<List<InetAddress>> lookup = resolver.resolveAll(host);
    lookups.put(outcome, new Lookup(lookup, open.last));
    lookup.addListener(resolved -> {
      lookups.remove(outcome);
      if (resolved.isSuccess()) {
        @SuppressWarnings("unchecked") // A listener is not told what its future is of.
        List<InetAddress> addresses = (List<InetAddress>) resolved.getNow();
        outcome.succeeded(List.copyOf(addresses));
      } else {
        outcome.failed(failure(host, resolved.cause()));
      }
    });
  }

  /** Ends the lookup for which {@code outcome} waits, if it is under way. */
  void cancel(Completion<?> outcome) {
    Lookup lookup = lookups.get(outcome);
    if (lookup != null) {
      lookup.cancel();
    }
  }

  private static UnknownHostException failure(String host, Throwable cause) {
    if (cause instanceof CancellationException) {
      return closedMeanwhile(host);
    }
    StringBuilder why = new StringBuilder(host);
    for (Throwable each = cause; each != null; each = each.getCause()) {
      why.append(": ").append(each.getMessage());
    }
    UnknownHostException failure = new UnknownHostException(why.toString());
    failure.initCause(cause);
    return failure;
  }

  static UnknownHostException closedMeanwhile(String host) {
    return new UnknownHostException(host + ": the resolver was closed meanwhile");
  }

  void close() {
    driver.ended(ending);
    resolver.close();
    List.copyOf(lookups.values()).forEach(Lookup::cancel);
    open.close();
  }

  /** Makes channels, and knows those that are not closed. */
  private static final class OpenChannels implements ChannelFactory<DatagramChannel> {
    private final ChannelFactory<DatagramChannel> factory;
    private final Set<DatagramChannel> open = new LinkedHashSet<>();

    /** The last that was made; Netty makes it in the call that begins a lookup. */
    private @Nullable DatagramChannel last;

    OpenChannels(ChannelFactory<DatagramChannel> factory) {
      this.factory = factory;
    }

    @Override
    public DatagramChannel newChannel() {
      DatagramChannel made = factory.newChannel();
      open.add(made);
      last = made;
      made.closeFuture().addListener(closed -> open.remove(made));
      return made;
    }

    void close() {
      List.copyOf(open).forEach(DatagramChannel::close);
    }

    @Override
    public String toString() {
      return "OpenChannels" + open;
    }
  }

  @Override
  public String toString() {
    return "DnsClient[" + driver + "]";
  }
}
