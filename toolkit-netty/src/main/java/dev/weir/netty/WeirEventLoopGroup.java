package dev.weir.netty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.AbstractEventExecutorGroup;
import io.netty.util.concurrent.DefaultPromise;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.Promise;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Weir's loops as Netty sees them. It does not own them: they end with their {@code Asyncio.run},
 * and a shutdown of the group only waits for that.
 */
final class WeirEventLoopGroup extends AbstractEventExecutorGroup implements EventLoopGroup {
  private final List<EventLoop> loops;
  private final AtomicInteger next = new AtomicInteger();

  /**
   * Made for the first who asks: a loop keeps its listeners as long as it lives. Guarded by this.
   */
  private @Nullable Promise<Void> terminated;

  WeirEventLoopGroup(List<EventLoop> loops) {
    this.loops = List.copyOf(loops);
  }

  @Override
  public EventLoop next() {
    return loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
  }

  @Override
  public Iterator<EventExecutor> iterator() {
    return List.<EventExecutor>copyOf(loops).iterator();
  }

  @Override
  public ChannelFuture register(Channel channel) {
    return next().register(channel);
  }

  @Override
  public ChannelFuture register(ChannelPromise promise) {
    return next().register(promise);
  }

  @Override
  @Deprecated
  public ChannelFuture register(Channel channel, ChannelPromise promise) {
    return next().register(channel, promise);
  }

  @Override
  public boolean isShuttingDown() {
    return loops.stream().allMatch(EventLoop::isShuttingDown);
  }

  @Override
  public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
    return terminationFuture();
  }

  @Override
  public Future<?> terminationFuture() {
    return loops.size() == 1 ? loops.getFirst().terminationFuture() : allTerminated();
  }

  private synchronized Promise<Void> allTerminated() {
    Promise<Void> known = terminated;
    if (known != null) {
      return known;
    }
    Promise<Void> all = new DefaultPromise<>(GlobalEventExecutor.INSTANCE);
    AtomicInteger left = new AtomicInteger(loops.size());
    for (EventLoop loop : loops) {
      loop.terminationFuture()
          .addListener(ended -> {
            if (left.decrementAndGet() == 0) {
              all.setSuccess(null);
            }
          });
    }
    terminated = all;
    return all;
  }

  @Override
  @Deprecated
  public void shutdown() {}

  @Override
  public boolean isShutdown() {
    return loops.stream().allMatch(EventLoop::isShutdown);
  }

  @Override
  public boolean isTerminated() {
    return loops.stream().allMatch(EventLoop::isTerminated);
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return terminationFuture().await(timeout, unit);
  }

  @Override
  public String toString() {
    return "WeirEventLoopGroup[" + loops.size() + " loops]";
  }
}
