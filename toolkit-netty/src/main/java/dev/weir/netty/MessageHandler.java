package dev.weir.netty;

/**
 * Serves one connection of messages, in a task of its own: what {@link
 * dev.weir.stream.ConnectionHandler} is for bytes.
 *
 * @param <I> what is received
 * @param <O> what is sent
 */
@FunctionalInterface
public interface MessageHandler<I, O> {
  /**
   * Serves one connection. When it returns or throws, what it sent is flushed and the connection is
   * closed, unless it called {@link MessageConnection#detach}; what it did not receive is released.
   *
   * @throws Exception is reported to the loop's exception handler; an {@link java.io.IOException}
   *     of this very connection, a reset say, is logged at DEBUG only
   */
  void handle(MessageConnection<I, O> connection) throws Exception;
}
