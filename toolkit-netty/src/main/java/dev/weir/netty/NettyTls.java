package dev.weir.netty;

import dev.weir.spi.Network.Completion;
import dev.weir.spi.TlsRequest;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsOptions;
import dev.weir.tls.TlsSession;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundInvoker;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** The TLS of one connection: its handler, and how far it has come. */
final class NettyTls {
  /*
   *   WANTED ---> HANDSHAKE ---> OPEN        From a task, on the I/O fiber, by the peer.
   *     |             |
   *     '-------------'------> FAILED
   */
  private enum Stage {
    WANTED,
    HANDSHAKE,
    OPEN,
    FAILED
  }

  /** So much arrives in a handshake at most, and less as a rule; what else does is held back. */
  private static final int HANDSHAKE_BYTES_MAX = 128 * 1024;

  /** So much of what was written is encrypted before some of it is sent. */
  private static final int ENCRYPTED_AT_ONCE_MAX = 128 * 1024;

  /** The most text of a record, and more than what its header, padding and tag take. */
  private static final int RECORD_TEXT_BYTES = 16 * 1024;

  private static final int RECORD_EXTRA_BYTES = 128;

  /** A handler's name. */
  private static final String PLAINTEXT = "plaintext";

  private static final Duration LONG_ENOUGH = Duration.ofDays(36_500);

  private final NettyTransport transport;
  private final TlsOptions options;
  private final Completion<TlsSession> outcome;

  // On the loop only.

  private Stage stage = Stage.WANTED;
  private @Nullable SslHandler handler;
  private @Nullable CiphertextHandler ciphertext;
  private boolean encryptsIntoArrays;

  /** What had arrived before, until it is handed over. */
  private byte @Nullable [] received;

  /** Which server the client asks for, or has asked for. */
  private @Nullable String serverName;

  private @Nullable TlsSession session;

  /** How much has come while the peers shake hands. */
  private int arrived;

  private boolean closeSent;
  private boolean drops;
  private @Nullable ScheduledFuture<?> shutdownTimer;

  NettyTls(NettyTransport transport, TlsRequest request, Completion<TlsSession> outcome) {
    this.transport = transport;
    this.options = request.options();
    this.serverName = request.serverName();
    this.received = request.received();
    this.outcome = outcome;
  }

  /** {@return whether nothing was done about it yet} */
  boolean isWanted() {
    return stage == Stage.WANTED;
  }

  boolean isOpen() {
    return stage == Stage.OPEN;
  }

  boolean allowsTruncation() {
    return options.truncationAllowed();
  }

  @Nullable TlsSession session() {
    return session;
  }

  /**
   * {@return whether more may arrive before the peers agree} A peer can go on with a handshake that
   * never ends, in messages that are no error; it does not get to send much.
   */
  boolean takesMore() {
    return stage != Stage.FAILED && arrived < HANDSHAKE_BYTES_MAX;
  }

  // --- The I/O fiber

  /** Bytes came from the socket. */
  void arrived(int bytes) {
    if (stage == Stage.HANDSHAKE && arrived < HANDSHAKE_BYTES_MAX) {
      arrived += bytes;
      if (arrived >= HANDSHAKE_BYTES_MAX) {
        transport.readingChanged();
      }
    }
  }

  /** The socket refused what was to be sent, which goes to the channel now. */
  void refused(IOException reason) {
    transport.refused(reason);
  }

  /** Puts the handler in, and gives it what had arrived before. */
  void begin() {
    stage = Stage.HANDSHAKE;
    TlsHandlers handlers = Objects.requireNonNull(TlsHandlers.prepared(options), "not prepared");
    ChannelPipeline pipeline = transport.channel.pipeline();
    String transportName = pipeline.context(transport).name();
    CiphertextHandler ciphertext = newCiphertextHandler(handlers);
    this.ciphertext = ciphertext;
    encryptsIntoArrays = handlers.needsWholeRecords();
    pipeline.addBefore(transportName, null, ciphertext);
    pipeline.addBefore(transportName, PLAINTEXT, new PlaintextHandler(transport::isHandingOn));
    if (options instanceof ServerTls server) {
      pipeline.addBefore(PLAINTEXT, null, new ServerNameHandler(this, handlers, server));
    } else {
      SslHandler client =
          handlers.newHandler(
              transport.channel.alloc(), null, serverName, transport.remoteAddress());
      shakeHands(client, serverName);
      pipeline.addBefore(PLAINTEXT, null, client);
    }
    byte[] first = Objects.requireNonNull(received, "begun twice");
    received = null;
    if (first.length > 0) {
      // Not by the pipeline's head: it has come through what is before.
      ChannelHandlerContext context = pipeline.context(ciphertext);
      ByteBuf buffer = transport.channel.alloc().directBuffer(first.length);
      ciphertext.channelRead(context, buffer.writeBytes(first));
      ciphertext.channelReadComplete(context);
    }
  }

