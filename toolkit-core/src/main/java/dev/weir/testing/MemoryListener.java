package dev.weir.testing;

import dev.weir.spi.Network.Listener;
import dev.weir.spi.TransportProtocol;
import java.util.ArrayDeque;
import java.util.function.Supplier;

/** A listener of the memory network: accepts what arrives, or queues it. On the loop only. */
abstract class MemoryListener implements Listener {
  private final MemorySockets sockets;
  private final Supplier<TransportProtocol> acceptor;
  private final ArrayDeque<Link> queue = new ArrayDeque<>();
  private boolean paused;
  private boolean closed;

  MemoryListener(MemorySockets sockets, Supplier<TransportProtocol> acceptor) {
    this.sockets = sockets;
    this.acceptor = acceptor;
  }

  /** {@return where it listens, for a message} */
  abstract String describe();

  /** Nobody is to find it any more. */
  abstract void withdraw();

  /** A connection is there, to be accepted now or later. */
  final void arrived(Link link) {
    queue.add(link);
    acceptQueued();
  }

  private void acceptQueued() {
    while (!queue.isEmpty() && (closed || !paused)) {
      Link link = queue.remove();
      if (closed) {
        link.pipe(Link.Direction.TO_CLIENT).sendReset(); // As the kernel does with its queue.
      } else {
        MemoryTransport transport =
            new MemoryTransport(sockets, link, Link.Direction.TO_CLIENT, acceptor.get());
        transport.connectionMade();
        link.accepted(transport);
      }
    }
  }

  @Override
  public final void pauseAccepting() {
    paused = true;
  }

  @Override
  public final void resumeAccepting() {
    paused = false;
    sockets.request(this::acceptQueued);
  }

  @Override
  public final void close() {
    closed = true;
    withdraw();
    sockets.request(this::acceptQueued);
  }

  @Override
  public final String toString() {
    return "MemoryListener[" + describe() + (closed ? ", closed]" : "]");
  }
}
