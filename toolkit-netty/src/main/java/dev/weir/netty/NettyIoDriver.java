package dev.weir.netty;

import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Polls a Netty event loop that is driven by hand, on the loop's I/O fiber.
 *
 * <p>Tasks never call into Netty. What they want done waits here until the I/O fiber comes by, once
 * a round, so that everything that was written in a round leaves together.
 */
final class NettyIoDriver implements IoDriver {
  /** How long connections that were closed before the loop may go on sending when it ends. */
  private static final long CLOSE_FLUSH_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final NettyIo io;
  private final LoopContext loop;
  private final ManualIoEventLoop eventLoop;
  private final Network network;
  private final long originNanos = System.nanoTime();

  // Any thread.

  /** Connections that other loops have accepted for this one. */
  private final Queue<Arrival> arrivals = new ConcurrentLinkedQueue<>();

  private volatile boolean arrivalsEnded;

  // On the loop only.

  private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
  private List<DriverSocket> dirty = new ArrayList<>();
  private List<DriverSocket> flushing = new ArrayList<>();
  private final Chunks chunks = new Chunks();
  private final ReadBuffers readBuffers;
  private final DatagramBuffers datagramBuffers = new DatagramBuffers();
  private final Set<DriverSocket> open = new HashSet<>();
  private final Set<NettyAdopter> adopters = new HashSet<>();

  /** What else has to end before the event loop does. */
  private final Set<Runnable> endings = new LinkedHashSet<>();

  private boolean closing;
  private long polls = 1;

  /**
   * The deadlines that Netty was told, the earliest on top. It is told one only if that is earlier
   * than all of them: arming the kernel's timer costs a system call, and most deadlines move
   * further away.
   */
  private final ArrayDeque<Long> armedDeadlines = new ArrayDeque<>();

  NettyIoDriver(NettyIo io, LoopContext loop) {
    this.io = io;
    this.loop = loop;
    this.eventLoop =
        new ManualIoEventLoop((@Nullable Thread) null, io.newHandlerFactory()) {
          @Override
          protected boolean canBlock() {
            return requests.isEmpty()
                && dirty.isEmpty()
                && arrivals.isEmpty()
                && (closing || loop.mayBlock());
          }
        };
    this.readBuffers = new ReadBuffers(!io.isAsynchronous());
    this.network = new NettyNetwork(io, this);
  }

  @Override
  public String transport() {
    return io.transportName();
  }

  @Override
  public Network network() {
    return network;
  }

  @Override
  public long nanoTime() {
    return System.nanoTime() - originNanos;
  }

  @Override
  public void attach(Runnable polling) {
    // Netty's buffer caches are in fast thread locals, which a virtual thread has on request only.
    FastThreadLocalThread.runWithFastThreadLocal(() -> {
      eventLoop.setOwningThread(Thread.currentThread());
      polling.run();
    });
  }

  @Override
  public void poll(long deadlineNanos) {
    polls++;
    serveRequests();
    serveArrivals();
    flushDirty();
    arm(deadlineNanos);
    eventLoop.run(0, 0);
  }

  @Override
  public void wakeup() {
    eventLoop.wakeup();
  }

  @Override
  public void close() {
    closing = true;
    arrivalsEnded = true;
    refuseArrivals();
    try {
      flushAndClose();
    } finally {
      chunks.close();
      readBuffers.close();
      datagramBuffers.close();
    }
  }

  private void flushAndClose() {
    long deadlineNanos = nanoTime() + CLOSE_FLUSH_NANOS;
    do {
      serveRequests();
      flushDirty();
      if (open.stream().noneMatch(DriverSocket::isFlushing)) {
        break;
      }
      eventLoop.run(Math.max(1, deadlineNanos - nanoTime()), 0);
    } while (nanoTime() < deadlineNanos);
    adopters.forEach(NettyAdopter::endWithLoop);
    List.copyOf(open).forEach(DriverSocket::endWithLoop);
    List.copyOf(endings).forEach(Runnable::run);
    eventLoop.shutdownGracefully(0, 0, TimeUnit.NANOSECONDS);
    while (!eventLoop.isTerminated()) {
      eventLoop.runNow();
    }
  }