  private CiphertextHandler newCiphertextHandler(TlsHandlers handlers) {
    return new CiphertextHandler(
        this,
        handlers.reportsErrorsLate(),
        // Handlers of an application's may have something to do with what is sent.
        transport.isBehindHandlers() ? null : transport.driver.directSocket(transport.channel),
        handlers.needsWholeRecords() ? new WholeRecords(transport.driver.readBuffers()) : null);
  }

  /** The handler to use is known. */
  void shakeHands(SslHandler handler, @Nullable String serverName) {
    handler.setHandshakeTimeoutMillis(0); // The caller keeps the time, and that of the flush.
    handler.setCloseNotifyFlushTimeoutMillis(0);
    this.handler = handler;
    this.serverName = serverName;
  }

  /** The peers agree. */
  void open() {
    if (stage == Stage.HANDSHAKE) {
      TlsSession agreed = newSession(Objects.requireNonNull(handler));
      session = agreed;
      stage = Stage.OPEN;
      if (!transport.isBehindHandlers()) { // Those are given what was read, and may keep it.
        transport.driver.readBuffers().shareEncrypted(transport.channel);
      }
      outcome.succeeded(agreed);
    }
  }

  private TlsSession newSession(SslHandler of) {
    SSLSession agreed = of.engine().getSession();
    String applicationProtocol = of.applicationProtocol();
    if (applicationProtocol == null) {
      applicationProtocol = of.engine().getApplicationProtocol(); // The JDK's engine.
    }
    return new TlsSession(
        agreed.getProtocol(),
        agreed.getCipherSuite(),
        applicationProtocol == null || applicationProtocol.isEmpty() ? null : applicationProtocol,
        serverName == null || TlsHandlers.isLiteralAddress(serverName) ? null : serverName,
        peerCertificates(agreed),
        certificates(agreed.getLocalCertificates()),
        Objects.requireNonNull(TlsHandlers.prepared(options)).provider());
  }

  private static List<Certificate> peerCertificates(SSLSession agreed) {
    try {
      return certificates(agreed.getPeerCertificates());
    } catch (SSLPeerUnverifiedException e) {
      return List.of();
    }
  }

  private static List<Certificate> certificates(Certificate @Nullable [] certificates) {
    return certificates == null ? List.of() : List.of(certificates);
  }

  /** The handshake has failed, if it is not over. Closing the connection is the caller's. */
  void fail(Throwable cause) {
    if (stage == Stage.WANTED || stage == Stage.HANDSHAKE) {
      stage = Stage.FAILED;
      IOException failure = TlsErrors.ofHandshake(cause);
      outcome.failed(failure);
      transport.tlsFailed(failure);
    }
  }

  /** {@return what writes without being encrypted, and closes without telling the peer first} */
  @Nullable ChannelOutboundInvoker beneath() {
    ChannelHandlerContext context =
        handler == null ? null : transport.channel.pipeline().context(handler);
    return context;
  }

  // --- Sending

  /**
   * Encrypts what was written and gives it to the kernel. The handler would do the same, by way of
   * the channel, with a promise for what was written, and a buffer and a promise for what it makes
   * of that. It is left to it where something waits to be sent before, and where the engine wants
   * more than to encrypt.
   *
   * @return whether the handler has to flush, behind what this leaves in {@code written}
   */
  boolean send(ByteBuf written) {
    if (stage != Stage.OPEN
        || closeSent
        || handler == null
        || ciphertext == null
        || !ciphertext.maySend(transport.channel)) {
      return true;
    }
    ByteBuf records = transport.driver.chunks().take(recordBytes(written.readableBytes()));
    try {
      boolean goesOn = true;
      while (goesOn && written.isReadable()) {
        goesOn = encryptAndSend(handler.engine(), written, records, ciphertext);
      }
      return !goesOn;
    } catch (SSLException | RuntimeException | Error e) {
      written.skipBytes(written.readableBytes()); // A record may be missing.
      transport.channel.pipeline().fireExceptionCaught(e);
      return false;
    } finally {
      transport.driver.chunks().giveBack(records);
    }
  }

