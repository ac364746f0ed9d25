package dev.weir.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long one message takes to a server and back: 1 KiB over loopback, one connection, nothing
 * else going on.
 *
 * <p>The client is the same for every server, a blocking socket in the benchmark's thread. With one
 * connection the result is a latency, most of it the kernel's and the waking of sleeping threads;
 * what a server can do when it is busy is the question of {@code benchmarks/compare}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      "--enable-native-access=ALL-UNNAMED"
    })
public class EchoRoundTrip {
  private static final int MESSAGE_BYTES = 1024;

  /** What answers. */
  @Param({"mounted", "portable", "netty", "blocking"})
  public String server = "";

  private final byte[] message = new byte[MESSAGE_BYTES];
  private final byte[] answer = new byte[MESSAGE_BYTES];

  private Client client;

  /** A server and a connection to it. */
  private record Client(EchoPeer peer, Socket socket, InputStream in, OutputStream out) {
    static Client connectTo(EchoPeer peer) throws IOException {
      Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), peer.port());
      socket.setTcpNoDelay(true);
      return new Client(peer, socket, socket.getInputStream(), socket.getOutputStream());
    }
  }

  /** Starts the server and connects. */
  @Setup
  public void start() throws IOException {
    client = Client.connectTo(EchoPeer.start(server, EchoPeer.Mode.BYTES));
  }

  /** Disconnects and stops the server. */
  @TearDown
  public void stop() throws IOException {
    client.socket().close();
    client.peer().close();
  }

  /** One message there and back. */
  @Benchmark
  public byte[] roundTrip() throws IOException {
    client.out().write(message);
    int length = client.in().readNBytes(answer, 0, MESSAGE_BYTES);
    if (length < MESSAGE_BYTES) {
      throw new IOException("The server closed the connection after " + length + " bytes");
    }
    return answer;
  }
}
