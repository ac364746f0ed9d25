package dev.weir.stream;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.spi.UnixAddresses;
import dev.weir.task.ExceptionGroup;
import dev.weir.task.Loop;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsTruncatedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a transport and the two streams on it, as asyncio's {@code StreamReaderProtocol}.
 * On the loop only.
 */
class StreamProtocol implements TransportProtocol {
  final StreamReader reader;
  final StreamWriter writer;

  private @Nullable Transport transport;

  /**
   * What the streams threw, by identity, as far as anybody still holds it. Made on the first
   * failure, which most connections never see.
   */
  private @Nullable Set<IOException> ownFailures;

  /** Who is told instead of the streams, once the connection was handed over. */
  private @Nullable TransportProtocol successor;

  StreamProtocol(Loop loop, StreamOptions options) {
    reader = new StreamReader(loop, this, options.limit());
    writer = new StreamWriter(loop, this, options);
  }

  /** {@return the transport, which is there before anybody can hold a stream of it} */
  Transport transport() {
    return Objects.requireNonNull(transport, "not connected");
  }

  /** {@return with whom the connection is, for {@code toString}} */
  String describePeer() {
    return transport == null ? "not connected" : "with " + UnixAddresses.describe(remoteAddress());
  }

  /** {@return this end's address, as handlers are to see it} */
  SocketAddress localAddress() {
    return transport().localAddress();
  }

  /** {@return the other end's address, as handlers are to see it} */
  SocketAddress remoteAddress() {
    return transport().remoteAddress();
  }

  long bytesUnsent() {
    return transport == null ? 0 : transport.writeBufferSize();
  }

  @Override
  public <X extends IOException> X thrown(X exception) {
    if (ownFailures == null) {
      ownFailures = Collections.newSetFromMap(new WeakHashMap<>());
    }
    ownFailures.add(exception);
    return exception;
  }

  @Override
  public IOException thrownFor(IOException cause) {
    return thrown(lost(cause));
  }

  /**
   * {@return whether {@code failure} is this connection's own, and so the peer's doing rather than
   * a bug; a group is if all in it are}
   */
  boolean isOwn(Throwable failure) {
    if (failure instanceof ExceptionGroup group) {
      return group.exceptions().stream().allMatch(this::isOwn);
    }
    Throwable bare = failure instanceof UncheckedIOException e ? e.getCause() : failure;
    return bare instanceof IOException && ownFailures != null && ownFailures.contains(bare);
  }

  /** Aborts a connection that nobody holds, if it was made. */
  void abortIfConnected() {
    if (transport != null) {
      transport.abort();
    }
  }

  /**
   * {@return what to throw for a connection lost to {@code cause}: a new exception, for each has a
   * stack of its own; a reset, unless it was a timeout or TLS says more}
   */
  static IOException lost(IOException cause) {
    if (cause instanceof TlsTruncatedException) {
      return new TlsTruncatedException(String.valueOf(cause.getMessage()), cause);
    }
    if (cause instanceof TlsException) {
      return new TlsException(String.valueOf(cause.getMessage()), cause);
    }
    if (cause instanceof SocketTimeoutException) {
      SocketTimeoutException timeout = new SocketTimeoutException(cause.getMessage());
      timeout.initCause(cause);
      return timeout;
    }
    return new ConnectionResetException(String.valueOf(cause.getMessage()), cause);
  }

  /**
   * Hands the connection over: {@code successor} is told of all that nobody has read yet, and of
   * what happens from now on. Where reading was paused it stays so. The streams are no longer used.
   *
   * @throws IllegalStateException if a task waits for bytes, or it was handed over before
   */
  void handOver(TransportProtocol successor) {
    ByteBuffer unread = reader.handOver();
    this.successor = successor;
    successor.connectionMade(transport());
    if (writer.mustPause()) {
      successor.pauseWriting();
    }
    if (unread.hasRemaining()) {
      successor.dataReceived(unread);
    }
    if (writer.hasPeerEnded()) {
      successor.eofReceived();
    }
    if (writer.isLost()) {
      IOException cause = writer.lostCause();
      successor.connectionLost(cause == null ? null : thrown(lost(cause)));
    }
  }

  boolean isHandedOver() {
    return successor != null;
  }

  @Override
  public void connectionMade(Transport transport) {
    this.transport = transport;
    writer.connected(transport);
  }

  @Override
  public void dataReceived(ByteBuffer data) {
    if (successor != null) {
      successor.dataReceived(data);
    } else {
      reader.feed(data, transport());
    }
  }

  @Override
  public void dataReceived(ByteBuffer[] parts) {
    if (successor == null) {
      reader.makeRoom(parts);
    }
    TransportProtocol.super.dataReceived(parts);
  }

  @Override
  public byte[] takeBack() {
    return successor != null ? successor.takeBack() : reader.takeBack();
  }

  @Override
  public void eofReceived() {
    if (successor != null) {
      successor.eofReceived();
    } else {
      reader.feedEof();
    }
    writer.peerEnded();
  }

  @Override
  public void connectionLost(@Nullable IOException cause) {
    if (successor != null) {
      successor.connectionLost(cause == null ? null : thrown(lost(cause)));
    } else if (cause == null) {
      reader.feedEof();
    } else {
      reader.fail(cause);
    }
    writer.disconnected(cause);
  }

  @Override
  public void writingFailed(IOException cause) {
    if (successor != null) {
      successor.writingFailed(thrown(lost(cause)));
    }
    writer.writingFailed(cause);
  }

  @Override
  public void pauseWriting() {
    if (successor != null) {
      successor.pauseWriting();
    } else {
      writer.bufferFilled();
    }
  }

  @Override
  public void resumeWriting() {
    if (successor != null) {
      successor.resumeWriting();
    } else {
      writer.bufferDrained();
    }
  }
}
