package dev.weir.testing;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One end of a connection within a loop. What it sends takes a poll to arrive. */
final class PipeTransport implements Transport {
  private static final int SEGMENT_BYTES = 1000;

  /** How many segments may be on their way to a peer that does not read. */
  private static final int WINDOW_SEGMENTS = 100;

  private final Runnable ioRequest;
  private final InetSocketAddress local;
  private final TransportProtocol protocol;
  private final PipeTransport peer;

  private final ArrayDeque<byte[]> unsent = new ArrayDeque<>();
  private long unsentBytes;
  private int highWater;
  private int lowWater;
  private boolean writingPaused;
  private boolean eofWanted;
  private boolean eofSent;
  private boolean closing;
  private boolean aborted;
  private boolean closed;

  // What came from the peer.

  private final ArrayDeque<byte[]> arrived = new ArrayDeque<>();
  private boolean readingPaused;
  private boolean endArrived;
  private boolean endTaken;
  private boolean resetArrived;

  PipeTransport(
      Runnable ioRequest,
      InetSocketAddress local,
      InetSocketAddress remote,
      TransportProtocol protocol,
      TransportProtocol peersProtocol) {
    this.ioRequest = ioRequest;
    this.local = local;
    this.protocol = protocol;
    this.peer = new PipeTransport(this, remote, peersProtocol);
  }

  private PipeTransport(PipeTransport peer, InetSocketAddress local, TransportProtocol protocol) {
    this.ioRequest = peer.ioRequest;
    this.local = local;
    this.protocol = protocol;
    this.peer = peer;
  }

  PipeTransport peer() {
    return peer;
  }

  void connect() {
    protocol.connectionMade(this);
    peer.protocol.connectionMade(peer);
  }

  boolean closed() {
    return closed;
  }

  // --- From tasks

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (eofWanted) {
      throw new IllegalStateException("write() after writeEof()");
    }
    if (closing || closed) {
      return;
    }
    for (int at = offset; at < offset + length; at += SEGMENT_BYTES) {
      unsent.add(Arrays.copyOfRange(bytes, at, Math.min(at + SEGMENT_BYTES, offset + length)));
    }
    unsentBytes += length;
    ioRequest.run();
    if (!writingPaused && unsentBytes > highWater) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  @Override
  public void writeEof() {
    eofWanted = true;
    ioRequest.run();
  }

  @Override
  public void close() {
    closing = true;
    ioRequest.run();
  }

  @Override
  public void abort() {
    closing = true;
    aborted = true;
    ioRequest.run();
  }

  @Override
  public boolean isClosing() {
    return closing || closed;
  }

  @Override
  public void pauseReading() {
    readingPaused = true;
  }

  @Override
  public void resumeReading() {
    readingPaused = false;
    ioRequest.run();
  }

  @Override
  public long writeBufferSize() {
    return unsentBytes;
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    highWater = high;
    lowWater = low;
  }

  @Override
  public SocketAddress localAddress() {
    return local;
  }

  @Override
  public SocketAddress remoteAddress() {
    return peer.local;
  }

  // --- On the I/O fiber

  /** Hands over what has arrived. Returns whether there was something. */
  boolean deliver() {
    boolean progress = false;
    while (!closed && !arrived.isEmpty() && (!readingPaused || closing || resetArrived)) {
      byte[] segment = arrived.remove();
      progress = true;
      if (!closing) {
        protocol.dataReceived(ByteBuffer.wrap(segment));
      }
    }
    if (!closed && arrived.isEmpty() && endArrived && !endTaken) {
      endTaken = true;
      progress = true;
      if (!closing) {
        protocol.eofReceived();
      }
    }
    if (!closed && arrived.isEmpty() && resetArrived) {
      progress = true;
      lost(new IOException("Connection reset by peer"));
    }
    return progress;
  }

  /** Sends what tasks wrote, as far as the peer takes it. Returns whether there was something. */
  boolean flush() {
    if (closed) {
      return false;
    }
    if (aborted) {
      peer.resetArrived = true;
      lost(new IOException("Connection aborted on this side"));
      return true;
    }
    boolean progress = false;
    while (!unsent.isEmpty() && peer.arrived.size() < WINDOW_SEGMENTS) {
      byte[] segment = unsent.remove();
      unsentBytes -= segment.length;
      progress = true;
      if (peer.closed) {
        resetArrived = true;
      } else {
        peer.arrived.add(segment);
      }
    }
    if (writingPaused && unsentBytes <= lowWater) {
      writingPaused = false;
      protocol.resumeWriting();
    }
    if (unsent.isEmpty() && (eofWanted || closing) && !eofSent) {
      eofSent = true;
      progress = true;
      peer.endArrived = true;
    }
    if (unsent.isEmpty() && closing) {
      lost(null);
    }
    return progress;
  }

  private void lost(@Nullable IOException cause) {
    closed = true;
    unsent.clear();
    unsentBytes = 0;
    protocol.connectionLost(cause);
  }

  @Override
  public String toString() {
    return "PipeTransport["
        + local
        + ", "
        + unsentBytes
        + " bytes unsent, "
        + arrived.size()
        + " segments arrived"
        + (closed ? ", closed]" : closing ? ", closing]" : "]");
  }
}
