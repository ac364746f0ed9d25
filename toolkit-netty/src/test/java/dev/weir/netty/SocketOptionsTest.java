package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.TcpSocketOptions;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Socket options and local addresses, as the system sees them. */
@ExtendWith(LeakCheck.class)
class SocketOptionsTest {
  /** One value of each that is not the default. */
  private static final Map<SocketOption<?>, Object> OPTIONS =
      Map.of(
          StandardSocketOptions.SO_KEEPALIVE, true,
          StandardSocketOptions.TCP_NODELAY, false,
          StandardSocketOptions.SO_LINGER, 7,
          StandardSocketOptions.IP_TOS, 0x10,
          StandardSocketOptions.SO_REUSEADDR, true,
          ExtendedSocketOptions.TCP_KEEPIDLE, 11,
          ExtendedSocketOptions.TCP_KEEPINTERVAL, 12,
          ExtendedSocketOptions.TCP_KEEPCOUNT, 3,
          ExtendedSocketOptions.TCP_QUICKACK, false);

  private static void withSocket(String transport, SocketBody body) throws Exception {
    OnLoop.assumeAvailable(transport);
    SocketChannel channel = NettyIo.of(transport).newSocketChannel();
    try {
      body.run(channel);
    } finally {
      channel.unsafe().closeForcibly();
    }
  }

  private interface SocketBody {
    void run(SocketChannel channel) throws Exception;
  }

  private static final Map<SocketOption<?>, ChannelOption<?>> ON_LINUX =
      Map.of(
          StandardSocketOptions.SO_KEEPALIVE, ChannelOption.SO_KEEPALIVE,
          StandardSocketOptions.TCP_NODELAY, ChannelOption.TCP_NODELAY,
          StandardSocketOptions.SO_LINGER, ChannelOption.SO_LINGER,
          StandardSocketOptions.IP_TOS, ChannelOption.IP_TOS,
          StandardSocketOptions.SO_REUSEADDR, ChannelOption.SO_REUSEADDR);

  /** {@return the channel's option that Linux calls so, as it is shortened there} */
  private static ChannelOption<?> extended(SocketChannel channel, String name) {
    String shortened = name.replace("COUNT", "CNT").replace("INTERVAL", "INTVL");
    return channel.config().getOptions().keySet().stream()
        .filter(option -> ("#" + option.name()).endsWith("#" + shortened))
        .findAny()
        .orElse(null);
  }

  private static Object read(SocketChannel channel, SocketOption<?> option) {
    ChannelOption<?> asked =
        channel.getClass().getSimpleName().startsWith("Nio")
            ? NioChannelOption.of(option)
            : ON_LINUX.getOrDefault(option, extended(channel, option.name()));
    return channel.config().getOption(asked);
  }

  @EachTransportAndIoUring
  void eachOptionIsSetOnTheSocket(String transport) throws Exception {
    withSocket(
        transport,
        channel -> {
          NettySocketOptions.set(channel, OPTIONS, NettyIo.of(transport));

          Map<SocketOption<?>, Object> set = new HashMap<>();
          OPTIONS.keySet().forEach(option -> set.put(option, read(channel, option)));
          assertThat(set).isEqualTo(OPTIONS);
        });
  }

  @EachTransportAndIoUring
  void buffersAreSizedAsFarAsTheSystemLetsThem(String transport) throws Exception {
    withSocket(
        transport,
        channel -> {
          Map<SocketOption<?>, Object> sizes =
              Map.of(
                  StandardSocketOptions.SO_RCVBUF, 40_000, StandardSocketOptions.SO_SNDBUF, 50_000);

          NettySocketOptions.set(channel, sizes, NettyIo.of(transport));

          // Linux doubles them, for its own use.
          assertThat(channel.config().getReceiveBufferSize()).isBetween(40_000, 80_000);
          assertThat(channel.config().getSendBufferSize()).isBetween(50_000, 100_000);
        });
  }

  @Test
  void theUserTimeoutIsSetInMilliseconds() throws Exception {
    withSocket(
        "epoll",
        channel -> {
          NettySocketOptions.set(
              channel,
              Map.of(TcpSocketOptions.TCP_USER_TIMEOUT, Duration.ofSeconds(5)),
              NettyIo.EPOLL);

          assertThat(channel.config().getOption(EpollChannelOption.TCP_USER_TIMEOUT))
              .isEqualTo(5000);
        });
  }

