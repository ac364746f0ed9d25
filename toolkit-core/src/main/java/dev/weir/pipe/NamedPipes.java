package dev.weir.pipe;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/** Opens named pipes (FIFOs), and devices that behave like them, as streams. */
public final class NamedPipes {
  private NamedPipes() {}

  /**
   * Suspends until a named pipe is open for reading, which is when somebody has it open for
   * writing. Corresponds to {@code loop.connect_read_pipe} on a pipe that was opened by hand. The
   * stream ends when all who wrote have closed it.
   *
   * <p>If the task is cancelled, nothing stays open. To wake the thread that waits in the system's
   * {@code open}, the pipe is opened for both directions for a moment, for which it must be
   * writable too; if it is not, the thread waits on until somebody opens it.
   *
   * @return the pipe, to be closed by the caller
   * @throws java.nio.file.NoSuchFileException if there is nothing at the path
   * @throws java.nio.file.AccessDeniedException if it may not be read
   * @throws IllegalArgumentException if it is a regular file or a directory
   * @throws IOException if it cannot be opened for another reason
   * @throws dev.weir.task.CancelledError if the task is cancelled
   */
  public static ReadPipe openRead(Path path, StreamOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    String name = "pipe " + Objects.requireNonNull(path, "path");
    Loop loop = Loop.running();
    loop.ensureMaySuspend("openReadPipe()");
    return Opening.read(loop, name, FifoOpener.forReading(path), options);
  }

  /**
   * Suspends until a named pipe is open for writing, which is when somebody has it open for
   * reading; see {@link #openRead} for the rest. Corresponds to {@code loop.connect_write_pipe}.
   *
   * <p>That nobody reads it any more is found out by a write, which then throws {@link
   * dev.weir.stream.ConnectionResetException}, as all later ones.
   *
   * @return what is written into it, to be closed by the caller
   * @throws java.nio.file.NoSuchFileException if there is nothing at the path
   * @throws java.nio.file.AccessDeniedException if it may not be written
   * @throws IllegalArgumentException if it is a regular file or a directory
   * @throws IOException if it cannot be opened for another reason
   * @throws dev.weir.task.CancelledError if the task is cancelled
   */
  public static StreamWriter openWrite(Path path, StreamOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    String name = "pipe " + Objects.requireNonNull(path, "path");
    Loop loop = Loop.running();
    loop.ensureMaySuspend("openWritePipe()");
    return Opening.write(loop, name, FifoOpener.forWriting(path), options);
  }
}
