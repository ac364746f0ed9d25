package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.datagram.Datagram;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.datagram.DatagramOptions;
import dev.weir.task.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A receiver that is slower than who sends to it. {@code -Dweir.test.datagrams=1000000} floods it
 * with as many datagrams.
 */
@ExtendWith(LeakCheck.class)
class FloodTest {
  private static final int DATAGRAMS = Integer.getInteger("weir.test.datagrams", 50_000);
  private static final int BYTES = 1000;

  /**
   * Fewer than the kernel keeps by itself: some are dropped here however busy the machine is. With
   * the default of 1,024 the kernel may drop them all, where the loop hardly gets to run.
   */
  private static final int QUEUE = 64;

  /** A million take seconds; ten times as long if all of the machine is at something else. */
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final int SAMPLES = 5;

  /** Far more than the queue takes, far less than all of the datagrams. */
  private static final long MEMORY_MAX = 20L * 1024 * 1024;

  private static final System.Logger LOGGER = System.getLogger("dev.weir.netty.test");

  /** Sends numbered datagrams as fast as the system takes them. */
  private static void flood(InetSocketAddress to) throws IOException {
    try (DatagramChannel socket = DatagramChannel.open()) {
      socket.connect(to);
      ByteBuffer numbered = ByteBuffer.allocateDirect(BYTES);
      for (int i = 0; i < DATAGRAMS; i++) {
        socket.write(numbered.clear().putInt(0, i));
      }
    }
  }

  /** {@return how many datagrams the kernel dropped at the port's socket, as Linux counts them} */
  private static long droppedByKernel(int port) throws IOException {
    Path table = Path.of("/proc/net/udp");
    assumeTrue(Files.exists(table), "only Linux says how many datagrams the kernel dropped");
    String local = String.format(Locale.ROOT, "0100007F:%04X", port);
    List<String> lines = Files.readAllLines(table);
    for (String line : lines) {
      String[] fields = line.trim().split("\\s+");
      if (fields[1].equals(local)) {
        return Long.parseLong(fields[fields.length - 1]);
      }
    }
    throw new AssertionError("no socket at " + local + " in " + lines);
  }

  /** A receiver that lets many rounds pass between two datagrams. */
  private static final class SlowReceiver {
    private final DatagramEndpoint endpoint;
    private final long before = UsedMemory.bytes();
    private long mostUsed;
    private long received;
    private int newest = -1;

    SlowReceiver(DatagramEndpoint endpoint) {
      this.endpoint = endpoint;
    }

    /** Receives one. Returns whether it was numbered, and not the empty one at the end. */
    boolean receive() throws IOException {
      Datagram datagram = endpoint.receive();
      received++;
      if (datagram.data().length == 0) {
        return false;
      }
      int number = ByteBuffer.wrap(datagram.data()).getInt();
      assertThat(datagram.data()).hasSize(BYTES);
      assertThat(number).as("the number after %d", newest).isGreaterThan(newest);
      if (number / (DATAGRAMS / SAMPLES) != newest / (DATAGRAMS / SAMPLES)) {
        mostUsed = Math.max(mostUsed, UsedMemory.bytes() - before);
      }
      newest = number;
      return true;
    }
  }

  @EachTransportAndIoUring
  void whatASlowReceiverDoesNotGetIsDroppedAndCountedInBoundedMemory(String transport) {
    assertThat(
            droppedInFlood(transport, DatagramOptions.defaults().withQueue(QUEUE, 4 * 1024 * 1024)))
        .isPositive();
  }

  @EachTransportAndIoUring
  void theDefaultQueueHoldsItsBoundsToo(String transport) {
    droppedInFlood(transport, DatagramOptions.defaults());
  }

  /** Floods a slow receiver, and checks that nothing is lost uncounted, nor memory unbounded. */
  private static long droppedInFlood(String transport, DatagramOptions queue) {
    long[] dropped = {0};
    OnLoop.run(
        transport,
        PATIENCE,
        () -> {
          DatagramOptions options =
              queue.withSocketOption(StandardSocketOptions.SO_RCVBUF, 200_000);
          try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("127.0.0.1", 0, options)) {
            InetSocketAddress address = endpoint.localAddress();
            SlowReceiver receiver = new SlowReceiver(endpoint);
            Future<Void> flooding =
                OnLoop.onWorker(() -> {
                  flood(address);
                  return null;
                });
            while (!flooding.done()) {
              if (endpoint.toString().contains(" 0 datagrams")) {
                OnLoop.passRounds(1);
              } else {
                receiver.receive();
                OnLoop.passRounds(20); // Slow: more arrives meanwhile than it takes.
              }
            }
            flooding.await();
            OnLoop.passRounds(200); // So that the kernel has room for the last one.
            endpoint.send(new byte[0], address);
            while (receiver.receive()) {}

            long droppedByKernel = droppedByKernel(address.getPort());
            LOGGER.log(
                System.Logger.Level.INFO,
                "{0}: of {1} datagrams {2} received, {3} dropped by the endpoint and {4} by the"
                    + " kernel; {5} bytes more in use at most",
                transport,
                DATAGRAMS,
                receiver.received - 1,
                endpoint.dropped(),
                droppedByKernel,
                receiver.mostUsed);
            assertThat(receiver.received + endpoint.dropped() + droppedByKernel)
                .isEqualTo(DATAGRAMS + 1);
            assertThat(receiver.mostUsed).isLessThan(MEMORY_MAX);
            dropped[0] = endpoint.dropped();
          }
        });
    return dropped[0];
  }
}
