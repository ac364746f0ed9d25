package dev.weir.stream;

import dev.weir.spi.TransportProtocol;
import dev.weir.task.Loop;
import java.util.Objects;

/**
 * The two streams on a transport that no network of the engine's made: a pipe, or one of a
 * program's own. Whoever makes the transport tells {@link #protocol} what happens on it, beginning
 * with {@link TransportProtocol#connectionMade}; until then neither stream may be used.
 *
 * <p>Where bytes go in one direction only, the other's stream is left alone.
 */
public final class TransportStreams {
  private final StreamProtocol protocol;

  /** Makes streams of {@code loop}, on which the transport calls their protocol. */
  public TransportStreams(Loop loop, StreamOptions options) {
    protocol =
        new StreamProtocol(
            Objects.requireNonNull(loop, "loop"), Objects.requireNonNull(options, "options"));
  }

  /** {@return who is to be told what happens on the transport} */
  public TransportProtocol protocol() {
    return protocol;
  }

  /** {@return the stream of what comes in} */
  public StreamReader reader() {
    return protocol.reader;
  }

  /** {@return the stream of what goes out} */
  public StreamWriter writer() {
    return protocol.writer;
  }

  /**
   * Closes the connection as a server does when its handler has returned: not if that {@linkplain
   * StreamWriter#detach detached} the writer. Never waits, never throws.
   */
  public void closeUnlessDetached() {
    if (!protocol.writer.detached()) {
      protocol.writer.close();
    }
  }

  @Override
  public String toString() {
    return "TransportStreams[" + protocol.reader + ", " + protocol.writer + "]";
  }
}
