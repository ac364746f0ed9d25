package dev.weir.netty;

import io.netty.channel.EventLoop;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.resolver.dns.DefaultDnsCache;
import io.netty.resolver.dns.DnsCache;
import io.netty.resolver.dns.DnsCacheEntry;
import java.net.InetAddress;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * Netty's cache of addresses, which has no bound of its own but time, for a number of names: the
 * one that was not asked for longest makes room. On the I/O fiber only.
 */
final class BoundedDnsCache implements DnsCache {
  private final DnsCache cache = new DefaultDnsCache();
  private final int namesMax;

  /** The one that was asked for last at the end. Some may have expired. */
  private final SequencedSet<String> names = new LinkedHashSet<>();

  BoundedDnsCache(int namesMax) {
    this.namesMax = namesMax;
  }

  @Override
  public void clear() {
    names.clear();
    cache.clear();
  }

  @Override
  public boolean clear(String hostname) {
    names.remove(key(hostname));
    return cache.clear(hostname);
  }

  @Override
  public @Nullable List<? extends DnsCacheEntry> get(String hostname, DnsRecord[] additionals) {
    String name = key(hostname);
    if (names.contains(name)) {
      names.addLast(name);
    }
    return cache.get(hostname, additionals);
  }

  @Override
  public DnsCacheEntry cache(
      String hostname,
      DnsRecord[] additionals,
      InetAddress address,
      long originalTtl,
      EventLoop loop) {
    makeRoomFor(key(hostname));
    return cache.cache(hostname, additionals, address, originalTtl, loop);
  }

  @Override
  public DnsCacheEntry cache(
      String hostname, DnsRecord[] additionals, Throwable cause, EventLoop loop) {
    return cache.cache(hostname, additionals, cause, loop); // Which keeps no failure.
  }

  private void makeRoomFor(String name) {
    names.addLast(name);
    Iterator<String> oldest = names.iterator();
    while (names.size() > namesMax) {
      cache.clear(oldest.next());
      oldest.remove();
    }
  }

  private static String key(String hostname) {
    return hostname.toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return "BoundedDnsCache[" + names.size() + " of " + namesMax + " names]";
  }
}
