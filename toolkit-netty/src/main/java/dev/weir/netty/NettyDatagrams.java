package dev.weir.netty;

import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransport;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.spi.Network.Completion;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One datagram socket: the last handler of its channel's pipeline, and the transport of its
 * protocol.
 *
 * <p>The methods of {@link DatagramTransport} run on tasks and touch nothing of Netty's; they note
 * what is wanted and mark the socket dirty. {@link #flush} and the handler's methods run on the I/O
 * fiber.
 */
final class NettyDatagrams extends ChannelInboundHandlerAdapter
    implements DatagramTransport, DriverSocket {
  /*
   *   OPENING ---> OPEN ---> CLOSING ---> CLOSED
   */
  private enum State {
    OPENING,
    OPEN,
    CLOSING,
    CLOSED
  }

  /** A datagram that was written since the last flush; its bytes are in {@link #staged}. */
  private record Staged(int length, @Nullable InetSocketAddress to) {}

  private record Membership(InetAddress group, NetworkInterface on, @Nullable InetAddress source) {}

  private final NettyIoDriver driver;
  private final DatagramRequest request;
  private final DatagramSocketChannel socket;
  private final DatagramChannel channel;
  private final DatagramTransportProtocol protocol;

  /** Its own where reads go on after they were begun, else those of the loop. */
  private final DatagramBuffers buffers;

  // On the loop only.

  private State state = State.OPENING;
  private boolean dirty;
  private boolean readingWanted = true;
  private boolean aborted;
  private boolean closeStarted;

  private @Nullable ByteBuf staged;
  private final ArrayDeque<Staged> stagedDatagrams = new ArrayDeque<>(1);

  /** What is unsent, be it staged or in Netty's queue, as {@link #writeBufferSize} counts. */
  private long unsent;

  private boolean writingPaused;
  private int highWater = 64 * 1024;
  private int lowWater = 16 * 1024;

  private final Set<Membership> memberships = new HashSet<>(1);
  private @Nullable InetSocketAddress localAddress;

  private NettyDatagrams(
      NettyIoDriver driver,
      DatagramRequest request,
      DatagramSocketChannel socket,
      DatagramTransportProtocol protocol) {
    this.driver = driver;
    this.request = request;
    this.socket = socket;
    this.channel = socket.channel();
    this.protocol = protocol;
    boolean asynchronous = driver.io().isAsynchronous();
    this.buffers = asynchronous ? new DatagramBuffers() : driver.datagramBuffers();
    int slotBytes = request.maxSize() + 1;
    boolean together = driver.io() == NettyIo.EPOLL;
    if (together) {
      channel.config().setOption(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, slotBytes);
    }
    channel
        .config()
        .setRecvByteBufAllocator(
            buffers.allocator(
                slotBytes, asynchronous ? 1 : DatagramBuffers.DATAGRAMS_PER_READ_MAX, together));
    channel.pipeline().addLast(this);
  }

  /** Opens a socket. On the I/O fiber. */
  static void open(
      NettyIoDriver driver,
      DatagramRequest request,
      DatagramTransportProtocol protocol,
      Completion<DatagramTransport> outcome) {
    InetSocketAddress named = request.local() == null ? request.remote() : request.local();
    boolean ipv6 = Objects.requireNonNull(named, "no address").getAddress() instanceof Inet6Address;
    DatagramSocketChannel socket;
    try {
      socket = driver.io().newDatagramChannel(ipv6);
    } catch (IOException | RuntimeException e) {
      outcome.failed(NettyErrors.ofBind(e, named)); // No descriptor is left, say.
      return;
    }
    NettyDatagrams opening = new NettyDatagrams(driver, request, socket, protocol);
    try {
      opening.setOptions();
    } catch (SocketException e) {
      socket.channel().unsafe().closeForcibly();
      outcome.failed(e);
      return;
    }
    driver.eventLoop().register(socket.channel());
    opening
        .bindOrConnect(ipv6)
        .addListener(done -> {
          if (done.isSuccess()) {
            opening.opened();
            outcome.succeeded(opening);
          } else {
            socket.channel().close();
            outcome.failed(NettyErrors.ofOpening(done.cause(), request));
          }
        });
  }

  @SuppressWarnings("deprecation") // Netty discourages the option, but has no other for this.
  private void setOptions() throws SocketException {
    channel.config().setOption(ChannelOption.AUTO_CLOSE, false);
    if (request.broadcast()) {
      channel.config().setOption(ChannelOption.SO_BROADCAST, true);
    }
    if (request.reusePort()) {
      channel.config().setOption(driver.io().reusePort(), true);
    }
    NettySocketOptions.set(channel, request.socketOptions(), driver.io());
  }

  private ChannelFuture bindOrConnect(boolean ipv6) {
    if (request.isConnected()) {
      return channel.connect(request.remote(), request.local());
    }
    InetSocketAddress local = request.local();
    return channel.bind(
        local == null
            ? new InetSocketAddress(InetAddress.ofLiteral(ipv6 ? "::" : "0.0.0.0"), 0)
            : local);
  }

  private void opened() {
    localAddress = channel.localAddress();
    state = State.OPEN;
    driver.opened(this);
    protocol.connectionMade(this);
  }

  // --- DatagramTransport: from tasks

  @Override
  public void send(byte[] bytes, int offset, int length, @Nullable InetSocketAddress to) {
    if (state != State.OPEN) {
      return;
    }
    if (staged == null) {
      staged = driver.chunks().take(length);
    }
    staged.writeBytes(bytes, offset, length);
    stagedDatagrams.add(
        new Staged(length, to != null || request.isConnected() ? to : request.remote()));
    unsent += length + OVERHEAD_BYTES;
    markDirty();
    pauseWritingIfFull();
  }

  private void pauseWritingIfFull() {
    if (!writingPaused && unsent > highWater) {
      writingPaused = true;
      protocol.pauseWriting();
    }
  }

  @Override
  public void close() {
    if (state == State.OPEN) {
      state = State.CLOSING;
      markDirty();
    }
  }

  @Override
  public void abort() {
    if (state != State.CLOSED && !aborted) {
      aborted = true;
      state = State.CLOSING;
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
    if (channel.eventLoop().inEventLoop()) {
      applyReading(); // Within a read: only now does it keep the next one from happening.
    } else {
      markDirty();
    }
  }

  @Override
  public long writeBufferSize() {
    return unsent;
  }

  @Override
  public void setWriteBufferLimits(int high, int low) {
    highWater = high;
    lowWater = low;
    pauseWritingIfFull();
    if (writingPaused) {
      markDirty(); // The mark may be above what is unsent now.
    }
  }

  @Override
  public void join(
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Completion<InetAddress> outcome) {
    Membership membership = new Membership(group, on, source);
    driver.request(() -> {
      if (state != State.OPEN) {
        outcome.failed(new SocketException("Socket closed"));
      } else if (!memberships.add(membership)) {
        outcome.failed(
            new SocketException("Already a member of the group " + group.getHostAddress()));
      } else {
        change(
            () -> channel.joinGroup(group, on, source, channel.newPromise()),
            () -> memberships.remove(membership),
            "join",
            membership,
            outcome);
      }
    });
  }

  @Override
  public void leave(
      InetAddress group,
      NetworkInterface on,
      @Nullable InetAddress source,
      Completion<InetAddress> outcome) {
    Membership membership = new Membership(group, on, source);
    driver.request(() -> {
      if (!memberships.remove(membership)) {
        outcome.failed(new SocketException("Not a member of the group " + group.getHostAddress()));
      } else {
        change(
            () -> channel.leaveGroup(group, on, source, channel.newPromise()),
            () -> {},
            "leave",
            membership,
            outcome);
      }
    });
  }

  private interface Change {
    ChannelFuture begin();
  }

  private void change(
      Change change,
      Runnable undo,
      String verb,
      Membership membership,
      Completion<InetAddress> outcome) {
    ChannelFuture begun;
    try {
      begun = change.begin();
    } catch (RuntimeException e) { // Of the JDK, for a group of the other family.
      begun = channel.newFailedFuture(e);
    }
    begun.addListener(changed -> {
      if (changed.isSuccess()) {
        outcome.succeeded(membership.group);
      } else {
        undo.run();
        SocketException failure =
            new SocketException(
                "Cannot "
                    + verb
                    + " the group "
                    + membership.group.getHostAddress()
                    + " on "
                    + membership.on.getName()
                    + " with the transport "
                    + driver.io().transportName()
                    + ": "
                    + changed.cause().getMessage());
        failure.initCause(changed.cause());
        outcome.failed(failure);
      }
    });
  }

  @Override
  public <T> @Nullable T extraInfo(Class<T> type) {
    return type.isInstance(channel) ? type.cast(channel) : null;
  }

  @Override
  public InetSocketAddress localAddress() {
    return Objects.requireNonNull(localAddress, "not open yet");
  }

  @Override
  public @Nullable InetSocketAddress remoteAddress() {
    return request.remote();
  }

  private void markDirty() {
    if (!dirty) {
      dirty = true;
      driver.markDirty(this);
    }
  }

  // --- The I/O fiber

  @Override
  public void flush() {
    dirty = false;
    if (state == State.CLOSED) {
      return;
    }
    if (aborted) {
      dropStaged();
      channel.close();
      return;
    }
    applyReading();
    sendStaged();
    resumeWritingIfDrained();
    if (state == State.CLOSING) {
      closeStarted = true;
      closeIfDrained();
    }
  }

  private void sendStaged() {
    ByteBuf bytes = staged;
    if (bytes == null) {
      return;
    }
    staged = null;
    try {
      for (Staged next = stagedDatagrams.poll(); next != null; next = stagedDatagrams.poll()) {
        send(next, bytes);
      }
      channel.flush();
    } finally {
      if (bytes.refCnt() > 1) {
        bytes.release(); // Netty still has some of it to send.
      } else {
        driver.chunks().giveBack(bytes);
      }
    }
  }

  private void send(Staged datagram, ByteBuf bytes) {
    if (datagram.length == 0 && socket.empties() != null) {
      IOException failure = null;
      try {
        socket.empties().send(datagram.to);
      } catch (IOException e) {
        failure = e;
      }
      done(datagram.length, datagram.to, failure);
      return;
    }
    ByteBuf slice = bytes.readRetainedSlice(datagram.length);
    channel.write(
        datagram.to == null ? slice : new DatagramPacket(slice, datagram.to),
        new Sending(datagram.length, datagram.to));
  }

  /** What Netty tells of one datagram. */
  private final class Sending extends DefaultChannelPromise {
    Sending(int length, @Nullable InetSocketAddress to) {
      super((Channel) channel);
      addListener(sent -> done(length, to, sent.cause()));
    }
  }

  /** A datagram is with the system, or could not be given to it. */
  private void done(int length, @Nullable InetSocketAddress to, @Nullable Throwable failure) {
    unsent -= length + OVERHEAD_BYTES;
    if (failure != null && !(failure instanceof ClosedChannelException) && state != State.CLOSED) {
      InetSocketAddress where =
          to == null ? Objects.requireNonNull(request.remote(), "no remote address") : to;
      protocol.sendFailed(where, NettyErrors.ofDatagram(failure, where));
    }
    resumeWritingIfDrained();
    closeIfDrained();
  }

  private void resumeWritingIfDrained() {
    if (writingPaused && unsent <= lowWater && state != State.CLOSED) {
      writingPaused = false;
      protocol.resumeWriting();
    }
  }

  private void closeIfDrained() {
    if (closeStarted && unsent == 0) {
      channel.close();
    }
  }

  private void dropStaged() {
    if (staged != null) {
      driver.chunks().giveBack(staged);
      staged = null;
    }
    for (Staged dropped = stagedDatagrams.poll();
        dropped != null;
        dropped = stagedDatagrams.poll()) {
      unsent -= dropped.length + OVERHEAD_BYTES;
    }
  }

  private void applyReading() {
    if (channel.config().isAutoRead() != readingWanted) {
      channel.config().setAutoRead(readingWanted);
    }
  }

  @Override
  public boolean isFlushing() {
    return state == State.CLOSING && !aborted && unsent > 0;
  }

  @Override
  public void endWithLoop() {
    dropStaged();
    channel.close();
  }

  // --- ChannelInboundHandler: from Netty

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      if (state == State.OPEN && message instanceof DatagramPacket packet) {
        ByteBuf bytes = packet.content();
        int length = bytes.readableBytes();
        boolean cutOff = length > request.maxSize();
        protocol.datagramReceived(
            bytes.nioBuffer(bytes.readerIndex(), cutOff ? request.maxSize() : length),
            packet.sender(),
            cutOff);
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException)) {
      driver.report("Error on the " + describe(), cause); // No doing of the network's.
    }
    if (state == State.OPEN) {
      protocol.errorReceived(NettyErrors.ofDatagram(cause, request.remote()));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    boolean wasOpen = state == State.OPEN || state == State.CLOSING;
    boolean unasked = state == State.OPEN && !driver.isClosing();
    state = State.CLOSED;
    if (driver.io().isAsynchronous()) {
      buffers.close();
    }
    if (wasOpen) {
      driver.closed(this);
      dropStaged();
      protocol.connectionLost(unasked ? new SocketException("Socket closed") : null);
    }
  }

  @Override
  public String describe() {
    InetSocketAddress remote = request.remote();
    return "datagram socket on "
        + (localAddress == null ? "no address yet" : NettyErrors.format(localAddress))
        + (remote == null ? "" : " -> " + NettyErrors.format(remote))
        + ", "
        + unsent
        + " bytes unsent";
  }

  @Override
  public String toString() {
    return "NettyDatagrams[" + describe() + ", " + state + "]";
  }
}
