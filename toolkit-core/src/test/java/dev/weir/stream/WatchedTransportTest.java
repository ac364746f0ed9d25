package dev.weir.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.spi.Forwarding;
import dev.weir.spi.Network.Completion;
import dev.weir.spi.Transport;
import dev.weir.task.Context;
import dev.weir.testing.VirtualLoop;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.FileChannel;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What counts as activity where bytes go through the engine alone. */
class WatchedTransportTest {
  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final Duration NEARLY_IDLE = IDLE.minusMillis(1);
  private static final ServerOptions OPTIONS = ServerOptions.defaults().withIdleTimeout(IDLE);

  /** An engine that moves as many bytes as the test says. */
  private static final class Engine implements Transport, Forwarding {
    private Transport target;
    private long handedOn;
    private boolean aborted;

    @Override
    public Forwarding startForwarding(Transport target, long bytesMax, Runnable ended) {
      this.target = target;
      return this;
    }

    @Override
    public Forwarding sendFile(
        FileChannel file, long offset, long count, Completion<Long> outcome) {
      return this;
    }

    @Override
    public long bytesHandedOn() {
      return handedOn;
    }

    @Override
    public void abort() {
      aborted = true;
    }

    @Override
    public void stop() {}

    @Override
    public void write(byte[] bytes, int offset, int length) {}

    @Override
    public void writeEof() {}

    @Override
    public void close() {}

    @Override
    public boolean isClosing() {
      return aborted;
    }

    @Override
    public void pauseReading() {}

    @Override
    public void resumeReading() {}

    @Override
    public long writeBufferSize() {
      return 0;
    }

    @Override
    public void setWriteBufferLimits(int high, int low) {}

    @Override
    public SocketAddress localAddress() {
      return new InetSocketAddress(0);
    }

    @Override
    public SocketAddress remoteAddress() {
      return new InetSocketAddress(0);
    }
  }

  private final Engine engine = new Engine();

  private static WatchedTransport watch(Engine engine, ServerOptions options) {
    return new WatchedTransport(Asyncio.runningLoop(), Context.copyOfCurrent(), engine, options);
  }

  /** Moves a byte now and then, then none. */
  private static void assertAliveWhileMoving(Engine moving, Engine watched) {
    for (int i = 0; i < 10; i++) {
      Asyncio.sleep(NEARLY_IDLE);
      moving.handedOn++;
      assertThat(watched.aborted).as("aborted after move %s", i).isFalse();
    }
    Asyncio.sleep(IDLE.multipliedBy(2));
    assertThat(watched.aborted).isTrue();
  }

  @Test
  void whatIsHandedOnCountsForBothEnds() {
    VirtualLoop.run(() -> {
      Engine other = new Engine();
      WatchedTransport source = watch(engine, OPTIONS);
      WatchedTransport target = watch(other, OPTIONS);

      source.startForwarding(target, 1000, () -> {});

      assertThat(engine.target).isSameAs(other); // Engines know only their own transports.
      assertAliveWhileMoving(engine, other);
      assertThat(engine.aborted).isTrue();
    });
  }

  @Test
  void whatIsHandedOnFromATransportThatIsNotWatchedCounts() {
    VirtualLoop.run(() -> {
      Engine other = new Engine();
      WatchedTransport target = watch(other, OPTIONS);

      WatchedTransport.startForwarding(engine, target, 1000, () -> {});

      assertThat(engine.target).isSameAs(other);
      assertAliveWhileMoving(engine, other);
      assertThat(engine.aborted).isFalse();
    });
  }

  @Test
  void aFileThatIsSentCounts() {
    VirtualLoop.run(() -> {
      WatchedTransport transport = watch(engine, OPTIONS);

      transport.sendFile(null, 0, 1000, null);

      assertAliveWhileMoving(engine, engine);
    });
  }

  @Test
  void whatIsHandedOnIsAFirstByte() {
    VirtualLoop.run(() -> {
      ServerOptions options = ServerOptions.defaults().withFirstByteTimeout(IDLE);
      WatchedTransport transport = watch(engine, options);
      transport.startForwarding(new Engine(), 1000, () -> {});
      engine.handedOn = 1;

      Asyncio.sleep(IDLE.multipliedBy(10));

      assertThat(engine.aborted).isFalse();
    });
  }
}
