package dev.weir.netty;

import dev.weir.spi.Network.Completion;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The door to Netty: streams of bytes behind a user's handlers, and streams of what codecs decode.
 *
 * <p>Only for connections that Netty makes: in a test's network in memory there is no pipeline, and
 * these calls throw {@link IllegalStateException}.
 */
public final class NettyStreams {
  private NettyStreams() {}

  // --- Bytes behind handlers

  /**
   * Suspends until the server listens: {@code Asyncio.startServer} with handlers in the pipeline of
   * each connection, between the socket, or TLS, and the streams. They are put in before {@code
   * handler} is called, behind a PROXY header and the TLS handshake.
   *
   * @param pipeline is called once for each connection
   * @throws IOException as {@link Server#start(ConnectionHandler, String, int, ServerOptions)}
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static Server startServer(
      ConnectionHandler handler,
      @Nullable String host,
      int port,
      ServerOptions options,
      PipelineSetup pipeline)
      throws IOException {
    return Server.start(behind(pipeline, handler), host, port, options);
  }

  /**
   * Suspends until the server listens on several hosts: {@code Asyncio.startServer} with handlers
   * in the pipeline of each connection.
   *
   * @throws IllegalArgumentException if there is no host, or the port is out of range
   * @see #startServer(ConnectionHandler, String, int, ServerOptions, PipelineSetup)
   */
  public static Server startServer(
      ConnectionHandler handler,
      List<String> hosts,
      int port,
      ServerOptions options,
      PipelineSetup pipeline)
      throws IOException {
    return Server.start(behind(pipeline, handler), hosts, port, options);
  }

  /**
   * Suspends until the server listens on a Unix socket: {@code Asyncio.startUnixServer} with
   * handlers in the pipeline of each connection.
   *
   * @throws IOException as {@link Server#startUnix}
   * @see #startServer(ConnectionHandler, String, int, ServerOptions, PipelineSetup)
   */
  public static Server startUnixServer(
      ConnectionHandler handler, Path path, ServerOptions options, PipelineSetup pipeline)
      throws IOException {
    return Server.startUnix(behind(pipeline, handler), path, options);
  }

  private static ConnectionHandler behind(PipelineSetup pipeline, ConnectionHandler handler) {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(pipeline, "pipeline");
    return (reader, writer) -> {
      addHandlers(writer, pipeline);
      handler.handle(reader, writer);
    };
  }

  /**
   * Suspends until connected: {@code Asyncio.openConnection} with handlers in the pipeline, between
   * the socket, or TLS, and the streams. They are put in when the connection is made, through a
   * proxy too, and secured.
   *
   * @param pipeline is called once
   * @throws PipelineException if {@code pipeline} fails
   * @throws IOException as {@link Connection#open}
   * @throws CancelledError if the task is cancelled; there is no connection then
   */
  public static Connection openConnection(
      String host, int port, ConnectOptions options, PipelineSetup pipeline) throws IOException {
    Objects.requireNonNull(pipeline, "pipeline");
    Connection connection = Connection.open(host, port, options);
    boolean added = false;
    try {
      addHandlers(connection.writer(), pipeline);
      added = true;
      return connection;
    } finally {
      if (!added) {
        connection.writer().abort();
      }
    }
  }

  /**
   * Suspends until handlers are in the pipeline of a connection that is open. They see what has
   * arrived and was not read yet, and nothing of what was written before the call.
   *
   * @param writer the connection's
   * @throws PipelineException if {@code pipeline} fails; the connection is lost then
   * @throws IOException if the connection is lost or closed
   * @throws CancelledError if the task is cancelled; the connection is aborted then
   * @throws IllegalStateException if its pipeline was set up before, TLS is being started, or a
   *     task waits for bytes
   */
  public static void addHandlers(StreamWriter writer, PipelineSetup pipeline) throws IOException {
    Objects.requireNonNull(pipeline, "pipeline");
    addHandlers(writer, transport(writer, "addHandlers()"), pipeline, null);
  }

  private static void addHandlers(
      StreamWriter writer,
      NettyTransport transport,
      PipelineSetup pipeline,
      @Nullable NettyMessages<?, ?> messages)
      throws IOException {
    Loop loop = Loop.running();
    Future<UserHandlers> added = loop.createFuture(writer);
    transport.addHandlers(pipeline, messages, new Added(added));
    try {
      added.await(IOException.class);
    } catch (CancelledError e) {
      writer.abort();
      throw e;
    }
  }

  private record Added(Future<UserHandlers> future) implements Completion<UserHandlers> {
    @Override
    public void succeeded(UserHandlers handlers) {
      if (!future.done()) {
        future.setResult(handlers);
      }
    }

    @Override
    public void failed(IOException cause) {
      if (!future.done()) {
        future.setException(cause);
      }
    }
  }

  // --- Messages

