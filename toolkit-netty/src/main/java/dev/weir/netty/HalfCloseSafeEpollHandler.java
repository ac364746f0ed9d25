package dev.weir.netty;

import io.netty.channel.DefaultSelectStrategyFactory;
import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.util.concurrent.ThreadAwareExecutor;

/**
 * Netty's epoll, with a repair for connections that are half closed.
 *
 * <p>Once the peer has ended its stream and nothing waits to be sent, a channel wants no events.
 * Netty 4.2.18 then takes its descriptor out of the epoll set, yet keeps it on record as added. If
 * the kernel later takes only a part of a write, asking to be told of more room fails with {@code
 * ENOENT}, and what was to be sent is lost. Here such a descriptor stays in the set and is watched
 * for nothing; errors, which the kernel reports all the same, are reported once instead of for
 * ever.
 *
 * <p>And a channel learns of its peer's end by reading it. If the kernel tells of it before, Netty
 * reads on to the end at once, whether anybody wants that much or not.
 */
final class HalfCloseSafeEpollHandler implements IoHandler {
  private final IoHandler epoll;

  private HalfCloseSafeEpollHandler(IoHandler epoll) {
    this.epoll = epoll;
  }

  /**
   * How many connections one poll serves at most. Each is visited three times in a round: its bytes
   * are read, its task runs, what that wrote is sent. With many more of them a connection is out of
   * the processor's caches by the time of the next visit; with far fewer the polls themselves cost.
   */
  private static final int EVENTS_MAX = 128;

  static IoHandlerFactory newFactory() {
    IoHandlerFactory epoll =
        EpollIoHandler.newFactory(EVENTS_MAX, DefaultSelectStrategyFactory.INSTANCE);
    return new IoHandlerFactory() {
      @Override
      public IoHandler newHandler(ThreadAwareExecutor executor) {
        return new HalfCloseSafeEpollHandler(epoll.newHandler(executor));
      }

      @Override
      public boolean isChangingThreadSupported() {
        return epoll.isChangingThreadSupported();
      }
    };
  }

  @Override
  public IoRegistration register(IoHandle handle) throws Exception {
    return new Registration(epoll.register(handle));
  }

  @Override
  public void initialize() {
    epoll.initialize();
  }

  @Override
  public int run(IoHandlerContext context) {
    return epoll.run(context);
  }

  @Override
  public void prepareToDestroy() {
    epoll.prepareToDestroy();
  }

  @Override
  public void destroy() {
    epoll.destroy();
  }

  @Override
  public void wakeup() {
    epoll.wakeup();
  }

  @Override
  public boolean isCompatible(Class<? extends IoHandle> handleType) {
    return epoll.isCompatible(handleType);
  }

  private static final class Registration implements IoRegistration {
    private final IoRegistration registration;
    private boolean added;

    Registration(IoRegistration registration) {
      this.registration = registration;
    }

    @Override
    public long submit(IoOps ops) {
      EpollIoOps wanted = ((EpollIoOps) ops).without(EpollIoOps.EPOLLRDHUP);
      if (!wanted.equals(EpollIoOps.NONE)) {
        added = true;
        return registration.submit(wanted);
      }
      return registration.submit(added ? EpollIoOps.EPOLLET : wanted);
    }

    @Override
    @SuppressWarnings("TypeParameterUnusedInFormals") // Netty's signature.
    public <T> T attachment() {
      return registration.attachment();
    }

    @Override
    public boolean isValid() {
      return registration.isValid();
    }

    @Override
    public boolean cancel() {
      return registration.cancel();
    }
  }
}
