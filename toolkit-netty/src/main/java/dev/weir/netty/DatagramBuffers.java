package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/**
 * Lends the datagram sockets of a loop one buffer to receive into, in slots of one datagram each: a
 * mebibyte, if they receive the longest. Whoever receives copies what it keeps before the read
 * ends, so one is enough. Who holds a part of it for longer is left with it, and the next read gets
 * another.
 *
 * <p>A slot is a byte longer than what is to be received whole: so a datagram that was cut off is
 * known.
 */
final class DatagramBuffers {
  /** How many datagrams of one socket are received before the others get their turn. */
  static final int DATAGRAMS_PER_READ_MAX = 16;

  private ByteBuf shared = Unpooled.EMPTY_BUFFER;
  private boolean closed;

  /**
   * {@return what gives a channel its buffers}
   *
   * @param slotBytes how long each slot is
   * @param slots how many are needed at once
   * @param together whether the channel wants all of them as one buffer, to divide it itself
   */
  RecvByteBufAllocator allocator(int slotBytes, int slots, boolean together) {
    return new Slots(slotBytes, slots, together);
  }

  private ByteBuf free(int bytes) {
    if (shared.refCnt() > 1 || shared.capacity() < bytes) {
      ByteBuf kept = shared;
      shared = Unpooled.directBuffer(bytes, bytes); // If there is no memory, all is as it was.
      kept.release();
    }
    return shared;
  }

  /** Gives the memory back; what is still out is freed when it comes back. */
  void close() {
    if (!closed) {
      closed = true;
      shared.release();
      shared = Unpooled.EMPTY_BUFFER;
    }
  }

  private final class Slots extends DefaultMaxMessagesRecvByteBufAllocator {
    private final int slotBytes;
    private final int slots;
    private final boolean together;

    Slots(int slotBytes, int slots, boolean together) {
      super(DATAGRAMS_PER_READ_MAX);
      this.slotBytes = slotBytes;
      this.slots = slots;
      this.together = together;
    }

    @Override
    public MaxMessageHandle newHandle() {
      return new SlotHandle();
    }

    private final class SlotHandle extends MaxMessageHandle {
      private int next;

      @Override
      public int guess() {
        return together ? slotBytes * slots : slotBytes;
      }

      @Override
      public void reset(ChannelConfig config) {
        super.reset(config);
        next = 0;
      }

      @Override
      public ByteBuf allocate(ByteBufAllocator alloc) {
        int bytes = slotBytes * slots;
        if (together) {
          return free(bytes).retainedSlice(0, bytes).clear();
        }
        // Later slots of the same read: those before are still held, which is as it should be.
        ByteBuf all = next == 0 || next == slots ? free(bytes) : shared;
        next = next == slots ? 0 : next;
        return all.retainedSlice(slotBytes * next++, slotBytes).clear();
      }
    }
  }

  @Override
  public String toString() {
    return "DatagramBuffers[" + shared + "]";
  }
}
