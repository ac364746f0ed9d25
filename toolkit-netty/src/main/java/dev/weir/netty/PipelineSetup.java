package dev.weir.netty;

import io.netty.channel.ChannelPipeline;

/**
 * Puts a user's handlers into the pipeline of one connection. They stand between the socket, or TLS
 * where there is that, and the stream of bytes or messages.
 */
@FunctionalInterface
public interface PipelineSetup {
  /**
   * Adds handlers at the end of the pipeline, by {@link ChannelPipeline#addLast}; the stream is put
   * behind the last of them. Runs on the loop's I/O fiber, once for each connection: it must return
   * soon, and handlers that are not sharable have to be new ones.
   *
   * <p>The connection is open then. Handlers are told so by {@code channelActive}, as soon as all
   * are there.
   *
   * @throws Exception ends the connection, as an {@link Error} does; whoever waits for it receives
   *     a {@link PipelineException} with this as its cause
   */
  void addHandlers(ChannelPipeline pipeline) throws Exception;
}
