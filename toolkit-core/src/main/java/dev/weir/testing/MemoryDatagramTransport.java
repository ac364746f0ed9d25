package dev.weir.testing;

import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.Network.Completion;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A datagram socket of the memory network. On the loop only. */
final class MemoryDatagramTransport implements DatagramTransport {
  /** As much as Linux keeps for a socket that does not read, by itself. */
  private static final int KEPT_BYTES_MAX = 212_992;

  @SuppressWarnings("ArrayRecordComponent") // Neither compared nor handed out.
  private record Outgoing(byte[] bytes, InetSocketAddress to) {}

  @SuppressWarnings("ArrayRecordComponent") // Neither compared nor handed out.
  private record Kept(byte[] bytes, InetSocketAddress from) {}

  private record Membership(InetAddress group, @Nullable InetAddress source) {}

  private final MemoryDatagrams datagrams;
  final BoundAddress bound;
  final DatagramRequest request;
  final DatagramTransportProtocol protocol;

  private final ArrayDeque<Outgoing> unsent = new ArrayDeque<>();
  private long unsentSize;
  private boolean dirty;
  private int highWater = 64 * 1024;
  private boolean writingPaused;

  private boolean readingWanted = true;
  private final ArrayDeque<Kept> kept = new ArrayDeque<>();
  private int keptBytes;
  private final Set<Membership> memberships = new HashSet<>();

  private boolean closing;
  private boolean closed;

  MemoryDatagramTransport(
      MemoryDatagrams datagrams,
      BoundAddress bound,
      DatagramRequest request,
      DatagramTransportProtocol protocol) {
    this.datagrams = datagrams;
    this.bound = bound;
    this.request = request;
    this.protocol = protocol;
  }

  // --- From tasks

  @Override
  public void send(byte[] bytes, int offset, int length, @Nullable InetSocketAddress to) {
    if (closing) {
      return;
    }
    InetSocketAddress destination =
        to == null ? Objects.requireNonNull(request.remote(), "no remote address") : to;
    unsent.add(new Outgoing(Arrays.copyOfRange(bytes, offset, offset + length), destination));
    unsentSize += length + OVERHEAD_BYTES;
    markDirty();
    pauseWritingIfFull();
  }

  private void pauseWritingIfFull() {
    if (!writingPaused && unsentSize > highWater) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  @Override
  public void close() {
    if (!closing) {
      closing = true;
      markDirty();
    }
  }

  @Override
  public void abort() {
    unsent.clear();
    unsentSize = 0;
    close();
  }

  @Override
  public boolean isClosing() {
    return closing;
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
    return unsentSize;
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    highWater = high;
    // The low mark needs no keeping: a round sends all.
    pauseWritingIfFull();
    if (writingPaused) {
      markDirty();
    }
  }

  @Override
  public void join(
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Completion<InetAddress> outcome) {
    datagrams.sockets.request(() -> {
      if (closed) {
        outcome.failed(new SocketException("Socket closed"));
      } else if (memberships.add(new Membership(group, source))) {
        outcome.succeeded(group);
      } else {
        outcome.failed(
            new SocketException("Already a member of the group " + group.getHostAddress()));
      }
    });
  }

  @Override
  public void leave(
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Completion<InetAddress> outcome) {
    datagrams.sockets.request(() -> {
      if (memberships.remove(new Membership(group, source))) {
        outcome.succeeded(group);
      } else {
        outcome.failed(new SocketException("Not a member of the group " + group.getHostAddress()));
      }
    });
  }

  @Override
  public InetSocketAddress localAddress() {
    return bound.address();
  }

  @Override
  public @Nullable InetSocketAddress remoteAddress() {
    return request.remote();
  }

  private void markDirty() {
    if (!dirty) {
      dirty = true;
      datagrams.sockets.request(this::flush);
    }
  }

  // --- The I/O fiber

  private void flush() {
    dirty = false;
    if (closed) {
      return;
    }
    for (Outgoing next = unsent.poll(); next != null; next = unsent.poll()) {
      datagrams.send(this, next.bytes, next.to);
    }
    unsentSize = 0;
    if (closing) {
      end();
      return;
    }
    if (writingPaused) {
      writingPaused = false;
      protocol.resumeWriting();
    }
    while (readingWanted && !kept.isEmpty()) {
      Kept next = kept.remove();
      keptBytes -= next.bytes.length;
      hand(next.bytes, next.from);
    }
  }

  private void end() {
    closing = true;
    closed = true;
    datagrams.closed(this);
    protocol.connectionLost(null);
  }

  void endWithLoop() {
    end();
  }

  /** {@return where a datagram to {@code to} comes from} */
  InetSocketAddress addressTowards(InetSocketAddress to) {
    return bound.isWildcard()
        ? new InetSocketAddress(
            MemoryNetwork.localHost(bound.host(), to.getAddress()), bound.address().getPort())
        : bound.address();
  }

  /** {@return how exactly a datagram is meant for this socket; 0 for not at all} */
  int precision(InetSocketAddress from, InetSocketAddress to) {
    int precision = bound.precision(from.getAddress(), to);
    if (precision == 0 || !request.isConnected()) {
      return precision;
    }
    return from.equals(request.remote()) ? precision + 3 : 0;
  }

  /** {@return whether this socket receives what is for many} */
  boolean isMember(InetSocketAddress to, InetSocketAddress from) {
    if (bound.address().getPort() != to.getPort()) {
      return false;
    }
    if (!to.getAddress().isMulticastAddress()) {
      return bound.isWildcard();
    }
    return memberships.contains(new Membership(to.getAddress(), null))
        || memberships.contains(new Membership(to.getAddress(), from.getAddress()));
  }

  void arrived(byte[] bytes, InetSocketAddress from) {
    if (readingWanted && kept.isEmpty()) {
      hand(bytes, from);
    } else if (keptBytes + bytes.length <= KEPT_BYTES_MAX) {
      kept.add(new Kept(bytes, from));
      keptBytes += bytes.length;
    }
  }

  private void hand(byte[] bytes, InetSocketAddress from) {
    int length = Math.min(bytes.length, request.maxSize());
    protocol.datagramReceived(
        ByteBuffer.wrap(bytes, 0, length).asReadOnlyBuffer(), from, length < bytes.length);
  }

  /** What was sent there found nobody. The system tells a connected socket only. */
  void unreachable(InetSocketAddress to) {
    if (!closed && request.isConnected()) {
      protocol.errorReceived(MemoryDatagrams.unreachable(to));
    }
  }

  /** {@return which socket it is, for a report} */
  String describe() {
    InetSocketAddress remote = request.remote();
    return "datagram socket on "
        + MemoryNetwork.format(bound.address())
        + (remote == null ? "" : " -> " + MemoryNetwork.format(remote))
        + ", "
        + unsentSize
        + " bytes unsent";
  }

  @Override
  public String toString() {
    return "MemoryDatagramTransport[" + describe() + (closed ? ", closed]" : "]");
  }
}
