package dev.weir.benchmarks;

import dev.weir.Asyncio;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.FiberKind;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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
 * How soon a loop answers while tasks of it compute on all cores, by {@code Asyncio.toThread}: a
 * message of 1 KiB over loopback, there and back, with percentiles. The client needs a core as
 * well.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      "--enable-native-access=ALL-UNNAMED"
    })
public class EchoBesideWork {
  private static final int MESSAGE_BYTES = 1024;

  /** What the tasks run on. */
  @Param({"mounted", "portable"})
  public String fibers = "";

  private final AtomicBoolean over = new AtomicBoolean();
  private final byte[] message = new byte[MESSAGE_BYTES];
  private Thread serving;
  private Socket socket;

  /** Starts the loop, its server and the work, and connects. */
  @Setup
  public void start() throws IOException {
    CompletableFuture<Integer> port = new CompletableFuture<>();
    FiberKind kind = FiberKind.valueOf(fibers.toUpperCase(Locale.ROOT));
    serving =
        Thread.ofPlatform()
            .start(() -> Asyncio.run(() -> serve(port), RunOptions.defaults().withFibers(kind)));
    socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), port.join());
    socket.setTcpNoDelay(true);
  }

  private void serve(CompletableFuture<Integer> port) throws IOException {
    Loop loop = Asyncio.runningLoop();
    try (Server server = Asyncio.startServer(EchoBesideWork::echo, "127.0.0.1", 0)) {
      port.complete(server.addresses().getFirst().getPort());
      for (int i = 1; i < Runtime.getRuntime().availableProcessors(); i++) {
        Asyncio.createTask(() -> Asyncio.toThread(this::compute));
      }
      loop.toThread(this::compute);
    }
  }

  private void compute() {
    while (!over.get()) {
      Thread.onSpinWait();
    }
  }

  private static void echo(StreamReader reader, StreamWriter writer) throws IOException {
    for (byte[] chunk = reader.read(MESSAGE_BYTES);
        chunk.length > 0;
        chunk = reader.read(MESSAGE_BYTES)) {
      writer.write(chunk);
    }
  }

  /** Ends the work, and with it the loop. */
  @TearDown
  public void stop() throws IOException, InterruptedException {
    over.set(true);
    socket.close();
    serving.join();
  }

  /** One message there and back. */
  @Benchmark
  public int roundTrip() throws IOException {
    socket.getOutputStream().write(message);
    return socket.getInputStream().readNBytes(message, 0, MESSAGE_BYTES);
  }
}
