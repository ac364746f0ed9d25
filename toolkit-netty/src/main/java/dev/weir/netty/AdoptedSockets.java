package dev.weir.netty;

import dev.weir.spi.Network.Completion;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes over sockets of the JDK's. A loop on NIO polls them itself. Any other cannot, because the
 * JDK keeps their descriptors to itself: there one more event loop polls them, on a thread of its
 * own, and what they read and write goes over by a hop.
 */
final class AdoptedSockets {
  /** How long the loop's end waits for the thread, which has nothing to do but to close. */
  private static final long END_TIMEOUT_MILLIS = 1000;

  private final NettyIoDriver driver;
  private @Nullable EventLoopGroup beside;

  AdoptedSockets(NettyIoDriver driver) {
    this.driver = driver;
  }

  /** Takes a socket over. On the I/O fiber. */
  void adopt(SocketChannel socket, TransportProtocol protocol, Completion<Transport> outcome) {
    NioSocketChannel channel;
    try {
      channel = new NioSocketChannel(socket);
    } catch (RuntimeException e) { // It is closed, and Netty has no checked exception here.
      outcome.failed(unusable(e));
      return;
    }
    NettyAdopter.keep(channel);
    if (driver.io() == NettyIo.NIO) {
      driver
          .eventLoop()
          .register(channel)
          .addListener(registered -> {
            if (registered.isSuccess()) {
              serve(channel, protocol, outcome);
            } else {
              outcome.failed(unusable(registered.cause()));
            }
          });
    } else {
      bridge(channel, protocol, outcome);
    }
  }

  private void bridge(
      NioSocketChannel far, TransportProtocol protocol, Completion<Transport> outcome) {
    groupBeside()
        .register(far)
        .addListener(registered -> {
          try {
            if (registered.isSuccess()) {
              BridgeChannel near = new BridgeChannel(far);
              driver
                  .eventLoop()
                  .register(near)
                  .addListener(ignored -> serve(near, protocol, outcome));
            } else {
              driver.eventLoop().execute(() -> outcome.failed(unusable(registered.cause())));
            }
          } catch (RejectedExecutionException e) {
            far.close(); // The loop has ended.
          }
        });
  }

  private EventLoopGroup groupBeside() {
    EventLoopGroup group = beside;
    if (group == null) {
      group =
          new MultiThreadIoEventLoopGroup(
              1,
              Thread.ofPlatform().daemon().name("weir-sockets").factory(),
              NioIoHandler.newFactory());
      beside = group;
      EventLoopGroup made = group;
      driver.endWithLoop(() -> end(made));
    }
    return group;
  }

  private static void end(EventLoopGroup group) {
    group
        .shutdownGracefully(0, END_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(END_TIMEOUT_MILLIS);
  }

  private void serve(
      DuplexChannel channel, TransportProtocol protocol, Completion<Transport> outcome) {
    if (channel.isActive()) {
      outcome.succeeded(NettyAdopter.serve(driver, channel, protocol, false));
    } else {
      channel.close();
      outcome.failed(new SocketException("The socket is closed: " + channel));
    }
  }

  private static IOException unusable(Throwable cause) {
    return new IOException("The socket cannot be taken over: " + cause.getMessage(), cause);
  }
}
