package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a TLS handler and the socket. What is flushed as one buffer, as nearly all is, it
 * gives to the kernel itself, which spares a way through the channel's queue; what the kernel does
 * not take at once goes there.
 *
 * <p>It also learns of errors that BoringSSL keeps to itself: that sends an alert about what it
 * cannot decrypt, and reports the error when it is next used. On a connection where nothing is
 * written that would be never. So wherever something was sent within a read, it is used once more.
 */
final class CiphertextHandler extends ChannelDuplexHandler {
  /**
   * Tells the pipeline of a write that failed, as Netty does of one without a promise, which the
   * TLS handler does not have.
   */
  private static final ChannelFutureListener REPORT_FAILURE =
      written -> {
        if (!written.isSuccess() && !(written.cause() instanceof ClosedChannelException)) {
          written.channel().pipeline().fireExceptionCaught(written.cause());
        }
      };

  private final NettyTls tls;
  private final boolean errorsComeLate;
  private final @Nullable FileDescriptor socket;
  private final @Nullable WholeRecords records;

  /** What is to be flushed, if it is one buffer and nothing is queued before it. */
  private @Nullable ByteBuf held;

  private @Nullable ChannelPromise heldPromise;
  private @Nullable ChannelHandlerContext here;
  private boolean reading;
  private boolean sentWithinRead;

  /**
   * @param errorsComeLate whether the engine may have an error that it reports when it is next used
   * @param socket what to write to past the channel's queue, or null
   * @param records what the engine gets its records from; null if it takes what was read
   */
  CiphertextHandler(
      NettyTls tls,
      boolean errorsComeLate,
      @Nullable FileDescriptor socket,
      @Nullable WholeRecords records) {
    this.tls = tls;
    this.socket = socket;
    this.records = records;
    this.errorsComeLate = errorsComeLate;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    here = context;
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (held != null) {
      passOn(context); // To be failed and released there.
    }
    if (records != null) {
      records.close();
    }
  }

  // --- To the socket

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    sentWithinRead |= reading;
    if (message instanceof ByteBuf buffer && maySend(context.channel())) {
      held = buffer.isDirect() ? buffer : inDirectMemory(context, buffer);
      heldPromise = promise;
      return;
    }
    if (held != null) {
      passOn(context);
    }
    context.write(message, promise.unvoid().addListener(REPORT_FAILURE));
  }

  /** The JDK's engine encrypts into an array, which the kernel does not take. */
  private static ByteBuf inDirectMemory(ChannelHandlerContext context, ByteBuf buffer) {
    try {
      return context.alloc().directBuffer(buffer.readableBytes()).writeBytes(buffer);
    } finally {
      buffer.release();
    }
  }

  /**
   * {@return whether nothing waits to be sent, here or in the channel or before it is encrypted}
   */
  boolean maySend(Channel channel) {
    ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
    // A descriptor that was closed may be another connection's by now.
    return held == null
        && socket != null
        && socket.isOpen()
        && queue != null
        && queue.isEmpty()
        && queue.totalPendingWriteBytes() == 0;
  }

  private void passOn(ChannelHandlerContext context) {
    ByteBuf buffer = held;
    ChannelPromise promise = heldPromise;
    held = null;
    heldPromise = null;
    if (buffer != null && promise != null) {
      context.write(buffer, promise.unvoid().addListener(REPORT_FAILURE));
    }
  }

  @Override
  public void flush(ChannelHandlerContext context) {
    if (held != null && sendsAll(held)) {
      ChannelPromise promise = heldPromise;
      held.release();
      held = null;
      heldPromise = null;
      if (promise != null) {
        promise.trySuccess();
      }
      return;
    }
    if (held != null) {
      passOn(context);
    }
    context.flush();
  }

  /** {@return whether the kernel takes all of it} It is given what it takes. */
  boolean sendsAll(ByteBuf buffer) {
    FileDescriptor to = socket;
    if (to == null || !to.isOpen()) {
      return false;
    }
    int start = buffer.readerIndex();
    int end = buffer.writerIndex();
    if (start == end) {
      return true;
    }
    try {
      int taken =
          buffer.hasMemoryAddress()
              ? to.writeAddress(buffer.memoryAddress(), start, end)
              : to.write(buffer.internalNioBuffer(start, end - start), start, end);
      buffer.readerIndex(start + Math.max(0, taken));
      return !buffer.isReadable();
    } catch (IOException e) {
      tls.refused(e); // A reset is told once, and the channel meets only what follows from it.
      return false;
    }
  }

  /** Queues a copy of what the kernel did not take, to be flushed. */
  void queueRest(ByteBuf records) {
    ChannelHandlerContext context = Objects.requireNonNull(here, "not in the pipeline");
    ByteBuf rest = context.alloc().directBuffer(records.readableBytes());
    context.write(rest.writeBytes(records), context.newPromise().addListener(REPORT_FAILURE));
  }

  // --- From the socket

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    reading = errorsComeLate;
    tls.arrived(((ByteBuf) message).readableBytes());
    try {
      if (records == null) {
        context.fireChannelRead(message);
      } else if (tls.isOpen()) {
        records.take(context, (ByteBuf) message);
      } else {
        records.pass(context, (ByteBuf) message);
      }
    } finally {
      reading = false;
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    context.fireChannelReadComplete();
    if (sentWithinRead) {
      sentWithinRead = false;
      context.channel().flush(); // The TLS handler throws what it has, and sends nothing else.
    }
  }
}
