package dev.weir.testing;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a transport and the streams on it, and passes everything on. What is to go wrong,
 * a subclass does.
 */
class Tampering implements Transport, TransportProtocol {
  private Transport transport;
  private TransportProtocol protocol;

  final Transport transport() {
    return transport;
  }

  final TransportProtocol protocol() {
    return protocol;
  }

  final Tampering with(TransportProtocol protocol) {
    this.protocol = protocol;
    return this;
  }

  /** The driver has polled. */
  void polled() {}

  /** {@return whether something is to happen at the next poll, whoever else waits} */
  boolean holdsSomething() {
    return false;
  }

  // --- From the transport

  @Override
  public byte[] takeBack() {
    return protocol.takeBack();
  }

  @Override
  public void connectionMade(Transport transport) {
    this.transport = transport;
    protocol.connectionMade(this);
  }

  @Override
  public void dataReceived(ByteBuffer data) {
    protocol.dataReceived(data);
  }

  @Override
  public void eofReceived() {
    protocol.eofReceived();
  }

  @Override
  public void writingFailed(IOException cause) {
    protocol.writingFailed(cause);
  }

  @Override
  public void connectionLost(@Nullable IOException cause) {
    protocol.connectionLost(cause);
  }

  @Override
  public void pauseWriting() {
    protocol.pauseWriting();
  }

  @Override
  public void resumeWriting() {
    protocol.resumeWriting();
  }

  // --- To the transport

  @Override
  public void write(byte[] bytes, int offset, int length) {
    transport.write(bytes, offset, length);
  }

  @Override
  public void writeEof() {
    transport.writeEof();
  }

  @Override
  public boolean canWriteEof() {
    return transport.canWriteEof();
  }

  @Override
  public void close() {
    transport.close();
  }

  @Override
  public void abort() {
    transport.abort();
  }

  @Override
  public boolean isClosing() {
    return transport.isClosing();
  }

  @Override
  public void pauseReading() {
    transport.pauseReading();
  }

  @Override
  public void resumeReading() {
    transport.resumeReading();
  }

  @Override
  public long writeBufferSize() {
    return transport.writeBufferSize();
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    transport.setWriteBufferLimits(high, low);
  }

  @Override
  public SocketAddress localAddress() {
    return transport.localAddress();
  }

  @Override
  public SocketAddress remoteAddress() {
    return transport.remoteAddress();
  }
}
