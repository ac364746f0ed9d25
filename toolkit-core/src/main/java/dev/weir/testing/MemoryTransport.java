package dev.weir.testing;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.spi.UnixAddresses;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One end of a connection of the memory network. On the loop only. */
final class MemoryTransport implements Transport {
  /*
   *   OPEN ---> CLOSING ---> CLOSED
   *     |                      ^
   *     '----------------------'  lost
   */
  private enum State {
    OPEN,
    CLOSING,
    CLOSED
  }

  private static final UnixDomainSocketAddress UNNAMED = UnixDomainSocketAddress.of("");

  private final MemorySockets sockets;
  private final Link link;
  private final boolean unix;
  private final SocketAddress localAddress;
  private final SocketAddress remoteAddress;
  private final Pipe out;
  private final Pipe in;
  private final TransportProtocol protocol;

  private State state = State.OPEN;
  private final ByteQueue unsent = new ByteQueue();
  private boolean dirty;
  private int highWater = 64 * 1024;
  private int lowWater = 16 * 1024;
  private boolean writingPaused;
  private boolean readingWanted = true;
  private boolean endWanted;
  private boolean endSent;
  private boolean endReceived;
  private boolean aborted;

  /**
   * Whether the peer's bytes were held back when this end was closed: they are dropped up to their
   * end, as on a socket, which would be reset if it were closed with bytes unread.
   */
  private boolean lingering;

  MemoryTransport(
      MemorySockets sockets, Link link, Link.Direction outward, TransportProtocol protocol) {
    boolean ofClient = outward == Link.Direction.TO_SERVER;
    this.sockets = sockets;
    this.link = link;
    SocketAddress client = link.client();
    SocketAddress server = link.server();
    this.unix = link.path() != null;
    if (link.path() != null) {
      client = UNNAMED;
      server = UnixDomainSocketAddress.of(link.path());
    }
    this.localAddress = ofClient ? client : server;
    this.remoteAddress = ofClient ? server : client;
    this.out = link.pipe(outward);
    this.in = link.pipe(ofClient ? Link.Direction.TO_CLIENT : Link.Direction.TO_SERVER);
    this.protocol = protocol;
  }

  // --- Transport: from tasks

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (endWanted) {
      throw new IllegalStateException("write() after writeEof()");
    }
    if (state != State.OPEN || length == 0) {
      return;
    }
    unsent.add(bytes, offset, length);
    markDirty();
    pauseWritingIfFull();
  }

  private void pauseWritingIfFull() {
    if (!writingPaused && unsent.size() > highWater) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  @Override
  public void writeEof() {
    if (state == State.OPEN && !endWanted) {
      endWanted = true;
      markDirty();
    }
  }

  @Override
  public void close() {
    if (state == State.OPEN) {
      state = State.CLOSING;
      lingering = !readingWanted && !endReceived;
      markDirty();
    }
  }

  @Override
  public void abort() {
    if (state != State.CLOSED && !aborted) {
      aborted = true;
      state = State.CLOSING;
      markDirty();
    }
  }

  @Override
  public boolean isClosing() {
    return state != State.OPEN;
  }

  @Override
  public void pauseReading() {
    readingWanted = false;
  }

  @Override
  public void resumeReading() {
    readingWanted = true;
    markDirty();
  }

  @Override
  public long writeBufferSize() {
    return unsent.size();
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    highWater = high;
    lowWater = low;
    pauseWritingIfFull();
    if (writingPaused) {
      markDirty(); // The mark may be above what is unsent now.
    }
  }

  @Override
  public SocketAddress localAddress() {
    return localAddress;
  }

  @Override
  public SocketAddress remoteAddress() {
    return remoteAddress;
  }

  private void markDirty() {
    if (!dirty) {
      dirty = true;
      sockets.request(this::flush);
    }
  }

  // --- The I/O fiber

  void connectionMade() {
    protocol.connectionMade(this);
  }

  boolean isClosed() {
    return state == State.CLOSED;
  }

  /** Does what tasks asked for since the last round. */
  private void flush() {
    dirty = false;
    if (state == State.CLOSED) {
      return;
    }
    if (aborted) {
      // Either goes behind what the network took: that is on its way.
      if (!unix) {
        out.sendReset();
      } else if (!endSent) {
        endSent = true;
        out.sendEnd(); // Unless there are bytes unread, a Unix socket has no reset.
      }
      closed(new IOException("Connection aborted on this side"));
      return;
    }
    send();
    in.deliverSoon();
  }

  private void send() {
    while (unsent.size() > 0 && out.free() > 0) {
      out.send(unsent.take(Math.min(unsent.size(), out.free())));
    }
    if (writingPaused && unsent.size() <= lowWater) {
      writingPaused = false;
      protocol.resumeWriting();
    }
    if (unsent.size() == 0) {
      if ((endWanted || state == State.CLOSING) && !endSent) {
        endSent = true;
        out.sendEnd();
      }
      if (state == State.CLOSING && !lingering) {
        closed(null);
      }
    }
  }

  /** The peer took bytes, so there is room for more. */
  void windowOpened() {
    if (unsent.size() > 0 && state != State.CLOSED) {
      markDirty();
    }
  }

  /** {@return whether bytes may be handed over now} */
  boolean wantsBytes() {
    return readingWanted || state == State.CLOSING;
  }

  void received(byte[] bytes) {
    if (state == State.OPEN) {
      protocol.dataReceived(ByteBuffer.wrap(bytes));
    }
  }

  void ended() {
    endReceived = true;
    if (state == State.OPEN) {
      protocol.eofReceived();
    } else if (lingering) {
      lingering = false;
      markDirty();
    }
  }

  void wasReset() {
    closed(new IOException("Connection reset by peer"));
  }

  /** Bytes came for an end that is closed: their sender is told. */
  void refuseBytes() {
    out.sendReset();
  }

  /** Ends the connection with its loop. */
  void endWithLoop() {
    boolean cutOff = unsent.size() > 0;
    closed(cutOff ? new IOException("Connection aborted: its loop was closed") : null);
  }

  private void closed(@Nullable IOException cause) {
    if (state != State.CLOSED) {
      state = State.CLOSED;
      unsent.clear();
      if (in.dropUntaken()) {
        out.sendReset(); // As a kernel does whose program closes without reading to the end.
      }
      link.closed();
      protocol.connectionLost(cause);
    }
  }

  @Override
  public String toString() {
    return "MemoryTransport["
        + UnixAddresses.describe(localAddress)
        + " -> "
        + UnixAddresses.describe(remoteAddress)
        + ", "
        + state
        + ", "
        + unsent
        + " unsent]";
  }
}
