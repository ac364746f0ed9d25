package dev.weir.testing;

import java.util.Arrays;

/** Bytes that wait: in at the one end, out at the other. Not thread safe. */
final class ByteQueue {
  private byte[] bytes = {};
  private int start;
  private int end;

  int size() {
    return end - start;
  }

  void add(byte[] source, int offset, int length) {
    if (bytes.length - end < length) {
      byte[] larger = bytes;
      if (bytes.length < size() + length) {
        larger = new byte[Math.max(size() + length, 2 * bytes.length)];
      }
      System.arraycopy(bytes, start, larger, 0, size());
      end -= start;
      start = 0;
      bytes = larger;
    }
    System.arraycopy(source, offset, bytes, end, length);
    end += length;
  }

  void add(byte[] source) {
    add(source, 0, source.length);
  }

  /** Takes the first {@code length} bytes out. */
  byte[] take(int length) {
    byte[] taken = Arrays.copyOfRange(bytes, start, start + length);
    start += length;
    if (start == end) {
      clear();
    }
    return taken;
  }

  void clear() {
    start = 0;
    end = 0;
  }

  @Override
  public String toString() {
    return "ByteQueue[" + size() + " bytes]";
  }
}
