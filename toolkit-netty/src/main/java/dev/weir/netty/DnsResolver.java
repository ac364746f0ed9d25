package dev.weir.netty;

import dev.weir.spi.Network.Completion;
import dev.weir.sync.AsyncSemaphore;
import dev.weir.sync.Held;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Resolver;
import dev.weir.task.Timeout;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Objects;

/**
 * Looks names up with Netty's DNS client, on the loop itself: no thread waits, a lookup that is
 * cancelled or late is over and its socket closed. Each has a socket for a moment, so {@link
 * DnsOptions#maxLookups} bounds how many there are at a time; others wait for their turn. The JDK's
 * lookups, which a loop does otherwise, take a thread each, of 32, for as long as the system's
 * resolver waits.
 *
 * <pre>{@code
 * Asyncio.runningLoop().setResolver(DnsResolver.open(DnsOptions.defaults()));
 * }</pre>
 *
 * <p>It takes the dependency {@code io.netty:netty-resolver-dns}, which the engine does not bring
 * along, and on the module path {@code --add-modules io.netty.resolver.dns}.
 *
 * <p>The hosts file comes first, as it was when this was opened; then the servers and the search
 * domains of {@code /etc/resolv.conf}, as it is. What else the system may have, mDNS say or another
 * {@code nsswitch.conf}, is the JDK's to ask. Where the system names no server at all, Netty asks
 * Google's. Each lookup has a socket with a port of its own; an answer that is cut off is asked for
 * again by TCP. Both families are asked for where the machine has IPv6.
 *
 * <p>Belongs to one loop, ends with it, and is called on it.
 */
public final class DnsResolver implements Resolver, AutoCloseable {
  private final Loop loop;
  private final NettyIoDriver driver;
  private final DnsClient client;
  private final DnsOptions options;
  private final AsyncSemaphore turns;
  private boolean closed;

  private DnsResolver(Loop loop, NettyIoDriver driver, DnsClient client, DnsOptions options) {
    this.loop = loop;
    this.driver = driver;
    this.client = client;
    this.options = options;
    this.turns = new AsyncSemaphore(options.maxLookups());
  }

  /**
   * Suspends until what the system says about names was read, on a thread of the default executor.
   *
   * @return a resolver of the running loop's, to be set with {@link Loop#setResolver}
   * @throws IllegalStateException if the loop's network is not Netty's, outside a task, or without
   *     netty-resolver-dns
   * @throws CancelledError if the task is cancelled
   */
  public static DnsResolver open(DnsOptions options) {
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureMaySuspend("DnsResolver.open()");
    NettyIoDriver driver = NettyStreams.network(loop, "DnsResolver.open()").driver();
    try {
      DnsClient.Maker maker = loop.runInExecutor(() -> DnsClient.prepare(driver, options)).await();
      Future<DnsClient> made = loop.createFuture();
      driver.request(() -> make(maker, made));
      return new DnsResolver(loop, driver, made.await(), options);
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          "DnsResolver needs io.netty:netty-resolver-dns: add the dependency, and on the module"
              + " path --add-modules io.netty.resolver.dns",
          e);
    }
  }

  private static void make(DnsClient.Maker maker, Future<DnsClient> made) {
    if (made.done()) {
      return; // The task was cancelled meanwhile.
    }
    try {
      made.setResult(maker.make());
    } catch (RuntimeException | LinkageError e) {
      made.setException(e);
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws UnknownHostException also if no server answered in time
   * @throws CancelledError if the task is cancelled
   * @throws IllegalStateException after {@link #close}, or elsewhere than on its loop
   */
  @Override
  public List<InetAddress> resolve(String host) throws UnknownHostException {
    Objects.requireNonNull(host, "host");
    loop.ensureMaySuspend("DnsResolver.resolve()");
    if (closed) {
      throw new IllegalStateException(
          this + " is closed: have the loop look names up otherwise, with setResolver()");
    }
    try {
      return Timeout.after(options.timeout())
          .<List<InetAddress>, UnknownHostException>call(scope -> lookUpInTurn(host));
    } catch (TimeoutException e) {
      UnknownHostException late =
          new UnknownHostException(host + " was not looked up within " + options.timeout());
      late.initCause(e);
      throw late;
    }
  }

  private List<InetAddress> lookUpInTurn(String host) throws UnknownHostException {
    try (Held _ = turns.hold()) {
      if (closed) {
        throw DnsClient.closedMeanwhile(host);
      }
      Future<List<InetAddress>> found = loop.createFuture("a lookup of " + host);
      Answer answer = new Answer(found);
      driver.request(() -> client.resolve(host, answer));
      try {
        return found.await(UnknownHostException.class);
      } finally {
        if (!answer.given()) {
          driver.request(() -> client.cancel(answer));
        }
      }
    }
  }

  /** Completes a future, unless the task that waited for it was cancelled. */
  private static final class Answer implements Completion<List<InetAddress>> {
    private final Future<List<InetAddress>> found;
    private boolean given;

    Answer(Future<List<InetAddress>> found) {
      this.found = found;
    }

    boolean given() {
      return given;
    }

    @Override
    public void succeeded(List<InetAddress> addresses) {
      given = true;
      if (!found.done()) {
        found.setResult(addresses);
      }
    }

    @Override
    public void failed(IOException cause) {
      given = true;
      if (!found.done()) {
        found.setException(cause);
      }
    }
  }

  /** Ends it before its loop does: lookups that are under way fail. A second call has no effect. */
  @Override
  public void close() {
    loop.ensureHeld("DnsResolver.close()");
    if (!closed) {
      closed = true;
      driver.request(client::close);
    }
  }

  @Override
  public String toString() {
    return "DnsResolver["
        + (options.servers().isEmpty() ? "the system's servers" : options.servers())
        + (closed ? ", closed]" : "]");
  }
}
