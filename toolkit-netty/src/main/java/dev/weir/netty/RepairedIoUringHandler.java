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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Netty's io_uring, with repairs of what Netty 4.2.18 gets wrong.
 *
 * <ul>
 *   <li>Once the peer has ended its stream, the kernel answers every poll at once with that end,
 *       whatever was asked. Netty takes no notice of the answer to its question for room to write,
 *       and waits for another for ever. Here it is told, a little later each time, that there may
 *       be room; if there is none it asks again.
 *   <li>At the peer's end Netty reads all that the kernel has, even while reading is paused. Here
 *       it is told of errors only, and comes to the end by reading.
 *   <li>A channel that is closed while it waits for room stays registered, hence in memory, as long
 *       as its loop: Netty does not understand that this poll was cancelled. Here it is told of
 *       room once the channel is closed, where that has no other effect than to end the wait.
 *   <li>To close a channel takes the kernel several rounds if it reads or writes, and Netty may end
 *       its event loop between them: the descriptor stays open then, and the peer hears nothing.
 *       Here the loop ends when its channels are closed.
 * </ul>
 */
final class RepairedIoUringHandler implements IoHandler {
  // The kernel's numbers of these are the same on all processors that Netty has.

  private static final byte POLL_ADD = 6;
  private static final byte CLOSE = 19;

  private static final int POLLOUT = 0x4;
  private static final int POLLERR = 0x8;
  private static final int POLLHUP = 0x10;
  private static final int POLLRDHUP = 0x2000;

  private static final int ECANCELED = -125;
  private static final int MORE = 0x2;

  private static final long PAUSE_MILLIS = 1;

  /** Far longer than the kernel takes to give up what is under way. */
  private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final IoHandler uring;
  private final EventExecutor executor;

  /** What is registered, until the last completion for it has come. */
  private final Set<Handle> registered = new HashSet<>();

  private RepairedIoUringHandler(IoHandler uring, EventExecutor executor) {
    this.uring = uring;
    this.executor = executor;
  }

  static IoHandlerFactory newFactory() {
    IoHandlerFactory uring = IoUringIoHandler.newFactory();
    return new IoHandlerFactory() {
      @Override
      public IoHandler newHandler(ThreadAwareExecutor executor) {
        return new RepairedIoUringHandler(uring.newHandler(executor), (EventExecutor) executor);
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
    closeAll();
    uring.prepareToDestroy();
  }

  private void closeAll() {
    List.copyOf(registered).forEach(Handle::close);
    Closing closing = new Closing(System.nanoTime() + CLOSE_NANOS);
    while (!registered.isEmpty() && !closing.isOver()) {
      uring.run(closing);
    }
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
      IoUringIoEvent completed = (IoUringIoEvent) event;
      boolean mayHideRoom =
          completed.opcode() == POLL_ADD
              && completed.res() > 0
              && (completed.res() & POLLRDHUP) != 0
              && (completed.res() & POLLOUT) == 0;
      boolean closed = completed.opcode() == CLOSE;
      handle.handle(registration, withoutEnd(completed));
      if (mayHideRoom && hasUnsent()) {
        executor.schedule(() -> tryAgain(registration), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
      }
      if (closed && registration.isValid()) {
        tellOfRoom(registration);
      }
    }

    /** Hides the peer's end from Netty: behind what else was polled, or as a cancelled poll. */
    private static IoUringIoEvent withoutEnd(IoUringIoEvent event) {
      int polled = event.res();
      if (event.opcode() != POLL_ADD
          || polled < 0
          || (polled & POLLRDHUP) == 0
          || (polled & POLLERR) != 0) {
        return event;
      }
      int others = polled & ~(POLLRDHUP | POLLHUP);
      return others != 0
          ? new IoUringIoEvent(others, event.flags(), POLL_ADD, event.userData())
          : new IoUringIoEvent(ECANCELED, MORE, POLL_ADD, event.userData());
    }

    private void tryAgain(IoRegistration registration) {
      if (registration.isValid() && hasUnsent()) {
        tellOfRoom(registration);
      }
    }

    private void tellOfRoom(IoRegistration registration) {
      handle.handle(registration, new IoUringIoEvent(POLLOUT, 0, POLL_ADD, 0L));
    }

    private boolean hasUnsent() {
      ChannelOutboundBuffer outbound = unsafe.outboundBuffer();
      return outbound != null && !outbound.isEmpty();
    }

    @Override
    public void registered() {
      registered.add(this);
      handle.registered();
    }

    @Override
    public void unregistered() {
      registered.remove(this);
      handle.unregistered();
    }

    @Override
    public void close() {
      unsafe.close(unsafe.voidPromise());
    }
  }

  /** Polls until the channels are closed. */
  private record Closing(long deadlineNanos) implements IoHandlerContext {
    boolean isOver() {
      return delayNanos(System.nanoTime()) == 0;
    }

    @Override
    public boolean canBlock() {
      return true;
    }

    @Override
    public long delayNanos(long nowNanos) {
      return Math.max(0, deadlineNanos - nowNanos);
    }
  }
}
