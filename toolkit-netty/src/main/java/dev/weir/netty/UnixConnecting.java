package dev.weir.netty;

import dev.weir.spi.Network.Attempt;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a Unix socket being made. The system connects at once or not at all; where TCP
 * would have an attempt wait, while the server's queue is full, it says so, and we try again.
 */
final class UnixConnecting implements Attempt {
  private static final long FIRST_PAUSE_MILLIS = 1;
  private static final long PAUSE_MILLIS_MAX = 50;

  private final NettyIoDriver driver;
  private final UnixSockets sockets;
  private final UnixDomainSocketAddress remote;
  private final Duration timeout;
  private final TransportProtocol protocol;
  private final Completion<Transport> outcome;
  private long deadlineNanos;
  private long pauseMillis = FIRST_PAUSE_MILLIS;
  private @Nullable DuplexChannel channel;
  private @Nullable ScheduledFuture<?> nextAttempt;
  private boolean ended;

  UnixConnecting(
      NettyIoDriver driver,
      UnixSockets sockets,
      UnixDomainSocketAddress remote,
      Duration timeout,
      TransportProtocol protocol,
      Completion<Transport> outcome) {
    this.driver = driver;
    this.sockets = sockets;
    this.remote = remote;
    this.timeout = timeout;
    this.protocol = protocol;
    this.outcome = outcome;
  }

  void start() {
    String refusal = sockets.refusal(remote);
    if (refusal != null && !ended) {
      ended = true;
      outcome.failed(new ConnectException(refusal));
    }
    deadlineNanos = driver.nanoTime() + saturatedNanos(timeout);
    attempt();
  }

  private static long saturatedNanos(Duration duration) {
    // Compared as durations first: toNanos() of a long one overflows.
    Duration max = Duration.ofNanos(Long.MAX_VALUE / 2);
    return duration.compareTo(max) > 0 ? max.toNanos() : duration.toNanos();
  }

  private void attempt() {
    if (ended) {
      return;
    }
    DuplexChannel opened;
    try {
      opened = sockets.connect(remote);
    } catch (IOException | RuntimeException e) {
      if (NettyErrors.says(e, UnixSockets.QUEUE_IS_FULL) && driver.nanoTime() < deadlineNanos) {
        nextAttempt =
            driver.eventLoop().schedule(this::attempt, pauseMillis, TimeUnit.MILLISECONDS);
        pauseMillis = Math.min(2 * pauseMillis, PAUSE_MILLIS_MAX);
      } else {
        ended = true;
        outcome.failed(NettyErrors.ofConnect(e, remote, timeout));
      }
      return;
    }
    channel = opened;
    NettyTransport transport =
        new NettyTransport(driver, opened, protocol, UnixSockets.ofPeer(null), remote);
    driver
        .eventLoop()
        .register(opened)
        .addListener(registered -> {
          if (!registered.isSuccess()) {
            opened.unsafe().closeForcibly();
            ended = true;
            outcome.failed(NettyErrors.ofConnect(registered.cause(), remote, timeout));
          } else if (!ended) {
            ended = true;
            outcome.succeeded(transport);
          }
        });
  }

  @Override
  public void abandon() {
    if (!ended) {
      ended = true;
      driver.request(() -> {
        if (nextAttempt != null) {
          nextAttempt.cancel(false);
        }
        if (channel != null) {
          channel.close();
        }
      });
    }
  }
}
