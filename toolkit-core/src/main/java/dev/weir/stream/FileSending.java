package dev.weir.stream;

import dev.weir.spi.Forwarding;
import dev.weir.stream.BlockingWork.Work;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Sends files, by the transport itself if it can. What may block runs off the loop. What reads the
 * file has ended when a cancelled task goes on: the file may be closed then.
 */
final class FileSending {
  private static final int READ_BYTES = 64 * 1024;

  private FileSending() {}

  private record Part(FileChannel file, long offset, long count) {}

  static long send(StreamWriter writer, Loop loop, Path path) throws IOException {
    return send(writer, loop, () -> openRegular(path));
  }

  static long send(StreamWriter writer, Loop loop, Work<FileChannel> open) throws IOException {
    writer.ensureWritable();
    try (Opening opening = new Opening()) {
      FileChannel file = BlockingWork.run(loop, () -> opening.run(open));
      return send(writer, loop, file, 0, Long.MAX_VALUE);
    }
  }

  static long send(StreamWriter writer, Loop loop, FileChannel file, long offset, long bytesMax)
      throws IOException {
    long count =
        Math.min(bytesMax, Math.max(0, BlockingWork.runToTheEnd(loop, file::size) - offset));
    writer.writeInTurn(new byte[0]);
    return count == 0 ? 0 : send(writer, loop, new Part(file, offset, count));
  }

  private static long send(StreamWriter writer, Loop loop, Part part) throws IOException {
    Future<Long> sent = loop.createFuture(writer);
    Forwarding sending =
        writer
            .transport()
            .sendFile(part.file, part.offset, part.count, new FutureCompletion<>(sent, late -> {}));
    if (sending == null) {
      return copy(writer, loop, part);
    }
    try {
      return sent.await(IOException.class);
    } catch (IOException e) {
      long size = BlockingWork.runToTheEnd(loop, part.file::size);
      if (size < part.offset + part.count && size <= part.offset + sending.bytesHandedOn()) {
        throw becameShorter(size, e); // No doing of the peer's, so not as the connection's own.
      }
      throw writer.lost(e);
    } finally {
      sending.stop(); // The file may be closed from now on.
    }
  }

  private static long copy(StreamWriter writer, Loop loop, Part part) throws IOException {
    long copied = 0;
    while (copied < part.count) {
      long offset = part.offset + copied;
      int length = (int) Math.min(READ_BYTES, part.count - copied);
      byte[] piece = BlockingWork.runToTheEnd(loop, () -> read(part.file, offset, length));
      if (piece.length == 0) {
        writer.abort(); // As the kernel's way does: the peer must not take a part for the whole.
        throw becameShorter(offset, null);
      }
      writer.writeInTurn(piece);
      copied += piece.length;
    }
    return copied;
  }

  private static byte[] read(FileChannel file, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    int read = file.read(buffer, offset);
    return Arrays.copyOf(buffer.array(), Math.max(read, 0));
  }

  private static IOException becameShorter(long size, @Nullable IOException cause) {
    return new IOException(
        "The file became shorter while it was sent: it ends at " + size + " now", cause);
  }

  private static FileChannel openRegular(Path path) throws IOException {
    // Looked at before: opening a FIFO that nobody writes to holds a worker up for ever.
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    if (!attributes.isRegularFile()) {
      String kind = attributes.isDirectory() ? "a directory" : "a FIFO, a device or a socket";
      throw new FileSystemException(
          path.toString(), null, "It is " + kind + ", and only regular files can be sent");
    }
    return FileChannel.open(path, StandardOpenOption.READ);
  }

  /**
   * A file that a worker opens. A task that is cancelled meanwhile does not wait, for opening may
   * hang; whoever of the two is done last closes the file.
   */
  private static final class Opening implements AutoCloseable {
    private final AtomicBoolean oneIsDone = new AtomicBoolean();
    private volatile @Nullable FileChannel file;

    FileChannel run(Work<FileChannel> open) throws IOException {
      FileChannel opened = open.run();
      file = opened;
      closeIfLast();
      return opened;
    }

    @Override
    public void close() throws IOException {
      closeIfLast();
    }

    private void closeIfLast() throws IOException {
      if (oneIsDone.getAndSet(true)) {
        Objects.requireNonNull(file).close(); // A worker that could not open it is never done.
      }
    }
  }
}
