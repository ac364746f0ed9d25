package dev.weir.netty;

import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.ReferenceCountUtil;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Stands on a Weir loop for a channel that has to stay on an application's event loop, because the
 * two are of different kinds. What arrives there comes here by a hop, and what is written here goes
 * there by another. So a task never runs on the application's thread.
 *
 * <p>The far channel reads only when this one asks for it, once: no more is on its way here than
 * one read brings. What was written stays in this channel's queue until the far one has sent it.
 */
final class BridgeChannel extends AbstractChannel implements DuplexChannel {
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  private final DuplexChannel far;
  private final ChannelConfig config = new DefaultChannelConfig(this);

  // On this channel's event loop only, and seen by others.

  private volatile boolean closed;
  private volatile boolean inputShutdown;
  private volatile boolean outputShutdown;

  // On the far channel's event loop only.

  /** Whether this one has asked for more than has come since. */
  private boolean wanted;

  // On this channel's event loop only.

  /** Whether the far channel has something that is written, and has not said how that went. */
  private boolean writing;

  /**
   * Makes the channel. On the far channel's event loop.
   *
   * @param far which does not read by itself
   */
  BridgeChannel(DuplexChannel far) {
    super(null);
    this.far = far;
    config.setAutoRead(false); // Until somebody is there to read.
    far.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    keepOpenOnWriteFailure(far.config());
  }

  @SuppressWarnings("deprecation") // Netty discourages the option, but has no other for this.
  private static void keepOpenOnWriteFailure(ChannelConfig config) {
    config.setOption(ChannelOption.AUTO_CLOSE, false);
  }

  /** What arrives at the far channel is for this one from now on. */
  void open() {
    far.eventLoop()
        .execute(() -> {
          far.pipeline().addLast(new FarEnd());
          far.pipeline().get(ReadGuard.class).ask(() -> wanted);
          far.pipeline().remove(NettyAdopter.Holding.class);
          if (!far.isActive()) {
            hop(() -> unsafe().close(voidPromise()));
          }
        });
  }

  /** Closing resets the connection from now on. */
  void resetOnClose() {
    if (far instanceof SocketChannel tcp) {
      try {
        tcp.config().setSoLinger(0);
      } catch (ChannelException e) {
        // The socket is gone already.
      }
    }
  }

  /** Does something on this channel's event loop. Any thread. */
  private void hop(Runnable action) {
    try {
      eventLoop().execute(action);
    } catch (RejectedExecutionException e) {
      far.close(); // The loop has ended.
      throw e;
    }
  }

  /** The last handler of the far channel. */
  private final class FarEnd extends ChannelInboundHandlerAdapter {
    private List<Object> read = new ArrayList<>();

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      wanted = false;
      if (read.isEmpty()) {
        // A handler's timer may bring a message too, and no end of a read behind it.
        context.executor().execute(this::handOverRead);
      }
      read.add(message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      handOver(); // Be it nothing, so that there the next read is asked for.
    }

    private void handOverRead() {
      if (!read.isEmpty()) {
        handOver();
      }
    }

    private void handOver() {
      List<Object> batch = read;
      read = new ArrayList<>();
      try {
        hop(() -> deliver(batch));
      } catch (RejectedExecutionException e) {
        batch.forEach(ReferenceCountUtil::release);
      }
    }

    // Whatever else happens has happened behind what was read.

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      handOverRead();
      hop(() -> {
        inputShutdown |= event instanceof ChannelInputShutdownEvent;
        pipeline().fireUserEventTriggered(event);
      });
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      handOverRead();
      hop(() -> pipeline().fireExceptionCaught(cause));
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      handOverRead();
      hop(() -> unsafe().close(voidPromise()));
    }
  }

  private void deliver(List<Object> batch) {
    for (Object message : batch) {
      pipeline().fireChannelRead(message); // Which releases it where it is not wanted.
    }
    pipeline().fireChannelReadComplete();
  }

  // --- AbstractChannel

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new BridgeUnsafe();
  }

  private final class BridgeUnsafe extends AbstractUnsafe {
    @Override
    public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
      promise.setFailure(new UnsupportedOperationException("It is connected already"));
    }

    /** The far channel has sent what it was given, or has not. */
    void written(int count, @Nullable Throwable failure) {
      writing = false;
      outputShutdown |= failure != null; // Netty has shut that down.
      ChannelOutboundBuffer queue = outboundBuffer();
      if (queue == null) {
        return; // Closed meanwhile.
      }
      for (int i = 0; i < count; i++) {
        if (failure == null) {
          queue.remove();
        } else {
          queue.remove(failure);
        }
      }
      flush0();
    }
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return true; // Nothing is registered with it but tasks.
  }

  @Override
  protected void doBeginRead() {
    try {
      far.eventLoop()
          .execute(() -> {
            // Epoll has forgotten a socket by then, and says so with an error.
            if (far.isOpen() && !far.isInputShutdown()) {
              wanted = true;
              far.read();
            }
          });
    } catch (RejectedExecutionException e) {
      far.close();
    }
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer queue) throws Exception {
    if (writing || queue.isEmpty()) {
      return;
    }
    List<Object> batch = new ArrayList<>(queue.size());
    queue.forEachFlushedMessage(message -> batch.add(ReferenceCountUtil.retain(message)));
    writing = true;
    try {
      far.eventLoop().execute(() -> writeFar(batch));
    } catch (RejectedExecutionException e) {
      batch.forEach(ReferenceCountUtil::release);
      far.close();
      throw e;
    }
  }

  private void writeFar(List<Object> batch) {
    ChannelPromise last = far.newPromise();
    Failure failure = new Failure();
    for (int i = 0; i < batch.size(); i++) {
      ChannelFuture one =
          i == batch.size() - 1 ? far.write(batch.get(i), last) : far.write(batch.get(i));
      one.addListener(written -> failure.note(written.cause()));
    }
    last.addListener(
        written -> hop(() -> ((BridgeUnsafe) unsafe()).written(batch.size(), failure.first)));
    far.flush();
  }

  /** The first of several, on the far event loop. */
  private static final class Failure {
    private @Nullable Throwable first;

    void note(@Nullable Throwable failure) {
      if (first == null) {
        first = failure;
      }
    }
  }

  @Override
  protected void doBind(SocketAddress local) {
    throw new UnsupportedOperationException("It is connected already");
  }

  @Override
  protected void doDisconnect() {
    doClose();
  }

  @Override
  protected void doClose() {
    closed = true;
    far.close();
  }

  @Override
  protected void doShutdownOutput() {
    outputShutdown = true;
    far.shutdownOutput();
  }

  @Override
  protected SocketAddress localAddress0() {
    return far.localAddress();
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return far.remoteAddress();
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public boolean isActive() {
    return !closed;
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  // --- DuplexChannel

  @Override
  public boolean isInputShutdown() {
    return inputShutdown;
  }

  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    inputShutdown = true;
    far.shutdownInput();
    return promise.setSuccess();
  }

  @Override
  public boolean isOutputShutdown() {
    return outputShutdown;
  }

  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    if (eventLoop().inEventLoop()) {
      ((AbstractUnsafe) unsafe()).shutdownOutput(promise);
    } else {
      eventLoop().execute(() -> ((AbstractUnsafe) unsafe()).shutdownOutput(promise));
    }
    return promise;
  }

  @Override
  public boolean isShutdown() {
    return inputShutdown && outputShutdown;
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    shutdownInput();
    return shutdownOutput(promise);
  }
}
