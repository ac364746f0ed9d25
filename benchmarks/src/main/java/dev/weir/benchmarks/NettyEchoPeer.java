package dev.weir.benchmarks;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultSelectStrategyFactory;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A handler in a Netty pipeline, on one event loop: the measure. It writes on read, flushes on
 * read-complete and has a void promise, so a round trip costs one write system call and no
 * allocation for a promise. It does not look for lines in either mode. In spirit the echo server of
 * Netty's examples ({@code io.netty.example.echo}), which does without the void promise. With TLS
 * there is an {@code SslHandler} before it, as in {@code io.netty.example.securechat}, which
 * encrypts at the flush all that was written until then.
 */
final class NettyEchoPeer implements EchoPeer {
  private final EventLoopGroup group;
  private final Channel channel;
  private final @Nullable EchoTls tls;

  private NettyEchoPeer(EventLoopGroup group, Channel channel, @Nullable EchoTls tls) {
    this.group = group;
    this.channel = channel;
    this.tls = tls;
  }

  /**
   * Starts the server.
   *
   * @param transport {@code nio}, or {@code auto} for epoll where that works
   */
  static NettyEchoPeer start(String transport) {
    return start(transport.equals("auto") && Epoll.isAvailable(), null);
  }

  /** Starts the server on {@code auto}, with TLS. */
  static NettyEchoPeer startSecured(EchoTls tls) {
    return start(Epoll.isAvailable(), tls);
  }

  private static NettyEchoPeer start(boolean epoll, @Nullable EchoTls tls) {
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return start(typeOf(epoll), io, null, tls);
  }

  private static Class<? extends ServerChannel> typeOf(boolean epoll) {
    return epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  /**
   * Starts the server on io_uring, as Netty has it by default.
   *
   * @throws UnsupportedOperationException if this machine does not have it
   */
  static NettyEchoPeer startOnIoUring() {
    ensureIoUring();
    return start(IoUringServerSocketChannel.class, IoUringIoHandler.newFactory(), null, null);
  }

  /**
   * Does nothing if io_uring works.
   *
   * @throws UnsupportedOperationException if this machine does not have it
   */
  static void ensureIoUring() {
    if (!IoUring.isAvailable()) {
      throw new UnsupportedOperationException(
          "io_uring does not work here", IoUring.unavailabilityCause());
    }
  }

  /**
   * Starts the server with what Weir has set otherwise than Netty has by default: as many
   * connections for each poll, and buffers for reading that are as large from the beginning on.
   */
  static NettyEchoPeer startTuned() {
    return start(
        typeOf(Epoll.isAvailable()),
        Epoll.isAvailable()
            ? EpollIoHandler.newFactory(128, DefaultSelectStrategyFactory.INSTANCE)
            : NioIoHandler.newFactory(),
        // An allocator that Netty was given reads once, its own up to 16 times.
        new FixedRecvByteBufAllocator(READ_BYTES_MAX).maxMessagesPerRead(16),
        null);
  }

  private static NettyEchoPeer start(
      Class<? extends ServerChannel> channelClass,
      IoHandlerFactory io,
      @Nullable RecvByteBufAllocator readBuffers,
      @Nullable EchoTls tls) {
    // Before there are threads: it fails where the engine is missing.
    ChannelHandler connection = tls == null ? new Echo() : new SecuredEcho(tls.nettys());
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, io);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(channelClass)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(connection);
    if (readBuffers != null) {
      bootstrap.childOption(ChannelOption.RECVBUF_ALLOCATOR, readBuffers);
    }
    Channel channel = bootstrap.bind("127.0.0.1", 0).syncUninterruptibly().channel();
    return new NettyEchoPeer(group, channel, tls);
  }

  @Override
  public int port() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  @Override
  public String description() {
    return Versions.netty()
        + " handler, "
        + transport()
        + ", one event loop"
        + (tls == null ? "" : ", " + tls);
  }

  private String transport() {
    return switch (channel) {
      case EpollServerSocketChannel _ -> "epoll";
      case IoUringServerSocketChannel _ -> "io_uring";
      default -> "nio";
    };
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Sharable
  private static final class Echo extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      context.write(message, context.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  private static final class SecuredEcho extends ChannelInitializer<Channel> {
    private final SslContext context;
    private final Echo echo = new Echo();

    SecuredEcho(SslContext context) {
      this.context = context;
    }

    @Override
    protected void initChannel(Channel channel) {
      channel.pipeline().addLast(context.newHandler(channel.alloc()), echo);
    }
  }
}
