package dev.weir.pipe;

import dev.weir.spi.Transport;
import dev.weir.stream.StreamReader;
import dev.weir.task.Loop;

/**
 * A pipe that is open for reading, or the terminal. For its loop's tasks and callbacks only;
 * elsewhere its calls throw {@link IllegalStateException}.
 */
public final class ReadPipe implements AutoCloseable {
  private final Loop loop;
  private final Transport transport;
  private final StreamReader reader;

  ReadPipe(Loop loop, Transport transport, StreamReader reader) {
    this.loop = loop;
    this.transport = transport;
    this.reader = reader;
  }

  /** {@return what comes out of it} */
  public StreamReader reader() {
    return reader;
  }

  /**
   * Closes it: what has arrived can still be read here, then the stream ends. It is lost to who
   * opens the pipe, or standard input, next: up to 64 KiB are read ahead, and what the stream
   * buffers. Never waits, never throws; a second call has no effect.
   */
  @Override
  public void close() {
    if (!loop.isClosed()) {
      loop.ensureHeld("ReadPipe.close()");
      transport.close();
    }
  }

  @Override
  public String toString() {
    return "ReadPipe[" + reader + "]";
  }
}
