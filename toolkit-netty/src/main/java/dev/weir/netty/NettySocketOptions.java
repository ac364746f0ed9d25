package dev.weir.netty;

import dev.weir.stream.TcpSocketOptions;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioDatagramChannel;
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

  private static final Map<SocketOption<?>, ChannelOption<?>> OF_DATAGRAMS =
      Map.of(
          StandardSocketOptions.SO_BROADCAST, ChannelOption.SO_BROADCAST,
          StandardSocketOptions.IP_MULTICAST_IF, ChannelOption.IP_MULTICAST_IF,
          StandardSocketOptions.IP_MULTICAST_TTL, ChannelOption.IP_MULTICAST_TTL,
          StandardSocketOptions.IP_MULTICAST_LOOP, ChannelOption.IP_MULTICAST_LOOP_DISABLED);

  private NettySocketOptions() {}

  /**
   * Sets options on a channel that has its socket.
   *
   * @param io what the channel belongs to
   * @throws SocketException if the transport does not have one of them, or the system refuses it
   */
  static void set(Channel channel, Map<SocketOption<?>, Object> options, NettyIo io)
      throws SocketException {
    for (Map.Entry<SocketOption<?>, Object> entry : options.entrySet()) {
      set(channel, entry.getKey(), entry.getValue(), io);
    }
  }

  private static void set(Channel channel, SocketOption<?> option, Object value, NettyIo io)
      throws SocketException {
    ChannelOption<?> known = known(channel, option, io);
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
              + io.transportName()
              + " has no socket option "
              + option.name()
              + (option.equals(TcpSocketOptions.TCP_USER_TIMEOUT)
                  ? ": use epoll, or SO_KEEPALIVE"
                  : ""));
    }
  }

  private static @Nullable ChannelOption<?> known(
      Channel channel, SocketOption<?> option, NettyIo io) {
    ChannelOption<?> everywhere = EVERYWHERE.get(option);
    if (everywhere != null) {
      return everywhere;
    }
    if (channel instanceof NioSocketChannel || channel instanceof NioDatagramChannel) {
      return NioChannelOption.of(option); // Setting it says whether the JDK's channel has it.
    }
    ChannelOption<?> ofDatagrams =
        channel instanceof DatagramChannel ? OF_DATAGRAMS.get(option) : null;
    return ofDatagrams != null ? ofDatagrams : io.extendedOption(option.name());
  }

  @SuppressWarnings("unchecked") // Netty's options are of the types of those they stand for.
  private static <T> boolean set(Channel channel, ChannelOption<T> option, Object value) {
    Object converted = value instanceof Duration duration ? (int) duration.toMillis() : value;
    if (option.equals(ChannelOption.IP_MULTICAST_LOOP_DISABLED)) {
      converted = !(Boolean) value; // Netty asks the other way round.
    }
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
