package dev.weir.netty;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;

/**
 * Stands before handlers of a user's or an application's and keeps them from reading while nobody
 * wants more. Some do so by themselves: an aggregator that has half a message reads on where
 * reading is paused, and one that shapes the traffic ends the pause.
 */
final class ReadGuard extends ChannelDuplexHandler {
  /** Whoever is behind the handlers. On the channel's event loop. */
  interface Behind {
    /** {@return whether what arrives is wanted} */
    boolean readingAllowed();

    /** Something has arrived, whatever the handlers make of it and when. */
    default void somethingArrived() {}
  }

  private Behind behind;

  ReadGuard(Behind behind) {
    this.behind = behind;
  }

  /** From now on somebody else is asked. */
  void ask(Behind behind) {
    this.behind = behind;
  }

  /** What is held back needs no note: whoever allows it again reads then. */
  @Override
  public void read(ChannelHandlerContext context) {
    if (behind.readingAllowed()) {
      context.read();
      return;
    }
    ChannelConfig config = context.channel().config();
    if (config.isAutoRead()) {
      config.setAutoRead(false); // Else the channel reads on, asked or not.
    }
  }

  /**
   * Also where a bridge brings no message, because what arrived on its far side is a part of one.
   */
  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    behind.somethingArrived();
    context.fireChannelReadComplete();
  }
}
