package dev.weir.netty;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import java.util.function.BooleanSupplier;

/**
 * Stands before handlers of a user's or an application's and keeps them from reading while nobody
 * wants more. Some do so by themselves: an aggregator that has half a message reads on where
 * reading is paused, and one that shapes the traffic ends the pause.
 */
final class ReadGuard extends ChannelOutboundHandlerAdapter {
  private BooleanSupplier allowed;

  /** On the channel's event loop. */
  ReadGuard(BooleanSupplier allowed) {
    this.allowed = allowed;
  }

  /** From now on somebody else is asked. */
  void ask(BooleanSupplier allowed) {
    this.allowed = allowed;
  }

  /** What is held back needs no note: whoever allows it again reads then. */
  @Override
  public void read(ChannelHandlerContext context) {
    if (allowed.getAsBoolean()) {
      context.read();
      return;
    }
    ChannelConfig config = context.channel().config();
    if (config.isAutoRead()) {
      config.setAutoRead(false); // Else the channel reads on, asked or not.
    }
  }
}
