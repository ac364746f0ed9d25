package dev.weir.process;

import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A pipe that this process made, with a path by which a child can be given an end of it.
 *
 * <p>The pipes that {@link ProcessBuilder} makes have three faults for us: closing one does not
 * wake a thread that reads it; when the child ends, the JDK closes them, and what a grandchild
 * still writes is lost; and such a reader then stays until the grandchild ends. A pipe of NIO has
 * none of them, but also no name. On Linux every descriptor has one, {@code /proc/self/fd/N}; since
 * the JDK does not tell the number, it is found by what was written into the pipe.
 *
 * <p>Any thread.
 */
final class ChildPipe implements AutoCloseable {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  /** What is in the pipe that is looked for, and after a byte was taken. No other changes so. */
  private static final int MARK_BYTES = 3;

  /** How far from the last that was found is looked before all descriptors are. */
  private static final int NEAR = 16;

  /** The number of the last descriptor that was found. Guarded by the class. */
  private static int lastFound;

  private final Pipe pipe;
  private final Path path;

  private ChildPipe(Pipe pipe, Path path) {
    this.pipe = pipe;
    this.path = path;
  }

  /** {@return a pipe; null where descriptors have no names} */
  static @Nullable ChildPipe open() throws IOException {
    if (!Files.isDirectory(DESCRIPTORS)) {
      return null;
    }
    Pipe pipe = Pipe.open();
    Path path = null;
    try {
      path = find(pipe);
    } finally {
      if (path == null) {
        close(pipe);
      }
    }
    return path == null ? null : new ChildPipe(pipe, path);
  }

  /** One at a time: the mark is the same for all. */
  private static synchronized @Nullable Path find(Pipe pipe) throws IOException {
    ByteBuffer mark = ByteBuffer.allocate(MARK_BYTES);
    while (mark.hasRemaining()) {
      pipe.sink().write(mark);
    }
    Path near = findNear(lastFound, pipe);
    Path found = near != null ? near : findAmongAll(pipe);
    if (found != null) {
      lastFound = Integer.parseInt(found.getFileName().toString());
    }
    return found;
  }

  /** The system gives the lowest number that is free: often that of a pipe which is closed now. */
  private static @Nullable Path findNear(int number, Pipe pipe) throws IOException {
    for (int each = Math.max(0, number - NEAR); each <= number + NEAR; each++) {
      Path descriptor = DESCRIPTORS.resolve(Integer.toString(each));
      if (isPipe(descriptor) && isMarked(descriptor, pipe)) {
        return descriptor;
      }
    }
    return null;
  }

  private static @Nullable Path findAmongAll(Pipe pipe) throws IOException {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(DESCRIPTORS)) {
      for (Path descriptor : descriptors) {
        if (isPipe(descriptor) && isMarked(descriptor, pipe)) {
          return descriptor;
        }
      }
    }
    return null;
  }

  private static boolean isPipe(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("pipe:");
    } catch (IOException e) {
      return false; // Closed meanwhile, as that of the directory itself will be.
    }
  }

  private static boolean isMarked(Path descriptor, Pipe pipe) throws IOException {
    try (FileInputStream reader = new FileInputStream(descriptor.toFile())) {
      if (reader.available() != MARK_BYTES) {
        return false;
      }
      takeByte(pipe);
      if (reader.available() != MARK_BYTES - 1) {
        putByte(pipe);
        return false;
      }
    } catch (FileNotFoundException e) {
      return false; // Closed meanwhile.
    }
    for (int i = 1; i < MARK_BYTES; i++) {
      takeByte(pipe);
    }
    return true;
  }

  private static void takeByte(Pipe pipe) throws IOException {
    pipe.source().read(ByteBuffer.allocate(1));
  }

  private static void putByte(Pipe pipe) throws IOException {
    pipe.sink().write(ByteBuffer.allocate(1));
  }

  /** {@return what opens either end of it} Only as long as an end of it is open here. */
  Path path() {
    return path;
  }

  Pipe.SourceChannel source() {
    return pipe.source();
  }

  Pipe.SinkChannel sink() {
    return pipe.sink();
  }

  /** Closes both ends, as far as they are open here. */
  @Override
  public void close() {
    close(pipe);
  }

  private static void close(Pipe pipe) {
    try (var _ = pipe.sink();
        var _ = pipe.source()) {
      // Both, also if closing one fails.
    } catch (IOException e) {
      // The descriptors are gone in any case.
    }
  }

  @Override
  public String toString() {
    return "ChildPipe[" + path + "]";
  }
}
