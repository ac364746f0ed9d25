package dev.weir.stream;

import dev.weir.spi.Forwarding;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.TlsRequest;
import dev.weir.spi.Transport;
import dev.weir.task.Context;
import dev.weir.task.Loop;
import dev.weir.task.TimerHandle;
import dev.weir.tls.TlsSession;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.FileChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A transport that is aborted when nothing has gone through it for too long. It stands between the
 * streams and the engine's transport only where a server's options ask for that, so that other
 * connections pay nothing.
 *
 * <p>There is one timer. What arrives only notes the time; the timer looks at the notes when it
 * fires, and is set again for what is left. What leaves is noticed by the timer only.
 */
final class WatchedTransport implements Transport {
  /**
   * How often in the time of an idle connection the timer looks while something is to be sent: it
   * cannot see when that left, and takes the time of the look for it.
   */
  private static final int LOOKS_WHILE_SENDING = 8;

  private final Loop loop;
  private final Context context;
  private final Transport watched;
  private final @Nullable Duration idleTimeout;
  private final @Nullable Duration firstByteTimeout;

  // On the loop only. Times are by its clock.

  private final long acceptedNanos;
  private long lastActivityNanos;
  private boolean received;

  /** How many bytes were written, those included that a forwarding before the last one brought. */
  private long written;

  /** What goes on without the streams. */
  private @Nullable Forwarding arriving;

  private @Nullable Forwarding leaving;

  /** How much had gone through when last seen. */
  private long arrivedSeen;

  private long leftSeen;

  /** How much waited for the system when last seen. */
  private long queuedSeen;

  /** Something was written that may be with the system by now, or not. */
  private boolean wrote;

  private @Nullable TimerHandle timer;
  private @Nullable SocketTimeoutException expiry;

  WatchedTransport(Loop loop, Context context, Transport watched, ServerOptions options) {
    this.loop = loop;
    this.context = context;
    this.watched = watched;
    this.idleTimeout = options.idleTimeout();
    this.firstByteTimeout = options.firstByteTimeout();
    this.acceptedNanos = nowNanos();
    this.lastActivityNanos = acceptedNanos;
    look();
  }

  private long nowNanos() {
    return loop.time().toNanos();
  }

  /** Bytes arrived. */
  void received() {
    received = true;
    lastActivityNanos = nowNanos();
  }

  /** Something left that no write here has brought. */
  void sent() {
    lastActivityNanos = nowNanos();
  }

  /** The connection is gone. Returns the timeout that ended it, if one did. */
  @Nullable SocketTimeoutException ended() {
    if (timer != null) {
      timer.cancel();
    }
    return expiry;
  }

  private void look() {
    lookAtBytes();
    wrote = false;
    if (firstByteTimeout != null
        && !received
        && !left(firstByteTimeout, acceptedNanos).isPositive()) {
      expire("No byte arrived within " + inSeconds(firstByteTimeout) + " of the connection");
    } else if (idleTimeout != null && !left(idleTimeout, lastActivityNanos).isPositive()) {
      expire("Nothing was read or written for " + inSeconds(idleTimeout));
    } else {
      arm();
    }
  }

  /**
   * What moved since the last look may have moved just now. A write alone is nothing that moved: a
   * peer that is gone takes none of it.
   */
  private void lookAtBytes() {
    long arrived = handedOn(arriving);
    long left = written + handedOn(leaving) - watched.writeBufferSize();
    long queued = watched.bytesQueued();
    if (arrived > arrivedSeen || left > leftSeen || queued < queuedSeen) {
      lastActivityNanos = nowNanos();
      received |= arrived > 0;
    }
    arrivedSeen = arrived;
    leftSeen = left;
    queuedSeen = queued;
  }

  private static long handedOn(@Nullable Forwarding forwarding) {
    return forwarding == null ? 0 : forwarding.bytesHandedOn();
  }

