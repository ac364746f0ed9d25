package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The buffers in which transports collect what a round writes, for all connections of a loop. They
 * are kept for reuse, as far as that is little memory. On the loop only; tasks take one, too, so
 * they do not come from Netty's pool, which is quick on the I/O fiber alone.
 */
final class Chunks {
  private static final int BYTES = 4096;

  /** Larger ones than this, which single writes may make, are not kept. */
  private static final int KEPT_BYTES_MAX = 256 * 1024;

  /**
   * How many small ones are kept: enough for a message each of a thousand connections in a round.
   */
  private static final int SPARE_MAX = 1024;

  private static final int SPARE_LARGE_BYTES_MAX = 4 * 1024 * 1024;

  private final ArrayDeque<ByteBuf> spare = new ArrayDeque<>();
  private final ArrayDeque<ByteBuf> spareLarge = new ArrayDeque<>();
  private int spareLargeBytes;
  private boolean closed;

  /** {@return an empty buffer for about so many bytes, which grows} */
  ByteBuf take(int bytes) {
    ByteBuf chunk = bytes > BYTES ? null : spare.poll();
    if (chunk == null) {
      chunk = takeLarge(); // Also for a little: most rounds are like the one before, and it grew.
    }
    return chunk == null ? Unpooled.directBuffer(Math.max(bytes, BYTES)) : chunk;
  }

  private @Nullable ByteBuf takeLarge() {
    ByteBuf chunk = spareLarge.poll();
    if (chunk != null) {
      spareLargeBytes -= chunk.capacity();
    }
    return chunk;
  }

  void giveBack(ByteBuf chunk) {
    int bytes = chunk.capacity();
    if (closed || bytes > KEPT_BYTES_MAX) {
      chunk.release();
    } else if (bytes > BYTES) {
      keepLarge(chunk);
    } else if (spare.size() < SPARE_MAX) {
      spare.push(chunk.clear());
    } else {
      chunk.release();
    }
  }

  private void keepLarge(ByteBuf chunk) {
    if (spareLargeBytes + chunk.capacity() > SPARE_LARGE_BYTES_MAX) {
      chunk.release();
    } else {
      spareLargeBytes += chunk.capacity();
      spareLarge.push(chunk.clear());
    }
  }

  /** Gives the memory back; what is still out is freed when it comes back. */
  void close() {
    closed = true;
    spare.forEach(ByteBuf::release);
    spare.clear();
    spareLarge.forEach(ByteBuf::release);
    spareLarge.clear();
  }

  @Override
  public String toString() {
    return "Chunks[" + spare.size() + " small and " + spareLarge.size() + " large ones spare]";
  }
}
