package dev.weir.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/**
 * Gives the JDK's TLS engine whole records, once the peers have agreed, in an array: it decrypts
 * that faster than what is in direct memory. Left to itself Netty's handler would keep the
 * beginning of a record with the buffer that it was read into, and copy that and all of the next
 * read into another one. This keeps the beginning alone; so every read of a loop shares one buffer
 * with TLS too. BoringSSL has no need of it: its engine takes parts of records.
 *
 * <p>While the peers shake hands everything passes as it comes, and is looked at only for where
 * records end. What is no record passes as it comes, too: the handler says what is wrong with it.
 */
final class WholeRecords {
  private static final int HEADER_BYTES = 5;

  /** With all that TLS 1.2 lets a record have beside its text. */
  private static final int RECORD_BYTES_MAX = HEADER_BYTES + 16 * 1024 + 2048;

  private static final int TYPE_MIN = 20;
  private static final int TYPE_MAX = 24;
  private static final int MAJOR_VERSION = 3;

  private final ReadBuffers readBuffers;

  // Of the record that passes in parts: how much of its header has passed, what that says of its
  // length, and how much is to come.

  private int headerBytes;
  private int length;
  private int left;

  /** What has come of a record that is not whole; null if there is none. */
  private @Nullable ByteBuf begun;

  /** Whether something came that is no record. Where the next one begins nobody knows then. */
  private boolean spoilt;

  WholeRecords(ReadBuffers readBuffers) {
    this.readBuffers = readBuffers;
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
    try {
      if (headerBytes > 0) { // The handler has the beginning, and keeps a copy of this with it.
        int end = endOfPassing(read, read.readerIndex());
        context.fireChannelRead(read.readRetainedSlice(end - read.readerIndex()));
      }
      if (spoilt) {
        context.fireChannelRead(copy(context, read));
      } else if (begun == null || goesOn(begun, read)) {
        handOn(context, read);
      }
    } finally {
      read.release();
    }
  }

  /**
   * Adds to a record that was begun, unless this completes it, or shows that it is none.
   *
   * @return whether there is something to hand on
   */
  private boolean goesOn(ByteBuf record, ByteBuf read) {
    int header = Math.min(HEADER_BYTES - record.readableBytes(), read.readableBytes());
    if (header > 0) {
      record.writeBytes(read, header);
    }
    boolean handOn =
        isNoRecord(record, record.readerIndex())
            || (record.readableBytes() >= HEADER_BYTES
                && recordBytes(record, record.readerIndex())
                    <= record.readableBytes() + read.readableBytes());
    if (!handOn) {
      record.writeBytes(read);
    }
    return handOn;
  }

  private void handOn(ChannelHandlerContext context, ByteBuf read) {
    ByteBuf array =
        readBuffers.takeArray(read.readableBytes() + (begun == null ? 0 : begun.readableBytes()));
    try {
      if (begun != null) {
        array.writeBytes(begun);
        close();
      }
      array.writeBytes(read);
      int whole = endOfRecords(array);
      if (whole < array.writerIndex()) {
        keep(context, array, whole);
      }
      if (array.isReadable()) {
        context.fireChannelRead(spoilt ? copy(context, array) : array.retain());
      }
    } finally {
      array.release();
    }
  }

  /** Cuts off what is not whole. */
  private void keep(ChannelHandlerContext context, ByteBuf array, int from) {
    int there = array.writerIndex() - from;
    int bytes = there < HEADER_BYTES ? HEADER_BYTES : recordBytes(array, from);
    ByteBuf kept = context.alloc().heapBuffer(bytes);
    begun = kept;
    kept.writeBytes(array, from, there);
    array.writerIndex(from);
  }

  /** {@return what the handler may keep, which waits for the rest of what is no record} */
  private static ByteBuf copy(ChannelHandlerContext context, ByteBuf bytes) {
    return context.alloc().heapBuffer(bytes.readableBytes()).writeBytes(bytes);
  }

  /** {@return where the last whole record ends; the end of all if something is no record} */
  private int endOfRecords(ByteBuf bytes) {
    int end = bytes.writerIndex();
    int at = bytes.readerIndex();
    while (at < end) {
      if (isNoRecord(bytes, at)) {
        spoilt = true;
        return end;
      }
      if (end - at < HEADER_BYTES || end - at < recordBytes(bytes, at)) {
        return at;
      }
      at += recordBytes(bytes, at);
    }
    return end;
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
