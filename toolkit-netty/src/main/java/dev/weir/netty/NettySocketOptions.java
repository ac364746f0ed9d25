package dev.weir.netty;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelOption;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.Map;

/** From the JDK's names of socket options to Netty's. */
final class NettySocketOptions {
  private static final Map<SocketOption<?>, ChannelOption<?>> KNOWN =
      Map.of(
          StandardSocketOptions.SO_KEEPALIVE, ChannelOption.SO_KEEPALIVE,
          StandardSocketOptions.SO_RCVBUF, ChannelOption.SO_RCVBUF,
          StandardSocketOptions.SO_SNDBUF, ChannelOption.SO_SNDBUF,
          StandardSocketOptions.SO_LINGER, ChannelOption.SO_LINGER,
          StandardSocketOptions.TCP_NODELAY, ChannelOption.TCP_NODELAY,
          StandardSocketOptions.IP_TOS, ChannelOption.IP_TOS);

  private NettySocketOptions() {}

  /** Throws unless all of them can be set. */
  static void ensureKnown(Map<SocketOption<?>, Object> options) {
    options.keySet().forEach(NettySocketOptions::known);
  }

  static void set(ChannelConfig config, Map<SocketOption<?>, Object> options) {
    options.forEach((option, value) -> set(config, known(option), value));
  }

  private static ChannelOption<?> known(SocketOption<?> option) {
    ChannelOption<?> known = KNOWN.get(option);
    if (known == null) {
      throw new UnsupportedOperationException(
          "Netty's sockets have no option " + option + "; they have " + KNOWN.keySet());
    }
    return known;
  }

  @SuppressWarnings("unchecked") // The value is of the JDK's option's type, which is Netty's too.
  private static <T> void set(ChannelConfig config, ChannelOption<T> option, Object value) {
    config.setOption(option, (T) value);
  }
}
