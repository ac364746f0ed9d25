package dev.weir.protocol;

import dev.weir.spi.TransportProtocol;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection of the engine's whose protocol is the user's. It was opened or accepted as those
 * with streams are, so that all options hold for it, and then handed over. On the loop only.
 */
final class ConnectionTransport implements Transport, TransportProtocol {
  private final Loop loop;
  private final Callbacks callbacks;
  private final StreamWriter writer;
  private final int hardCap;
  private WriteBufferLimits limits;
  private BaseProtocol<Transport> protocol;
  private dev.weir.spi.@Nullable Transport beneath;

  private boolean paused;
  private boolean eofWritten;
  private boolean closedHere;
  private boolean aborted;
  private boolean lost;

  /** What ended the connection, if a callback did that had to take something in. */
  private @Nullable Throwable failure;

  private @Nullable IOException writeFailure;

  // What the protocol has not been told yet, because it is busy, does not want it, or is not to.

  /**
   * Whether a callback runs, which may have parked; or whether everything is to wait, in the
   * beginning.
   */
  private boolean busy = true;

  private boolean madeTold;

  /** In the order of arrival. No more than one read: the engine is told to pause then. */
  private final ArrayDeque<ByteBuffer> held = new ArrayDeque<>(0);

  private boolean eofHeld;
  private boolean lossTold;
  private @Nullable IOException lossCause;
  private boolean resumeWritingHeld;

  /** Whether the engine was told to bring nothing more. */
  private boolean beneathPaused = true;

  private boolean startingTls;

  /** Whether what comes in is the peer's handshake already, and no matter of the protocol's. */
  private boolean securing;

  private ConnectionTransport(
      Loop loop, StreamWriter writer, StreamOptions options, BaseProtocol<Transport> protocol) {
    this.loop = loop;
    this.callbacks = new Callbacks(loop);
    this.writer = writer;
    this.hardCap = options.hardCap();
    this.limits = new WriteBufferLimits(options.lowWater(), options.highWater());
    this.protocol = ensureOfBytes(protocol);
  }

  /**
   * Takes a connection over from its streams, and tells {@code protocol} of it before it returns.
   *
   * @param options those with which the connection was made
   */
  static ConnectionTransport takeOver(
      StreamWriter writer, StreamOptions options, BaseProtocol<Transport> protocol) {
    ConnectionTransport transport =
        new ConnectionTransport(Loop.running(), writer, options, protocol);
    writer.handOver(transport);
    transport.busy = false;
    transport.tell();
    return transport;
  }

  private static BaseProtocol<Transport> ensureOfBytes(BaseProtocol<Transport> protocol) {
    if (protocol instanceof Protocol || protocol instanceof BufferedProtocol) {
      return protocol;
    }
    throw new IllegalArgumentException(
        "neither a Protocol nor a BufferedProtocol, and so nobody to receive bytes: " + protocol);
  }

  private dev.weir.spi.Transport beneath() {
    return Objects.requireNonNull(beneath, "not connected");
  }

  // --- What comes in

  @Override
  public void connectionMade(dev.weir.spi.Transport transport) {
    beneath = transport;
  }

  @Override
  public void dataReceived(ByteBuffer data) {
    if (!busy && wantsBytes() && held.isEmpty() && !eofHeld) {
      busy = true;
      try {
        handOn(data);
      } finally {
        busy = false;
      }
      if (data.hasRemaining()) {
        hold(data);
      }
      tell();
    } else if (closedHere) {
      data.position(data.limit());
    } else {
      hold(data);
    }
  }

  private boolean wantsBytes() {
    return (!paused || lost) && !securing && !closedHere;
  }

  private void hold(ByteBuffer data) {
    held.add(ByteBuffer.wrap(take(data)));
    pauseBeneath();
  }

  private void pauseBeneath() {
    if (!beneathPaused && !closedHere && !lost) {
      beneathPaused = true;
      beneath().pauseReading();
    }
  }

  /** Tells the protocol one thing after the other of what it has not been told. */
  private void tell() {
    if (busy) {
      return; // Whoever is inside does, afterwards.
    }
    busy = true;
    try {
      while (tellNext()) {
        // Each may have changed what is next.
      }
    } finally {
      busy = false;
    }
    if (beneathPaused && !paused && !securing && !lost) {
      beneathPaused = false;
      beneath().resumeReading();
    }
  }

