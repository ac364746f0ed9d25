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

  /** Larger ones than this, which single writes may make, are not kept. */
  private static final int KEPT_BYTES_MAX = 256 * 1024;

  /** How much is kept in all: enough for a message each of some thousand connections in a round. */
  private static final int SPARE_BYTES_MAX = 8 * 1024 * 1024;

  private final ArrayDeque<ByteBuf> spare = new ArrayDeque<>();
  private final ArrayDeque<ByteBuf> spareLarge = new ArrayDeque<>();
  private int spareBytes;
  private boolean closed;

  /** {@return an empty buffer for at least {@code bytes}, which grows} */
  ByteBuf take(int bytes) {
    ByteBuf chunk = bytes > BYTES ? spareLarge.poll() : spare.poll();
    if (chunk == null) {
      return Unpooled.directBuffer(Math.max(bytes, BYTES));
    }
    spareBytes -= chunk.capacity();
    return chunk;
  }

  void giveBack(ByteBuf chunk) {
    int bytes = chunk.capacity();
    if (closed || bytes > KEPT_BYTES_MAX || spareBytes + bytes > SPARE_BYTES_MAX) {
      chunk.release();
      return;
    }
    spareBytes += bytes;
    (bytes > BYTES ? spareLarge : spare).push(chunk.clear());
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
