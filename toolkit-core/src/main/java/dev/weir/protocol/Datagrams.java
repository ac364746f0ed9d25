package dev.weir.protocol;

import dev.weir.datagram.DatagramOptions;
import dev.weir.datagram.internal.DatagramOpening;
import dev.weir.datagram.internal.Destinations;
import dev.weir.spi.DatagramRequest;
import dev.weir.spi.DatagramTransportProtocol;
import dev.weir.stream.Addresses;
import dev.weir.stream.StreamOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Loop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Datagram sockets with callbacks: what stands between an engine's socket and a protocol. */
public final class Datagrams {
  /** As much as streams keep of writes that may not wait, by default. */
  private static final int UNSENT_BYTES_MAX = StreamOptions.defaults().hardCap();

  private final Loop loop;
  private final Callbacks callbacks;
  private final DatagramOptions options;
  private DatagramProtocol protocol;
  private dev.weir.spi.@Nullable DatagramTransport engine;
  private @Nullable DatagramRequest request;
  private final Outward outward = new Outward();
  private WriteBufferLimits limits;

  /** Whether the protocol was told that datagrams are dropped, since it was last told to resume. */
  private boolean dropTold;

  private Datagrams(Loop loop, DatagramOptions options, DatagramProtocol protocol) {
    this.loop = loop;
    this.callbacks = new Callbacks(loop);
    this.options = options;
    this.protocol = protocol;
    this.limits = new WriteBufferLimits(options.lowWater(), options.highWater());
  }

  /**
   * Suspends until a datagram socket is there; see {@code Asyncio.createDatagramEndpoint}.
   *
   * @param protocolFactory called once, at once
   * @param localAddress where to receive; null for a port that the system chooses. It and the next
   *     may be unresolved, and are looked up then
   * @param remoteAddress whom to send to and receive from; null for everybody
   * @param options its queue is of no use here: who is called back needs none
   * @throws IllegalArgumentException if both addresses are null
   * @throws IOException if it fails; {@link dev.weir.datagram.DatagramEndpoint#open} says which
   *     exception means what
   * @throws CancelledError if the task is cancelled; no socket is left
   */
  public static <P extends DatagramProtocol> Attached<DatagramTransport, P> open(
      Supplier<P> protocolFactory,
      @Nullable InetSocketAddress localAddress,
      @Nullable InetSocketAddress remoteAddress,
      DatagramOptions options)
      throws IOException {
    String call = "createDatagramEndpoint()";
    Objects.requireNonNull(options, "options");
    Loop loop = Loop.running();
    loop.ensureInTask(call);
    P protocol = Objects.requireNonNull(protocolFactory.get(), "what the protocol factory made");
    Datagrams socket = new Datagrams(loop, options, protocol);
    DatagramOpening.open(
        call, localAddress, remoteAddress, socket::requestFor, socket.new Inward());
    return new Attached<>(socket.outward, protocol);
  }

  private DatagramRequest requestFor(
      @Nullable InetSocketAddress local, @Nullable InetSocketAddress remote) {
    DatagramRequest made =
        new DatagramRequest(
            local,
            remote,
            options.broadcast(),
            options.reusePort(),
            options.maxSize(),
            options.socketOptions());
    request = made;
    return made;
  }

  private dev.weir.spi.DatagramTransport engine() {
    return Objects.requireNonNull(engine, "not open");
  }

  /** What the engine tells. */
  private final class Inward implements DatagramTransportProtocol {
    @Override
    public void connectionMade(dev.weir.spi.DatagramTransport transport) {
      engine = transport;
      transport.setWriteBufferLimits(options.highWater(), options.lowWater());
      callbacks.call("connectionMade", protocol, () -> protocol.connectionMade(outward));
    }

    @Override
    public void datagramReceived(ByteBuffer data, InetSocketAddress sender, boolean cutOff) {
      if (cutOff) {
        errorReceived(
            new SocketException(
                "A datagram from "
                    + Addresses.format(sender)
                    + " was longer than "
                    + options.maxSize()
                    + " bytes, and was dropped: allow more with withMaxSize()"));
        return;
      }
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      callbacks.call("datagramReceived", protocol, () -> protocol.datagramReceived(bytes, sender));
    }

    @Override
    public void errorReceived(IOException cause) {
      callbacks.call("errorReceived", protocol, () -> protocol.errorReceived(cause));
    }

