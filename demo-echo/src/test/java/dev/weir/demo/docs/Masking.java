package dev.weir.demo.docs;

import dev.weir.protocol.BaseProtocol;
import dev.weir.protocol.Protocol;
import dev.weir.protocol.Transport;
import dev.weir.protocol.WriteBufferLimits;
import java.net.SocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A transport of one's own: it stands on another one, whose protocol it is, and masks every byte in
 * both directions.
 */
final class Masking implements Protocol, Transport {
  private final int mask;
  private Protocol above;
  private @Nullable Transport below;

  Masking(Protocol above, int mask) {
    this.above = above;
    this.mask = mask;
  }

  private byte[] masked(byte[] data, int offset, int length) {
    byte[] masked = new byte[length];
    for (int i = 0; i < length; i++) {
      masked[i] = (byte) (data[offset + i] ^ mask);
    }
    return masked;
  }

  // --- The protocol of the transport below

  @Override
  public void connectionMade(Transport transport) throws Exception {
    below = transport;
    above.connectionMade(this);
  }

  @Override
  public void dataReceived(byte[] data) throws Exception {
    above.dataReceived(masked(data, 0, data.length));
  }

  @Override
  public boolean eofReceived() throws Exception {
    return above.eofReceived();
  }

  @Override
  public void connectionLost(@Nullable Throwable cause) throws Exception {
    above.connectionLost(cause);
  }

  @Override
  public void pauseWriting() throws Exception {
    above.pauseWriting();
  }

  @Override
  public void resumeWriting() throws Exception {
    above.resumeWriting();
  }

  // --- The transport of the protocol above

  private Transport below() {
    return Objects.requireNonNull(below, "not connected");
  }

  @Override
  public void write(byte[] data) {
    write(data, 0, data.length);
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    below().write(masked(data, offset, length));
  }

  @Override
  public BaseProtocol<Transport> protocol() {
    return above;
  }

  @Override
  public void setProtocol(BaseProtocol<Transport> protocol) {
    if (!(protocol instanceof Protocol told)) {
      throw new IllegalArgumentException("not a Protocol: " + protocol);
    }
    above = told;
  }

  // The rest is the other transport's.

  @Override
  public void writeEof() {
    below().writeEof();
  }

  @Override
  public boolean canWriteEof() {
    return below().canWriteEof();
  }

  @Override
  public void close() {
    below().close();
  }

  @Override
  public void abort() {
    below().abort();
  }

  @Override
  public boolean isClosing() {
    return below().isClosing();
  }

  @Override
  public boolean isReading() {
    return below().isReading();
  }

  @Override
  public void pauseReading() {
    below().pauseReading();
  }

  @Override
  public void resumeReading() {
    below().resumeReading();
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    below().setWriteBufferLimits(high, low);
  }

  @Override
  public WriteBufferLimits writeBufferLimits() {
    return below().writeBufferLimits();
  }

  @Override
  public long writeBufferSize() {
    return below().writeBufferSize();
  }

  @Override
  public SocketAddress localAddress() {
    return below().localAddress();
  }

  @Override
  public SocketAddress remoteAddress() {
    return below().remoteAddress();
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    return below().extraInfo(type);
  }

  @Override
  public String toString() {
    return "Masking[" + below + "]";
  }
}
