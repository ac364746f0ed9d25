package dev.weir.stream;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.TimerHandle;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes to a connection, as {@code asyncio.StreamWriter}, with back-pressure that cannot be
 * forgotten.
 *
 * <p>In a task, a write waits while more than {@linkplain StreamOptions#highWater high water} is
 * unsent, <em>before</em> it takes the message, and then takes it whole. Writers that wait go on in
 * the order of their calls. A write that is cancelled wrote nothing. In a callback, where nothing
 * can wait, a write goes through at once, and fails at the {@linkplain StreamOptions#hardCap hard
 * cap}.
 *
 * <p>Bytes are copied: the array may be reused as soon as the call returns. They leave together at
 * the end of the loop's round; while the peer sends something large, that may be the end of the
 * next one, so that parts of an answer leave together.
 *
 * <p>Every write and drain after the connection was lost throws {@link ConnectionResetException},
 * or {@link java.net.SocketTimeoutException} if it was lost because nothing came for too long.
 *
 * <p>Only tasks and callbacks of the connection's loop may use it; elsewhere its calls throw {@link
 * IllegalStateException}.
 */
public final class StreamWriter implements AutoCloseable {
  /** How long {@link #close} lets unsent bytes go out before it aborts the connection. */
  private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(10);

  private final Loop loop;
  private final StreamProtocol protocol;
  private final StreamOptions options;
  private final WriteGate<Waiter> gate = new WriteGate<>();

  private boolean closing;
  private boolean eofWritten;
  private boolean detached;
  private boolean peerEnded;
  private boolean lost;
  private @Nullable IOException lostCause;

  /** Why nothing can be sent, though the connection is not lost yet. */
  private @Nullable IOException writeFailure;

  /** Who waits for the peer's end or the connection's. */
  private @Nullable List<Waiter> changeWaiters;

  private @Nullable TimerHandle flushDeadline;

  /** One call that waits. It may be woken in vain and wait again, in its place. */
  private final class Waiter {
    Future<@Nullable Void> woken = newFuture();

    private Future<@Nullable Void> newFuture() {
      return loop.createFuture(StreamWriter.this);
    }

    void await() {
      if (woken.done()) {
        woken = newFuture();
      }
      woken.await();
    }

    void wake() {
      if (!woken.done()) {
        woken.setResult(null);
      }
    }
  }

  StreamWriter(Loop loop, StreamProtocol protocol, StreamOptions options) {
    this.loop = loop;
    this.protocol = protocol;
    this.options = options;
  }

  // --- Writing

  /**
   * Writes a message, waiting first if too much is unsent. Corresponds to {@code write} followed by
   * {@code drain}.
   *
   * @throws ConnectionResetException if the connection was lost
   * @throws WriteBufferFullException in a callback, if the message would take the buffer above the
   *     hard cap
   * @throws SocketException after {@link #close}
   * @throws IllegalStateException after {@link #writeEof}
   */
  public void write(byte[] message) throws IOException {
    write(message, 0, message.length);
  }

