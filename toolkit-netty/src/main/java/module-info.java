/** The engine: runs {@code dev.weir.core} on Netty's event loops and transports. */
module dev.weir.netty {
  requires transitive dev.weir.core;
  requires io.netty.buffer;
  requires io.netty.codec;
  requires io.netty.common;
  requires io.netty.handler;
  requires io.netty.resolver;
  requires transitive io.netty.transport;
  requires io.netty.transport.classes.epoll;
  requires io.netty.transport.unix.common;
  requires static io.netty.codec.dns;
  requires static io.netty.resolver.dns;
  requires static io.netty.transport.classes.io_uring;
  requires static io.netty.transport.classes.kqueue;
  requires static org.jspecify;

  // These hold the native libraries and no class. Netty loads them as resources, and a resource is
  // found only in a module that somebody requires.
  requires io.netty.transport.epoll.linux.aarch_64;
  requires io.netty.transport.epoll.linux.x86_64;

  exports dev.weir.netty;

  provides dev.weir.spi.EngineProvider with
      dev.weir.netty.NettyEngineProvider;
}
