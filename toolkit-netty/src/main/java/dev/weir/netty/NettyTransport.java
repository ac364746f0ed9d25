package dev.weir.netty;

import dev.weir.spi.Forwarding;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.TlsRequest;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.spi.UnixAddresses;
import dev.weir.tls.TlsSession;
import dev.weir.tls.TlsTruncatedException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundInvoker;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.CodecException;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.timeout.TimeoutException;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One connection, by TCP or by a Unix socket: the last handler of its channel's pipeline, and the
 * transport of its protocol. Its sending half is {@link NettyOutput}.
 *
 * <p>The methods of {@link Transport} run on tasks and touch nothing of Netty's; they note what is
 * wanted and mark the transport dirty. {@link #flush} and the handler's methods run on the I/O
 * fiber.
 */
final class NettyTransport extends NettyOutput
    implements Transport, DriverSocket, ReadGuard.Behind {
  /*
   *   CONNECTING ---> OPEN ---> CLOSING ---> CLOSED
   *                     |                      ^
   *                     '----------------------'  lost, or aborted
   */
  private enum State {
    CONNECTING,
    OPEN,
    CLOSING,
    CLOSED
  }

  // On the loop only.

  private static final ByteBuffer NO_BYTES = ByteBuffer.allocate(0);

  private State state = State.CONNECTING;
  private boolean dirty;

  private boolean readingWanted = true;
  private boolean eofWanted;
  private boolean eofWritten;
  private boolean closeStarted;

  /**
   * Whether the peer's bytes were held back when the connection was closed. To close a socket with
   * bytes unread resets it, and the reset would overtake what we sent; so they are read and dropped
   * up to the peer's end of stream.
   */
  private boolean lingering;

  private boolean aborted;

  /** Keeps what an adopted channel's handlers decode until it is clear who receives it. */
  private NettyAdopter.@Nullable Holding holding;

  /** Whether an application's handlers stand before this, which were there when it came. */
  private boolean behindHandlers;

  /** What arrives can no longer be made sense of. */
  private boolean receivingFailed;

  private boolean eofReceived;

  /** The last poll in which a read got as much as fits; 0 if there was none. */
  private long filledInPoll;

  /** Whether what was written has been held for a round already. */
  private boolean held;

  /** The peer has ended the TLS session, and thereby an open connection. */
  private boolean endedByPeer;

  private @Nullable IOException failure;

  /** What hands on to another connection what arrives here, if anything does. */
  private @Nullable NettyForwarding forwarding;

  /** What hands on to this connection. */
  private @Nullable NettyForwarding incoming;

  /** Whether the connection is secured, or is to be. */
  private boolean securing;

  /** What secures the connection, or is about to; null in clear. */
  private @Nullable NettyTls tls;

  private @Nullable SocketAddress localAddress;
  private @Nullable SocketAddress remoteAddress;

  NettyTransport(NettyIoDriver driver, DuplexChannel channel, TransportProtocol protocol) {
    this(driver, channel, protocol, null, null);
  }

  /**
   * Makes the transport of a Unix socket, which does not know the names that users know it by.
   *
   * @param localAddress null if the channel is to be asked, as for the next
   */
  NettyTransport(
      NettyIoDriver driver,
      DuplexChannel channel,
      TransportProtocol protocol,
      @Nullable SocketAddress localAddress,
      @Nullable SocketAddress remoteAddress) {
    super(driver, channel, protocol);
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    ChannelConfig config = channel.config();
    config.setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    if (channel instanceof SocketChannel tcp) {
      tcp.config().setTcpNoDelay(true);
    }
    config.setRecvByteBufAllocator(driver.readBuffers());
    keepOpenOnWriteFailure(config);
    channel.pipeline().addLast(this);
  }

  /**
   * A failed write must not close the channel: what the peer sent before it went away is still to
   * be read.
   */
  @SuppressWarnings("deprecation") // Netty discourages the option, but has no other for this.
  private static void keepOpenOnWriteFailure(ChannelConfig config) {
    config.setOption(ChannelOption.AUTO_CLOSE, false);
  }

  // --- Transport: from tasks

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (eofWanted) {
      throw new IllegalStateException("write() after writeEof()");
    }
    if (state != State.OPEN || length == 0) {
      return;
    }
    stage(bytes, offset, length);
  }

  @Override
  public void writeEof() {
    if (state == State.OPEN && !eofWanted) {
      eofWanted = true;
      endIncoming();
      markDirty();
    }
  }

  @Override
  public long bytesQueued() {
    ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    // Netty counts a buffer whole until its last byte has left.
    return outbound == null ? 0 : outbound.totalPendingWriteBytes() - outbound.currentProgress();
  }

  /** {@return whether nothing can be written behind what was} */
  boolean isEofWanted() {
    return eofWanted;
  }

  @Override
  public boolean canWriteEof() {
    return !securing; // One engine could do it, with one version of TLS, and few peers.
  }

  @Override
  public void startTls(TlsRequest request, Completion<TlsSession> outcome) {
    if (state != State.OPEN || failure != null) {
      driver.request(() -> outcome.failed(new IOException("Connection closed")));
      return;
    }
    tls = new NettyTls(this, request, outcome);
    markDirty();
  }

  @Override
  public void holdForTls() {
    if (handlers != null) {
      throw new IllegalStateException(
          "startTls() behind handlers of the pipeline, which would be given what is encrypted:"
              + " start TLS first, and add them then");
    }
    if (!securing) {
      securing = true;
      endForwardings();
      sendThroughHandlers();
      markDirty();
    }
  }

  /**
   * Puts a user's handlers in. They see first what was received and not yet read, and nothing of
   * what was written before. Called on the loop.
   *
   * @param messages receives what they decode; null if that are bytes, for the stream
   * @throws IllegalStateException if there are some already, TLS is being started, or a task reads
   */
  void addHandlers(
      PipelineSetup setup,
      @Nullable NettyMessages<?, ?> messages,
      Completion<UserHandlers> outcome) {
    if (handlers != null) {
      throw new IllegalStateException(
          "This connection's pipeline was set up before: add all handlers at once");
    }
    if (awaitsTls()) {
      throw new IllegalStateException("TLS is being started: add handlers when that is done");
    }
    if ((state != State.OPEN && !endedByPeer) || failure != null) {
      IOException cause = whyLost();
      driver.request(() -> outcome.failed(cause));
      return;
    }
    byte[] received = protocol.takeBack();
    endForwardings();
    sendThroughHandlers();
    UserHandlers added = new UserHandlers(this, setup, messages, received, outcome);
    handlers = added;
    if (state == State.CLOSED) {
      driver.request(() -> begin(added));
    } else {
      markDirty();
    }
  }

  /**
   * The channel was taken over, and is connected.
   *
   * @param held what arrives in the meantime
   * @param behindHandlers whether the channel has handlers of an application's
   * @param forMessages whether what they decode has to wait for {@link #addHandlers}
   */
  void adopted(NettyAdopter.Holding held, boolean behindHandlers, boolean forMessages) {
    this.behindHandlers = behindHandlers;
    if (behindHandlers) {
      sendThroughHandlers();
      driver.readBuffers().keepApart(channel);
    }
    if (forMessages) {
      holding = held;
    }
    ReadGuard guard = channel.pipeline().get(ReadGuard.class);
    if (guard != null) { // There is none on a bridge, but on its far side.
      guard.ask(this);
    }
    opened();
    if (!forMessages) {
      channel.pipeline().remove(held);
    }
    applyReading();
  }

  boolean isBehindHandlers() {
    return behindHandlers;
  }

  /** {@return how much a message counts for the limits of what may wait} */
  long size(Object message) {
    return Objects.requireNonNull(handlers, "no handlers").size(message);
  }

  private @Nullable NettyMessages<?, ?> messages() {
    return handlers == null ? null : handlers.messages;
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    if (type.isInstance(channel)) {
      return type.cast(channel);
    }
    return type.isInstance(this) ? type.cast(this) : null;
  }

  @Override
  public @Nullable TlsSession tlsSession() {
    return tls == null ? null : tls.session();
  }

  @Override
  public void close() {
    NettyMessages<?, ?> messages = messages();
    if (messages != null) {
      messages.closed(); // Also where the connection was lost before.
    }
    endedByPeer = false;
    if (state == State.OPEN) {
      lingering = !securing && !readingAllowed() && !eofReceived;
      state = State.CLOSING;
      readingWanted = true;
      endForwardings();
      markDirty();
    }
  }

  @Override
  public void abort() {
    NettyMessages<?, ?> messages = messages();
    if (messages != null) {
      messages.discard(); // Why it is aborted, a timeout say, comes with the end.
    }
    endedByPeer = false;
    if (state != State.CLOSED && !aborted) {
      aborted = true;
      state = State.CLOSING;
      endForwardings();
      markDirty();
    }
  }

  @Override
  public boolean isClosing() {
    return state == State.CLOSING || state == State.CLOSED;
  }

  @Override
  public void pauseReading() {
    wantReading(false);
  }

  @Override
  public void resumeReading() {
    wantReading(true);
  }

  private void wantReading(boolean wanted) {
    if (readingWanted == wanted || state == State.CLOSED) {
      return;
    }
    readingWanted = wanted;
    readingChanged();
  }

  @Override
  public boolean readingAllowed() {
    if (tls != null && !tls.isOpen()) {
      return tls.takesMore();
    }
    return readingWanted
        && (state != State.OPEN || (!receivingFailed && holding == null)) // Closed, all is dropped.
        && (forwarding == null || !forwarding.holdsBack());
  }

  /** {@return whether it is to be secured and is not yet} */
  private boolean awaitsTls() {
    return securing && (tls == null || !tls.isOpen());
  }

  void readingChanged() {
    if (channel.eventLoop().inEventLoop()) {
      applyReading(); // Within a read: only now does it keep the next one from happening.
    } else {
      markDirty();
    }
  }

  @Override
  public @Nullable Forwarding startForwarding(Transport to, long bytesMax, Runnable ended) {
    if (!(to instanceof NettyTransport target)
        || target.driver != driver
        || target.incoming != null
        || handlers != null
        || target.handlers != null
        || !target.takesMore()) {
      return null;
    }
    NettyForwarding starting = new NettyForwarding(this, target, bytesMax, ended);
    forwarding = starting;
    target.incoming = starting;
    return starting;
  }

  @Override
  public SocketAddress localAddress() {
    return known(localAddress);
  }

  @Override
  public SocketAddress remoteAddress() {
    return known(remoteAddress);
  }

  private static SocketAddress known(@Nullable SocketAddress address) {
    if (address == null) {
      throw new IllegalStateException("not connected yet");
    }
    return address;
  }

  /** It is taken out of the pipeline and put in again, behind a user's handlers. */
  @Override
  public boolean isSharable() {
    return true;
  }

  @Override
  void markDirty() {
    if (!dirty) {
      dirty = true;
      driver.markDirty(this);
    }
  }

  // --- The I/O fiber

  @Override
  public boolean isFlushing() {
    return state == State.CLOSING && !aborted && writeBufferSize() > 0;
  }

  /** Ends a connection whose loop ends: by a reset if that cuts something off. */
  @Override
  public void endWithLoop() {
    if (writeBufferSize() > 0) {
      aborted = true;
      resetAndClose();
    } else if (channel instanceof BridgeChannel) {
      closeNow(); // The event loop closes its own channels only.
    }
  }

  @Override
  public void flush() {
    dirty = false;
    if (state == State.CLOSED) {
      return;
    }
    if (aborted) {
      dropStaged();
      resetAndClose();
      return;
    }
    if (state == State.CLOSING) {
      endHolding(); // No handlers are to come.
    }
    applyReading();
    if (awaitsTls()) {
      sendStagedBefore();
      if (tls != null && tls.isWanted()) {
        driver.readBuffers().keepApart(channel);
        tls.begin();
      }
    } else {
      if (handlers != null && handlers.areWanted()) {
        begin(handlers);
      }
      held = !held && mayHoldForMore();
      if (held) {
        markDirty();
      } else {
        sendStaged();
      }
    }
    if (eofWanted && !eofWritten) {
      eofWritten = true;
      whenFlushed(channel::shutdownOutput);
    }
    if (state == State.CLOSING && !closeStarted) {
      closeStarted = true;
      startClosing();
    }
  }

  /**
   * {@return whether what was written may be held until the next poll} The read before it got all
   * that fits, so the next one gets more of the same message, and a task writes more that is sent
   * with this.
   */
  private boolean mayHoldForMore() {
    return filledInPoll == driver.polls() - 1
        && state == State.OPEN
        && !eofWanted
        && !eofReceived
        && readingAllowed()
        && mayHoldStaged();
  }

  private void begin(UserHandlers added) {
    if (tls == null) {
      driver.readBuffers().keepApart(channel); // Decoders keep parts of what they were given.
    }
    sendStagedBefore();
    boolean ended = eofReceived;
    eofReceived = false;
    added.begin(ended);
    if (endedByPeer) {
      protocol.eofReceived(); // Behind what they have made of the rest.
      endMessages();
    }
    if (state == State.CLOSED) {
      added.end();
    }
    if (holding != null) {
      endHolding();
      applyReading();
    }
  }

  private void endHolding() {
    if (holding != null) {
      ChannelHandler held = holding;
      holding = null;
      channel.pipeline().remove(held);
    }
  }

  /** Ends the connection because of something on this side of it. */
  void fail(IOException cause) {
    if (failure == null) {
      failure = cause;
    }
    closeNow();
  }

  /**
   * Receives no more because of what came. What had come before can still be answered, where that
   * are messages: who receives them closes the connection.
   */
  private void failReceiving(PipelineException cause) {
    NettyMessages<?, ?> messages = messages();
    if (messages == null) {
      if (cause.getCause() == null) { // The streams tell of it as of a reset.
        driver.report("Handlers that do not fit on the connection with " + describePeer(), cause);
      }
      fail(cause);
    } else {
      receivingFailed = true;
      applyReading();
      messages.lost(cause);
    }
  }

  private void startClosing() {
    if (!securing) {
      whenFlushed(lingering ? channel::shutdownOutput : channel::close);
    } else if (tls == null || awaitsTls()) {
      closeNow(); // What was written meanwhile cannot be sent any more.
    } else {
      tls.sendClose();
      if (eofReceived) {
        whenFlushed(this::closeNow);
      } else {
        // What the peer still sends is of no use any more, and an engine whose own side has ended
        // may leave it where it is. The end that counts is the socket's.
        tls.dropWhatArrives();
        awaitPeersEnd(tls);
      }
    }
  }

  private void awaitPeersEnd(NettyTls ending) {
    whenFlushed(() -> {
      if (state != State.CLOSED) {
        channel.shutdownOutput();
        ending.awaitClose(this::closeTimedOut);
      }
    });
  }

  private void closeTimedOut() {
    if (state != State.CLOSED && failure == null) {
      failure =
          new SocketTimeoutException(
              "The peer did not end the TLS session within "
                  + NettyErrors.inSeconds(Objects.requireNonNull(tls).shutdownTimeout()));
    }
    resetAndClose();
  }

  @Override
  boolean sendEncrypted(ByteBuf written) {
    return tls == null || tls.send(written);
  }

  @Override
  ChannelOutboundInvoker beneath() {
    ChannelOutboundInvoker beneathTls = tls == null ? null : tls.beneath();
    return beneathTls == null ? channel : beneathTls;
  }

  /** Closes without another word to the peer. */
  private void closeNow() {
    beneath().close();
  }

  private void resetAndClose() {
    if (channel instanceof BridgeChannel bridge) {
      bridge.resetOnClose();
    }
    if (channel instanceof SocketChannel tcp) { // Unix sockets have no reset.
      try {
        tcp.config().setSoLinger(0); // The peer must not take what was cut off for the whole.
      } catch (RuntimeException e) {
        // The socket is gone already.
      }
    }
    closeNow();
  }

  private void applyReading() {
    boolean allowed = readingAllowed();
    if (channel.config().isAutoRead() != allowed) {
      channel.config().setAutoRead(allowed);
    }
  }

  @Override
  boolean hasFailed() {
    return failure != null;
  }

  @Override
  void roomAgain() {
    if (incoming != null) {
      incoming.drained();
    }
  }

  // --- Forwarding

  /** {@return whether what is handed on here can still be sent} */
  boolean takesMore() {
    return state == State.OPEN && !eofWanted && failure == null && !awaitsTls();
  }

  /** {@return whether what arrives here goes to another connection} */
  boolean isHandingOn() {
    return forwarding != null;
  }

  void forgetForwarding(NettyForwarding one) {
    if (forwarding == one) {
      forwarding = null;
    }
  }

  void forgetSource(NettyForwarding one) {
    if (incoming == one) {
      incoming = null;
    }
  }

  private void endIncoming() {
    if (incoming != null) {
      incoming.end();
    }
  }

  private void endForwardings() {
    endIncoming();
    if (forwarding != null) {
      forwarding.end();
    }
  }

  // --- ChannelInboundHandler: from Netty

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (state == State.CONNECTING) {
      opened();
    }
  }

  /** The channel is connected. */
  void opened() {
    if (localAddress == null) {
      localAddress = channel.localAddress();
      remoteAddress = channel.remoteAddress();
    }
    state = State.OPEN;
    driver.opened(this);
    protocol.connectionMade(this);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof ByteBuf buffer) || (handlers != null && handlers.messages != null)) {
      received(message);
      return;
    }
    if (receives() && forwarding != null && forwarding.handOn(buffer)) {
      driver.readBuffers().handedOn();
      return;
    }
    // What others hand on need not be what was just read.
    if (driver.readBuffers().isFilled() && !behindHandlers && !(channel instanceof BridgeChannel)) {
      filledInPoll = driver.polls();
    }
    try {
      if (receives()) {
        if (buffer.nioBufferCount() == 1) {
          protocol.dataReceived(
              buffer.internalNioBuffer(buffer.readerIndex(), buffer.readableBytes()));
        } else {
          protocol.dataReceived(buffer.nioBuffers());
        }
      }
    } finally {
      buffer.release();
    }
  }

  /** Who watches the connection sees that something moves, though no message is whole yet. */
  @Override
  public void somethingArrived() {
    if (state == State.OPEN && !eofReceived) {
      protocol.dataReceived(NO_BYTES);
    }
  }

  /** {@return whether what arrives is anybody's: also what is decoded of it behind its end} */
  private boolean receives() {
    return state == State.OPEN || endedByPeer;
  }

  private void received(Object message) {
    NettyMessages<?, ?> messages = messages();
    if (!receives() || receivingFailed) {
      ReferenceCountUtil.release(message);
      return;
    }
    PipelineException unfit;
    if (messages != null) {
      unfit = messages.arrived(message, size(message));
    } else {
      unfit =
          new PipelineException(
              "A message of "
                  + message.getClass().getName()
                  + " came out of the pipeline, and a stream takes bytes: add a handler that makes"
                  + " ByteBufs of it, or receive messages, as NettyStreams.startMessageServer() and"
                  + " openMessageConnection() do",
              null);
      ReferenceCountUtil.release(message);
    }
    if (unfit != null) {
      failReceiving(unfit);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (forwarding != null) {
      forwarding.readComplete();
      applyReading();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent
        && driver.io().isAsynchronous()
        && unsentByNetty() > 0) {
      // The system tells of a reset once. If it tells the write that is under way, this looks like
      // an end, and is none; the write's outcome is there before the task runs.
      driver.eventLoop().execute(() -> handleEvent(event));
    } else {
      handleEvent(event);
    }
  }

  private void handleEvent(Object event) {
    if (state == State.CLOSED) {
      return;
    }
    if (tls != null) {
      tlsEvent(tls, event);
    } else if (event instanceof ChannelInputShutdownEvent) {
      eofReceived = true;
      if (failure != null) {
        channel.close(); // Nothing is left to read, and writing has failed.
      } else if (state == State.OPEN) {
        protocol.eofReceived();
        endMessages();
      } else if (lingering) {
        lingering = false;
        if (closeStarted) {
          whenFlushed(channel::close);
        }
      }
    }
  }

  private void endMessages() {
    NettyMessages<?, ?> messages = messages();
    if (messages != null) {
      messages.ended();
    }
  }

  private void tlsEvent(NettyTls tls, Object event) {
    switch (event) {
      case SslHandshakeCompletionEvent handshake -> {
        if (handshake.isSuccess()) {
          tls.open();
          applyReading();
          markDirty(); // What was written meanwhile.
        } else {
          // The handler tells the peer, and closes. Whoever ends the connection knows better why.
          tls.fail(failure != null ? failure : handshake.cause());
        }
      }
      case SslCloseCompletionEvent ended when ended.isSuccess() -> tlsEnded(tls);
      case ChannelInputShutdownEvent ignored -> inputEndedBelow(tls);
      default -> {}
    }
  }

  /** The peer has ended the TLS session, which is the end of both directions. */
  private void tlsEnded(NettyTls tls) {
    // An engine that has ended takes nothing, and its handler would keep all that comes.
    tls.dropWhatArrives();
    if (eofReceived) {
      return;
    }
    eofReceived = true;
    if (state == State.OPEN) {
      endForwardings();
      if (handlers != null) {
        handlers.endInput();
      }
      endedByPeer = true;
      protocol.eofReceived();
      endMessages();
      if (tls.canSend()) {
        sendStaged();
      } else {
        dropStaged();
      }
      state = State.CLOSING;
      closeStarted = true;
      tls.sendClose();
      if (writeBufferSize() > 0) {
        // It may not even read: whoever waits to write need not wait for that.
        protocol.writingFailed(new IOException("The peer has ended the TLS session"));
        tls.awaitClose(this::closeTimedOut);
      }
      whenFlushed(this::closeNow);
    }
  }

  /** The peer has closed its socket, or that half of it. */
  private void inputEndedBelow(NettyTls tls) {
    if (awaitsTls()) {
      tls.fail(new ClosedChannelException());
      closeNow();
    } else if (!eofReceived && state == State.OPEN && tls.allowsTruncation()) {
      tlsEnded(tls);
    } else if (!eofReceived && state == State.OPEN) {
      // Else a write was told of a reset.
      if (failure == null || !NettyErrors.says(failure, "reset")) {
        failure =
            new TlsTruncatedException(
                "The connection ended without the end of the TLS session: what was sent may have"
                    + " been cut off on the way",
                null);
      }
      closeNow();
    } else {
      eofReceived = true;
      if (closeStarted) {
        whenFlushed(this::closeNow);
      }
    }
  }

  /** The peers do not come to terms; whoever wants TLS was told. */
  void tlsFailed(IOException cause) {
    if (failure == null) {
      failure = cause;
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    resumeWritingIfDrained();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    exceptionCaught(cause);
  }

  /** Something failed on the channel. */
  void exceptionCaught(Throwable cause) {
    if (failure != null && cause instanceof ChannelOutputShutdownException) {
      return; // Of several writes that fail together the first one has told, and reading goes on.
    }
    boolean engines = tls != null && TlsErrors.isOfEngine(cause);
    boolean anyHandlers = handlers != null || behindHandlers || channel instanceof BridgeChannel;
    boolean theirs = anyHandlers && !engines;
    if (theirs && cause instanceof CodecException codec) {
      codecFailed(codec);
      return;
    }
    if (cause instanceof TimeoutException) { // Of a handler that watches the connection.
      SocketTimeoutException timedOut =
          new SocketTimeoutException("A handler has waited too long: " + cause);
      timedOut.initCause(cause);
      fail(timedOut);
      return;
    }
    if (tls != null && TlsErrors.isTls(cause)) {
      tls.fail(cause);
      if (failure == null && !eofReceived) {
        failure = TlsErrors.ofConnection(cause);
      }
      closeNow();
      return;
    }
    boolean writing =
        failure == null
            && NettyErrors.peerIsGone(cause)
            && channel.isOutputShutdown()
            && !eofWritten
            && !eofReceived;
    if (failure == null) {
      failure =
          theirs && !(cause instanceof IOException)
              ? new PipelineException("A handler of the pipeline failed: " + cause, cause)
              : asFailure(cause);
    }
    if (!(cause instanceof IOException)) {
      driver.report(
          "Error on the connection with " + describePeer(), cause); // No doing of the peer's.
    }
    if (writing) {
      // Reading goes on, to the end that is near as a rule: what the peer had sent before it went
      // away counts. Paused it stays paused: a peer may have closed its ears only, and go on
      // sending.
      endIncoming();
      protocol.writingFailed(failure);
    } else {
      closeNow();
    }
  }

  /** A decoder fails because of what the peer sent, an encoder because of what we send. */
  private void codecFailed(CodecException cause) {
    if (cause instanceof EncoderException) {
      driver.report("A message cannot be encoded on the connection with " + describePeer(), cause);
      fail(new PipelineException("A message cannot be encoded: " + cause.getMessage(), cause));
    } else {
      failReceiving(
          new PipelineException(
              "What the peer sent cannot be decoded: " + cause.getMessage(), cause));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (state == State.CONNECTING || state == State.CLOSED) {
      state = State.CLOSED;
      return;
    }
    state = State.CLOSED;
    driver.closed(this);
    if (tls != null) {
      tls.fail(failure != null ? failure : new ClosedChannelException());
      tls.closed();
    }
    dropStaged();
    endForwardings();
    IOException cause = failure;
    if (cause == null && aborted) {
      cause = new IOException("Connection aborted on this side");
      failure = cause;
    }
    protocol.connectionLost(cause);
    if (handlers != null) {
      handlers.fail();
    }
    NettyMessages<?, ?> messages = messages();
    if (messages != null) {
      messages.lost(cause);
      if (driver.isClosing()) {
        messages.discard(); // Nobody will run any more who could receive them.
      }
    }
  }

  /**
   * {@return a new exception for who finds the connection lost, or closed, and is told only now}
   */
  IOException whyLost() {
    return failure != null
        ? protocol.thrownFor(failure)
        : protocol.thrown(new SocketException("The connection was closed before"));
  }

  @Override
  public String describe() {
    return "connection "
        + describe(localAddress)
        + " -> "
        + describe(remoteAddress)
        + ", "
        + writeBufferSize()
        + " bytes unsent";
  }

  private String describePeer() {
    return describe(remoteAddress);
  }

  private static String describe(@Nullable SocketAddress address) {
    return address == null ? "not connected" : UnixAddresses.describe(address);
  }

  @Override
  public String toString() {
    return "NettyTransport["
        + describe(remoteAddress)
        + ", "
        + state
        + ", "
        + writeBufferSize()
        + " bytes unsent]";
  }
}
