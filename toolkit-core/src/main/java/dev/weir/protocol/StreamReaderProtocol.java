package dev.weir.protocol;

import dev.weir.spi.TransportProtocol;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.stream.TransportStreams;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Loop;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes the two streams of a connection out of what its transport says, as {@code
 * asyncio.StreamReaderProtocol}: the way from a {@link Transport} of any making to sequential code.
 *
 * <pre>{@code
 * StreamReaderProtocol streams = new StreamReaderProtocol(StreamOptions.defaults());
 * serialPort.attach(streams); // Calls streams.connectionMade(transport), and so on.
 * String greeting = streams.reader().readLine(UTF_8);
 * }</pre>
 *
 * <p>Of its loop only, as are the streams, which keep all their promises if the transport keeps
 * those of its Javadoc. What is written has to be copied by the transport before its {@code write}
 * returns. They cannot be secured with {@code startTls}.
 */
public final class StreamReaderProtocol implements Protocol {
  private final Loop loop;
  private final TransportStreams streams;
  private final TransportProtocol told;
  private final @Nullable ConnectionHandler handler;
  private @Nullable Beneath beneath;

  /**
   * Makes streams of the running loop.
   *
   * @throws IllegalStateException if no loop runs here
   */
  public StreamReaderProtocol(StreamOptions options) {
    this(options, null);
  }

  /**
   * Makes streams of the running loop that {@code handler} serves, in a task of its own, once the
   * transport is there. When it returns, the connection is flushed and closed, unless it detached
   * the writer; what it throws is reported. Corresponds to {@code client_connected_cb}.
   *
   * @throws IllegalStateException if no loop runs here
   */
  public StreamReaderProtocol(StreamOptions options, @Nullable ConnectionHandler handler) {
    this.loop = Loop.running();
    this.streams = new TransportStreams(loop, options);
    this.told = streams.protocol();
    this.handler = handler;
  }

  /** {@return the stream of what comes in} */
  public StreamReader reader() {
    return streams.reader();
  }

  /** {@return the stream of what goes out, for when the transport is there} */
  public StreamWriter writer() {
    return streams.writer();
  }

  @Override
  public void connectionMade(Transport transport) {
    beneath = new Beneath(transport);
    told.connectionMade(beneath);
    ConnectionHandler serving = handler;
    if (serving != null) {
      loop.background(() -> serve(serving));
    }
  }

  private void serve(ConnectionHandler serving) {
    try {
      serving.handle(reader(), writer());
    } catch (CancelledError e) {
      throw e;
    } catch (Throwable e) {
      loop.callExceptionHandler(ExceptionContext.of("Exception in the handler of " + beneath, e));
    } finally {
      streams.closeUnlessDetached();
    }
  }

  @Override
  public void dataReceived(byte[] data) {
    told.dataReceived(ByteBuffer.wrap(data));
  }

  @Override
  public boolean eofReceived() {
    told.eofReceived();
    return true;
  }

  @Override
  public void connectionLost(@Nullable Throwable cause) {
    Beneath transport = Objects.requireNonNull(beneath, "connectionLost() before connectionMade()");
    if (cause == null && transport.aborted) {
      told.connectionLost(new IOException("Connection aborted on this side"));
    } else {
      told.connectionLost(
          cause == null || cause instanceof IOException
              ? (IOException) cause
              : new IOException(cause.toString(), cause));
    }
  }

  @Override
  public void pauseWriting() {
    told.pauseWriting();
  }

  @Override
  public void resumeWriting() {
    told.resumeWriting();
  }

  @Override
  public String toString() {
    return "StreamReaderProtocol[" + streams + "]";
  }

  /** The transport as the streams see it. */
  private static final class Beneath implements dev.weir.spi.Transport {
    private final Transport transport;
    private boolean aborted;

    Beneath(Transport transport) {
      this.transport = Objects.requireNonNull(transport, "transport");
    }

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
      aborted = true;
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
    public @Nullable TlsSession tlsSession() {
      return transport.tlsSession();
    }

    @Override
    public <T> @Nullable T extraInfo(Class<T> type) {
      return transport.extraInfo(type);
    }

    @Override
    public SocketAddress localAddress() {
      return transport.localAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
      return transport.remoteAddress();
    }

    @Override
    public String toString() {
      return transport.toString();
    }
  }
}