  private void arm() {
    Duration delay = idleTimeout == null ? null : left(idleTimeout, lastActivityNanos);
    if (firstByteTimeout != null && !received) {
      Duration firstByteDelay = left(firstByteTimeout, acceptedNanos);
      delay = delay == null || firstByteDelay.compareTo(delay) < 0 ? firstByteDelay : delay;
    }
    if (idleTimeout != null && (wrote || watched.writeBufferSize() > 0)) {
      Duration soon = idleTimeout.dividedBy(LOOKS_WHILE_SENDING);
      delay = delay == null || soon.compareTo(delay) < 0 ? soon : delay;
    }
    timer = delay == null ? null : loop.callLater(delay, this::look, context);
  }

  private Duration left(Duration timeout, long sinceNanos) {
    return timeout.minusNanos(nowNanos() - sinceNanos);
  }

  private void expire(String message) {
    expiry = new SocketTimeoutException(message);
    watched.abort();
  }

  private static String inSeconds(Duration timeout) {
    return timeout.toMillis() / 1000.0 + " s";
  }

  /** Sees to it that what is written now is soon noticed to have left. */
  void lookSoon() {
    if (!wrote && timer != null && idleTimeout != null) {
      wrote = true;
      timer.cancel();
      arm();
    }
  }

  // --- Transport

  @Override
  public void write(byte[] bytes, int offset, int length) {
    boolean taken = length > 0 && !watched.isClosing();
    watched.write(bytes, offset, length);
    if (taken) {
      written += length;
      lookSoon();
    }
  }

  @Override
  public void writeEof() {
    watched.writeEof();
  }

  @Override
  public boolean canWriteEof() {
    return watched.canWriteEof();
  }

  @Override
  public void close() {
    watched.close();
  }

  @Override
  public void abort() {
    watched.abort();
  }

  @Override
  public boolean isClosing() {
    return watched.isClosing();
  }

  @Override
  public void pauseReading() {
    watched.pauseReading();
  }

  @Override
  public void resumeReading() {
    watched.resumeReading();
  }

  @Override
  public long writeBufferSize() {
    return watched.writeBufferSize();
  }

  @Override
  public long bytesQueued() {
    return watched.bytesQueued();
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    watched.setWriteBufferLimits(high, low);
  }

  @Override
  public @Nullable Forwarding startForwarding(Transport target, long bytesMax, Runnable ended) {
    return startForwarding(this, target, bytesMax, ended);
  }

  /**
   * The same between any two transports, watched or not: the engine's transports know only each
   * other.
   */
  static @Nullable Forwarding startForwarding(
      Transport source, Transport target, long bytesMax, Runnable ended) {
    Forwarding started = bare(source).startForwarding(bare(target), bytesMax, ended);
    if (started != null) {
      if (source instanceof WatchedTransport watchedSource) {
        watchedSource.lookAtBytes();
        watchedSource.arriving = started;
        watchedSource.arrivedSeen = 0;
      }
      if (target instanceof WatchedTransport watchedTarget) {
        watchedTarget.leaves(started);
      }
    }
    return started;
  }

  private static Transport bare(Transport transport) {
    return transport instanceof WatchedTransport watching ? watching.watched : transport;
  }

  @Override
  public @Nullable Forwarding sendFile(
      FileChannel file, long offset, long count, Completion<Long> outcome) {
    Forwarding started = watched.sendFile(file, offset, count, outcome);
    if (started != null) {
      leaves(started);
    }
    return started;
  }

  private void leaves(Forwarding started) {
    lookAtBytes();
    written += handedOn(leaving);
    leaving = started;
  }

  @Override
  public void holdForTls() {
    watched.holdForTls();
  }

  @Override
  public void startTls(TlsRequest request, Completion<TlsSession> outcome) {
    watched.startTls(request, outcome);
  }

  @Override
  public @Nullable TlsSession tlsSession() {
    return watched.tlsSession();
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    return watched.extraInfo(type);
  }

  @Override
  public SocketAddress localAddress() {
    return watched.localAddress();
  }

  @Override
  public SocketAddress remoteAddress() {
    return watched.remoteAddress();
  }

  @Override
  public String toString() {
    return "WatchedTransport[" + watched + (expiry != null ? ", expired]" : "]");
  }
}
