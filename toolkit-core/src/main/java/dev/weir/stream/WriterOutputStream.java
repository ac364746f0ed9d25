package dev.weir.stream;

import java.io.IOException;
import java.io.OutputStream;

/** A {@link StreamWriter} for code that takes an {@link OutputStream}. */
final class WriterOutputStream extends OutputStream {
  private final StreamWriter writer;

  WriterOutputStream(StreamWriter writer) {
    this.writer = writer;
  }

  @Override
  public void write(int oneByte) throws IOException {
    writer.write(new byte[] {(byte) oneByte}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    writer.write(bytes, offset, length);
  }

  @Override
  public void close() {
    writer.close();
  }

  @Override
  public String toString() {
    return "WriterOutputStream[" + writer + "]";
  }
}
