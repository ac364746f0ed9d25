package dev.weir.netty;

import dev.weir.stream.StreamWriter;
import dev.weir.sync.AsyncLock;
import dev.weir.sync.Held;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.tls.TlsSession;
import io.netty.channel.Channel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a connection's handlers have decoded and nobody has received yet. It is at the end of a
 * {@link NettyTransport}, in the place of a stream's reader.
 */
final class NettyMessages<I, O> implements MessageConnection<I, O> {
  private static final long BYTES_MAX = 64 * 1024;
  private static final long BYTES_RESUME = 16 * 1024;

  /** As for a stream's reader: who receives and receives must not keep the others from running. */
  private static final int IMMEDIATE_RECEIVES_MAX = 64;

  private final Loop loop;
  private final NettyTransport transport;
  private final StreamWriter writer;
  private final Class<I> type;

  // On the loop only.

  private final ArrayDeque<I> arrived = new ArrayDeque<>(MESSAGES_MAX + 1);
  private long arrivedBytes;
  private boolean paused;
  private boolean ended;

  /** It was closed on this side. */
  private boolean closed;

  /** What was not received is released, and so is what comes. */
  private boolean discarding;

  private @Nullable IOException failure;
  private @Nullable Future<@Nullable Void> waiter;
  private int immediateReceives;

  /** Whose turn it is to wait for room, and to send then; made when the first has to wait. */
  private @Nullable AsyncLock sending;

  NettyMessages(Loop loop, NettyTransport transport, StreamWriter writer, Class<I> type) {
    this.loop = loop;
    this.transport = transport;
    this.writer = writer;
    this.type = type;
  }

  // --- The I/O fiber

  /** Takes over a message; returns why it is none, or null. */
  @Nullable PipelineException arrived(Object message, long bytes) {
    if (discarding) {
      ReferenceCountUtil.release(message);
      return null;
    }
    if (!type.isInstance(message)) {
      String found = message.getClass().getName();
      ReferenceCountUtil.release(message);
      return new PipelineException(
          "A message of "
              + found
              + " came out of the pipeline where "
              + type.getName()
              + " is received: add the handler that makes one of the other, or receive a type that"
              + " both are of",
          null);
    }
    arrived.add(type.cast(message));
    arrivedBytes += bytes;
    if (!paused && (arrived.size() >= MESSAGES_MAX || arrivedBytes >= BYTES_MAX)) {
      paused = true;
      transport.pauseReading();
    }
    // The task runs when this poll is over, and so what one read brings is there together.
    wake();
    return null;
  }

  void ended() {
    ended = true;
    wake();
  }

  /** The connection is gone. */
  void lost(@Nullable IOException cause) {
    if (cause == null) {
      ended = true;
    } else if (failure == null) {
      failure = cause;
    }
    wake();
  }

  private void wake() {
    if (waiter != null && !waiter.done()) {
      waiter.setResult(null);
    }
  }

  // --- From tasks

  @Override
  public @Nullable I receive() throws IOException {
    loop.ensureInTask("MessageConnection.receive()");
    immediateReceives++;
    if (immediateReceives > IMMEDIATE_RECEIVES_MAX) {
      immediateReceives = 0;
      loop.yieldNow();
    }
    if (waiter != null) {
      throw new IllegalStateException(
          "receive() while another task waits for messages of this connection: let one task"
              + " receive");
    }
    while (arrived.isEmpty()) {
      if (closed) {
        throw transport.protocol.thrown(new SocketException("receive() after close()"));
      }
      if (failure != null) {
        throw fresh(failure);
      }
      if (ended) {
        return null;
      }
      awaitChange();
    }
    I message = arrived.remove();
    arrivedBytes -= transport.size(message);
    if (paused && arrived.size() <= MESSAGES_RESUME && arrivedBytes <= BYTES_RESUME) {
      paused = false;
      transport.resumeReading();
    }
    return message;
  }

  private void awaitChange() {
    immediateReceives = 0;
    Future<@Nullable Void> change = loop.createFuture(this);
    waiter = change;
    try {
      change.await();
    } finally {
      waiter = null;
    }
  }

  /** It may be thrown more than once, and each has a stack of its own. */
  private IOException fresh(IOException failure) {
    String message = String.valueOf(failure.getMessage());
    if (failure instanceof PipelineException) {
      PipelineException thrown = new PipelineException(message, failure);
      // Without a cause it is the handlers that do not fit, which is no doing of the peer's.
      return failure.getCause() == null ? thrown : transport.protocol.thrown(thrown);
    }
    return transport.protocol.thrownFor(failure);
  }

  @Override
  public void send(O message) throws IOException {
    boolean taken = false;
    try {
      loop.ensureInTask("MessageConnection.send()");
      Objects.requireNonNull(message, "message");
      if (sending == null && transport.isWritingPaused()) {
        sending = new AsyncLock();
      }
      if (sending == null) {
        stage(message);
      } else {
        try (Held _ = sending.hold()) { // Else all who wait would send when there is room for one.
          writer.drain();
          stage(message);
        }
      }
      taken = true;
    } finally {
      if (!taken) {
        ReferenceCountUtil.release(message);
      }
    }
  }

  private void stage(O message) throws IOException {
    writer.drain(); // There is room: only what has happened to the connection is asked for.
    if (transport.isEofWanted()) {
      throw new IllegalStateException("send() after writeEof()");
    }
    if (writer.isClosing()) {
      throw transport.protocol.thrown(new SocketException("send() after close()"));
    }
    transport.stage(message);
  }

  @Override
  public void writeEof() throws IOException {
    writer.writeEof();
  }

  @Override
  public void close() {
    writer.close();
    closed();
  }

  @Override
  public void abort() {
    writer.abort();
    closed();
  }

  @Override
  public void waitClosed() throws IOException {
    writer.waitClosed();
  }

  @Override
  public boolean isClosing() {
    return writer.isClosing();
  }

  @Override
  public void detach() {
    writer.detach();
  }

  /** Whoever closes it, nobody receives from now on. */
  void closed() {
    closed = true;
    discard();
    wake();
  }

  /** Releases what was not received, and what comes. Who receives is told by {@link #lost}. */
  void discard() {
    discarding = true;
    arrived.forEach(ReferenceCountUtil::release);
    arrived.clear();
    arrivedBytes = 0;
  }

  @Override
  public Iterator<I> iterator() {
    return new Iterator<>() {
      private @Nullable I next;

      @Override
      public boolean hasNext() {
        if (next == null) {
          try {
            next = receive();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
        return next != null;
      }

      @Override
      public I next() {
        if (!hasNext()) {
          throw new NoSuchElementException("The peer has ended its stream");
        }
        I message = Objects.requireNonNull(next);
        next = null;
        return message;
      }
    };
  }

  @Override
  public SocketAddress localAddress() {
    return writer.localAddress();
  }

  @Override
  public SocketAddress remoteAddress() {
    return writer.remoteAddress();
  }

  @Override
  public @Nullable TlsSession tlsSession() {
    return writer.tlsSession();
  }

  @Override
  public Channel channel() {
    return transport.channel;
  }

  @Override
  public String toString() {
    return "MessageConnection["
        + writer
        + ", "
        + arrived.size()
        + " messages arrived"
        + (failure != null ? ", failed]" : ended ? ", ended]" : "]");
  }
}