  private boolean tellNext() {
    if (!madeTold) {
      madeTold = true;
      callbacks.call("connectionMade", protocol, () -> protocol.connectionMade(this));
      return true;
    }
    if (resumeWritingHeld) {
      resumeWritingHeld = false;
      callbacks.call("resumeWriting", protocol, protocol::resumeWriting);
      return true;
    }
    if (!held.isEmpty() && wantsBytes()) {
      ByteBuffer next = held.remove();
      handOn(next);
      if (next.hasRemaining()) {
        held.addFirst(next);
      }
      return true;
    }
    if (eofHeld && held.isEmpty() && wantsBytes()) {
      eofHeld = false;
      handOnEof();
      return true;
    }
    if (lost && !lossTold) {
      lossTold = true;
      forgetHeld();
      Throwable told = failure != null ? failure : aborted ? null : lossCause;
      callbacks.call("connectionLost", protocol, () -> protocol.connectionLost(told));
      return true;
    }
    return false;
  }

  private void forgetHeld() {
    held.clear();
    eofHeld = false;
  }

  /** Hands on as much as the protocol wants, which may pause, close or change in between. */
  private void handOn(ByteBuffer data) {
    while (data.hasRemaining() && wantsBytes()) {
      BaseProtocol<Transport> receiver = protocol;
      Throwable failed =
          receiver instanceof BufferedProtocol buffered
              ? callbacks.call("bufferUpdated", buffered, () -> fill(buffered, data))
              : callbacks.call(
                  "dataReceived", receiver, () -> ((Protocol) receiver).dataReceived(take(data)));
      if (failed != null) {
        end(failed);
      }
    }
    if (closedHere) {
      data.position(data.limit()); // Nobody wants it any more.
    }
  }

  private static byte[] take(ByteBuffer data) {
    byte[] taken = new byte[data.remaining()];
    data.get(taken);
    return taken;
  }

  private static void fill(BufferedProtocol receiver, ByteBuffer data) throws Exception {
    ByteBuffer buffer = receiver.getBuffer(data.remaining());
    int count = Math.min(buffer.remaining(), data.remaining());
    if (count == 0) {
      throw new IllegalStateException("getBuffer() returned a buffer without room: " + buffer);
    }
    buffer.put(data.slice(data.position(), count));
    data.position(data.position() + count);
    receiver.bufferUpdated(count);
  }

  private void end(Throwable cause) {
    failure = cause;
    closedHere = true;
    writer.abort();
  }

  @Override
  public void eofReceived() {
    eofHeld = true;
    tell();
  }

  private void handOnEof() {
    boolean[] staysOpen = {false};
    Throwable failed =
        callbacks.call(
            "eofReceived",
            protocol,
            () ->
                staysOpen[0] =
                    protocol instanceof BufferedProtocol buffered
                        ? buffered.eofReceived()
                        : ((Protocol) protocol).eofReceived());
    if (failed != null) {
      end(failed);
    } else if (!staysOpen[0] || !canWriteEof()) {
      close();
    }
  }

  @Override
  public void connectionLost(@Nullable IOException cause) {
    lost = true;
    lossCause = cause;
    if (securing) {
      forgetHeld(); // It came in clear, for a handshake that did not come about.
    }
    tell();
  }

  @Override
  public void writingFailed(IOException cause) {
    writeFailure = cause;
    endIfNothingIsHeard();
  }

  /** Nothing can be sent, and the end that comes behind what the peer sent would not be seen. */
  private void endIfNothingIsHeard() {
    if (writeFailure != null && paused && failure == null) {
      end(writeFailure);
    }
  }

  @Override
  public void pauseWriting() {
    if (resumeWritingHeld) {
      resumeWritingHeld = false; // It was not told, and is not true any more.
    } else {
      callbacks.callHere("pauseWriting", protocol, protocol::pauseWriting);
    }
  }

  @Override
  public void resumeWriting() {
    resumeWritingHeld = true;
    tell();
  }

  @Override
  public byte[] takeBack() {
    int length = 0;
    for (ByteBuffer piece : held) {
      length += piece.remaining();
    }
    ByteBuffer taken = ByteBuffer.allocate(length);
    held.forEach(taken::put);
    forgetHeld();
    if (securing) {
      securing = false;
      beneathPaused = false;
      beneath().resumeReading(); // The peers shake hands whether or not the protocol wants bytes.
    }
    return taken.array();
  }

  // --- The transport

  @Override
  public BaseProtocol<Transport> protocol() {
    loop.ensureHeld("Transport.protocol()");
    return protocol;
  }

