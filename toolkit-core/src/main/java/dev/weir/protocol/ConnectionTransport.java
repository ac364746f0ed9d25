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
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection of the engine's whose protocol is the user's. It was opened or accepted as those
 * with streams are, so that all options hold for it, and then handed over. On the loop only.
 */
final class ConnectionTransport implements Transport, TransportProtocol {
  private static final byte[] NOTHING = {};

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

  /**
   * What came in although reading is paused: the engine hands on what it has read already, and with
   * TLS what was in the same record. Never more than that.
   */
  private byte[] held = NOTHING;

  private boolean eofHeld;

  /** Whether what is held is to be handed on in a moment; what comes in meanwhile is held too. */
  private boolean resuming;

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
    callbacks.call("connectionMade", protocol, () -> protocol.connectionMade(this));
  }

  @Override
  public void dataReceived(ByteBuffer data) {
    if (paused || resuming || securing) {
      hold(data);
    } else {
      handOn(data);
    }
  }

  private void hold(ByteBuffer data) {
    int length = held.length;
    held = Arrays.copyOf(held, length + data.remaining());
    data.get(held, length, data.remaining());
  }

  /** Hands on as much as the protocol wants, which may pause, close or change in between. */
  private void handOn(ByteBuffer data) {
    while (data.hasRemaining() && (!paused || lost) && !closedHere) {
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
    } else if (data.hasRemaining()) {
      hold(data);
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
    if (paused || resuming || securing) {
      eofHeld = true;
    } else {
      handOnEof();
    }
  }

  private void handOnEof() {
    if (closedHere) {
      return;
    }
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
    // A pause ends here: it is no more than a moment's worth, and nobody could resume it later.
    ByteBuffer last = ByteBuffer.wrap(held);
    held = NOTHING;
    handOn(last);
    if (eofHeld) {
      eofHeld = false;
      handOnEof();
    }
    Throwable told = failure != null ? failure : aborted ? null : cause;
    callbacks.call("connectionLost", protocol, () -> protocol.connectionLost(told));
  }

  @Override
  public void pauseWriting() {
    callbacks.callHere("pauseWriting", protocol, protocol::pauseWriting);
  }

  @Override
  public void resumeWriting() {
    callbacks.call("resumeWriting", protocol, protocol::resumeWriting);
  }

  @Override
  public byte[] takeBack() {
    byte[] taken = held;
    held = NOTHING;
    eofHeld = false;
    if (securing) {
      securing = false;
      beneath().resumeReading(); // The peers shake hands whether or not the protocol wants bytes.
    }
    return taken;
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
      beneath().pauseReading();
    }
  }

  @Override
  public void resumeReading() {
    loop.ensureHeld("Transport.resumeReading()");
    if (!paused) {
      return;
    }
    paused = false;
    if (held.length == 0 && !eofHeld) {
      beneath().resumeReading();
    } else if (!resuming) {
      resuming = true;
      loop.callSoon(this::handOnHeld); // Not within the call: its caller may not be done.
    }
  }

  private void handOnHeld() {
    resuming = false;
    if (paused || securing) {
      return;
    }
    ByteBuffer data = ByteBuffer.wrap(held);
    held = NOTHING;
    handOn(data);
    if (paused || lost) {
      return;
    }
    beneath().resumeReading();
    if (eofHeld) {
      eofHeld = false;
      handOnEof();
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
    if (unsent + length > hardCap) {
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
    if (!lost) {
      securing = true;
      beneath().pauseReading(); // Until what is held is taken back.
    }
    try {
      return handshake.run();
    } finally {
      if (securing) { // It came to nothing before it began.
        securing = false;
        if (!paused) {
          paused = true;
          resumeReading();
        }
      } else if (paused && !lost) {
        beneath().pauseReading();
      }
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
