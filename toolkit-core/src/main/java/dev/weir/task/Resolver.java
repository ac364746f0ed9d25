package dev.weir.task;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Looks host names up for a loop, in place of the JDK: {@link Loop#setResolver} sets it. A resolver
 * of one's own may know a few names itself, and ask another about the rest.
 */
@FunctionalInterface
public interface Resolver {
  /**
   * Suspends until the addresses of a host are known. Called in the task that needs them: if that
   * is cancelled, what it waits for here is, too. It must not block the loop.
   *
   * @param host a name; never an address, which needs no looking up
   * @return at least one, the best first
   * @throws UnknownHostException if the name has none, or nobody could say
   */
  List<InetAddress> resolve(String host) throws UnknownHostException;
}