  @Override
  public void setProtocol(BaseProtocol<Transport> protocol) {
    loop.ensureHeld("Transport.setProtocol()");
    this.protocol = ensureOfBytes(protocol);
  }

  @Override
  public boolean isReading() {
    return !paused && !isClosing();
  }

  @Override
  public void pauseReading() {
    loop.ensureHeld("Transport.pauseReading()");
    if (!paused && !lost) {
      paused = true;
      if (!securing) {
        pauseBeneath();
      }
      endIfNothingIsHeard();
    }
  }

  @Override
  public void resumeReading() {
    loop.ensureHeld("Transport.resumeReading()");
    if (!paused) {
      return;
    }
    paused = false;
    if (held.isEmpty() && !eofHeld) {
      tell();
    } else {
      loop.callSoon(this::tell); // Not within the call: its caller may not be done.
    }
  }

  @Override
  public void write(byte[] data) {
    write(data, 0, data.length);
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, data.length);
    loop.ensureHeld("Transport.write()");
    if (eofWritten) {
      throw new IllegalStateException("write() after writeEof()");
    }
    if (length == 0 || writer.isClosing()) {
      return;
    }
    long unsent = beneath().writeBufferSize();
    // Who pauses when told to may write a message of any size, as a stream's writer does.
    if (unsent > limits.high() && unsent + length > hardCap) {
      throw new IllegalStateException(
          unsent
              + " bytes are unsent and "
              + length
              + " more would exceed the cap of "
              + hardCap
              + ": stop writing at pauseWriting(), or raise StreamOptions.withHardCap()");
    }
    beneath().write(data, offset, length);
  }

  @Override
  public void writeEof() {
    loop.ensureHeld("Transport.writeEof()");
    if (eofWritten || writer.isClosing()) {
      return;
    }
    if (!canWriteEof()) {
      throw new UnsupportedOperationException(
          "writeEof() on a connection with TLS, whose directions end together: say in the protocol"
              + " where a message ends, or close()");
    }
    eofWritten = true;
    beneath().writeEof();
  }

  @Override
  public boolean canWriteEof() {
    loop.ensureHeld("Transport.canWriteEof()");
    return beneath().canWriteEof();
  }

  @Override
  public void close() {
    writer.close();
    closedHere = true;
  }

  @Override
  public void abort() {
    if (!lost) {
      writer.abort();
      closedHere = true;
      aborted = true;
    }
  }

  @Override
  public boolean isClosing() {
    return writer.isClosing();
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    loop.ensureHeld("Transport.setWriteBufferLimits()");
    if (low < 0 || high < low) {
      throw new IllegalArgumentException("not 0 <= low <= high: " + low + ", " + high);
    }
    limits = new WriteBufferLimits(low, high);
    beneath().setWriteBufferLimits(high, low);
  }

  @Override
  public WriteBufferLimits writeBufferLimits() {
    loop.ensureHeld("Transport.writeBufferLimits()");
    return limits;
  }

  @Override
  public long writeBufferSize() {
    return writer.writeBufferSize();
  }

  @Override
  public SocketAddress localAddress() {
    return writer.localAddress();
  }

  @Override
  public SocketAddress remoteAddress() {
    return writer.remoteAddress();
  }

  @Override
  public @Nullable TlsSession tlsSession() {
    return writer.tlsSession();
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    return writer.extraInfo(type);
  }

  // --- TLS

  TlsSession startTls(ClientTls tls, String serverHostname) throws IOException {
    return securing(() -> writer.startTls(tls, serverHostname));
  }

  TlsSession startTls(ServerTls tls) throws IOException {
    return securing(() -> writer.startTls(tls));
  }

  private interface Securing {
    TlsSession run() throws IOException;
  }

  private TlsSession securing(Securing handshake) throws IOException {
    loop.ensureInTask("startTls()");
    if (startingTls) {
      throw new IllegalStateException("startTls() while another task is in it: " + this);
    }
    startingTls = true;
    if (!lost) {
      securing = true;
      pauseBeneath(); // Until what is held is taken back.
    }
    try {
      return handshake.run();
    } finally {
      startingTls = false;
      if (securing && isClosing()) {
        closedHere = true;
        forgetHeld(); // It came in clear, for a handshake that did not come about.
      }
      securing = false;
      if (paused) {
        pauseBeneath();
      }
      tell();
    }
  }

  @Override
  public String toString() {
    return "Transport["
        + protocol
        + ", "
        + writer.localAddress()
        + " to "
        + writer.remoteAddress()
        + (lost ? ", lost]" : paused ? ", paused]" : "]");
  }
}
