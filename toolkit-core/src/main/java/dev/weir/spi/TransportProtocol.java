package dev.weir.spi;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What happens on one connection, in the shape of asyncio's {@code Protocol}. The engine calls it
 * on the I/O fiber, except where {@link Transport#write} says otherwise. Implementations must
 * return soon and never wait.
 */
public interface TransportProtocol {
  /** The connection is there. The first call. */
  void connectionMade(Transport transport);

  /**
   * Bytes arrived.
   *
   * @param data valid during the call only; consumed whole
   */
  void dataReceived(ByteBuffer data);

  /**
   * Bytes arrived at once that lie apart. The same as the calls for each part, in this order;
   * whoever collects them can make room for all.
   *
   * @param parts valid during the call only; each consumed whole
   */
  default void dataReceived(ByteBuffer[] parts) {
    for (ByteBuffer part : parts) {
      dataReceived(part);
    }
  }

  /**
   * Gives back what was received and not yet read, because something is being put between transport
   * and protocol that is to see it first. An end of the stream is forgotten too: both come again.
   *
   * @return the bytes, which are the caller's
   * @throws IllegalStateException if a task waits for bytes
   */
  byte[] takeBack();

  /**
   * Notes that {@code exception} is thrown because of what happened to this connection or what its
   * peer did, which is no bug of whoever handles it.
   *
   * @return the exception
   */
  default <X extends IOException> X thrown(X exception) {
    return exception;
  }

  /** Notes that something was written that came by no {@link Transport#write}: a message, say. */
  default void messageWritten() {}

  /**
   * Notes that something has left, where handlers stand between this protocol and the network, and
   * how much is theirs to say.
   */
  default void dataSent() {}

  /**
   * {@return a new exception to throw because the connection was lost to {@code cause}, noted as
   * {@link #thrown} does} The protocol may know better why it was lost.
   */
  default IOException thrownFor(IOException cause) {
    return thrown(new IOException(cause.getMessage(), cause));
  }

  /** The peer will send no more. The connection stays open for writing. */
  void eofReceived();

  /**
   * The connection is gone. The last call, made exactly once.
   *
   * @param cause null after an orderly end or after this side closed it; not after an abort
   */
  void connectionLost(@Nullable IOException cause);

  /**
   * Nothing can be sent any more, because the peer takes nothing; what it had sent may still
   * arrive. {@link #connectionLost} follows when that has ended.
   */
  default void writingFailed(IOException cause) {}

  /** The write buffer went above high water. */
  void pauseWriting();

  /** The write buffer went down to low water. */
  void resumeWriting();
}
