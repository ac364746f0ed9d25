package dev.weir.pipe;

import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * This process's standard input, output and error as streams. Asyncio has them by {@code
 * connect_read_pipe(factory, sys.stdin)} and {@code connect_write_pipe(factory, sys.stdout)}.
 *
 * <p>Pipes and terminals are opened anew, where the system has {@code /dev/stdin} and its like: so
 * a thread that waits there can be woken, and closing a stream here leaves {@code System.in} and
 * {@code System.out} as they are. Files, sockets and named pipes are read and written by the JVM's
 * own descriptors: a file would begin anew, and a named pipe wait for somebody to open its other
 * end. They stay open then, and a thread that waits for a socket or a named pipe there stays until
 * something arrives, or the JVM ends.
 */
public final class StandardStreams {
  private static final List<Path> DEVICES =
      List.of(Path.of("/dev/stdin"), Path.of("/dev/stdout"), Path.of("/dev/stderr"));

  /** Of a mode, as {@code stat} tells it: which bits are the type, and what they are for a FIFO. */
  private static final int FILE_TYPE_MASK = 0xF000;

  private static final int FIFO = 0x1000;

  private static final AtomicBoolean INPUT_TAKEN = new AtomicBoolean();

  private StandardStreams() {}

  /**
   * Suspends until standard input is open as a stream. What {@code System.in} has read ahead is not
   * in it, nor what an earlier stream has that was closed. A terminal hands over whole lines,
   * unless it was told otherwise.
   *
   * @return the input, to be closed by the caller
   * @throws IllegalStateException if another part of this JVM reads it by this call, and has not
   *     closed it
   * @throws IOException if it cannot be opened
   * @throws dev.weir.task.CancelledError if the task is cancelled
   */
  public static ReadPipe input(StreamOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureMaySuspend("standardInput()");
    if (!INPUT_TAKEN.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "Standard input is read already, and each byte can go to one reader only: close() the"
              + " other, or share what it reads");
    }
    return Opening.read(loop, "standard input", new InputOpener(), options);
  }

  /** Opens standard input, and lets another have it when it is closed. */
  private static final class InputOpener implements ChannelOpener<ReadableByteChannel> {
    private final AtomicBoolean returned = new AtomicBoolean();

    @Override
    public ReadableByteChannel open() {
      FileChannel anew = openAnew(0, StandardOpenOption.READ);
      return anew != null
          ? new Opened(anew)
          : new LeftOpen(new FileInputStream(FileDescriptor.in).getChannel());
    }

    /** Where closing cannot wake the thread, it may take a byte yet. */
    @Override
    public void ended() {
      giveBack();
    }

    private void giveBack() {
      if (!returned.getAndSet(true)) {
        INPUT_TAKEN.set(false);
      }
    }

    /** Standard input opened anew. When it is closed no thread is in it any more. */
    private final class Opened implements ReadableByteChannel {
      private final FileChannel channel;

      Opened(FileChannel channel) {
        this.channel = channel;
      }

      @Override
      public int read(ByteBuffer target) throws IOException {
        return channel.read(target);
      }

      @Override
      public boolean isOpen() {
        return channel.isOpen();
      }

      @Override
      public void close() throws IOException {
        try {
          channel.close();
        } finally {
          giveBack();
        }
      }
    }
  }

  /**
   * Suspends until standard output is open as a stream. What is written to {@code System.out}
   * meanwhile gets between its messages.
   *
   * @return the output; closing it flushes it, and does not close {@code System.out}
   * @throws IOException if it cannot be opened
   * @throws dev.weir.task.CancelledError if the task is cancelled
   */
  public static StreamWriter output(StreamOptions options) throws IOException {
    return write("standardOutput()", "standard output", FileDescriptor.out, 1, options);
  }

  /** Suspends until standard error is open as a stream, as {@link #output}. */
  public static StreamWriter error(StreamOptions options) throws IOException {
    return write("standardError()", "standard error", FileDescriptor.err, 2, options);
  }

  private static StreamWriter write(
      String call, String name, FileDescriptor descriptor, int number, StreamOptions options)
      throws IOException {
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureMaySuspend(call);
    ChannelOpener<WritableByteChannel> opener =
        () -> {
          FileChannel anew = openAnew(number, StandardOpenOption.WRITE);
          return anew != null ? anew : new LeftOpen(new FileOutputStream(descriptor).getChannel());
        };
    return Opening.write(loop, name, opener, options);
  }

  /** {@return what is open for pipes and terminals; null for anything else, or if that fails} */
  private static @Nullable FileChannel openAnew(int number, StandardOpenOption direction) {
    Path device = DEVICES.get(number);
    try {
      return Files.readAttributes(device, BasicFileAttributes.class).isOther()
              && !isNamedPipe(number)
          ? FileChannel.open(device, direction)
          : null;
    } catch (IOException e) {
      return null; // A socket, another user's terminal, or there is no such device.
    }
  }

  /** {@return whether opening it anew would wait} Only on Linux; elsewhere it duplicates. */
  private static boolean isNamedPipe(int number) throws IOException {
    Path descriptor = Path.of("/proc/self/fd", Integer.toString(number));
    return Files.isSymbolicLink(descriptor)
        && !Files.readSymbolicLink(descriptor).toString().startsWith("pipe:")
        && ((int) Files.getAttribute(descriptor, "unix:mode") & FILE_TYPE_MASK) == FIFO;
  }

  /** A descriptor of the JVM's, which is not to be closed. */
  private static final class LeftOpen implements ReadableByteChannel, WritableByteChannel {
    private final FileChannel channel;
    private volatile boolean closed;

    LeftOpen(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      return channel.read(target);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      return channel.write(source);
    }

    @Override
    public boolean isOpen() {
      return !closed;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
