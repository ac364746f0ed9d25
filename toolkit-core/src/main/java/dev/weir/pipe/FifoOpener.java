package dev.weir.pipe;

import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * Opens a named pipe for one direction. The system's {@code open} blocks until another has it open
 * for the other direction, and nothing can interrupt it: to wake it, the pipe is opened for both,
 * which never blocks on Linux, and kept so until the thread has come back from there.
 *
 * @param <C> the channel's type
 */
final class FifoOpener<C extends Channel> implements ChannelOpener<C> {
  private final Path path;
  private final Cast<C> cast;
  private final StandardOpenOption direction;

  // Guarded by this.
  private boolean blocking;
  private boolean cancelled;
  private @Nullable FileChannel waker;

  /** What a file's channel is used as. */
  private interface Cast<C> {
    C of(FileChannel channel);
  }

  private FifoOpener(Path path, StandardOpenOption direction, Cast<C> cast) {
    this.path = path;
    this.direction = direction;
    this.cast = cast;
  }

  static FifoOpener<ReadableByteChannel> forReading(Path path) {
    return new FifoOpener<>(path, StandardOpenOption.READ, channel -> channel);
  }

  static FifoOpener<WritableByteChannel> forWriting(Path path) {
    return new FifoOpener<>(path, StandardOpenOption.WRITE, channel -> channel);
  }

  @Override
  public C open() throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    if (!attributes.isOther()) {
      throw new IllegalArgumentException(
          (attributes.isDirectory() ? "A directory" : "A regular file")
              + ", which is no pipe: "
              + path
              + "; read and write files in Asyncio.toThread(() -> ...)");
    }
    synchronized (this) {
      if (cancelled) {
        throw new IOException("Opening was cancelled: " + path);
      }
      blocking = true;
    }
    try {
      return cast.of(FileChannel.open(path, direction));
    } finally {
      passed();
    }
  }

  private synchronized void passed() throws IOException {
    blocking = false;
    if (waker != null) {
      waker.close();
    }
  }

  @Override
  public synchronized void cancel() {
    cancelled = true;
    if (blocking && waker == null) {
      try {
        waker = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
      } catch (IOException e) {
        // It is gone, or one direction is forbidden: the thread waits until another opens it.
      }
    }
  }

  @Override
  public String toString() {
    return "FifoOpener[" + path + ", " + direction + "]";
  }
}
