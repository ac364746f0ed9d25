package dev.weir.pipe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.TransportStreams;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Loops;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pipes whose channels do what the system's seldom do. */
@Timeout(20) // For a stream that is never told.
class PipeTransportsTest {
  /** Says a few words, one at each call, and then nothing more. */
  private static final class Words implements ReadableByteChannel {
    private final String[] words;
    private final AtomicInteger calls = new AtomicInteger();

    Words(String... words) {
      this.words = words;
    }

    @Override
    public int read(ByteBuffer target) {
      int call = calls.getAndIncrement();
      if (call == words.length) {
        return -1;
      }
      target.put(words[call].getBytes(UTF_8));
      return words[call].length();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  /** Fails at every call. */
  private static final class Failing implements ReadableByteChannel, WritableByteChannel {
    private final Error failure = new OutOfMemoryError("no memory for a buffer");

    @Override
    public int read(ByteBuffer target) {
      throw failure;
    }

    @Override
    public int write(ByteBuffer source) {
      throw failure;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  /** Has the next chunk read when it has seen the first byte of one, and then looks at the rest. */
  private static final class Resuming implements TransportProtocol {
    private final Words words;
    private final StringBuilder received = new StringBuilder();
    private final Future<@Nullable Void> lost = Loop.running().createFuture();
    private @Nullable Transport transport;

    Resuming(Words words) {
      this.words = words;
    }

    @Override
    public void connectionMade(Transport transport) {
      this.transport = transport;
    }

    @Override
    public void dataReceived(ByteBuffer data) {
      int calls = words.calls.get();
      transport.pauseReading();
      transport.resumeReading();
      for (int i = 0; i < 10_000 && words.calls.get() == calls; i++) {
        Thread.yield();
      }
      received.append(UTF_8.decode(data));
    }

    @Override
    public byte[] takeBack() {
      return new byte[0];
    }

    @Override
    public void eofReceived() {}

    @Override
    public void connectionLost(@Nullable IOException cause) {
      lost.setResult(null);
    }

    @Override
    public void pauseWriting() {}

    @Override
    public void resumeWriting() {}
  }

  @Test
  void aChunkStaysAsItIsWhileItIsHandedOnAlsoIfReadingIsResumedMeanwhile() {
    Loops.run(() -> {
      Words words = new Words("one ", "two ", "six");
      Resuming protocol = new Resuming(words);
      PipeTransports.reading(Loop.running(), "words", words, protocol);
      protocol.lost.await();

      assertThat(protocol.received).hasToString("one two six");
    });
  }

  @Test
  void anErrorInAThreadReachesWhoReads() {
    Loops.run(() -> {
      Failing channel = new Failing();
      TransportStreams streams = new TransportStreams(Loop.running(), StreamOptions.defaults());
      PipeTransports.reading(Loop.running(), "failing", channel, streams.protocol());

      assertThatThrownBy(() -> streams.reader().readLine())
          .isInstanceOf(IOException.class)
          .hasMessage("Pipe failed: java.lang.OutOfMemoryError: no memory for a buffer")
          .hasRootCause(channel.failure);
    });
  }

  @Test
  void anErrorInAThreadReachesWhoWrites() {
    Loops.run(() -> {
      Failing channel = new Failing();
      TransportStreams streams = new TransportStreams(Loop.running(), StreamOptions.defaults());
      PipeTransports.writing(Loop.running(), "failing", channel, streams.protocol());
      streams.writer().write(new byte[10]);

      assertThatThrownBy(() -> streams.writer().waitClosed())
          .isInstanceOf(IOException.class)
          .hasRootCause(channel.failure);
    });
  }

  @Test
  void anErrorWhileAPipeIsOpenedReachesWhoWaits() {
    Loops.run(() -> {
      Error failure = new StackOverflowError("while opening");
      ChannelOpener<ReadableByteChannel> opener =
          () -> {
            throw failure;
          };

      assertThatThrownBy(
              () -> Opening.read(Loop.running(), "failing", opener, StreamOptions.defaults()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("while opening")
          .hasCause(failure);
    });
  }
}
