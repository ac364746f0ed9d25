package dev.weir.netty;

import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;

/** Netty as Weir's engine. Found by {@link java.util.ServiceLoader}; programs do not use it. */
public final class NettyEngineProvider implements EngineProvider {
  /** Creates a provider, for {@link java.util.ServiceLoader}. */
  public NettyEngineProvider() {}

  @Override
  public IoDriver open(String transport, LoopContext loop) {
    return new NettyIoDriver(NettyIo.of(transport), loop);
  }
}
