package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.pipe.NamedPipes;
import dev.weir.pipe.ReadPipe;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import dev.weir.testing.CancelEverywhere;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
class NamedPipesTest {
  /** More than a pipe and all buffers on the way hold. */
  private static final int MUCH = 4 << 20;

  @TempDir Path folder;

  private Path fifo() throws IOException {
    Path path = folder.resolve("fifo-" + System.nanoTime());
    try {
      assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return path;
  }

  @EachTransport
  void bothEndsMeet(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          Task<ReadPipe> opening = Asyncio.createTask(() -> Asyncio.openReadPipe(path));
          try (StreamWriter writer = Asyncio.openWritePipe(path);
              ReadPipe pipe = opening.await()) {
            writer.write("hello\n");

            assertThat(text(pipe.reader().readLine())).isEqualTo("hello\n");
          }
        });
  }

  @EachTransport
  void everyByteArrivesInOrderAndThenTheEnd(String transport) throws IOException {
    Path path = fifo();
    byte[] sent = new byte[MUCH];
    for (int i = 0; i < MUCH; i++) {
      sent[i] = (byte) (i * 31 >> 3);
    }
    OnLoop.run(
        transport,
        () -> {
          Task<byte[]> receiving =
              Asyncio.createTask(() -> {
                try (ReadPipe pipe = Asyncio.openReadPipe(path)) {
                  return pipe.reader().readAll();
                }
              });
          try (StreamWriter writer = Asyncio.openWritePipe(path)) {
            for (int offset = 0; offset < MUCH; ) {
              int length = Math.min(MUCH - offset, 1 + offset % 100_000);
              writer.write(sent, offset, length);
              offset += length;
            }
          }

          assertThat(receiving.await()).isEqualTo(sent);
        });
  }

  @EachTransport
  void aWriterWaitsWhileNobodyReads(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          Task<ReadPipe> opening = Asyncio.createTask(() -> Asyncio.openReadPipe(path));
          StreamWriter writer = Asyncio.openWritePipe(path);
          try (ReadPipe pipe = opening.await()) {
            long[] written = new long[1];
            Task<?> writing =
                Asyncio.createTask(() -> {
                  while (written[0] < MUCH) {
                    writer.write(new byte[10_000]);
                    written[0] += 10_000;
                  }
                  writer.writeEof();
                });
            OnLoop.passRoundsUntil(() -> writer.writeBufferSize() > 64 * 1024);
            assertThat(writing.done()).isFalse();
            assertThat(writer.writeBufferSize()).isLessThan(64 * 1024 + 10_001);

            assertThat(pipe.reader().readAll()).hasSizeGreaterThanOrEqualTo(MUCH);
            writing.await();
          }
        });
  }

  @EachTransport
  void aReaderThatDoesNotReadHoldsTheWriterBack(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          var writing =
              OnLoop.onWorker(() -> {
                try (OutputStream writer = Files.newOutputStream(path)) {
                  writer.write(new byte[MUCH]);
                }
                return "written";
              });
          try (ReadPipe pipe =
              NamedPipes.openRead(path, StreamOptions.defaults().withLimit(1000))) {
            pipe.reader().read(1);
            OnLoop.passRounds(20_000); // Enough for all of it, if it were not held back.
            assertThat(writing.done()).isFalse();

            assertThat(pipe.reader().readExactly(MUCH - 1)).hasSize(MUCH - 1);
            assertThat(writing.await()).isEqualTo("written");
            assertThat(pipe.reader().read(1)).isEmpty();
          }
        });
  }

  @EachTransport
  void theStreamEndsWhenTheWriterIsGone(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          OnLoop.onWorker(() -> Files.write(path, bytes("last")));
          try (ReadPipe pipe = Asyncio.openReadPipe(path)) {
            assertThat(text(pipe.reader().readAll())).isEqualTo("last");
            assertThat(pipe.reader().atEof()).isTrue();
          }
        });
  }

  @EachTransport
  void writingToAPipeThatNobodyReadsAnyMoreFails(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          Task<ReadPipe> opening = Asyncio.createTask(() -> Asyncio.openReadPipe(path));
          try (StreamWriter writer = Asyncio.openWritePipe(path)) {
            opening.await().close();

            assertThatThrownBy(
                    () -> {
                      while (true) {
                        writer.write("into the void");
                        Asyncio.yieldNow();
                      }
                    })
                .isInstanceOf(ConnectionResetException.class)
                .hasMessageContaining("Broken pipe");
            assertThatThrownBy(writer::waitClosed).isInstanceOf(ConnectionResetException.class);
          }
        });
  }

  @EachTransport
  void aFileIsNoPipe(String transport) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    OnLoop.run(
        transport,
        () -> {
          assertThatThrownBy(() -> Asyncio.openReadPipe(file))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("A regular file, which is no pipe: " + file)
              .hasMessageContaining("toThread");
          assertThatThrownBy(() -> Asyncio.openWritePipe(folder))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("A directory");
          assertThatThrownBy(() -> Asyncio.openReadPipe(folder.resolve("none")))
              .isInstanceOf(NoSuchFileException.class);
        });
  }

  @EachTransport
  void anOpeningThatIsCancelledLeavesNothingBehind(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          PipeThreads.untilGone();
          long open = Descriptors.open();
          for (boolean reading : new boolean[] {true, false}) {
            Task<?> opening =
                Asyncio.createTask(() -> {
                  if (reading) {
                    Asyncio.openReadPipe(path).close();
                  } else {
                    Asyncio.openWritePipe(path).close();
                  }
                });
            PipeThreads.untilOneOpens();
            opening.cancel();

            assertThatThrownBy(opening::await).isInstanceOf(CancelledError.class);
            PipeThreads.untilGone();
            assertThat(Descriptors.open()).isLessThanOrEqualTo(open);
          }
        });
  }

  @EachTransport
  void aPipeThatIsCancelledAnywhereIsClosed(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          int cancelled =
              CancelEverywhere.run(
                  () -> new RandomAccessFile(path.toFile(), "rw"), // Both ends, so no open waits.
                  _ -> {
                    try (ReadPipe pipe = Asyncio.openReadPipe(path);
                        StreamWriter writer = Asyncio.openWritePipe(path)) {
                      writer.write("x");
                      assertThat(pipe.reader().read(1)).hasSize(1);
                    }
                  },
                  holder -> {
                    holder.close();
                    PipeThreads.untilGone();
                  });

          assertThat(cancelled).as("two openings, a read").isGreaterThanOrEqualTo(3);
        });
  }

  @EachTransport
  void aTaskThatReadsAPipeCanBeCancelledAndNothingIsLost(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          Task<ReadPipe> opening = Asyncio.createTask(() -> Asyncio.openReadPipe(path));
          try (StreamWriter writer = Asyncio.openWritePipe(path);
              ReadPipe pipe = opening.await()) {
            Task<byte[]> reading = Asyncio.createTask(() -> pipe.reader().readExactly(6));
            writer.write("abc");
            OnLoop.passRounds(20);
            reading.cancel();
            assertThatThrownBy(reading::await).isInstanceOf(CancelledError.class);

            writer.write("def");
            assertThat(text(pipe.reader().readExactly(6))).isEqualTo("abcdef");
          }
        });
  }

  @EachTransport
  void pipesThatAreLeftOpenEndWithTheirLoop(String transport) throws IOException {
    Path path = fifo();
    Path lonely = fifo();
    PipeThreads.awaitGone();
    long open = Descriptors.open();
    OnLoop.run(
        transport,
        () -> {
          Task<ReadPipe> opening = Asyncio.createTask(() -> Asyncio.openReadPipe(path));
          StreamWriter writer = Asyncio.openWritePipe(path);
          opening.await();
          writer.write(new byte[10]);
          Asyncio.createTask(() -> Asyncio.openReadPipe(lonely));
          PipeThreads.untilOneOpens();
        });

    PipeThreads.awaitGone();
    assertThat(Descriptors.open()).isLessThanOrEqualTo(open);
  }

  @EachTransport
  void whatWasWrittenReachesTheReaderAlthoughTheLoopEnds(String transport) throws Exception {
    Path path = fifo();
    Process counting = new ProcessBuilder("sh", "-c", "cat '" + path + "' | wc -c").start();
    OnLoop.run(
        transport,
        () -> {
          StreamWriter writer = Asyncio.openWritePipe(path);
          writer.write(new byte[MUCH]);
          writer.close();
        });

    assertThat(text(counting.getInputStream().readAllBytes()).strip())
        .isEqualTo(Integer.toString(MUCH));
  }

  @EachTransport
  void onlyItsLoopMayUseAPipe(String transport) throws IOException {
    Path path = fifo();
    OnLoop.run(
        transport,
        () -> {
          Task<ReadPipe> opening = Asyncio.createTask(() -> Asyncio.openReadPipe(path));
          try (StreamWriter writer = Asyncio.openWritePipe(path);
              ReadPipe pipe = opening.await()) {
            assertThatThrownBy(() -> Asyncio.toThread(pipe::close))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ReadPipe.close()");
            assertThat(pipe.toString()).contains(path.toString());
            assertThat(writer.toString()).contains(path.toString());
          }
        });
  }
}
