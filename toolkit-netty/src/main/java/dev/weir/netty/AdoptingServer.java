package dev.weir.netty;

import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.Spread;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;

/**
 * A server that does not listen: it takes over channels that an application's own Netty bootstrap
 * accepted, and has each served by a task on its loop. Made by {@link
 * NettyStreams#startAdoptingServer} and {@link NettyStreams#startAdoptingMessageServer}.
 *
 * <p>A channel that is on another event loop of the same kind of I/O is moved: deregistered there
 * and registered on the Weir loop. One of another kind stays where it is, and what it reads and
 * writes goes over by a hop. Either way no task runs on a thread of the application's, and its
 * handlers, which stay in the pipeline, run where the channel is.
 *
 * <p>A handler that has set a timer before its channel is moved is called by it on the old event
 * loop, beside what runs on the new one. {@code IdleStateHandler} and {@code ReadTimeoutHandler}
 * set one when they are added: leave them out, and take {@link ServerOptions#withIdleTimeout}.
 *
 * <p>What the {@link ServerOptions} say of connections holds; what they say of listening does not,
 * and all connections are served on the loop where this was started.
 */
public final class AdoptingServer implements AutoCloseable {
  private final Server server;
  private final NettyAdopter adopter;

  private AdoptingServer(Server server, NettyAdopter adopter) {
    this.server = server;
    this.adopter = adopter;
  }

  static AdoptingServer start(ConnectionHandler handler, ServerOptions options, boolean ofMessages)
      throws IOException {
    NettyAdopter.Address address = new NettyAdopter.Address(ofMessages);
    Server server = Server.startAt(handler, address, options.withSpread(Spread.NONE));
    return new AdoptingServer(server, address.adopter());
  }

  /**
   * {@return a handler for an application's pipeline that gives its channel to this server} It is
   * put in last, behind the application's own handlers if there are any. One object is for all
   * channels. Any thread may ask.
   */
  public ChannelHandler childHandler() {
    return new Giving();
  }

  @Sharable
  private final class Giving extends ChannelInboundHandlerAdapter {
    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      adopt(context.channel());
      context.pipeline().remove(this);
    }
  }

  /**
   * Takes a channel over. It must be connected, and of a kind whose directions can end alone, as
   * TCP's and Unix sockets' are. Nobody else may touch it from then on, but for its handlers. Does
   * not wait; any thread may call it. If the server is closed, or its loop has ended, the channel
   * is closed.
   *
   * @throws IllegalArgumentException if the channel is of another kind, or not registered
   * @throws java.util.concurrent.RejectedExecutionException if the channel's own event loop has
   *     ended, and the channel with it
   */
  public void adopt(Channel channel) {
    if (!(channel instanceof DuplexChannel stream)) {
      throw new IllegalArgumentException(
          "Only channels of streams, such as a SocketChannel, can be taken over: " + channel);
    }
    if (!channel.isRegistered()) {
      throw new IllegalArgumentException(
          "The channel is on no event loop: take it over when it is connected: " + channel);
    }
    adopter.adopt(stream);
  }

  /** {@return the server, whose calls are for tasks and callbacks of its loop} */
  public Server server() {
    return server;
  }

  /** The same as {@link Server#close}: takes no more channels over; those it has live on. */
  @Override
  public void close() {
    server.close();
  }

  @Override
  public String toString() {
    return "AdoptingServer[" + adopter + "]";
  }
}
