package dev.weir.stream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What arrived on a connection and was not read yet: a pure buffer, fed from one side and taken
 * from the other. It knows no loop and no task, so its tests need neither.
 *
 * <p>Not thread safe; on the loop only.
 */
final class ReadBuffer {
  /*
   *   OPEN --- end() ---> ENDED
   *     |                   |
   *     '----- fail() ------'---> FAILED
   *
   * Bytes stay readable in every state. fail() after end() counts: the peer may reset after its end of stream.
   */

  /** Arrays larger than this are dropped when empty, so that an idle connection holds little. */
  private static final int KEEP_BYTES_MAX = 4096;

  private static final byte[] EMPTY = {};

  private byte[] bytes = EMPTY;
  private int start;
  private int end;
  private boolean ended;
  private @Nullable IOException failure;

  int size() {
    return end - start;
  }

  boolean ended() {
    return ended;
  }

  @Nullable IOException failure() {
    return failure;
  }

  /** Takes over what arrived; consumes {@code data} whole. Ignored after the end. */
  void feed(ByteBuffer data) {
    int length = data.remaining();
    if (ended) {
      data.position(data.limit());
      return;
    }
    makeRoom(length);
    data.get(bytes, end, length);
    end += length;
  }

  void end() {
    ended = true;
  }

  /** Forgets the end of the stream, unless it is a failure. */
  void reopen() {
    ended = failure != null;
  }

  void fail(IOException cause) {
    if (failure == null) {
      failure = cause;
      ended = true;
    }
  }

  /**
   * Takes the first {@code length} bytes out. Where that is all that arrived at once, it is the
   * very array that was filled then: no copy, and an idle connection holds none.
   */
  byte[] take(int length) {
    if (length == bytes.length && length == size()) {
      byte[] whole = bytes;
      bytes = EMPTY;
      end = 0;
      return whole;
    }
    byte[] taken = Arrays.copyOfRange(bytes, start, start + length);
    drop(length);
    return taken;
  }

  /** {@return a copy of the first {@code length} bytes} */
  byte[] peek(int length) {
    return Arrays.copyOfRange(bytes, start, start + length);
  }

  /** Copies the first {@code length} bytes. */
  void copyTo(ByteBuffer target, int length) {
    target.put(bytes, start, length);
  }

  /** Drops the first {@code length} bytes. */
  void drop(int length) {
    start += length;
    if (start == end) {
      start = 0;
      end = 0;
      if (bytes.length > KEEP_BYTES_MAX) {
        bytes = EMPTY;
      }
    }
  }

  /**
   * {@return the offset of the first {@code wanted} byte at or after offset {@code from}, or -1}
   */
  int indexOf(byte wanted, int from) {
    byte[] searched = bytes;
    for (int i = start + from; i < end; i++) {
      if (searched[i] == wanted) {
        return i - start;
      }
    }
    return -1;
  }

  /** {@return the offset of the first {@code wanted} at or after offset {@code from}, or -1} */
  int indexOf(byte[] wanted, int from) {
    int last = size() - wanted.length;
    for (int i = indexOf(wanted[0], from); i >= 0 && i <= last; i = indexOf(wanted[0], i + 1)) {
      if (Arrays.equals(bytes, start + i, start + i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    return -1;
  }

  /** Has {@link #feed} take so many bytes, in parts too, without another array. */
  void makeRoom(int length) {
    if (bytes.length - end >= length) {
      return;
    }
    int size = size();
    int needed = Math.addExact(size, length);
    if (needed <= bytes.length && start >= size) {
      // Moving pays only when at least as much was taken as is left; otherwise each feed might move
      // it all again.
      System.arraycopy(bytes, start, bytes, 0, size);
    } else {
      int doubled = bytes.length > Integer.MAX_VALUE / 2 ? Integer.MAX_VALUE - 8 : bytes.length * 2;
      byte[] larger = new byte[Math.max(doubled, needed)];
      System.arraycopy(bytes, start, larger, 0, size);
      bytes = larger;
    }
    start = 0;
    end = size;
  }

  @Override
  public String toString() {
    return "ReadBuffer["
        + size()
        + " bytes"
        + (failure != null ? ", failed: " + failure : ended ? ", ended" : "")
        + "]";
  }
}