  /**
   * Suspends until the server listens whose connections are of messages: what the handlers of
   * {@code pipeline} decode is received, and what is sent they encode.
   *
   * <p>Options, limits and the end are those of every {@link Server}.
   *
   * @param handler serves one connection, in a task of its own
   * @param type of what is received; a message of another type ends its connection with a {@link
   *     PipelineException}. {@code Object.class} takes all
   * @param pipeline is called once for each connection, behind a PROXY header and the TLS handshake
   * @throws IOException as {@link Server#start(ConnectionHandler, String, int, ServerOptions)}
   * @throws CancelledError if the task is cancelled; nothing listens then
   */
  public static <I, O> Server startMessageServer(
      MessageHandler<I, O> handler,
      @Nullable String host,
      int port,
      ServerOptions options,
      Class<I> type,
      PipelineSetup pipeline)
      throws IOException {
    return Server.start(handlerOfBytes(handler, type, pipeline), host, port, options);
  }

  /**
   * Suspends until the server listens on several hosts whose connections are of messages.
   *
   * @throws IllegalArgumentException if there is no host, or the port is out of range
   * @see #startMessageServer(MessageHandler, String, int, ServerOptions, Class, PipelineSetup)
   */
  public static <I, O> Server startMessageServer(
      MessageHandler<I, O> handler,
      List<String> hosts,
      int port,
      ServerOptions options,
      Class<I> type,
      PipelineSetup pipeline)
      throws IOException {
    return Server.start(handlerOfBytes(handler, type, pipeline), hosts, port, options);
  }

  /**
   * Suspends until the server listens on a Unix socket whose connections are of messages.
   *
   * @throws IOException as {@link Server#startUnix}
   * @see #startMessageServer(MessageHandler, String, int, ServerOptions, Class, PipelineSetup)
   */
  public static <I, O> Server startUnixMessageServer(
      MessageHandler<I, O> handler,
      Path path,
      ServerOptions options,
      Class<I> type,
      PipelineSetup pipeline)
      throws IOException {
    return Server.startUnix(handlerOfBytes(handler, type, pipeline), path, options);
  }

  static <I, O> ConnectionHandler handlerOfBytes(
      MessageHandler<I, O> handler, Class<I> type, PipelineSetup pipeline) {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(pipeline, "pipeline");
    return (reader, writer) -> handler.handle(newMessages(writer, type, pipeline));
  }

  /**
   * Suspends until connected, to send and receive messages through the handlers of {@code
   * pipeline}.
   *
   * @param type of what is received; a message of another type ends the connection with a {@link
   *     PipelineException}. {@code Object.class} takes all
   * @param pipeline is called once, when the connection is made, through a proxy too, and secured
   * @throws PipelineException if {@code pipeline} fails
   * @throws IOException as {@link Connection#open}
   * @throws CancelledError if the task is cancelled; there is no connection then
   */
  public static <I, O> MessageConnection<I, O> openMessageConnection(
      String host, int port, ConnectOptions options, Class<I> type, PipelineSetup pipeline)
      throws IOException {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(pipeline, "pipeline");
    Connection connection = Connection.open(host, port, options);
    boolean added = false;
    try {
      MessageConnection<I, O> messages = newMessages(connection.writer(), type, pipeline);
      added = true;
      return messages;
    } finally {
      if (!added) {
        connection.writer().abort();
      }
    }
  }

  /**
   * Suspends until a connection that is open, and was one of bytes until now, is one of messages.
   * What has arrived and was not read yet is decoded. Its streams are of no use from then on.
   *
   * @param writer the connection's
   * @param type of what is received
   * @throws PipelineException if {@code pipeline} fails; the connection is lost then
   * @throws IOException if the connection is lost or closed
   * @throws CancelledError if the task is cancelled; the connection is aborted then
   * @throws IllegalStateException if its pipeline was set up before, TLS is being started, or a
   *     task waits for bytes
   */
  public static <I, O> MessageConnection<I, O> messages(
      StreamWriter writer, Class<I> type, PipelineSetup pipeline) throws IOException {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(pipeline, "pipeline");
    return newMessages(writer, type, pipeline);
  }

  private static <I, O> NettyMessages<I, O> newMessages(
      StreamWriter writer, Class<I> type, PipelineSetup pipeline) throws IOException {
    NettyTransport transport = transport(writer, "messages()");
    NettyMessages<I, O> messages = new NettyMessages<>(Loop.running(), transport, writer, type);
    boolean added = false;
    try {
      addHandlers(writer, transport, pipeline, messages);
      added = true;
      return messages;
    } finally {
      if (!added) {
        messages.discard();
      }
    }
  }

  // --- Programs that are Netty's

  /**
   * Suspends until a server is ready to take over channels that an application's own event loops
   * accepted, and to have {@code handler} serve each of them in a task on this loop.
   *
   * <p>The application's handlers stay in the channel's pipeline, and the streams come after the
   * last of them. So that one must hand on buffers, and be able to write buffers.
   *
   * @throws dev.weir.tls.TlsException if the TLS of the options cannot be had
   * @throws IOException if the loop's network is not Netty's
   * @throws CancelledError if the task is cancelled; no server is left then
   */
  public static AdoptingServer startAdoptingServer(ConnectionHandler handler, ServerOptions options)
      throws IOException {
    ensureNettys("startAdoptingServer()");
    return AdoptingServer.start(handler, options, false);
  }

