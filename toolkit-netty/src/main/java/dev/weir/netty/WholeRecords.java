package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/**
 * Gives a TLS handler whole records, once the peers have agreed. By itself it would keep the
 * beginning of a record with the buffer that it was read into, and copy that and all of the next
 * read into another one. This keeps the beginning alone; so every read of a loop shares one buffer
 * with TLS too.
 *
 * <p>While they shake hands everything passes as it comes, and it only counts where records end. So
 * does what is no record: the handler says what is wrong with it.
 */
final class WholeRecords {
  private static final int HEADER_BYTES = 5;

  /** With all that TLS 1.2 lets a record have beside its text. */
  private static final int RECORD_BYTES_MAX = HEADER_BYTES + 16 * 1024 + 2048;

  private static final int TYPE_MIN = 20;
  private static final int TYPE_MAX = 24;
  private static final int MAJOR_VERSION = 3;

  private final ReadBuffers readBuffers;
  private final boolean inArrays;

  // Of the record that passes in parts: how much of its header has passed, what that says of its
  // length, and how much is to come.

  private int headerBytes;
  private int length;
  private int left;

  /** What has come of a record that is not whole; null if there is none. */
  private @Nullable ByteBuf begun;

  private boolean spoilt;

  /**
   * @param inArrays whether the handler is to get what was read in arrays, for an engine that would
   *     copy what is elsewhere piece by piece
   */
  WholeRecords(ReadBuffers readBuffers, boolean inArrays) {
    this.readBuffers = readBuffers;
    this.inArrays = inArrays;
  }

  /** Hands on what the peers send to agree. Takes it over. */
  void pass(ChannelHandlerContext context, ByteBuf read) {
    int index = read.readerIndex();
    while (index < read.writerIndex()) {
      index = endOfPassing(read, index);
    }
    context.fireChannelRead(read);
  }

  /** {@return where the record ends of which {@code index} is the next byte, or the bytes do} */
  private int endOfPassing(ByteBuf bytes, int index) {
    int at = index;
    while (headerBytes < HEADER_BYTES && at < bytes.writerIndex()) {
      length = (length << 8 | bytes.getUnsignedByte(at)) & 0xFFFF; // Its last two bytes.
      headerBytes++;
      at++;
      left = length;
    }
    if (headerBytes == HEADER_BYTES) {
      int passing = Math.min(left, bytes.writerIndex() - at);
      at += passing;
      left -= passing;
      if (left == 0) {
        headerBytes = 0;
      }
    }
    return at;
  }

  /** Hands on what is whole, and keeps the rest. Takes over what was read. */
  void take(ChannelHandlerContext context, ByteBuf read) {
    if (headerBytes > 0) { // The handler has the beginning.
      int end = endOfPassing(read, read.readerIndex());
      ByteBuf passing = read.readRetainedSlice(end - read.readerIndex());
      context.fireChannelRead(passing);
    }
    if (spoilt) {
      context.fireChannelRead(read);
      return;
    }
    ByteBuf record = null;
    ByteBuf rest = read;
    if (begun != null && !completes(begun, read)) {
      begun.writeBytes(read);
      read.release();
      return;
    } else if (inArrays) {
      rest = inArray(read);
    } else if (begun != null) {
      record = begun.writeBytes(read, Math.min(missing(begun), read.readableBytes()));
    }
    begun = null;
    if (!spoilt) {
      keepWhatIsNotWhole(context, rest);
    }
    if (record != null) {
      context.fireChannelRead(record);
    }
    if (rest.isReadable()) {
      context.fireChannelRead(rest);
    } else {
      rest.release();
    }
  }

  private ByteBuf inArray(ByteBuf read) {
    int bytes = read.readableBytes() + (begun == null ? 0 : begun.readableBytes());
    ByteBuf array = readBuffers.takeArray(bytes);
    if (begun != null) {
      array.writeBytes(begun);
      begun.release();
    }
    array.writeBytes(read);
    read.release();
    return array;
  }

  /** Has a record that was begun go on to where its length is known; whether its end has come. */
  private boolean completes(ByteBuf record, ByteBuf read) {
    int header = Math.min(HEADER_BYTES - record.readableBytes(), read.readableBytes());
    if (header > 0) {
      record.writeBytes(read, header);
    }
    spoilt = isNoRecord(record, record.readerIndex());
    return spoilt
        || (record.readableBytes() >= HEADER_BYTES && missing(record) <= read.readableBytes());
  }

  private static int missing(ByteBuf record) {
    return record.readableBytes() < HEADER_BYTES
        ? 0
        : recordBytes(record, record.readerIndex()) - record.readableBytes();
  }

  /** Cuts off what does not end. */
  private void keepWhatIsNotWhole(ChannelHandlerContext context, ByteBuf bytes) {
    int end = bytes.writerIndex();
    int at = bytes.readerIndex();
    while (at < end) {
      if (isNoRecord(bytes, at)) {
        spoilt = true;
        return;
      }
      boolean lengthKnown = end - at >= HEADER_BYTES;
      int whole = lengthKnown ? recordBytes(bytes, at) : HEADER_BYTES;
      if (end - at < whole) {
        ByteBuf kept =
            inArrays ? context.alloc().heapBuffer(whole) : context.alloc().directBuffer(whole);
        begun = kept.writeBytes(bytes, at, end - at);
        bytes.writerIndex(at);
        return;
      }
      at += whole;
    }
  }

  private static int recordBytes(ByteBuf bytes, int at) {
    return HEADER_BYTES + bytes.getUnsignedShort(at + 3);
  }

  /** {@return whether what is there, a byte at least, begins no record} */
  private static boolean isNoRecord(ByteBuf bytes, int at) {
    int there = bytes.writerIndex() - at;
    int type = bytes.getUnsignedByte(at);
    return type < TYPE_MIN
        || type > TYPE_MAX
        || (there > 1 && bytes.getUnsignedByte(at + 1) != MAJOR_VERSION)
        || (there >= HEADER_BYTES && recordBytes(bytes, at) > RECORD_BYTES_MAX);
  }

  /** Nobody is left to take it. */
  void close() {
    if (begun != null) {
      begun.release();
      begun = null;
    }
  }

  @Override
  public String toString() {
    return "WholeRecords[" + (begun == null ? 0 : begun.readableBytes()) + " bytes begun]";
  }
}
