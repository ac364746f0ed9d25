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

/** What counts as activity, where the engine alone knows whether bytes move. */
class WatchedTransportTest {
  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final Duration NEARLY_IDLE = IDLE.minusMillis(1);
  private static final ServerOptions OPTIONS = ServerOptions.defaults().withIdleTimeout(IDLE);

  /** An engine that moves as many bytes as the test says. */
  private static final class Engine implements Transport, Forwarding {
    private Transport target;
    private long handedOn;
    private long unsent;
    private boolean closing;
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
      return closing || aborted;
    }

    @Override
    public void pauseReading() {}

    @Override
    public void resumeReading() {}

    @Override
    public long writeBufferSize() {
      return unsent;
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

  // --- Written

  private void write(WatchedTransport transport, int count) {
    transport.write(new byte[count], 0, count);
    engine.unsent += count;
  }

  /** Nothing is unsent at any look, and the second piece is as long as what left of the first. */
  @Test
  void whatLeftBetweenTwoLooksCounts() {
    VirtualLoop.run(() -> {
      WatchedTransport transport = watch(engine, OPTIONS);
      for (int i = 0; i < 10; i++) {
        Asyncio.sleep(NEARLY_IDLE);
        write(transport, 1000);
        engine.unsent = 0;
        assertThat(engine.aborted).as("aborted after write %s", i).isFalse();
      }

      Asyncio.sleep(NEARLY_IDLE);

      assertThat(engine.aborted).isFalse();
      Asyncio.sleep(IDLE.dividedBy(8).plusMillis(2));
      assertThat(engine.aborted).isTrue();
    });
  }

  @Test
  void asMuchUnsentAsBeforeIsActivityIfItIsNotTheSame() {
    VirtualLoop.run(() -> {
      WatchedTransport transport = watch(engine, OPTIONS);
      write(transport, 1000);
      for (int i = 0; i < 10; i++) {
        Asyncio.sleep(NEARLY_IDLE);
        engine.unsent = 0;
        write(transport, 1000);
        assertThat(engine.aborted).as("aborted after write %s", i).isFalse();
      }

      Asyncio.sleep(IDLE.multipliedBy(9).dividedBy(8));

      assertThat(engine.aborted).isTrue();
    });
  }

  @Test
  void aBufferThatDrainsLateIsActivity() {
    VirtualLoop.run(() -> {
      WatchedTransport transport = watch(engine, OPTIONS);
      write(transport, 1000);
      Asyncio.sleep(NEARLY_IDLE);
      engine.unsent = 0;

      Asyncio.sleep(NEARLY_IDLE);

      assertThat(engine.aborted).isFalse();
      Asyncio.sleep(Duration.ofMillis(2));
      assertThat(engine.aborted).isTrue();
    });
  }

  @Test
  void aWriteOfWhichNothingLeavesIsNoActivity() {
    VirtualLoop.run(() -> {
      WatchedTransport transport = watch(engine, OPTIONS);
      for (int i = 0; i < 6; i++) {
        assertThat(engine.aborted).as("aborted before write %s", i).isFalse();
        write(transport, 1);
        Asyncio.sleep(IDLE.dividedBy(6));
      }

      Asyncio.sleep(Duration.ofMillis(1));

      assertThat(engine.aborted).isTrue();
    });
  }

  /** It would be taken to have left. */
  @Test
  void whatIsWrittenToATransportThatClosesIsNoActivity() {
    VirtualLoop.run(() -> {
      WatchedTransport transport = watch(engine, OPTIONS);
      write(transport, 1);
      engine.closing = true;
      Asyncio.sleep(IDLE.dividedBy(2));

      transport.write(new byte[1000], 0, 1000);

      Asyncio.sleep(IDLE.dividedBy(2).plusMillis(1));
      assertThat(engine.aborted).isTrue();
    });
  }

  @Test
  void whatAForwardingHandsOnHasNotLeftBeforeItIsSent() {
    VirtualLoop.run(() -> {
      WatchedTransport target = watch(engine, OPTIONS);
      Engine source = new Engine();
      WatchedTransport.startForwarding(source, target, 1000, () -> {});
      for (int i = 0; i < 6; i++) {
        assertThat(engine.aborted).as("aborted before move %s", i).isFalse();
        source.handedOn++;
        engine.unsent++;
        Asyncio.sleep(IDLE.dividedBy(6));
      }

      Asyncio.sleep(Duration.ofMillis(1));

      assertThat(engine.aborted).isTrue();
    });
  }
}
