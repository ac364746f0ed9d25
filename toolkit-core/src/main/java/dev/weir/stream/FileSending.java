package dev.weir.stream;

import dev.weir.spi.Forwarding;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sends files, by the transport itself if it can. What may block runs off the loop, and has ended
 * when a cancelled task goes on: the file may be closed then.
 */
final class FileSending {
  private static final int READ_BYTES = 64 * 1024;

  private FileSending() {}

  private record Part(FileChannel file, long offset, long count) {}

  static long send(StreamWriter writer, Loop loop, Path file) throws IOException {
    writer.ensureWritable();
    Opening opening = new Opening();
    try {
      BlockingWork.runToTheEnd(
          loop, () -> opening.file = FileChannel.open(file, StandardOpenOption.READ));
      return send(writer, loop, Objects.requireNonNull(opening.file), 0, Long.MAX_VALUE);
    } finally {
      if (opening.file != null) {
        opening.file.close();
      }
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
      writer.writeInTurn(piece);
      copied += piece.length;
    }
    return copied;
  }

  private static byte[] read(FileChannel file, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    int read = file.read(buffer, offset);
    if (read <= 0) {
      throw new IOException("The file became shorter while it was sent: it ends at " + offset);
    }
    return Arrays.copyOf(buffer.array(), read);
  }

  /** Where another thread puts the file that it opened, also for a task that was cancelled. */
  private static final class Opening {
    private volatile @Nullable FileChannel file;
  }
}
