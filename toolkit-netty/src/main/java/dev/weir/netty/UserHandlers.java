package dev.weir.netty;

import dev.weir.spi.Network.Completion;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundInvoker;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The handlers that a user put between a connection and its stream, and what is on its way out
 * through them.
 */
final class UserHandlers {
  /** What a message takes beside its bytes, so that many small ones count too. */
  private static final long BYTES_PER_MESSAGE = 64;

  private final NettyTransport transport;
  private final Channel channel;
  private final PipelineSetup setup;

  /** Receives what they decode; null if that are bytes, for the stream. */
  final @Nullable NettyMessages<?, ?> messages;

  private final Completion<UserHandlers> outcome;

  // On the loop only.

  private MessageSizeEstimator.Handle sizes;

  /** What had arrived before, until it is handed over. */
  private byte @Nullable [] received;

  private final ArrayDeque<Object> staged = new ArrayDeque<>(0);
  private long stagedBytes;
  private long unsentBytes;
  private boolean failed;
  private final ArrayDeque<Runnable> whenSent = new ArrayDeque<>(0);

  /** The first of them, which is ours; null until they are put in. */
  private @Nullable ChannelHandlerContext entry;

  UserHandlers(
      NettyTransport transport,
      PipelineSetup setup,
      @Nullable NettyMessages<?, ?> messages,
      byte[] received,
      Completion<UserHandlers> outcome) {
    this.transport = transport;
    this.channel = transport.channel;
    this.setup = setup;
    this.messages = messages;
    this.received = received;
    this.outcome = outcome;
    this.sizes = newSizes();
  }

  private MessageSizeEstimator.Handle newSizes() {
    return channel.config().getMessageSizeEstimator().newHandle();
  }

  long size(Object message) {
    return BYTES_PER_MESSAGE + sizes.size(message);
  }

  // --- From tasks

  void stage(Object message) {
    staged.add(message);
    stagedBytes += size(message);
  }

  /** {@return how much is staged} */
  long staged() {
    return stagedBytes;
  }

  /** {@return how much was written and is neither sent nor failed} */
  long unsent() {
    return unsentBytes;
  }

  // --- The I/O fiber

  /** {@return whether they are yet to be put in} */
  boolean areWanted() {
    return received != null;
  }

  /**
   * Puts them in, and gives them what had arrived before.
   *
   * @param ended whether the peer's end of stream had
   */
  void begin(boolean ended) {
    byte[] first = Objects.requireNonNull(received, "begun twice");
    received = null;
    ChannelPipeline pipeline = channel.pipeline();
    ReadGuard before = new ReadGuard(transport);
    if (pipeline.context(transport) != null) { // A channel that has gone has no handlers left.
      pipeline.remove(transport);
    }
    PipelineException failure = null;
    try {
      pipeline.addLast(before);
      setup.addHandlers(pipeline);
    } catch (Throwable e) { // A class that is missing, say: who waits must hear of it.
      failure = new PipelineException("The handlers cannot be added: " + e, e);
    } finally {
      pipeline.addLast(transport);
    }
    if (failure != null) {
      outcome.failed(failure);
      transport.fail(failure);
      return;
    }
    sizes = newSizes(); // The setup may have chosen how messages are measured.
    outcome.succeeded(this);
    entry = pipeline.context(before);
    if (entry == null) {
      return; // A handler has closed the connection.
    }
    if (channel.isActive()) {
      entry.fireChannelActive();
    }
    if (first.length > 0) {
      entry.fireChannelRead(channel.alloc().directBuffer(first.length).writeBytes(first));
      entry.fireChannelReadComplete();
    }
    if (ended) {
      endInput();
    }
  }

  /**
   * Tells them that the peer has ended its stream, which may complete what a decoder has begun. The
   * end of a TLS session is no event that decoders know.
   */
  void endInput() {
    if (entry != null) {
      entry.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
  }

  /** Takes them out again: the channel had gone before they came. */
  void end() {
    ChannelPipeline pipeline = channel.pipeline();
    if (entry != null) {
      entry.fireChannelInactive();
    }
    while (pipeline.first() != null) {
      pipeline.removeFirst();
    }
  }

  /** They cannot be put in any more. */
  void fail() {
    if (received != null) {
      received = null;
      outcome.failed(transport.whyLost());
    }
  }

  void sendStaged() {
    for (Object message = staged.poll(); message != null; message = staged.poll()) {
      stagedBytes -= size(message);
      write(message);
    }
  }

  void write(Object message) {
    long size = size(message);
    unsentBytes += size;
    channel
        .write(message)
        .addListener(written -> {
          unsentBytes -= size;
          if (written.isSuccess()) {
            transport.protocol.dataSent();
          }
          Throwable cause = written.cause();
          if (cause != null && !failed && !(cause instanceof ClosedChannelException)) {
            // Netty tells the pipeline of a failed write only where nobody holds its promise. The
            // others fail because of the first, and what the peer had sent can still be received.
            failed = true;
            transport.exceptionCaught(cause);
          }
          transport.sentByHandlers();
          while (unsentBytes == 0 && !whenSent.isEmpty()) {
            whenSent.remove().run();
          }
        });
  }

  /** Acts once all that was written is sent or has failed. */
  void whenSent(Runnable action) {
    whenSent.add(action);
  }

  /** {@return what writes past them} */
  ChannelOutboundInvoker beneath() {
    return entry == null ? channel : entry;
  }

  void dropStaged() {
    for (Object message = staged.poll(); message != null; message = staged.poll()) {
      ReferenceCountUtil.release(message);
    }
    stagedBytes = 0;
  }

  @Override
  public String toString() {
    return "UserHandlers["
        + (areWanted() ? "wanted, " : "")
        + (stagedBytes + unsentBytes)
        + " bytes]";
  }
}
