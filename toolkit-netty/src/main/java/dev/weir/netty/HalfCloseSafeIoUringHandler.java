package dev.weir.netty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.IoEvent;
import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.uring.IoUringIoEvent;
import io.netty.channel.uring.IoUringIoHandle;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Netty's io_uring, with a repair for connections that are half closed.
 *
 * <p>Once the peer has ended its stream, the kernel answers every poll at once with that end,
 * whatever was asked. Netty 4.2.18 takes no notice of the answer to its question for room to write,
 * and waits for another for ever. Here it is told, a little later each time, that there may be
 * room; if there is none it asks again.
 */
final class HalfCloseSafeIoUringHandler implements IoHandler {
  /** The kernel's numbers of these, which are the same on all processors that Netty has. */
  private static final byte POLL_ADD = 6;

  private static final int POLLOUT = 0x4;
  private static final int POLLRDHUP = 0x2000;

  private static final long PAUSE_MILLIS = 1;

  private final IoHandler uring;
  private final EventExecutor executor;

  private HalfCloseSafeIoUringHandler(IoHandler uring, EventExecutor executor) {
    this.uring = uring;
    this.executor = executor;
  }

  static IoHandlerFactory newFactory() {
    IoHandlerFactory uring = IoUringIoHandler.newFactory();
    return new IoHandlerFactory() {
      @Override
      public IoHandler newHandler(ThreadAwareExecutor executor) {
        return new HalfCloseSafeIoUringHandler(
            uring.newHandler(executor), (EventExecutor) executor);
      }

      @Override
      public boolean isChangingThreadSupported() {
        return uring.isChangingThreadSupported();
      }
    };
  }

  @Override
  public IoRegistration register(IoHandle handle) throws Exception {
    return uring.register(
        handle instanceof Channel.Unsafe unsafe ? new Handle(handle, unsafe) : handle);
  }

  @Override
  public void initialize() {
    uring.initialize();
  }

  @Override
  public int run(IoHandlerContext context) {
    return uring.run(context);
  }

  @Override
  public void prepareToDestroy() {
    uring.prepareToDestroy();
  }

  @Override
  public void destroy() {
    uring.destroy();
  }

  @Override
  public void wakeup() {
    uring.wakeup();
  }

  @Override
  public boolean isCompatible(Class<? extends IoHandle> handleType) {
    return uring.isCompatible(handleType);
  }

  @SuppressWarnings("try") // Netty's interface: its close() may throw anything.
  private final class Handle implements IoUringIoHandle {
    private final IoHandle handle;
    private final Channel.Unsafe unsafe;

    Handle(IoHandle handle, Channel.Unsafe unsafe) {
      this.handle = handle;
      this.unsafe = unsafe;
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
      // Netty uses its event again, and this may well be the last that it is told.
      boolean mayHideRoom =
          event instanceof IoUringIoEvent polled
              && polled.opcode() == POLL_ADD
              && polled.res() > 0
              && (polled.res() & POLLRDHUP) != 0
              && (polled.res() & POLLOUT) == 0;
      handle.handle(registration, event);
      if (mayHideRoom && hasUnsent()) {
        executor.schedule(() -> tryAgain(registration), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    private void tryAgain(IoRegistration registration) {
      if (registration.isValid() && hasUnsent()) {
        handle.handle(registration, new IoUringIoEvent(POLLOUT, 0, POLL_ADD, 0L));
      }
    }

    private boolean hasUnsent() {
      ChannelOutboundBuffer outbound = unsafe.outboundBuffer();
      return outbound != null && !outbound.isEmpty();
    }

    @Override
    public void registered() {
      handle.registered();
    }

    @Override
    public void unregistered() {
      handle.unregistered();
    }

    @Override
    public void close() throws Exception {
      handle.close();
    }
  }
}