  /**
   * Writes {@code length} bytes of an array from {@code offset} on, as {@link #write(byte[])}
   * writes all of it.
   */
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    loop.ensureHeld("StreamWriter.write()");
    ensureWritable();
    if (options.asyncioWrites() || !loop.inTask()) {
      ensureUnderCap(length);
    } else if (!gate.mayWrite()) {
      waitAndWrite(bytes, offset, length);
      return;
    }
    transport().write(bytes, offset, length);
  }

  /**
   * Writes several pieces as one message: it waits once, and nothing of another task gets between
   * them. Corresponds to {@code writelines}.
   */
  public void write(byte[]... pieces) throws IOException {
    int length = 0;
    for (byte[] piece : pieces) {
      length = Math.addExact(length, piece.length);
    }
    ByteBuffer message = ByteBuffer.allocate(length);
    for (byte[] piece : pieces) {
      message.put(piece);
    }
    write(message.array());
  }

  /** Writes text in UTF-8, as {@link #write(byte[])}. */
  public void write(String text) throws IOException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes text in UTF-8 and a {@code \n}, as one message. */
  public void writeLine(String text) throws IOException {
    write(text + "\n");
  }

  /**
   * Writes a message if it can without waiting. Never suspends.
   *
   * @return false if too much is unsent or others wait; nothing was written then
   * @throws ConnectionResetException if the connection was lost
   * @throws WriteBufferFullException if the message alone would take the buffer above the hard cap
   * @throws SocketException after {@link #close}
   * @throws IllegalStateException after {@link #writeEof}
   */
  public boolean tryWrite(byte[] message) throws IOException {
    loop.ensureHeld("StreamWriter.tryWrite()");
    ensureWritable();
    if (!gate.mayWrite()) {
      return false;
    }
    ensureUnderCap(message.length);
    transport().write(message, 0, message.length);
    return true;
  }

  /**
   * Suspends while more than high water is unsent, until it is down to low water. Seldom needed
   * here, because {@link #write(byte[])} waits by itself. Corresponds to {@code drain()}.
   * Cancelling it loses nothing.
   *
   * @throws ConnectionResetException if the connection was lost
   */
  public void drain() throws IOException {
    loop.ensureInTask("StreamWriter.drain()");
    throwIfLost();
    if (gate.full()) {
      Waiter waiter = new Waiter();
      gate.enqueueDrainer(waiter);
      try {
        waiter.await();
      } finally {
        gate.leaveDrainer(waiter);
      }
      throwIfLost();
    }
  }

  /**
   * Ends the stream towards the peer after everything written; reading goes on. A second call has
   * no effect.
   *
   * @throws ConnectionResetException if the connection was lost
   * @throws UnsupportedOperationException if the connection is secured: see {@link #canWriteEof}
   */
  public void writeEof() throws IOException {
    loop.ensureHeld("StreamWriter.writeEof()");
    throwIfLost();
    if (!canWriteEof()) {
      throw new UnsupportedOperationException(
          "writeEof() on a connection with TLS, whose directions end together: say in the protocol"
              + " where a message ends, or close()");
    }
    if (!eofWritten && !closing) {
      eofWritten = true;
      transport().writeEof();
    }
  }

  /**
   * {@return whether {@link #writeEof} can end one direction alone} Not with TLS: its older
   * versions know no such thing, and few peers go on to send when the other side has ended.
   */
  public boolean canWriteEof() {
    loop.ensureHeld("StreamWriter.canWriteEof()");
    return transport().canWriteEof();
  }

  // --- TLS

  /**
   * Suspends until this connection is secured, with this end as the client. Corresponds to {@code
   * start_tls}. What was written before leaves in clear. What others write meanwhile, or wait to
   * write when it is called, leaves when it is secured. What the peer had sent and nobody has read
   * counts as the beginning of its handshake: nothing that came in clear is read afterwards. While
   * it runs, no task may read.
   *
   * <p>If it fails, or the task is cancelled, the connection is aborted.
   *
   * @param tls how; files of certificates are read and libraries loaded off the loop, once for one
   *     object
   * @param serverHostname for whom the server's certificate has to be: a name or a literal address
   * @return what was agreed on
   * @throws dev.weir.tls.CertificateRejectedException if the server's certificate is not to be
   *     trusted, or not for that name
   * @throws dev.weir.tls.TlsException if the peer refuses, or does not speak TLS
   * @throws java.net.SocketTimeoutException if it takes longer than the handshake timeout
   * @throws IOException if the connection is lost
   * @throws IllegalStateException if it is secured already, or another task reads
   */
  public TlsSession startTls(ClientTls tls, String serverHostname) throws IOException {
    Objects.requireNonNull(tls, "tls");
    Objects.requireNonNull(serverHostname, "serverHostname");
    return StartingTls.run(protocol, loop, tls, serverHostname);
  }

  /**
   * Suspends until this connection is secured, with this end as the server. The same as {@link
   * #startTls(ClientTls, String)} but for the side.
   */
  public TlsSession startTls(ServerTls tls) throws IOException {
    Objects.requireNonNull(tls, "tls");
    return StartingTls.run(protocol, loop, tls, null);
  }

  /**
   * {@return what was agreed on with the peer; null if the connection is not secured} Corresponds
   * to the {@code get_extra_info} of {@code peercert}, {@code cipher} and {@code ssl_object}.
   */
  public @Nullable TlsSession tlsSession() {
    loop.ensureHeld("StreamWriter.tlsSession()");
    return transport().tlsSession();
  }

  // --- Files, and code that takes a JDK stream

  /**
   * Suspends until a whole file is with the operating system; see {@link #sendFile(FileChannel,
   * long, long)}. If the task is cancelled while the file is being opened, it does not wait for
   * that.
   *
   * @return how many bytes it had
   * @throws java.nio.file.NoSuchFileException if there is no such file; nothing was sent, and the
   *     connection lives on
   * @throws java.nio.file.FileSystemException if it is no regular file, but a directory, a FIFO or
   *     a device, or may not be read; likewise
   */
  public long sendFile(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    return FileSending.send(this, loop, file);
  }

  /**
   * Suspends until a part of a file is with the operating system. Corresponds to {@code
   * loop.sendfile}. Over plain TCP and Unix sockets the kernel sends it without copying, and what
   * other tasks write meanwhile comes behind it; elsewhere it is read in pieces beside the loop,
   * and what others write may get between them. If the task is cancelled, it ends where it is then,
   * and the file may be closed at once. The file's position is neither used nor moved.
   *
   * @param offset where the part begins
   * @param bytesMax how long it is at most; it ends with the file
   * @return how many bytes were sent
   * @throws IllegalArgumentException if a number is negative
   * @throws ConnectionResetException if the connection was lost
   * @throws IOException if the file cannot be read, or became shorter meanwhile. In the middle of
   *     it, that aborts the connection: the peer must not take a part for the whole
   * @throws SocketException after {@link #close}
   * @throws IllegalStateException after {@link #writeEof}
   */
  public long sendFile(FileChannel file, long offset, long bytesMax) throws IOException {
    Objects.requireNonNull(file, "file");
    if (offset < 0 || bytesMax < 0) {
      throw new IllegalArgumentException(
          "negative: offset " + offset + ", bytesMax " + bytesMax + " of a file to send");
    }
    return FileSending.send(this, loop, file, offset, bytesMax);
  }

  /**
   * {@return this stream for code that takes a JDK stream; its writes wait like those here} Bytes
   * leave by themselves, so flushing does nothing. Closing it closes the connection, as that of a
   * {@link java.net.Socket} does.
   */
  public OutputStream asOutputStream() {
    return new WriterOutputStream(this);
  }

  // --- Back-pressure

  /** {@return how many bytes are unsent} */
  public long writeBufferSize() {
    loop.ensureHeld("StreamWriter.writeBufferSize()");
    return transport().writeBufferSize();
  }

  /**
   * Sets other water marks for this connection. Corresponds to {@code
   * transport.set_write_buffer_limits}.
   *
   * @param highWater with more than this many bytes unsent, writers wait
   * @param lowWater with as many bytes unsent, or fewer, they go on
   * @throws IllegalArgumentException if not 0 &lt;= lowWater &lt;= highWater &lt;= {@linkplain
   *     StreamOptions#hardCap the hard cap}
   */
  public void setWriteBufferLimits(int highWater, int lowWater) {
    loop.ensureHeld("StreamWriter.setWriteBufferLimits()");
    StreamOptions.checkWaterMarks(highWater, lowWater, options.hardCap());
    transport().setWriteBufferLimits(highWater, lowWater);
  }

  // --- Closing

  /**
   * Suspends until the peer has gone: it ended its stream, or the connection is lost or closed. For
   * a handler that only writes, or has others write, and would otherwise learn of it by a write
   * that fails. Cancelling it leaves nothing behind.
   *
   * <pre>{@code
   * listeners.add(writer); // Whoever has news writes it to all of them.
   * try {
   *   writer.awaitPeerGone();
   * } finally {
   *   listeners.remove(writer);
   * }
   * }</pre>
   *
   * <p>A handler that starts a task for what it writes cancels it in such a {@code finally} too:
   * when the server shuts down, the handler is cancelled here, and its tasks are not.
   *
   * <p>While reading is paused, because the peer has sent more than the reader holds and nobody
   * reads it, an end of stream behind that is not seen, and with the transport nio not even a
   * reset. Where peers may send what nobody wants, {@linkplain StreamReader#skip skip} it, or have
   * the server's {@linkplain ServerOptions#idleTimeout idle timeout} end such connections.
   */
  public void awaitPeerGone() {
    loop.ensureInTask("StreamWriter.awaitPeerGone()");
    while (!peerEnded && !lost) {
      awaitChange();
    }
  }

  /**
   * Closes the connection once everything written is sent, in the background; after 10 s at the
   * latest. With TLS it then waits for the peer to end its side, too, within the {@linkplain
   * dev.weir.tls.TlsOptions#shutdownTimeout shutdown timeout}. Reads see the end of the stream.
   * Never waits and never throws; a second call has no effect. Corresponds to {@code close()}.
   */
  @Override
  public void close() {
    close(FLUSH_TIMEOUT);
  }

  void close(Duration flushTimeout) {
    if (closing || loop.isClosed()) {
      return;
    }
    loop.ensureHeld("StreamWriter.close()");
    closing = true;
    Transport transport = transport();
    transport.close();
    if (!lost) {
      flushDeadline = loop.callLater(flushTimeout, () -> flushTimedOut(transport));
    }
    wake(gate.closed());
  }

  private static void flushTimedOut(Transport transport) {
    // With TLS the peer has an answer to give, for which the transport has a timeout of its own.
    if (transport.tlsSession() == null || transport.writeBufferSize() > 0) {
      transport.abort();
    }
  }

  /**
   * Closes the connection at once; what is unsent is dropped and the peer sees a reset. Never
   * waits, never throws.
   */
  public void abort() {
    if (loop.isClosed()) {
      return;
    }
    loop.ensureHeld("StreamWriter.abort()");
    closing = true;
    transport().abort();
  }

  /**
   * Suspends until the connection is closed. Corresponds to {@code wait_closed()}. It does not
   * close: before {@link #close} it simply waits.
   *
   * @throws ConnectionResetException if the connection was lost or aborted rather than closed
   */
  public void waitClosed() throws IOException {
    loop.ensureInTask("StreamWriter.waitClosed()");
    while (!lost) {
      awaitChange();
    }
    if (lostCause != null) {
      throw protocol.thrown(StreamProtocol.lost(lostCause));
    }
  }

  private void awaitChange() {
    List<Waiter> waiters = changeWaiters;
    if (waiters == null) {
      waiters = new ArrayList<>(1);
      changeWaiters = waiters;
    }
    Waiter waiter = new Waiter();
    waiters.add(waiter);
    try {
      waiter.await();
    } finally {
      waiters.remove(waiter);
    }
  }

  /** {@return whether the connection is closed or about to be} */
  public boolean isClosing() {
    loop.ensureHeld("StreamWriter.isClosing()");
    return closing || lost || writeFailure != null || transport().isClosing();
  }

  /**
   * Keeps the connection open when its server's handler returns; closing it is then the caller's
   * duty.
   */
  public void detach() {
    loop.ensureHeld("StreamWriter.detach()");
    detached = true;
  }

  boolean detached() {
    return detached;
  }

  /**
   * Gives the connection to a protocol of the engine's kind, for code that wants callbacks:
   * programs use {@code Asyncio.createConnection} and {@code createServer}, which do. The protocol
   * is told {@link TransportProtocol#connectionMade} within the call, then what had arrived and
   * nobody has read, and from then on all that happens; whoever it is {@linkplain
   * Transport#resumeReading resumes reading}, which may be paused. The streams are of no use any
   * more, but for {@link #startTls}, {@link #abort}, and what they tell. A server's handler may
   * return; the connection stays.
   *
   * @return the way out
   * @throws IllegalStateException if a task reads or waits to write, or it was handed over before
   */
  public Transport handOver(TransportProtocol successor) {
    Objects.requireNonNull(successor, "successor");
    loop.ensureHeld("StreamWriter.handOver()");
    if (!gate.isFree()) {
      throw new IllegalStateException(
          "handOver() while tasks wait to write: hand the connection over before they do");
    }
    detached = true;
    protocol.handOver(successor);
    return transport();
  }

  /**
   * {@return this end's address; for a Unix socket a {@link java.net.UnixDomainSocketAddress},
   * whose path is empty if the socket has no name, as is usual for the client's}
   */
  public SocketAddress localAddress() {
    return protocol.localAddress();
  }

  /** {@return the peer's address, of the same kind as {@link #localAddress}} */
  public SocketAddress remoteAddress() {
    return protocol.remoteAddress();
  }

  /**
   * {@return what the engine has beneath this connection that is of a type; null if it has nothing
   * of it} With Netty that is its {@code io.netty.channel.Channel}. Corresponds to {@code
   * get_extra_info()}.
   *
   * @throws IllegalStateException if the caller is not a task or callback of the loop
   */
  public <T> @Nullable T extraInfo(Class<T> type) {
    loop.ensureHeld("StreamWriter.extraInfo()");
    return transport().extraInfo(type);
  }

  // --- What the connection does

  void connected(Transport transport) {
    transport.setWriteBufferLimits(options.highWater(), options.lowWater());
  }

  void disconnected(@Nullable IOException cause) {
    lost = true;
    lostCause = cause;
    if (flushDeadline != null) {
      flushDeadline.cancel();
    }
    wakeChangeWaiters();
    wake(gate.closed());
  }

  boolean mustPause() {
    return gate.full();
  }

  boolean hasPeerEnded() {
    return peerEnded;
  }

  boolean isLost() {
    return lost;
  }

  @Nullable IOException lostCause() {
    return lostCause;
  }

  void peerEnded() {
    peerEnded = true;
    wakeChangeWaiters();
  }

  private void wakeChangeWaiters() {
    if (changeWaiters != null) {
      wake(changeWaiters);
    }
  }

  void writingFailed(IOException cause) {
    writeFailure = cause;
    wake(gate.closed());
  }

  void bufferFilled() {
    gate.filled();
  }

  void bufferDrained() {
    wake(gate.drained());
  }

  private static void wake(List<Waiter> waiters) {
    for (Waiter waiter : waiters) {
      waiter.wake();
    }
  }

  // --- Inside

  Transport transport() {
    return protocol.transport();
  }

  /** Writes as {@link #write(byte[])} does, and waits whatever the options say. */
  void writeInTurn(byte[] bytes) throws IOException {
    loop.ensureInTask("StreamWriter.write()");
    ensureWritable();
    if (gate.mayWrite()) {
      transport().write(bytes, 0, bytes.length);
    } else {
      waitAndWrite(bytes, 0, bytes.length);
    }
  }

  private void waitAndWrite(byte[] bytes, int offset, int length) throws IOException {
    Waiter waiter = new Waiter();
    gate.enqueue(waiter);
    try {
      do {
        waiter.await();
        ensureWritable();
      } while (!gate.mayWrite(waiter));
      transport().write(bytes, offset, length);
    } finally {
      Waiter next = gate.leave(waiter);
      if (next != null) {
        next.wake();
      }
    }
  }

  private void ensureUnderCap(int length) throws IOException {
    long unsent = transport().writeBufferSize();
    if (unsent + length > options.hardCap()) {
      throw protocol.thrown(
          new WriteBufferFullException(
              unsent
                  + " bytes are unsent and "
                  + length
                  + " more would exceed the cap of "
                  + options.hardCap()
                  + ": write from a task, which waits, or raise StreamOptions.withHardCap()"));
    }
  }

  /** {@return how this connection was lost} For what fails only because of that. */
  IOException lost(IOException cause) {
    return protocol.thrown(StreamProtocol.lost(lostCause != null ? lostCause : cause));
  }

  void ensureWritable() throws IOException {
    throwIfLost();
    if (closing) {
      throw protocol.thrown(new SocketException("write() after close()"));
    }
    if (eofWritten) {
      throw new IllegalStateException("write() after writeEof()");
    }
  }

  private void throwIfLost() throws IOException {
    IOException cause = lostCause != null ? lostCause : writeFailure;
    // A transport that closes because the peer did takes no more: a task that writes on and on
    // would never wait, and so keep the connection from its end.
    if (cause == null && !closing && (lost || transport().isClosing())) {
      cause = new IOException("Connection closed");
    }
    if (cause != null) {
      throw protocol.thrown(StreamProtocol.lost(cause));
    }
  }

  @Override
  public String toString() {
    return "StreamWriter["
        + protocol.describePeer()
        + ", "
        + gate
        + ", "
        + protocol.bytesUnsent()
        + " bytes unsent"
        + (lost ? ", lost]" : closing ? ", closing]" : eofWritten ? ", eof written]" : "]");
  }
}