    @Override
    public void sendFailed(InetSocketAddress to, IOException cause) {
      errorReceived(cause);
    }

    @Override
    public void connectionLost(@Nullable IOException cause) {
      callbacks.call("connectionLost", protocol, () -> protocol.connectionLost(cause));
    }

    @Override
    public void pauseWriting() {
      callbacks.callHere("pauseWriting", protocol, protocol::pauseWriting);
    }

    @Override
    public void resumeWriting() {
      dropTold = false;
      callbacks.call("resumeWriting", protocol, protocol::resumeWriting);
    }
  }

  /** What the protocol holds. */
  private final class Outward implements DatagramTransport {
    @Override
    public void sendTo(byte[] data) {
      send(data, null);
    }

    @Override
    public void sendTo(byte[] data, InetSocketAddress address) {
      send(data, Objects.requireNonNull(address, "address"));
    }

    private void send(byte[] data, @Nullable InetSocketAddress address) {
      String call = "DatagramTransport.sendTo()";
      loop.ensureHeld(call);
      DatagramRequest asked = Objects.requireNonNull(request, "not open");
      InetSocketAddress to;
      try {
        to = Destinations.ensure(call, engine(), asked, data.length, address);
      } catch (SocketException e) {
        tellHere(e);
        return;
      }
      long unsent = engine().writeBufferSize();
      int cap = Math.max(UNSENT_BYTES_MAX, limits.high());
      if (unsent + data.length > cap) {
        drop(unsent, cap);
      } else {
        engine().send(data, 0, data.length, to);
      }
    }

    /** Told once: who does not stop at pauseWriting() would hear of each, and perhaps log it. */
    private void drop(long unsent, int cap) {
      if (!dropTold && !engine().isClosing()) {
        dropTold = true;
        tellHere(
            new SocketException(
                "Datagrams are dropped: "
                    + unsent
                    + " bytes are unsent, and more would exceed the cap of "
                    + cap
                    + ": stop sending at pauseWriting()"));
      }
    }

    /** Tells the protocol within its own call, as it is told to pause. */
    private void tellHere(IOException cause) {
      callbacks.callHere("errorReceived", protocol, () -> protocol.errorReceived(cause));
    }

    @Override
    public void close() {
      if (loop.isClosed()) {
        return;
      }
      loop.ensureHeld("DatagramTransport.close()");
      engine().close();
    }

    @Override
    public void abort() {
      if (loop.isClosed()) {
        return;
      }
      loop.ensureHeld("DatagramTransport.abort()");
      engine().abort();
    }

    @Override
    public boolean isClosing() {
      loop.ensureHeld("DatagramTransport.isClosing()");
      return engine().isClosing();
    }

    @Override
    public long writeBufferSize() {
      loop.ensureHeld("DatagramTransport.writeBufferSize()");
      return engine().writeBufferSize();
    }

    @Override
    public void setWriteBufferLimits(int high, int low) {
      loop.ensureHeld("DatagramTransport.setWriteBufferLimits()");
      if (low < 0 || high < low) {
        throw new IllegalArgumentException("not 0 <= low <= high: " + low + ", " + high);
      }
      limits = new WriteBufferLimits(low, high);
      engine().setWriteBufferLimits(high, low);
    }

    @Override
    public WriteBufferLimits writeBufferLimits() {
      loop.ensureHeld("DatagramTransport.writeBufferLimits()");
      return limits;
    }

    @Override
    public InetSocketAddress localAddress() {
      loop.ensureHeld("DatagramTransport.localAddress()");
      return engine().localAddress();
    }

    @Override
    public @Nullable InetSocketAddress remoteAddress() {
      loop.ensureHeld("DatagramTransport.remoteAddress()");
      return engine().remoteAddress();
    }

    @Override
    public DatagramProtocol protocol() {
      loop.ensureHeld("DatagramTransport.protocol()");
      return protocol;
    }

    @Override
    public void setProtocol(DatagramProtocol other) {
      loop.ensureHeld("DatagramTransport.setProtocol()");
      protocol = Objects.requireNonNull(other, "protocol");
    }

    @Override
    public <T> @Nullable T extraInfo(Class<T> type) {
      loop.ensureHeld("DatagramTransport.extraInfo()");
      return engine().extraInfo(type);
    }

    @Override
    public String toString() {
      return "DatagramTransport[" + engine + "]";
    }
  }
}
