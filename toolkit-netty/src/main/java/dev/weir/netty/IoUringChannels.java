package dev.weir.netty;

import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Netty's io_uring. Its jars are optional, so no other class names one of its classes, and this one
 * is loaded for those only who ask for it.
 */
final class IoUringChannels {

  private static final Map<String, ChannelOption<?>> EXTENDED_OPTIONS =
      Map.of(
          "TCP_KEEPCOUNT", IoUringChannelOption.TCP_KEEPCNT,
          "TCP_KEEPIDLE", IoUringChannelOption.TCP_KEEPIDLE,
          "TCP_KEEPINTERVAL", IoUringChannelOption.TCP_KEEPINTVL,
          "TCP_QUICKACK", IoUringChannelOption.TCP_QUICKACK,
          "TCP_USER_TIMEOUT", IoUringChannelOption.TCP_USER_TIMEOUT);

  /** One request would accept all who wait, however few a server still wants. */
  private static final String ACCEPTING_ON = "io.netty.iouring.acceptMultiShotEnabled";

  /**
   * A poll that goes on tells of a reset once, and Netty 4.2.18 forgets that if a read is under
   * way: a connection that was reset behind its last bytes would stay open for ever.
   */
  private static final String POLLING_ON = "io.netty.iouring.pollAddMultishotEnabled";

  static {
    // Netty has these switches for the whole process only, and reads them when it is first used.
    switchOff(ACCEPTING_ON);
    switchOff(POLLING_ON);
  }

  private static void switchOff(String property) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, "false");
    }
  }

  private IoUringChannels() {}

  static @Nullable Throwable unavailability() {
    Throwable cause = IoUring.unavailabilityCause();
    if (cause == null
        && (IoUring.isAcceptMultishotEnabled() || IoUring.isPollAddMultishotEnabled())) {
      return new IllegalStateException(
          "in this process Netty's io_uring has accepts or polls that go on, and was used before"
              + " they could be switched off, or is told so: start the JVM with -D"
              + ACCEPTING_ON
              + "=false -D"
              + POLLING_ON
              + "=false");
    }
    return cause;
  }

  static IoHandlerFactory newHandlerFactory() {
    return RepairedIoUringHandler.newFactory();
  }

  static SocketChannel newSocketChannel() {
    return new IoUringSocketChannel();
  }

  static ServerSocketChannel newServerSocketChannel() {
    return new IoUringServerSocketChannel();
  }

  static Class<? extends ServerSocketChannel> serverSocketChannelType() {
    return IoUringServerSocketChannel.class;
  }

  static Class<? extends SocketChannel> socketChannelType() {
    return IoUringSocketChannel.class;
  }

  static @Nullable ChannelOption<?> extendedOption(String name) {
    return EXTENDED_OPTIONS.get(name);
  }
}
