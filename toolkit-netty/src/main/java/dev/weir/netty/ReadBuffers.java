package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lends every read of a loop the same buffer. The streams copy what was read before the read ends,
 * so one is enough, and no read allocates. Who keeps the buffer for longer, as a connection does
 * that hands it on, is left with it, and the next read gets another, which is the shared one then.
 */
final class ReadBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
  /** As much as Netty reads at once at most by itself. */
  private static final int BYTES = 64 * 1024;

  /**
   * What TLS makes of so much, where it is sent in the largest records: else most of one would be
   * left after nearly every read. With the suites of TLS 1.3 a little is left.
   */
  private static final int ENCRYPTED_BYTES = 4 * (16 * 1024 + 32);

  /** As much as a read of records, and one of which the end was not there before. */
  private static final int ARRAY_BYTES = ENCRYPTED_BYTES + 20 * 1024;

  /**
   * How much is handed on at once, so that a large message leaves by one system call. What a task
   * reads comes one by one: it takes over whole what was read at once, where it need not grow.
   */
  private static final int READS_HANDED_ON_AT_ONCE_MAX = 4;

  /** As Netty does by itself. */
  private static final AdaptiveRecvByteBufAllocator SIZES = new AdaptiveRecvByteBufAllocator();

  private final RecvByteBufAllocator apart = new Marker();
  private final RecvByteBufAllocator encrypted = new Marker();

  private final boolean sharing;
  private ByteBuf shared;

  /** Empty until one is needed. */
  private ByteBuf sharedArray = Unpooled.EMPTY_BUFFER;

  private boolean handedOn;

  /** Whether the last read of the loop got as much as it had room for. */
  private boolean filled;

  /**
   * @param sharing false if a read goes on after it was begun: then each has a buffer of its own
   */
  ReadBuffers(boolean sharing) {
    super(READS_HANDED_ON_AT_ONCE_MAX);
    this.sharing = sharing;
    this.shared =
        sharing ? Unpooled.directBuffer(ENCRYPTED_BYTES, ENCRYPTED_BYTES) : Unpooled.EMPTY_BUFFER;
  }

  @Override
  public MaxMessageHandle newHandle() {
    return new SharingHandle();
  }

  /** What was just read is handed on, so reading goes on. */
  void handedOn() {
    handedOn = true;
  }

  /** {@return whether what was just read is all that there was room for} */
  boolean isFilled() {
    return filled;
  }

  void close() {
    shared.release();
    sharedArray.release();
  }

  /**
   * Has a connection read into buffers of its own from now on: a decoder keeps what it cannot use
   * yet, and of a peer that stops in the middle it would keep the whole shared buffer.
   */
  void keepApart(Channel channel) {
    channel.config().setRecvByteBufAllocator(apart);
  }

  /** Has a connection use the shared buffer, after all, for TLS records. */
  void shareEncrypted(Channel channel) {
    channel.config().setRecvByteBufAllocator(encrypted);
  }

  /** {@return an empty array for a moment's use: the next one gets it who asks} */
  ByteBuf takeArray(int bytes) {
    if (bytes > ARRAY_BYTES) {
      return Unpooled.buffer(bytes); // What nobody needs as a rule is not kept.
    }
    if (sharedArray.capacity() == 0 || sharedArray.refCnt() > 1) {
      ByteBuf kept = sharedArray;
      sharedArray = Unpooled.buffer(ARRAY_BYTES); // If there is no memory, all is as it was.
      kept.release();
    }
    return sharedArray.retain().clear();
  }

  /**
   * What a channel is given to say how it reads. Its handle must be one of ours also if this is the
   * first that the channel asks for one: how often it reads is ours to say.
   */
  private final class Marker implements RecvByteBufAllocator {
    @Override
    public MaxMessageHandle newHandle() {
      return ReadBuffers.this.newHandle();
    }
  }

  private final class SharingHandle extends MaxMessageHandle {
    /** Sizes the buffers of a connection that has its own; null if it shares. */
    private RecvByteBufAllocator.@Nullable ExtendedHandle own;

    private boolean readsEncrypted;

    @Override
    public int guess() {
      return own != null ? own.guess() : readsEncrypted ? ENCRYPTED_BYTES : BYTES;
    }

    @Override
    public void reset(ChannelConfig config) {
      super.reset(config);
      // Netty asks a channel's allocator for a handle once only, so this looks for another one.
      RecvByteBufAllocator marker = config.getRecvByteBufAllocator();
      readsEncrypted = marker == encrypted;
      boolean keepsApart = !sharing || marker == apart;
      if (keepsApart != (own != null)) {
        own = keepsApart ? (RecvByteBufAllocator.ExtendedHandle) SIZES.newHandle() : null;
      }
      if (own != null) {
        own.reset(config);
      }
    }

    @Override
    public void lastBytesRead(int bytes) {
      super.lastBytesRead(bytes);
      filled = bytes > 0 && bytes == attemptedBytesRead();
      if (own != null) {
        own.lastBytesRead(bytes);
      }
    }

    @Override
    public void readComplete() {
      super.readComplete();
      if (own != null) {
        own.readComplete();
      }
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator alloc) {
      if (own != null) {
        return own.allocate(alloc);
      }
      if (shared.refCnt() > 1) {
        ByteBuf kept = shared;
        // If there is no memory, all is as it was.
        shared = alloc.directBuffer(ENCRYPTED_BYTES, ENCRYPTED_BYTES);
        kept.release();
      }
      // What is not encrypted does not get the room for it: a task reads as much as fits BYTES.
      int start = readsEncrypted ? 0 : ENCRYPTED_BYTES - BYTES;
      return shared.retain().setIndex(start, start);
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
      boolean goesOn = handedOn;
      handedOn = false;
      return goesOn && super.continueReading(maybeMore);
    }
  }

  @Override
  public String toString() {
    return "ReadBuffers[" + shared + "]";
  }
}