  /** {@return whether all of it was sent, and the engine wants nothing else} */
  private boolean encryptAndSend(
      SSLEngine engine, ByteBuf written, ByteBuf records, CiphertextHandler to)
      throws SSLException {
    boolean encrypted = false;
    boolean sent = false;
    records.clear();
    try {
      encrypted = encrypt(engine, written, records);
    } finally { // What the engine has made before it failed is sent.
      sent = to.sendsAll(records);
      if (!sent) {
        to.queueRest(records);
      }
    }
    return encrypted && sent;
  }

  /** {@return room for so much text when it is encrypted, if that is not too much at once} */
  private static int recordBytes(int text) {
    int atOnce = Math.min(text, ENCRYPTED_AT_ONCE_MAX);
    return atOnce + (1 + atOnce / RECORD_TEXT_BYTES) * RECORD_EXTRA_BYTES;
  }

  /** {@return whether the engine wants nothing but to encrypt} */
  private boolean encrypt(SSLEngine engine, ByteBuf text, ByteBuf records) throws SSLException {
    int end = Math.min(text.writerIndex(), text.readerIndex() + ENCRYPTED_AT_ONCE_MAX);
    while (text.readerIndex() < end) {
      ByteBuffer source = text.internalNioBuffer(text.readerIndex(), end - text.readerIndex());
      SSLEngineResult result =
          encryptsIntoArrays ? wrapInArray(engine, source, records) : wrap(engine, source, records);
      text.skipBytes(result.bytesConsumed());
      if (result.getStatus() != SSLEngineResult.Status.OK
          || result.getHandshakeStatus() != SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING
          || result.bytesConsumed() == 0) {
        return false;
      }
    }
    return true;
  }

  /** BoringSSL's engine makes one record of it, and wants room for that. */
  private static SSLEngineResult wrap(SSLEngine engine, ByteBuffer source, ByteBuf records)
      throws SSLException {
    records.ensureWritable(recordBytes(Math.min(source.remaining(), RECORD_TEXT_BYTES)));
    ByteBuffer target = records.internalNioBuffer(records.writerIndex(), records.writableBytes());
    SSLEngineResult result = engine.wrap(source, target);
    records.writerIndex(records.writerIndex() + result.bytesProduced());
    return result;
  }

  /** The JDK's engine encrypts faster into arrays, and wants room for the longest record. */
  private SSLEngineResult wrapInArray(SSLEngine engine, ByteBuffer source, ByteBuf records)
      throws SSLException {
    int bytes = engine.getSession().getPacketBufferSize();
    ByteBuf array = transport.driver.readBuffers().takeArray(bytes);
    try {
      SSLEngineResult result = engine.wrap(source, array.internalNioBuffer(0, bytes));
      records.writeBytes(array, 0, result.bytesProduced());
      return result;
    } finally {
      array.release();
    }
  }

  // --- The end

  /**
   * {@return whether what was written can still be encrypted, though the peer has ended its side}
   */
  boolean canSend() {
    return handler != null && !handler.engine().isOutboundDone();
  }

  /** Tells the peer that nothing follows, behind what was written. */
  void sendClose() {
    if (!closeSent && stage == Stage.OPEN && handler != null) {
      closeSent = true;
      handler.closeOutbound();
    }
  }

  /** Has what the peer sends from now on dropped as it comes. */
  void dropWhatArrives() {
    if (drops) {
      return;
    }
    drops = true;
    transport.channel.pipeline().addFirst(new DroppingHandler());
  }

  private static final class DroppingHandler extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }
  }

  /** Waits for the peer to end its side too, but not for ever. */
  void awaitClose(Runnable expired) {
    Duration timeout = options.shutdownTimeout();
    if (timeout.compareTo(LONG_ENOUGH) > 0) {
      return; // As good as for ever, and more than a timer can count.
    }
    shutdownTimer =
        transport.channel.eventLoop().schedule(expired, timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  Duration shutdownTimeout() {
    return options.shutdownTimeout();
  }

  /** The connection is gone. */
  void closed() {
    if (shutdownTimer != null) {
      shutdownTimer.cancel(false);
    }
  }

  @Override
  public String toString() {
    return "NettyTls[" + stage + (session == null ? "]" : ", " + session.protocol() + "]");
  }
}