  NettyIo io() {
    return io;
  }

  /** {@return the number of the poll that is under way, or of the last one; 1 before the first} */
  long polls() {
    return polls;
  }

  /** {@return whether another poll comes, and soon, where something is to be sent} */
  boolean willPoll() {
    return !closing && !loop.isStopping();
  }

  /** {@return whether the loop ends} */
  boolean isClosing() {
    return closing;
  }

  EventLoop eventLoop() {
    return eventLoop;
  }

  /** Has {@code request} run on the I/O fiber when it next polls. Called on the loop. */
  void request(Runnable request) {
    requests.add(request);
    loop.ioRequested();
  }

  /** Has {@code socket} flushed when the I/O fiber next polls. Called on the loop. */
  void markDirty(DriverSocket socket) {
    dirty.add(socket);
    loop.ioRequested();
  }

  /** {@return the socket of a channel to write to directly, or null if only the channel may} */
  @Nullable FileDescriptor directSocket(Channel channel) {
    return !io.isAsynchronous() && channel instanceof UnixChannel unix ? unix.fd() : null;
  }

  Chunks chunks() {
    return chunks;
  }

  ReadBuffers readBuffers() {
    return readBuffers;
  }

  DatagramBuffers datagramBuffers() {
    return datagramBuffers;
  }

  void opened(DriverSocket socket) {
    open.add(socket);
  }

  void closed(DriverSocket socket) {
    open.remove(socket);
  }

  /** {@return the connections and datagram sockets that are open} */
  Collection<DriverSocket> open() {
    return open;
  }

  /** Has {@code ending} run on the I/O fiber before the loop ends, unless it is taken back. */
  void endWithLoop(Runnable ending) {
    endings.add(ending);
  }

  /** Takes back what was given to {@link #endWithLoop}. */
  void ended(Runnable ending) {
    endings.remove(ending);
  }

  /** {@return what takes channels over until it is closed} */
  Set<NettyAdopter> adopters() {
    return adopters;
  }

  void report(String message, Throwable exception) {
    loop.report(message, exception);
  }

  /** A connection on its way from the loop that accepted it. One of the two is called, once. */
  interface Arrival {
    /** Begins with it. On the I/O fiber of the loop that it came to. */
    void serve();

    /** Closes it. Any thread. */
    void refuse();
  }

  /** Takes a connection over from another loop, or refuses it if this one is over. Any thread. */
  void take(Arrival arrival) {
    arrivals.add(arrival);
    if (arrivalsEnded) { // Perhaps just now, and then nobody else looks.
      refuseArrivals();
    } else {
      wakeup();
    }
  }

  private void serveArrivals() {
    for (Arrival arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
      arrival.serve();
    }
  }

  private void refuseArrivals() {
    for (Arrival arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
      arrival.refuse();
    }
  }

  private void serveRequests() {
    for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
      request.run();
    }
  }

  private void flushDirty() {
    if (dirty.isEmpty()) {
      return;
    }
    // Two lists: flushing may mark again, a closed connection's protocol writes to another say.
    List<DriverSocket> marked = dirty;
    dirty = flushing;
    flushing = marked;
    for (DriverSocket socket : marked) {
      try {
        socket.flush();
      } catch (RuntimeException | Error e) {
        // No memory for a buffer, say: that connection ends, and those behind it get their turn.
        loop.report("Cannot send on " + socket, e);
        socket.abort();
      }
    }
    marked.clear();
  }

  private void arm(long deadlineNanos) {
    Long earliest = armedDeadlines.peek();
    if (deadlineNanos == NO_DEADLINE || (earliest != null && earliest <= deadlineNanos)) {
      return;
    }
    armedDeadlines.push(deadlineNanos);
    eventLoop.schedule(
        () -> {
          armedDeadlines.pop();
        },
        Math.max(0, deadlineNanos - nanoTime()),
        TimeUnit.NANOSECONDS);
  }

  @Override
  public String toString() {
    return "NettyIoDriver[" + io.transportName() + ", " + dirty.size() + " dirty]";
  }
}
