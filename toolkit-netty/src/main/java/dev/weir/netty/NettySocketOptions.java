package dev.weir.netty;

import dev.weir.stream.TcpSocketOptions;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** From the JDK's socket options, and ours, to Netty's. */
final class NettySocketOptions {
  private static final Map<SocketOption<?>, ChannelOption<?>> EVERYWHERE =
      Map.of(
          StandardSocketOptions.IP_TOS, ChannelOption.IP_TOS,
          StandardSocketOptions.SO_KEEPALIVE, ChannelOption.SO_KEEPALIVE,
          StandardSocketOptions.SO_LINGER, ChannelOption.SO_LINGER,
          StandardSocketOptions.SO_RCVBUF, ChannelOption.SO_RCVBUF,
          StandardSocketOptions.SO_REUSEADDR, ChannelOption.SO_REUSEADDR,
          StandardSocketOptions.SO_SNDBUF, ChannelOption.SO_SNDBUF,
          StandardSocketOptions.TCP_NODELAY, ChannelOption.TCP_NODELAY);

  /**
   * Those of {@code jdk.net.ExtendedSocketOptions}, by their names: who does not use them needs no
   * module {@code jdk.net}.
   */
  private static final Map<String, ChannelOption<?>> EPOLL_EXTENDED =
      Map.of(
          "TCP_KEEPCOUNT", EpollChannelOption.TCP_KEEPCNT,
          "TCP_KEEPIDLE", EpollChannelOption.TCP_KEEPIDLE,
          "TCP_KEEPINTERVAL", EpollChannelOption.TCP_KEEPINTVL,
          "TCP_QUICKACK", EpollChannelOption.TCP_QUICKACK);

  private NettySocketOptions() {}

  /**
   * Sets options on a channel that has its socket.
   *
   * @param transport its name, for messages
   * @throws SocketException if the transport does not have one of them, or the system refuses it
   */
  static void set(Channel channel, Map<SocketOption<?>, Object> options, String transport)
      throws SocketException {
    for (Map.Entry<SocketOption<?>, Object> entry : options.entrySet()) {
      set(channel, entry.getKey(), entry.getValue(), transport);
    }
  }

  private static void set(Channel channel, SocketOption<?> option, Object value, String transport)
      throws SocketException {
    ChannelOption<?> known = known(channel, option);
    boolean set;
    try {
      set = known != null && set(channel, known, value);
    } catch (RuntimeException e) { // Netty's ChannelException, or the JDK's for a bad value.
      throw withCause(
          new SocketException("Cannot set " + option.name() + " to " + value + ": " + reason(e)),
          e);
    }
    if (!set) {
      throw new SocketException(
          "The transport "
              + transport
              + " has no socket option "
              + option.name()
              + (option.equals(TcpSocketOptions.TCP_USER_TIMEOUT)
                  ? ": use epoll, or SO_KEEPALIVE"
                  : ""));
    }
  }

  private static @Nullable ChannelOption<?> known(Channel channel, SocketOption<?> option) {
    ChannelOption<?> everywhere = EVERYWHERE.get(option);
    if (everywhere != null) {
      return everywhere;
    }
    if (channel instanceof NioSocketChannel) {
      return NioChannelOption.of(option); // Setting it says whether the JDK's channel has it.
    }
    if (option.equals(TcpSocketOptions.TCP_USER_TIMEOUT)) {
      return EpollChannelOption.TCP_USER_TIMEOUT;
    }
    return EPOLL_EXTENDED.get(option.name());
  }

  @SuppressWarnings("unchecked") // Netty's options are of the types of those they stand for.
  private static <T> boolean set(Channel channel, ChannelOption<T> option, Object value) {
    Object converted = value instanceof Duration duration ? (int) duration.toMillis() : value;
    return channel.config().setOption(option, (T) converted);
  }

  private static String reason(RuntimeException failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return String.valueOf(cause.getMessage());
  }

  private static SocketException withCause(SocketException exception, Throwable cause) {
    exception.initCause(cause);
    return exception;
  }
}
