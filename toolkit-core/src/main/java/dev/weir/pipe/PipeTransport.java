package dev.weir.pipe;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Attachment;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.Channel;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What a pipe's two directions have in common: a channel that blocks, a thread that alone uses it,
 * and its end. On the loop only, unless it is said.
 *
 * @param <C> the channel's type
 */
abstract class PipeTransport<C extends Channel> implements Transport {
  /*
   *   OPENING ---> OPEN ---> CLOSING ---> CLOSED
   *      |           |                      ^
   *      '-----------'----------------------'
   *
   * CLOSING is only for writing: what is unsent goes out first. The thread learns of CLOSED by the channel, which is
   * closed under it, and by a flag. The protocol learns of it in a step of its own, never within its own call.
   */
  enum State {
    OPENING,
    OPEN,
    CLOSING,
    CLOSED
  }

  /** How much a thread reads or writes at once: as much as a pipe of Linux holds. */
  static final int CHUNK_BYTES = 64 * 1024;

  final TransportProtocol protocol;
  final Attachment attachment;
  private final PipeAddress address;
  private final String role;

  State state = State.OPENING;
  private @Nullable ChannelOpener<C> opener;
  private @Nullable Thread thread;

  // The thread that opens it writes this, and then looks whether it is to stop. The loop says that
  // it is, and then looks for a channel. So one of them closes it.
  private volatile @Nullable C channel;

  /** Whether the thread is to use the channel no more. */
  private volatile boolean stopped;

  /**
   * @param role what the thread does, for its name
   */
  PipeTransport(Loop loop, String name, String role, TransportProtocol protocol) {
    this.protocol = protocol;
    this.address = new PipeAddress(name);
    this.role = role;
    this.attachment = loop.attach(name, this::loopEnds);
  }

  // --- Opening

  /** Begins with a channel that is open, and tells the protocol. */
  final void start(C opened) {
    channel = opened;
    state = State.OPEN;
    startThread(() -> useAndClose(opened));
    protocol.connectionMade(this);
  }

  /** Starts the thread, or holds nothing any more: there can be no thread more, say. */
  private void startThread(Runnable body) {
    try {
      thread = attachment.startThread(role, body);
    } finally {
      if (thread == null) {
        state = State.CLOSED;
        release();
      }
    }
  }

  /**
   * Begins to open a channel.
   *
   * @param outcome completes when the channel is open and the protocol was told of it
   */
  final void start(ChannelOpener<C> opener, Future<@Nullable Void> outcome) {
    this.opener = opener;
    boolean started = false;
    try {
      startThread(() -> openAndUse(opener, outcome));
      started = true;
    } finally {
      if (!started) {
        opener.ended();
      }
    }
  }

  private void openAndUse(ChannelOpener<C> opener, Future<@Nullable Void> outcome) {
    try {
      C opened;
      try {
        opened = opener.open();
      } catch (RuntimeException e) {
        attachment.submit(() -> openFailed(e, outcome));
        return;
      } catch (Throwable e) { // An Error too, or whoever waits would do so for ever.
        attachment.submit(() -> openFailed(failure(e), outcome));
        return;
      }
      channel = opened;
      attachment.submit(() -> opened(outcome));
      useAndClose(opened);
    } finally {
      opener.ended();
    }
  }

  private void openFailed(Exception failure, Future<@Nullable Void> outcome) {
    if (state == State.OPENING) {
      state = State.CLOSED;
      attachment.detach();
      if (!outcome.done()) {
        outcome.setException(failure);
      }
    }
  }

  private void opened(Future<@Nullable Void> outcome) {
    if (state == State.OPENING) {
      state = State.OPEN;
      protocol.connectionMade(this);
      if (!outcome.done()) {
        outcome.setResult(null);
      }
    }
  }

  /** Ends it, whether it is open or being opened; if it is being opened, nobody is told. */
  final void giveUp() {
    if (state == State.OPENING) {
      state = State.CLOSED;
      stop();
      attachment.detach();
    } else {
      abort();
    }
  }

  // --- The thread

  private void useAndClose(C opened) {
    try (opened) {
      if (!stopped) {
        use(opened);
      }
    } catch (IOException e) {
      // Of closing it: everything that mattered was read or written.
    }
  }

  /** Reads or writes until the end. On the thread. */
  abstract void use(C channel);

  /** {@return whether the thread is to end} Any thread. */
  final boolean stopped() {
    return stopped;
  }

  // --- The end

  /** Ends it, and tells the protocol in a step of its own: the protocol may be the caller. */
  final void end(@Nullable IOException cause) {
    if (state != State.CLOSED) {
      state = State.CLOSED;
      stop();
      attachment.submit(() -> tellOfTheEnd(cause));
    }
  }

  /** The same from a step that the thread submitted. */
  final void endInStep(@Nullable IOException cause) {
    if (state != State.CLOSED) {
      state = State.CLOSED;
      stop();
      tellOfTheEnd(cause);
    }
  }

  private void tellOfTheEnd(@Nullable IOException cause) {
    attachment.detach();
    protocol.connectionLost(cause);
  }

  /** Gives back what it holds, though it is not ended yet; it is not used any more. */
  final void release() {
    stop();
    attachment.detach();
  }

  private void stop() {
    stopped = true;
    C opened = channel;
    if (opened != null) {
      closeQuietly(opened); // Wakes the thread if it is in a call of it.
    } else if (opener != null) {
      opener.cancel();
    }
    wakeThread();
  }

  private void loopEnds(long deadlineNanos) {
    if (isOpen() && flushForEnd()) {
      awaitThread(deadlineNanos);
    }
    state = State.CLOSED;
    stop();
  }

  private boolean isOpen() {
    return state == State.OPEN || state == State.CLOSING;
  }

  /**
   * Has the thread write what is unsent and end, as nobody on the loop will give it more.
   *
   * @return whether there is anything
   */
  boolean flushForEnd() {
    return false;
  }

  private void awaitThread(long deadlineNanos) {
    try {
      TimeUnit.NANOSECONDS.timedJoin(
          Objects.requireNonNull(thread), deadlineNanos - System.nanoTime());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Whoever interrupts wants it to end now.
    }
  }

  private static void closeQuietly(Channel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // The descriptor is gone in any case.
    }
  }

  final void wakeThread() {
    LockSupport.unpark(thread); // Not at all if there is none yet.
  }

  // --- Transport

  @Override
  public final boolean isClosing() {
    return state == State.CLOSING || state == State.CLOSED;
  }

  @Override
  public final <T> @Nullable T extraInfo(Class<T> type) {
    Objects.requireNonNull(type, "type");
    return type.isInstance(channel) ? type.cast(channel) : null;
  }

  @Override
  public final SocketAddress localAddress() {
    return address;
  }

  @Override
  public final SocketAddress remoteAddress() {
    return address;
  }

  /** {@return what a call of the channel failed with, for streams} */
  static IOException failure(Throwable thrown) {
    return thrown instanceof IOException e ? e : new IOException("Pipe failed: " + thrown, thrown);
  }

  static IOException aborted() {
    return new IOException("Pipe aborted on this side");
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + "[" + address + ", " + state + "]";
  }
}