  /**
   * Suspends until a server is ready to take over channels that an application's own event loops
   * accepted, with messages as their pipelines decode and encode them.
   *
   * @param type of what is received; a message of another type ends its connection with a {@link
   *     PipelineException}
   * @throws IllegalArgumentException if the options have TLS or require a PROXY header, which come
   *     before codecs, and so are the application's
   * @throws IOException as {@link #startAdoptingServer}
   * @throws CancelledError if the task is cancelled; no server is left then
   */
  public static <I, O> AdoptingServer startAdoptingMessageServer(
      MessageHandler<I, O> handler, ServerOptions options, Class<I> type) throws IOException {
    ensureNettys("startAdoptingMessageServer()");
    if (options.tls() != null) {
      throw new IllegalArgumentException(
          "TLS comes before the codecs, which are the application's: add an SslHandler there, and"
              + " leave withTls() out");
    }
    if (options.requiresProxyProtocol()) {
      throw new IllegalArgumentException(
          "A PROXY header comes before the codecs, which are the application's: add a handler that"
              + " reads it there, and leave withProxyProtocol() out");
    }
    return AdoptingServer.start(handlerOfBytes(handler, type, pipeline -> {}), options, true);
  }

  /**
   * {@return Weir's loops as Netty sees them, for any bootstrap of Netty's} What runs on them runs
   * on the loops' I/O fibers, between the steps of tasks, and must not block any more than on other
   * event loops. Any thread may ask.
   *
   * <p>The loops end with their {@code Asyncio.run}, and a shutdown of the group does nothing but
   * wait for that. So no task of theirs may wait for it: {@code shutdownGracefully().sync()} in
   * one, or in {@code Asyncio.toThread} while it waits for that, would never return. Close what the
   * bootstrap made, and leave the group alone.
   *
   * @param loops at least one; {@code Asyncio.runningLoop()} for instance
   * @throws IllegalArgumentException if there is none
   * @throws IllegalStateException if a loop is not by Netty
   */
  public static EventLoopGroup group(Loop... loops) {
    if (loops.length == 0) {
      throw new IllegalArgumentException("no loop for the group: give it one, or several");
    }
    return new WeirEventLoopGroup(
        Arrays.stream(loops).map(loop -> network(loop, "group()").driver().eventLoop()).toList());
  }

  /**
   * {@return the type of channel that listens for TCP on a loop's kind of I/O, for a bootstrap on
   * its {@link #group}} Any thread may ask.
   *
   * @throws IllegalStateException if the loop is not by Netty
   */
  public static Class<? extends ServerSocketChannel> serverSocketChannelType(Loop loop) {
    return network(loop, "serverSocketChannelType()").io().serverSocketChannelType();
  }

  /**
   * {@return the type of channel that connects by TCP on a loop's kind of I/O} Any thread may ask.
   *
   * @throws IllegalStateException if the loop is not by Netty
   */
  public static Class<? extends SocketChannel> socketChannelType(Loop loop) {
    return network(loop, "socketChannelType()").io().socketChannelType();
  }

  private static void ensureNettys(String call) {
    network(Loop.running(), call);
  }

  static NettyNetwork network(Loop loop, String call) {
    if (loop.network() instanceof NettyNetwork netty) {
      return netty;
    }
    throw new IllegalStateException(call + " on a loop whose network is not Netty's: " + loop);
  }

  // --- What is beneath

  /**
   * {@return Netty's channel beneath a connection, for what nobody foresaw}
   *
   * <p><b>Threads.</b> Its event loop is the loop's I/O fiber, and what runs in its pipeline runs
   * there, between the steps of tasks: never beside them. A task that calls a method of the channel
   * or its pipeline is not on that fiber: Netty queues what it asks for, and does it with the next
   * poll, in the order of the calls. What the stream writes in the same round comes after that.
   * {@code sync()} and {@code await()} of Netty's futures would wait for what only runs when the
   * task does not: never call them, add a listener.
   *
   * <p><b>A channel that was taken over</b> and stays on the application's event loop, because that
   * is of another kind of I/O, has a stand-in here. Its pipeline is this one's only: it has none of
   * the application's handlers, such as an {@code SslHandler}, and none of the attributes. What is
   * needed of those, the application hands on as a message.
   *
   * <p><b>Not to be touched:</b> auto-read, the water marks, the receive buffer's allocator, and
   * the handlers that are not the user's. The stream depends on them. Handlers that are added here,
   * and not by {@link #addHandlers}, do not see what the stream writes: as a rule it goes to the
   * socket past the channel.
   *
   * @throws IllegalStateException if it is not by Netty, or the caller is not on its loop
   */
  public static Channel channel(StreamWriter writer) {
    return transport(writer, "channel()").channel;
  }

  private static NettyTransport transport(StreamWriter writer, String call) {
    NettyTransport transport = writer.extraInfo(NettyTransport.class);
    if (transport == null) {
      throw new IllegalStateException(
          call + " on a connection that is not by Netty and has no pipeline: " + writer);
    }
    return transport;
  }
}
