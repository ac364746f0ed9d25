package dev.weir.netty;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Reads on by itself, as Netty's aggregators do as long as they have a part of a message. */
final class ReadingOn extends ChannelInboundHandlerAdapter {
  private final boolean byAutoRead;

  private ReadingOn(boolean byAutoRead) {
    this.byAutoRead = byAutoRead;
  }

  static ReadingOn likeAnAggregator() {
    return new ReadingOn(false);
  }

  /** One that shapes the traffic switches auto-read on, whoever has switched it off. */
  static ReadingOn likeAShaper() {
    return new ReadingOn(true);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    context.fireChannelReadComplete();
    if (byAutoRead) {
      context.channel().config().setAutoRead(true);
    } else if (!context.channel().config().isAutoRead()) {
      context.read();
    }
  }
}
