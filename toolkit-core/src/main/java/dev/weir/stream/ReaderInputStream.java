package dev.weir.stream;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** A {@link StreamReader} for code that takes an {@link InputStream}. */
final class ReaderInputStream extends InputStream {
  private static final int TRANSFER_BYTES = 64 * 1024;

  private final StreamReader reader;
  private final StreamWriter writer;

  /**
   * @param writer the connection's, which closing closes
   */
  ReaderInputStream(StreamReader reader, StreamWriter writer) {
    this.reader = reader;
    this.writer = writer;
  }

  @Override
  public int read() throws IOException {
    byte[] one = reader.read(1);
    return one.length == 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    return reader.read(ByteBuffer.wrap(bytes, offset, length));
  }

  @Override
  public int available() {
    return reader.available();
  }

  @Override
  public long transferTo(OutputStream out) throws IOException {
    long moved = 0;
    while (true) {
      byte[] piece = reader.read(TRANSFER_BYTES);
      if (piece.length == 0) {
        return moved;
      }
      out.write(piece);
      moved += piece.length;
    }
  }

  @Override
  public void close() {
    writer.close();
  }

  @Override
  public String toString() {
    return "ReaderInputStream[" + reader + "]";
  }
}