  @EachTransportAndIoUring
  void aConnectionWithAllOfThemWorks(String transport) {
    OnLoop.run(
        transport,
        () -> {
          ConnectOptions options = ConnectOptions.defaults();
          for (Map.Entry<SocketOption<?>, Object> option : OPTIONS.entrySet()) {
            options = with(options, option.getKey(), option.getValue());
          }
          try (Server server =
              Asyncio.startServer(
                  (reader, writer) -> writer.write(reader.readLine()), "127.0.0.1", 0)) {
            int port = server.addresses().getFirst().getPort();
            try (Connection connection = Asyncio.openConnection("127.0.0.1", port, options)) {
              connection.writer().writeLine("hello");
              assertThat(connection.reader().readLine()).isEqualTo(RawPeer.bytes("hello\n"));
              connection.writer().close();
              connection.writer().waitClosed();
            }
          }
        });
  }

  @SuppressWarnings("unchecked") // Each value is of its option's type.
  private static <T> ConnectOptions with(
      ConnectOptions options, SocketOption<T> option, Object value) {
    return options.withSocketOption(option, (T) value);
  }

  @EachTransportAndIoUring
  void anOptionThatTheTransportDoesNotHaveIsNamed(String transport) {
    OnLoop.run(
        transport,
        () -> {
          ConnectOptions options =
              ConnectOptions.defaults()
                  .withSocketOption(StandardSocketOptions.IP_MULTICAST_LOOP, true);
          long before = Descriptors.open();
          assertThatExceptionOfType(SocketException.class)
              .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", 1, options))
              .withMessage(
                  "The transport " + transport + " has no socket option IP_MULTICAST_LOOP");
          assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
        });
  }

  @Test
  void nioHasNoUserTimeout() {
    OnLoop.run(
        "nio",
        () ->
            assertThatExceptionOfType(SocketException.class)
                .isThrownBy(() ->
                    Asyncio.openConnection(
                        "127.0.0.1",
                        1,
                        ConnectOptions.defaults()
                            .withSocketOption(
                                TcpSocketOptions.TCP_USER_TIMEOUT, Duration.ofSeconds(5))))
                .withMessage(
                    "The transport nio has no socket option TCP_USER_TIMEOUT:"
                        + " use epoll, or SO_KEEPALIVE"));
  }

  @EachTransportAndIoUring
  void aValueThatTheSystemRefusesIsSaid(String transport) {
    OnLoop.run(
        transport,
        () -> {
          ConnectOptions options =
              ConnectOptions.defaults()
                  .withSocketOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 1_000_000);
          assertThatExceptionOfType(SocketException.class)
              .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", 1, options))
              .withMessageStartingWith("Cannot set TCP_KEEPCOUNT to 1000000: ");
        });
  }

  // --- Local addresses

  @EachTransportAndIoUring
  void aConnectionComesFromTheLocalAddressOfTheOptions(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (ServerSocket listener = new ServerSocket(0)) {
            int port = freePort();
            ConnectOptions options = ConnectOptions.defaults().withLocalAddress("127.0.0.2", port);
            try (Connection connection =
                Asyncio.openConnection("127.0.0.1", listener.getLocalPort(), options)) {
              assertThat(connection.writer().localAddress())
                  .isEqualTo(new InetSocketAddress("127.0.0.2", port));
            }
          }
        });
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  @EachTransportAndIoUring
  void aLocalAddressThatCannotBeUsedIsSaidToBe(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (ServerSocket listener = new ServerSocket(0)) {
            int port = listener.getLocalPort();
            ConnectOptions options = ConnectOptions.defaults();
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() ->
                    Asyncio.openConnection(
                        "127.0.0.1", port, options.withLocalAddress("192.0.2.1", 0)))
                .withMessage("Not an address of this machine: 192.0.2.1:0");
            assertThatExceptionOfType(BindException.class)
                .isThrownBy(() ->
                    Asyncio.openConnection(
                        "127.0.0.1", port, options.withLocalAddress("127.0.0.1", port)))
                .withMessage("Address already in use: 127.0.0.1:" + port);
          }
        });
  }
}
