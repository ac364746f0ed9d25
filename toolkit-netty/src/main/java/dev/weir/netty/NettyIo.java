package dev.weir.netty;

import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.UnixChannelOption;
import java.net.StandardSocketOptions;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The kinds of I/O that Netty offers, each with the classes that belong together. Those of optional
 * jars are in classes of ours that are loaded when they are needed.
 */
enum NettyIo {
  EPOLL("netty-transport-native-epoll", "linux-x86_64", UnixSockets.EPOLL) {
    @Override
    @Nullable Throwable probe() {
      return Epoll.unavailabilityCause();
    }

    @Override
    IoHandlerFactory newHandlerFactory() {
      return HalfCloseSafeEpollHandler.newFactory();
    }

    @Override
    SocketChannel newSocketChannel() {
      return new EpollSocketChannel();
    }

    @Override
    ServerSocketChannel newServerSocketChannel() {
      return new EpollServerSocketChannel();
    }

    @Override
    Class<? extends ServerSocketChannel> serverSocketChannelType() {
      return EpollServerSocketChannel.class;
    }

    @Override
    Class<? extends SocketChannel> socketChannelType() {
      return EpollSocketChannel.class;
    }

    @Override
    @Nullable ChannelOption<?> extendedOption(String name) {
      return EPOLL_EXTENDED_OPTIONS.get(name);
    }
  },

  KQUEUE("netty-transport-native-kqueue", "osx-aarch_64", UnixSockets.KQUEUE) {
    @Override
    @Nullable Throwable probe() {
      return KQueueChannels.unavailability();
    }

    @Override
    IoHandlerFactory newHandlerFactory() {
      return KQueueChannels.newHandlerFactory();
    }

    @Override
    SocketChannel newSocketChannel() {
      return KQueueChannels.newSocketChannel();
    }

    @Override
    ServerSocketChannel newServerSocketChannel() {
      return KQueueChannels.newServerSocketChannel();
    }

    @Override
    Class<? extends ServerSocketChannel> serverSocketChannelType() {
      return KQueueChannels.serverSocketChannelType();
    }

    @Override
    Class<? extends SocketChannel> socketChannelType() {
      return KQueueChannels.socketChannelType();
    }

    @Override
    @Nullable ChannelOption<?> extendedOption(String name) {
      return null;
    }
  },

  /**
   * Only by its name. Switches off for the whole process what Netty can do with it and Weir cannot
   * use, and does not work where it was used before with that; see {@link IoUringChannels}.
   */
  IO_URING("netty-transport-native-io_uring", "linux-x86_64", UnixSockets.IO_URING) {
    @Override
    @Nullable Throwable probe() {
      return IoUringChannels.unavailability();
    }

    @Override
    IoHandlerFactory newHandlerFactory() {
      return IoUringChannels.newHandlerFactory();
    }

    @Override
    SocketChannel newSocketChannel() {
      return IoUringChannels.newSocketChannel();
    }

    @Override
    ServerSocketChannel newServerSocketChannel() {
      return IoUringChannels.newServerSocketChannel();
    }

    @Override
    Class<? extends ServerSocketChannel> serverSocketChannelType() {
      return IoUringChannels.serverSocketChannelType();
    }

    @Override
    Class<? extends SocketChannel> socketChannelType() {
      return IoUringChannels.socketChannelType();
    }

    @Override
    @Nullable ChannelOption<?> extendedOption(String name) {
      return IoUringChannels.extendedOption(name);
    }
  },

  NIO("netty-transport", "", UnixSockets.NIO) {
    @Override
    @Nullable Throwable probe() {
      return null;
    }

    @Override
    IoHandlerFactory newHandlerFactory() {
      return NioIoHandler.newFactory();
    }

    @Override
    SocketChannel newSocketChannel() {
      return new NioSocketChannel();
    }

    @Override
    ServerSocketChannel newServerSocketChannel() {
      return new NioListenerChannel();
    }

    @Override
    Class<? extends ServerSocketChannel> serverSocketChannelType() {
      return NioServerSocketChannel.class;
    }

    @Override
    Class<? extends SocketChannel> socketChannelType() {
      return NioSocketChannel.class;
    }

    @Override
    @Nullable ChannelOption<?> extendedOption(String name) {
      return null;
    }
  };

  private static final int ACCEPTS_MAX = 16;

  private static final Map<String, ChannelOption<?>> EPOLL_EXTENDED_OPTIONS =
      Map.of(
          "TCP_KEEPCOUNT", EpollChannelOption.TCP_KEEPCNT,
          "TCP_KEEPIDLE", EpollChannelOption.TCP_KEEPIDLE,
          "TCP_KEEPINTERVAL", EpollChannelOption.TCP_KEEPINTVL,
          "TCP_QUICKACK", EpollChannelOption.TCP_QUICKACK,
          "TCP_USER_TIMEOUT", EpollChannelOption.TCP_USER_TIMEOUT);

