package dev.weir.protocol;

import dev.weir.spi.TransportProtocol;
import dev.weir.stream.StreamOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One pipe of a {@link SubprocessConnection}, in both roles: transport and protocol. */
abstract sealed class SubprocessPipe implements BaseTransport, TransportProtocol {
  final SubprocessConnection connection;
  final int descriptor;
  private dev.weir.spi.@Nullable Transport beneath;

  /** What ended it, if a callback did that had to take something in. */
  private @Nullable Throwable failure;

  private boolean closedHere;
  private boolean lost;

  private SubprocessPipe(SubprocessConnection connection, int descriptor) {
    this.connection = connection;
    this.descriptor = descriptor;
  }

  final dev.weir.spi.Transport beneath() {
    return Objects.requireNonNull(beneath, "not connected");
  }

  final boolean isLost() {
    return lost;
  }

  final boolean isClosedHere() {
    return closedHere;
  }

  /** Notes that what ends it from now on is this side's doing. */
  final void closedHere() {
    closedHere = true;
  }

  final void ensureHeld(String call) {
    connection.callbacks().loop().ensureHeld(call);
  }

  // --- What happens on it

  @Override
  public void connectionMade(dev.weir.spi.Transport transport) {
    beneath = transport;
  }

  @Override
  public void dataReceived(ByteBuffer data) {
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    tell(bytes);
  }

  final void tell(byte[] bytes) {
    SubprocessProtocol protocol = connection.protocol();
    failure =
        connection
            .callbacks()
            .call("pipeDataReceived", protocol, () -> protocol.pipeDataReceived(descriptor, bytes));
    if (failure != null) {
      beneath().abort();
    }
  }

  @Override
  public void eofReceived() {}

  @Override
  public void connectionLost(@Nullable IOException cause) {
    lost = true;
    if (!connection.isStarted()) {
      return; // Starting failed, and has thrown.
    }
    Throwable told = failure != null ? failure : closedHere ? null : cause;
    SubprocessProtocol protocol = connection.protocol();
    connection
        .callbacks()
        .call("pipeConnectionLost", protocol, () -> protocol.pipeConnectionLost(descriptor, told));
    connection.pipeLost();
  }

  @Override
  public byte[] takeBack() {
    throw new UnsupportedOperationException("handlers on " + this); // Nobody puts any on a pipe.
  }

  @Override
  public void pauseWriting() {
    SubprocessProtocol protocol = connection.protocol();
    connection.callbacks().callHere("pauseWriting", protocol, protocol::pauseWriting);
  }

  @Override
  public void resumeWriting() {
    SubprocessProtocol protocol = connection.protocol();
    connection.callbacks().call("resumeWriting", protocol, protocol::resumeWriting);
  }

  // --- The transport

  @Override
  public void close() {
    ensureHeld("close() of " + this);
    closedHere = true;
    beneath().close();
  }

  @Override
  public boolean isClosing() {
    ensureHeld("isClosing() of " + this);
    return beneath().isClosing();
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    ensureHeld("extraInfo() of " + this);
    return beneath().extraInfo(type);
  }

  @Override
  public String toString() {
    return "pipe " + descriptor + " of " + connection;
  }

  /** Standard output, or error. */
  static final class Reading extends SubprocessPipe implements ReadTransport {
    private boolean paused;

    /** What a read brought that was under way when reading was paused: one chunk at most. */
    private byte @Nullable [] held;

    /** Whether what is held is to be told in a moment. */
    private boolean resuming;

    Reading(SubprocessConnection connection, int descriptor) {
      super(connection, descriptor);
    }

    @Override
    public void dataReceived(ByteBuffer data) {
      if (paused || resuming) {
        held = new byte[data.remaining()];
        data.get(held);
      } else {
        super.dataReceived(data);
      }
    }

    /** A pause ends here, as nobody could resume it later. */
    @Override
    public void connectionLost(@Nullable IOException cause) {
      tellHeld();
      super.connectionLost(cause);
    }

    private void tellHeld() {
      byte[] bytes = held;
      held = null;
      if (bytes != null && !isClosedHere()) {
        tell(bytes);
      }
    }

    @Override
    public boolean isReading() {
      return !paused && !isClosing();
    }

    @Override
    public void pauseReading() {
      ensureHeld("pauseReading() of " + this);
      paused = true;
      beneath().pauseReading();
    }

    @Override
    public void resumeReading() {
      ensureHeld("resumeReading() of " + this);
      paused = false;
      if (held == null) {
        beneath().resumeReading();
      } else if (!resuming) {
        resuming = true;
        connection.callbacks().loop().callSoon(this::tellHeldAndResume); // Not within the call.
      }
    }

    private void tellHeldAndResume() {
      resuming = false;
      if (paused) {
        return;
      }
      tellHeld();
      if (!paused && !isLost()) {
        beneath().resumeReading();
      }
    }
  }

  /** Standard input. */
  static final class Writing extends SubprocessPipe implements WriteTransport {
    private WriteBufferLimits limits;
    private boolean eofWritten;

    Writing(SubprocessConnection connection) {
      super(connection, 0);
      StreamOptions options = connection.streamOptions();
      limits = new WriteBufferLimits(options.lowWater(), options.highWater());
    }

    @Override
    public void connectionMade(dev.weir.spi.Transport transport) {
      super.connectionMade(transport);
      transport.setWriteBufferLimits(limits.high(), limits.low());
    }

    @Override
    public void write(byte[] data) {
      write(data, 0, data.length);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      Objects.checkFromIndexSize(offset, length, data.length);
      ensureHeld("write() to " + this);
      if (eofWritten) {
        throw new IllegalStateException("write() after writeEof()");
      }
      if (length == 0 || isClosing()) {
        return;
      }
      long unsent = beneath().writeBufferSize();
      int hardCap = connection.streamOptions().hardCap();
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
      ensureHeld("writeEof() to " + this);
      if (!eofWritten && !isClosing()) {
        eofWritten = true;
        beneath().writeEof();
      }
    }

    @Override
    public boolean canWriteEof() {
      return true;
    }

    @Override
    public void abort() {
      ensureHeld("abort() of " + this);
      closedHere();
      beneath().abort();
    }

    @Override
    public void setWriteBufferLimits(int high, int low) {
      ensureHeld("setWriteBufferLimits() of " + this);
      if (low < 0 || high < low) {
        throw new IllegalArgumentException("not 0 <= low <= high: " + low + ", " + high);
      }
      limits = new WriteBufferLimits(low, high);
      beneath().setWriteBufferLimits(high, low);
    }

    @Override
    public WriteBufferLimits writeBufferLimits() {
      ensureHeld("writeBufferLimits() of " + this);
      return limits;
    }

    @Override
    public long writeBufferSize() {
      ensureHeld("writeBufferSize() of " + this);
      return beneath().writeBufferSize();
    }
  }
}
