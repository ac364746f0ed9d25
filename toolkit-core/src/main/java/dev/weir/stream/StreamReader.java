package dev.weir.stream;

import dev.weir.spi.Forwarding;
import dev.weir.spi.Transport;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bytes that arrive on a connection, as {@code asyncio.StreamReader}.
 *
 * <p>Every read suspends the calling task until it has what it promises. A read that is cancelled
 * consumes nothing. One task may wait at a time. When more than twice the {@linkplain
 * StreamOptions#limit limit} has arrived unread, the connection stops receiving, and the peer is
 * held back.
 *
 * <p>At the end of the stream the byte calls return what is left, an empty array at last. After the
 * connection was lost, what had arrived stays readable; then every read throws {@link
 * ConnectionResetException}, or {@link java.net.SocketTimeoutException} if it was lost because
 * nothing came for too long. A read that cannot be satisfied any more throws it at once and leaves
 * the bytes to {@link #read}.
 *
 * <p>Only tasks of the connection's loop may read; elsewhere reads throw {@link
 * IllegalStateException}. A task whose reads all find their bytes at once is made to yield now and
 * then, so that others get on.
 *
 * <p>Iterating yields line by line with the separator, as {@code async for line in reader}, and
 * throws {@link UncheckedIOException}.
 */
public final class StreamReader implements Iterable<byte[]> {
  /** What {@link #readAll()} takes at most. */
  public static final int READ_ALL_BYTES_MAX = 16 * 1024 * 1024;

  /** After so many reads in a row that found their bytes at once, the task yields. */
  private static final int IMMEDIATE_READS_MAX = 64;

  private static final byte[] NOTHING = {};
  private static final byte[][] NEWLINE = {{'\n'}};

  private final Loop loop;
  private final StreamProtocol protocol;
  private final int limit;
  private final ReadBuffer buffer = new ReadBuffer();

  /** The one task that waits for bytes, and how many there must be before it is woken. */
  private @Nullable Future<@Nullable Void> waiter;

  private int bytesNeeded;
  private boolean paused;

  /** Whether a call holds the stream that does not wait for bytes itself all the time. */
  private boolean held;

  private int immediateReads;

  StreamReader(Loop loop, StreamProtocol protocol, int limit) {
    this.loop = loop;
    this.protocol = protocol;
    this.limit = limit;
  }

  // --- Bytes

  /**
   * Suspends until at least one byte is there, and returns at most {@code bytesMax}. Corresponds to
   * {@code read(n)}.
   *
   * @return the bytes; empty at the end of the stream, or if {@code bytesMax} is 0
   * @throws IllegalArgumentException if {@code bytesMax} is negative; {@link #readAll()} reads to
   *     the end
   * @throws IOException if the connection was lost
   */
  public byte[] read(int bytesMax) throws IOException {
    if (bytesMax < 0) {
      throw new IllegalArgumentException(
          "bytesMax < 0: " + bytesMax + "; readAll() reads to the end of the stream");
    }
    begin("StreamReader.read()");
    if (bytesMax == 0) {
      return NOTHING;
    }
    return awaitFirst() ? take(Math.min(bytesMax, buffer.size())) : NOTHING;
  }

  /**
   * Suspends until at least one byte is there, and moves as many as there are, and as fit, into a
   * buffer.
   *
   * @return how many; 0 if the buffer has no room, -1 at the end of the stream
   * @throws IOException if the connection was lost
   */
  public int read(ByteBuffer target) throws IOException {
    Objects.requireNonNull(target, "target");
    begin("StreamReader.read()");
    if (!target.hasRemaining()) {
      return 0;
    }
    if (!awaitFirst()) {
      return -1;
    }
    int length = Math.min(target.remaining(), buffer.size());
    buffer.copyTo(target, length);
    drop(length);
    return length;
  }

  /**
   * Suspends until at least one byte is there, and returns at most {@code bytesMax} of those that
   * are, which stay in the stream.
   *
   * @return the bytes; empty at the end of the stream, or if {@code bytesMax} is 0
   * @throws IllegalArgumentException if {@code bytesMax} is negative
   * @throws IOException if the connection was lost
   */
  public byte[] peek(int bytesMax) throws IOException {
    if (bytesMax < 0) {
      throw new IllegalArgumentException("bytesMax < 0: " + bytesMax);
    }
    begin("StreamReader.peek()");
    if (bytesMax == 0 || !awaitFirst()) {
      return NOTHING;
    }
    return buffer.peek(Math.min(bytesMax, buffer.size()));
  }

  /**
   * Suspends until {@code length} bytes were there, and drops them: the way past a line that was
   * too long, with {@link LimitOverrunException#consumed}. Holds no more of them than reading ahead
   * does. If the task is cancelled, what was dropped by then is gone.
   *
   * @throws IllegalArgumentException if {@code length} is negative
   * @throws java.io.EOFException if the stream ends before
   * @throws IOException if the connection was lost
   */
  public void skip(long length) throws IOException {
    if (length < 0) {
      throw new IllegalArgumentException("length < 0: " + length);
    }
    begin("StreamReader.skip()");
    long left = length;
    while (left > 0) {
      if (!awaitFirst()) {
        throw thrown(
            new EOFException(
                "The stream ended " + left + " bytes before the " + length + " to be skipped did"));
      }
      int dropped = (int) Math.min(left, buffer.size());
      drop(dropped);
      left -= dropped;
    }
  }

  /**
   * Suspends until a line is there, and returns it with its {@code \n}. Corresponds to {@code
   * readline()}.
   *
   * @return the line; at the end of the stream what is left of one, at last an empty array
   * @throws LimitOverrunException if the line is longer than the limit. It stays in the stream and
   *     the next call throws again, unlike asyncio's, which would hand on its tail as a line of its
   *     own
   * @throws IOException if the connection was lost
   */
  public byte[] readLine() throws IOException {
    return readLine(limit);
  }

  /**
   * The same as {@link #readLine()} with a limit for this call, which may be above or below the
   * stream's.
   *
   * @param limit the longest line in bytes, its {@code \n} not counted
   * @throws IllegalArgumentException if {@code limit} is negative
   */
  public byte[] readLine(int limit) throws IOException {
    checkLimit(limit);
    begin("StreamReader.readLine()");
    int end = awaitSeparator(limit, NEWLINE);
    if (end < 0) {
      throwIfLost();
      return take(buffer.size());
    }
    return take(end);
  }

  /**
   * Suspends until one of the separators is there, and returns everything up to its end. Where
   * several match, the match that ends first counts. Corresponds to {@code readuntil(separator)}.
   *
   * @param separators one or more, none of them empty
   * @throws IllegalArgumentException if there is no separator, or an empty one
   * @throws IncompleteReadException if the stream ends before; it holds what was left
   * @throws LimitOverrunException if there is more than the limit before the separator; it stays in
   *     the stream
   * @throws IOException if the connection was lost
   */
  public byte[] readUntil(byte[]... separators) throws IOException {
    return readUntil(limit, separators);
  }

  /**
   * The same as {@link #readUntil(byte[]...)} with a limit for this call, which may be above or
   * below the stream's.
   *
   * @param limit the most bytes before the separator
   * @throws IllegalArgumentException also if {@code limit} is negative
   */
  public byte[] readUntil(int limit, byte[]... separators) throws IOException {
    checkLimit(limit);
    if (separators.length == 0) {
      throw new IllegalArgumentException("no separator: readLine() reads up to a newline");
    }
    for (byte[] separator : separators) {
      if (separator.length == 0) {
        throw new IllegalArgumentException("a separator is empty");
      }
    }
    begin("StreamReader.readUntil()");
    int end = awaitSeparator(limit, separators);
    if (end < 0) {
      throwIfLost();
      throw thrown(
          new IncompleteReadException(take(buffer.size()), IncompleteReadException.UNKNOWN));
    }
    return take(end);
  }

  /**
   * Suspends until {@code length} bytes are there, and returns them. Not bound by the limit; memory
   * grows with what arrives, not with what was asked for. Corresponds to {@code readexactly(n)}.
   *
   * @throws IllegalArgumentException if {@code length} is negative
   * @throws IncompleteReadException if the stream ends before; it holds what was left
   * @throws IOException if the connection was lost
   */
  public byte[] readExactly(int length) throws IOException {
    if (length < 0) {
      throw new IllegalArgumentException("length < 0: " + length);
    }
    begin("StreamReader.readExactly()");
    while (buffer.size() < length) {
      if (buffer.ended()) {
        throwIfLost();
        throw thrown(new IncompleteReadException(take(buffer.size()), length));
      }
      awaitBytes(length);
    }
    return take(length);
  }

  /** The same as {@link #readAll(int)} with at most 16 MiB. Corresponds to {@code read(-1)}. */
  public byte[] readAll() throws IOException {
    return readAll(READ_ALL_BYTES_MAX);
  }

  /**
   * Suspends until the end of the stream, and returns everything up to it.
   *
   * @param bytesMax the most to read
   * @throws IllegalArgumentException if {@code bytesMax} is negative
   * @throws LimitOverrunException if there is more; it stays in the stream
   * @throws IOException if the connection was lost
   */
  public byte[] readAll(int bytesMax) throws IOException {
    if (bytesMax < 0) {
      throw new IllegalArgumentException("bytesMax < 0: " + bytesMax);
    }
    begin("StreamReader.readAll()");
    int tooMany = bytesMax == Integer.MAX_VALUE ? bytesMax : bytesMax + 1;
    while (!buffer.ended() && buffer.size() < tooMany) {
      awaitBytes(tooMany);
    }
    if (buffer.size() > bytesMax) {
      throw thrown(
          new LimitOverrunException(
              "The stream is longer than "
                  + bytesMax
                  + " bytes: read it piece by piece with read(n),"
                  + " or allow more with readAll(bytesMax)",
              bytesMax));
    }
    throwIfLost();
    return take(buffer.size());
  }

  /** {@return whether the stream has ended and everything was read} */
  public boolean atEof() {
    loop.ensureHeld("StreamReader.atEof()");
    return buffer.ended() && buffer.size() == 0 && buffer.failure() == null;
  }

  /**
   * {@return the lines up to the end of the stream, each with its separator; the last may lack it}
   */
  @Override
  public Iterator<byte[]> iterator() {
    return new Lines<>(() -> {
      byte[] line = readLine();
      return line.length == 0 ? null : line;
    });
  }

  // --- To elsewhere

  /** The same as {@link #transferTo(StreamWriter, long)} up to the end of the stream. */
  public long transferTo(StreamWriter writer) throws IOException {
    return transferTo(writer, Long.MAX_VALUE);
  }

  /**
   * Suspends until so many bytes were moved to a writer, or the stream has ended. Between two
   * connections of one loop that are of a kind nothing is copied, and the task sleeps meanwhile;
   * elsewhere it copies. What arrives is held back while the writer has more than high water
   * unsent. The writer stays open, and may be this connection's.
   *
   * <p>If the task is cancelled, what was moved by then stays moved, and what arrives afterwards
   * stays in this stream; nothing is lost. What other tasks write to {@code writer} meanwhile gets
   * between what is moved.
   *
   * @param bytesMax how many bytes to move at most
   * @return how many were moved; less than {@code bytesMax} only at the end of the stream
   * @throws IllegalArgumentException if {@code bytesMax} is negative
   * @throws IOException if one of the two connections was lost, or the writer is closed; what was
   *     read and cannot be sent stays in this stream, except what the writer held unsent
   */
  public long transferTo(StreamWriter writer, long bytesMax) throws IOException {
    Objects.requireNonNull(writer, "writer");
    if (bytesMax < 0) {
      throw new IllegalArgumentException("bytesMax < 0: " + bytesMax);
    }
    begin("StreamReader.transferTo()");
    held = true;
    try {
      long moved = 0;
      while (moved < bytesMax) {
        if (buffer.size() > 0) {
          moved += writeBuffered(writer, bytesMax - moved);
        } else if (buffer.ended()) {
          throwIfLost();
          break;
        } else {
          moved += forward(writer, bytesMax - moved);
        }
      }
      return moved;
    } finally {
      held = false;
    }
  }

  private int writeBuffered(StreamWriter writer, long bytesMax) throws IOException {
    byte[] piece = buffer.peek((int) Math.min(bytesMax, buffer.size()));
    writer.writeInTurn(piece); // Cancelled here it wrote nothing, so it is dropped after that only.
    drop(piece.length);
    return piece.length;
  }

  private long forward(StreamWriter writer, long bytesMax) throws IOException {
    writer.writeInTurn(NOTHING);
    if (buffer.size() > 0 || buffer.ended()) {
      return 0; // It came while others wrote.
    }
    Forwarding forwarding =
        WatchedTransport.startForwarding(
            protocol.transport(), writer.transport(), bytesMax, this::wakeWaiter);
    if (forwarding == null) {
      awaitBytes(1);
      return 0;
    }
    try {
      awaitBytes(1); // Until it ends, for what is handed on does not get here.
    } finally {
      forwarding.stop();
    }
    if (writer != protocol.writer || !buffer.ended()) {
      writer.ensureWritable(); // Else the peer's end may have closed it, after all was handed on.
    }
    return forwarding.bytesHandedOn();
  }

  /**
   * {@return this stream for code that takes a JDK stream; its calls suspend like those here}
   * Closing it closes the connection, as that of a {@link java.net.Socket} does.
   */
  public InputStream asInputStream() {
    return new ReaderInputStream(this, protocol.writer);
  }

  int available() {
    loop.ensureHeld("InputStream.available()");
    return buffer.size();
  }

  // --- Text

  /**
   * Suspends until a line is there, and returns it decoded and without its {@code \n} or {@code
   * \r\n}.
   *
   * @param charset one in which these are single bytes, as in UTF-8
   * @return the line, or null at the end of the stream
   * @throws LimitOverrunException as {@link #readLine()}
   * @throws IOException if the connection was lost
   */
  public @Nullable String readLine(Charset charset) throws IOException {
    Objects.requireNonNull(charset, "charset");
    byte[] line = readLine();
    int length = line.length;
    if (length == 0) {
      return null;
    }
    if (line[length - 1] == '\n') {
      length--;
      if (length > 0 && line[length - 1] == '\r') {
        length--;
      }
    }
    return new String(line, 0, length, charset);
  }

  /**
   * {@return the lines up to the end of the stream as {@link #readLine(Charset)} returns them;
   * iterating throws {@link UncheckedIOException}}
   */
  public Iterable<String> lines(Charset charset) {
    Objects.requireNonNull(charset, "charset");
    return () -> new Lines<>(() -> readLine(charset));
  }

  // --- TLS

  /**
   * Keeps everybody from reading until {@link #release}.
   *
   * @throws IllegalStateException if a task waits for bytes
   */
  void hold(String call) {
    ensureFree(call);
    held = true;
  }

  /** Takes out all that is there and nobody has read, and has more arrive. */
  byte[] takeUnread() throws IOException {
    if (buffer.ended()) {
      throwIfLost();
      throw thrown(new EOFException("The peer ended its stream before TLS was started"));
    }
    return take(buffer.size());
  }

  void release() {
    held = false;
  }

  /** Keeps everybody from reading for ever, and takes out all that is there. */
  ByteBuffer handOver() {
    hold("handOver()");
    ByteBuffer unread = ByteBuffer.wrap(buffer.peek(buffer.size()));
    buffer.drop(buffer.size());
    return unread;
  }

  /** Takes out all that is there, as if it had not arrived, nor the end of the stream. */
  byte[] takeBack() {
    ensureFree("addHandlers()");
    byte[] unread = take(buffer.size());
    buffer.reopen();
    return unread;
  }

  // --- What the connection does

  /** Does once what {@link #feed} would do for one part after the other. */
  void makeRoom(ByteBuffer[] parts) {
    int length = 0;
    for (ByteBuffer part : parts) {
      length += part.remaining();
    }
    buffer.makeRoom(length);
  }

  void feed(ByteBuffer data, Transport transport) {
    buffer.feed(data);
    boolean enough = buffer.size() >= bytesNeeded;
    if (enough) {
      wakeWaiter();
    }
    boolean wanted = waiter != null && !enough;
    if (!paused && !wanted && buffer.size() > 2L * limit) {
      paused = true;
      transport.pauseReading();
    }
  }

  void feedEof() {
    buffer.end();
    wakeWaiter();
  }

  void fail(IOException cause) {
    buffer.fail(cause);
    wakeWaiter();
  }

  private void wakeWaiter() {
    if (waiter != null && !waiter.done()) {
      waiter.setResult(null);
    }
  }

  // --- Inside

  private void begin(String call) {
    loop.ensureInTask(call);
    immediateReads++;
    if (immediateReads > IMMEDIATE_READS_MAX) {
      immediateReads = 0;
      loop.yieldNow();
    }
    ensureFree(call); // After the yield, during which another task may have begun to wait.
  }

  private void ensureFree(String call) {
    if (waiter != null || held) {
      throw new IllegalStateException(
          call + " while another task waits for bytes of this stream: let one task read");
    }
  }

  private void awaitBytes(int needed) {
    immediateReads = 0;
    bytesNeeded = needed;
    Future<@Nullable Void> arrived = loop.createFuture(this);
    waiter = arrived;
    if (paused) {
      paused = false;
      protocol.transport().resumeReading();
    }
    try {
      arrived.await();
    } finally {
      waiter = null;
    }
  }

  /** Waits for at least one byte. Returns false at the end of the stream. */
  private boolean awaitFirst() throws IOException {
    while (buffer.size() == 0) {
      if (buffer.ended()) {
        throwIfLost();
        return false;
      }
      awaitBytes(1);
    }
    return true;
  }

  /** Waits for a separator. Returns the offset of its end, or -1 if the stream ends before. */
  private int awaitSeparator(int limit, byte[]... separators) throws IOException {
    int longest = 0;
    for (byte[] separator : separators) {
      longest = Math.max(longest, separator.length);
    }
    int scanned = 0;
    while (true) {
      int matchStart = -1;
      int matchEnd = Integer.MAX_VALUE;
      for (byte[] separator : separators) {
        int at =
            separator.length == 1
                ? buffer.indexOf(separator[0], scanned)
                : buffer.indexOf(separator, scanned);
        if (at >= 0 && at + separator.length < matchEnd) {
          matchStart = at;
          matchEnd = at + separator.length;
        }
      }
      if (matchStart > limit) {
        throw overrun("The separator comes after " + matchStart + " bytes", limit, matchStart);
      }
      if (matchStart >= 0) {
        return matchEnd;
      }
      // What could be the beginning of a separator is scanned again.
      scanned = Math.max(0, buffer.size() + 1 - longest);
      if (scanned > limit) {
        throw overrun("No separator in " + scanned + " bytes", limit, scanned);
      }
      if (buffer.ended()) {
        return -1;
      }
      awaitBytes(buffer.size() + 1);
    }
  }

  private static void checkLimit(int limit) {
    if (limit < 0) {
      throw new IllegalArgumentException("limit < 0: " + limit);
    }
  }

  private LimitOverrunException overrun(String what, int limit, int consumed) {
    return thrown(
        new LimitOverrunException(
            what
                + ", the limit is "
                + limit
                + ": drop them with skip(consumed()), or allow more with"
                + " StreamOptions.withLimit() or a limit for this call",
            consumed));
  }

  private byte[] take(int length) {
    byte[] taken = buffer.take(length);
    resumeIfRoom();
    return taken;
  }

  private void drop(int length) {
    buffer.drop(length);
    resumeIfRoom();
  }

  private void resumeIfRoom() {
    if (paused && buffer.size() <= limit) {
      paused = false;
      protocol.transport().resumeReading();
    }
  }

  private void throwIfLost() throws IOException {
    IOException failure = buffer.failure();
    if (failure != null) {
      throw thrown(StreamProtocol.lost(failure));
    }
  }

  private <X extends IOException> X thrown(X exception) {
    return protocol.thrown(exception);
  }

  @Override
  public String toString() {
    return "StreamReader["
        + protocol.describePeer()
        + ", "
        + buffer
        + (paused ? ", paused" : "")
        + (waiter != null ? ", a task waits]" : "]");
  }
}