  private static final System.Logger LOGGER = System.getLogger("dev.weir.netty");

  /** What was logged: a program that opens many loops says it once. */
  private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

  private final String jar;
  private final String classifier;
  private final UnixSockets unixSockets;

  NettyIo(String jar, String classifier, UnixSockets unixSockets) {
    this.jar = jar;
    this.classifier = classifier;
    this.unixSockets = unixSockets;
  }

  /**
   * {@return the kind of that name, or the best that works here for {@code auto}} io_uring is taken
   * by its name only: many systems forbid it, and where it is allowed it is not the quicker one.
   *
   * @throws IllegalArgumentException if there is no kind of that name
   * @throws IllegalStateException if it does not work here
   */
  static NettyIo of(String transport) {
    NettyIo chosen =
        switch (transport.toLowerCase(Locale.ROOT)) {
          case "auto" -> best();
          case "nio" -> NIO;
          case "epoll" -> EPOLL.ensureAvailable();
          case "kqueue" -> KQUEUE.ensureAvailable();
          case "io_uring" -> IO_URING.ensureAvailable();
          default ->
              throw new IllegalArgumentException(
                  "Unknown transport '"
                      + transport
                      + "': write auto, nio, epoll, kqueue or io_uring");
        };
    sayOnce("The transport is " + chosen.transportName());
    return chosen;
  }

  private static NettyIo best() {
    String epollMissing = EPOLL.unavailability();
    if (epollMissing == null) {
      return EPOLL;
    }
    String kqueueMissing = KQUEUE.unavailability();
    if (kqueueMissing == null) {
      return KQUEUE;
    }
    sayOnce(
        "The transport auto takes nio here. Not epoll: "
            + epollMissing
            + ". Not kqueue: "
            + kqueueMissing);
    return NIO;
  }

  private static void sayOnce(String message) {
    if (SAID.add(message)) {
      LOGGER.log(System.Logger.Level.DEBUG, message);
    }
  }

  private NettyIo ensureAvailable() {
    String reason = unavailability();
    if (reason != null) {
      throw new IllegalStateException(
          "The transport " + transportName() + " does not work here, use auto or nio: " + reason);
    }
    return this;
  }

  /** {@return why it does not work here, or null if it does} */
  @Nullable String unavailability() {
    Throwable cause;
    try {
      cause = probe();
    } catch (NoClassDefFoundError e) {
      cause = e;
    }
    if (cause == null) {
      return null;
    }
    return isMissingJar(cause) ? cause + "; " + remedy() : cause.toString();
  }

  /** {@return Netty's reason why it does not work here, or null if it does} */
  abstract @Nullable Throwable probe();

  private static boolean isMissingJar(Throwable cause) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      if (each instanceof UnsatisfiedLinkError || each instanceof NoClassDefFoundError) {
        return true;
      }
    }
    return false;
  }

  private String remedy() {
    return "it takes Netty's " + jar + ", for this system and processor (" + classifier + ", say)";
  }

  String transportName() {
    return name().toLowerCase(Locale.ROOT);
  }

  abstract IoHandlerFactory newHandlerFactory();

  abstract SocketChannel newSocketChannel();

  /** {@return what others may listen with on this kind of I/O} */
  abstract Class<? extends ServerSocketChannel> serverSocketChannelType();

  abstract Class<? extends SocketChannel> socketChannelType();

  abstract ServerSocketChannel newServerSocketChannel();

  /**
   * {@return the option that is called so in {@code jdk.net.ExtendedSocketOptions} or in {@link
   * dev.weir.stream.TcpSocketOptions}, or null} By their names: who does not use them needs no
   * module {@code jdk.net}.
   */
  abstract @Nullable ChannelOption<?> extendedOption(String name);

  /** {@return what lets several listeners share a port} */
  ChannelOption<Boolean> reusePort() {
    return this == NIO
        ? NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT)
        : UnixChannelOption.SO_REUSEPORT;
  }

  UnixSockets unixSockets() {
    return unixSockets;
  }

  /**
   * {@return whether reads and writes are handed to the kernel, and done some time later} Until
   * then the kernel has the buffers, and whoever wrote past it would overtake what it was given.
   */
  boolean isAsynchronous() {
    return this == IO_URING;
  }

  /**
   * Lets a listener accept what waits, up to a number, whenever it is its turn. By itself Netty's
   * epoll accepts one: beside some hundreds of busy connections a listener's turn comes seldom. On
   * NIO it has to be one; see {@link NioListenerChannel}.
   */
  void acceptInBatches(ServerSocketChannel channel) {
    if (this == EPOLL) {
      ServerChannelRecvByteBufAllocator accepts = new ServerChannelRecvByteBufAllocator();
      accepts.respectMaybeMoreData(false).maxMessagesPerRead(ACCEPTS_MAX);
      channel.config().setRecvByteBufAllocator(accepts);
    }
  }
}
