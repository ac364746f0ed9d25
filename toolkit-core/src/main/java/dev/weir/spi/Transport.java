package dev.weir.spi;

import dev.weir.spi.Network.Completion;
import dev.weir.tls.TlsSession;
import java.net.SocketAddress;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/**
 * One connection's way out, in the shape of asyncio's {@code Transport}. Its methods are called on
 * the loop, never wait, and take effect when the I/O fiber next runs.
 */
public interface Transport {
  /**
   * Takes bytes to be sent. They are copied: the caller may reuse the array at once. Calls {@link
   * TransportProtocol#pauseWriting} before it returns if that takes the buffer above high water.
   * Does nothing once the transport is closing.
   *
   * @throws IllegalStateException after {@link #writeEof}
   */
  void write(byte[] bytes, int offset, int length);

  /**
   * Sends an end of stream after what is buffered; the other direction stays open. A second call
   * has no effect. Called only if {@link #canWriteEof}.
   */
  void writeEof();

  /** {@return whether one direction can end alone} It cannot on a secured connection. */
  default boolean canWriteEof() {
    return true;
  }

  /**
   * Sends what is buffered, then closes. Nothing more is received. A second call has no effect. A
   * secured connection then waits for the peer's answer, no longer than its shutdown timeout.
   */
  void close();

  /** Drops what is buffered and closes at once. */
  void abort();

  /** {@return whether the transport is closed or about to be} */
  boolean isClosing();

  /** Stops receiving until {@link #resumeReading}; a read under way is still delivered. */
  void pauseReading();

  /** Receives again. */
  void resumeReading();

  /** {@return how many bytes are buffered and not yet with the operating system} */
  long writeBufferSize();

  /**
   * {@return how many bytes wait for the operating system alone} That goes down with each that
   * leaves, where a message counts as unsent until all that handlers have made of it has left.
   */
  default long bytesQueued() {
    return writeBufferSize();
  }

  /**
   * Sets when the protocol is told to pause and to resume writing, for what is buffered now too.
   *
   * @param high more buffered bytes than this pause it
   * @param low as many buffered bytes, or fewer, resume it
   */
  void setWriteBufferLimits(int high, int low);

  /**
   * Hands on to {@code target} what arrives here from now on, without copying it and without
   * telling this transport's protocol, until so many bytes were handed on, the peer ends its
   * stream, either connection is lost or closed, or it is stopped. What arrives is held back while
   * {@code target} has more than its high water unsent. The protocol is told of the end of the
   * stream and of a loss as ever.
   *
   * @param target may be this transport
   * @param bytesMax how many bytes to hand on at most, above 0
   * @param ended called on the I/O fiber when forwarding has ended because {@code bytesMax} were
   *     handed on or {@code target} takes no more; what arrives from then on goes to the protocol
   * @return what was begun, or null if these two cannot do it and the caller has to copy
   */
  default @Nullable Forwarding startForwarding(Transport target, long bytesMax, Runnable ended) {
    return null;
  }

  /**
   * Sends a part of a file behind what is buffered, without copying it.
   *
   * @param file open for reading until the outcome is there, or it was stopped
   * @param offset where the part begins
   * @param count how many bytes it has, above 0; the file has as many
   * @param outcome receives how many bytes were sent when all of them are with the operating
   *     system, or why they cannot be
   * @return what was begun, for ending the part where it is now; or null if this transport cannot
   *     do it and the caller has to copy, and {@code outcome} is not called
   */
  default @Nullable Forwarding sendFile(
      FileChannel file, long offset, long count, Completion<Long> outcome) {
    return null;
  }

  /**
   * Keeps what is written from now on until the connection is secured; what was written before
   * leaves as it is. Called before {@link #startTls}, and in any case followed by that or by {@link
   * #abort}. Where there is no TLS it does nothing.
   */
  default void holdForTls() {}

  /**
   * Secures the connection. What is {@linkplain #holdForTls held} leaves when the peers have shaken
   * hands, and until then nothing is received. The request's options were {@linkplain
   * Network#prepareTls prepared}. Called once at most.
   *
   * <p>If that fails, the connection is closed, and {@code outcome} told why before the protocol
   * is. There is no limit of time but the caller's.
   *
   * @param outcome receives what was agreed on, before the protocol receives any byte
   */
  default void startTls(TlsRequest request, Completion<TlsSession> outcome) {
    throw new UnsupportedOperationException("no TLS on " + this);
  }

  /** {@return what was agreed on; null if the connection is not secured, or not yet} */
  default @Nullable TlsSession tlsSession() {
    return null;
  }

  /**
   * {@return what the engine has beneath that is of a type, its channel say; null if it has none}
   * Called on the loop.
   */
  default <T> @Nullable T extraInfo(Class<T> type) {
    return null;
  }

  /** {@return this end's address} */
  SocketAddress localAddress();

  /** {@return the other end's address} */
  SocketAddress remoteAddress();
}
