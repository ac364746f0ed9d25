package dev.weir.netty;

import dev.weir.task.CancelledError;
import dev.weir.tls.TlsSession;
import io.netty.channel.Channel;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * A connection of messages: what Netty's codecs decode and encode, in sequential code. Made by
 * {@link NettyStreams}.
 *
 * <p><b>Who owns a message</b> that is reference-counted: the connection, until {@link #receive}
 * returns it; then the caller, who releases it or sends it on. {@link #send} takes it over from its
 * call on, whether it returns or throws. What was received by nobody is released when the
 * connection is closed on this side, or its handler returns.
 *
 * <p><b>Back-pressure.</b> The socket is read no further while {@value #MESSAGES_MAX} messages or
 * 64 KiB wait to be received, and again when at most {@value #MESSAGES_RESUME} and 16 KiB do. What
 * one read has brought is decoded whole; so more may wait, but not more than one read holds. How
 * many bytes a message has says the channel's {@link io.netty.channel.MessageSizeEstimator}, which
 * the {@link PipelineSetup} may choose; Netty's own knows buffers and what holds one, and takes all
 * else, an array of buffers too, for a few bytes.
 *
 * <p>Only tasks of its loop may use it, {@link #close} and the other calls that do not suspend also
 * callbacks; elsewhere its calls throw {@link IllegalStateException}.
 *
 * @param <I> what is received
 * @param <O> what is sent
 */
public interface MessageConnection<I, O> extends Iterable<I>, AutoCloseable {
  /** So many messages may wait before reading pauses. */
  int MESSAGES_MAX = 10;

  /** So many may still wait when it goes on. */
  int MESSAGES_RESUME = 2;

  /**
   * Suspends until there is a message, and takes it. The caller owns it then.
   *
   * @return the next message; null when the peer has ended its stream
   * @throws PipelineException if a decoder or another handler failed, what was sent could not be
   *     encoded, or the message is of another type; messages that came before are received first
   * @throws java.net.SocketTimeoutException if a timeout of the server or of a handler has ended
   *     the connection
   * @throws dev.weir.tls.TlsException if TLS has, or ended without saying so
   * @throws IOException if the connection is lost otherwise, after the messages that had arrived;
   *     or it was closed on this side
   * @throws CancelledError if the task is cancelled; no message is taken then
   * @throws IllegalStateException if another task waits in this call
   */
  @Nullable I receive() throws IOException;

  /**
   * {@return an iterator over what is received, to the end of the stream} Its calls suspend as
   * {@link #receive} does, and throw its exceptions within {@link java.io.UncheckedIOException}.
   * Its {@code hasNext()} receives the next message, which is the iterator's until {@code next()}
   * hands it out: whoever stops between the two leaks one that is reference-counted. A {@code for}
   * loop never does.
   */
  @Override
  Iterator<I> iterator();

  /**
   * Sends a message. Suspends first while more than {@linkplain
   * dev.weir.stream.StreamOptions#highWater high water} is unsent, until it is down to low water;
   * tasks that wait go on one at a time, in the order of their calls. So it does whatever the
   * options say of writes that never wait, and there is no hard cap for it to meet. It does not
   * wait until the message is sent; an encoder that fails ends the connection.
   *
   * @param message which is taken over: also if this throws
   * @throws IOException if the connection is lost or was closed
   * @throws CancelledError if the task is cancelled while it waits; nothing is sent then
   * @throws IllegalStateException after {@link #writeEof}, also if that came while it waited
   */
  void send(O message) throws IOException;

  /**
   * Ends the stream to the peer behind what was sent; receiving goes on. A second call has no
   * effect. Handlers hear nothing of it: an encoder that has to write an end of its own is given a
   * message for that, or {@link #close}.
   *
   * @throws IOException if the connection is lost
   * @throws UnsupportedOperationException if the connection is secured: with TLS one direction
   *     cannot end alone
   */
  void writeEof() throws IOException;

  /**
   * Closes the connection; what was sent before leaves in the background, and what was not received
   * is released. Never waits, never throws.
   */
  @Override
  void close();

  /** Closes the connection at once, and drops what was not sent. Never waits, never throws. */
  void abort();

  /**
   * Suspends until the connection is closed, as {@link dev.weir.stream.StreamWriter#waitClosed}. It
   * does not close it.
   *
   * @throws IOException if the connection was lost or aborted rather than closed
   * @throws CancelledError if the task is cancelled
   */
  void waitClosed() throws IOException;

  /** {@return whether the connection is closed or about to be} */
  boolean isClosing();

  /** Keeps the connection open when its server's handler returns: to close it is the caller's. */
  void detach();

  /** {@return this end's address} */
  SocketAddress localAddress();

  /** {@return the peer's address} */
  SocketAddress remoteAddress();

  /** {@return what was agreed on with the peer; null if the connection is not secured by Weir} */
  @Nullable TlsSession tlsSession();

  /** {@return Netty's channel, for what nobody foresaw; see {@link NettyStreams#channel}} */
  Channel channel();
}
