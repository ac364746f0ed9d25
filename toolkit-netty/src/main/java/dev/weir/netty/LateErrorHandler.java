package dev.weir.netty;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * Stands beneath BoringSSL, which sends an alert about what it cannot decrypt, and reports the
 * error when it is next used: on a connection where nothing is written that would be never. So
 * wherever something was sent within a read, this uses it once more.
 */
final class LateErrorHandler extends ChannelDuplexHandler {
  private boolean reading;
  private boolean sentWithinRead;

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    reading = true;
    try {
      context.fireChannelRead(message);
    } finally {
      reading = false;
    }
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    sentWithinRead |= reading;
    context.write(message, promise);
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
