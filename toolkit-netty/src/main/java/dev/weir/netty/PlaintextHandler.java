package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Stands between a TLS handler, which decrypts record by record, and the transport: it hands on
 * together what one read brought. The reader makes room for that once then, and of just the right
 * size, where it would grow again and again.
 */
final class PlaintextHandler extends ChannelInboundHandlerAdapter {
  private final BooleanSupplier handsOn;

  /** What was decrypted and not handed on; never longer than a read. */
  private final List<ByteBuf> held = new ArrayList<>(0);

  /**
   * @param handsOn whether what arrives goes to another connection: that needs no room, and passes
   */
  PlaintextHandler(BooleanSupplier handsOn) {
    this.handsOn = handsOn;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (handsOn.getAsBoolean()) {
      passOn(context);
      context.fireChannelRead(message);
    } else {
      held.add((ByteBuf) message);
    }
  }

  private void passOn(ChannelHandlerContext context) {
    if (held.isEmpty()) {
      return;
    }
    ByteBuf all = held.getFirst();
    if (held.size() > 1) {
      CompositeByteBuf parts = context.alloc().compositeBuffer(held.size());
      parts.addComponents(true, held);
      all = parts;
    }
    held.clear();
    context.fireChannelRead(all);
  }

  // Whatever else happens has happened behind what was read.

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    passOn(context);
    context.fireChannelReadComplete();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    passOn(context);
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    passOn(context);
    context.fireExceptionCaught(cause);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    passOn(context);
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    held.forEach(ByteBuf::release);
    held.clear();
  }

  @Override
  public String toString() {
    return "PlaintextHandler[" + held.size() + " records]";
  }
}
