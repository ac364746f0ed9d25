package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;

/**
 * The buffers in which transports collect what a round writes, for all connections of a loop. They
 * are kept for reuse, as far as that is little memory. On the loop only; tasks take one, too, so
 * they do not come from Netty's pool, which is quick on the I/O fiber alone.
 */
final class Chunks {
  private static final int BYTES = 4096;
  private static final int SPARE_MAX = 256;

  /** Some that have grown are kept as well: a message is large seldom only once. */
  private static final int LARGE_BYTES_MAX = 256 * 1024;

  private static final int SPARE_LARGE_MAX = 8;

  private final ArrayDeque<ByteBuf> spare = new ArrayDeque<>();
  private final ArrayDeque<ByteBuf> spareLarge = new ArrayDeque<>();
  private boolean closed;

  /** {@return an empty buffer, which grows} */
  ByteBuf take() {
    ByteBuf chunk = spareLarge.poll();
    if (chunk == null) {
      chunk = spare.poll();
    }
    return chunk != null ? chunk : Unpooled.directBuffer(BYTES);
  }

  void giveBack(ByteBuf chunk) {
    chunk.clear();
    if (!closed && chunk.capacity() == BYTES && spare.size() < SPARE_MAX) {
      spare.push(chunk);
    } else if (!closed
        && chunk.capacity() > BYTES
        && chunk.capacity() <= LARGE_BYTES_MAX
        && spareLarge.size() < SPARE_LARGE_MAX) {
      spareLarge.push(chunk);
    } else {
      chunk.release();
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
