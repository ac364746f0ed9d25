package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Task;
import dev.weir.testing.StreamPair;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Moving buffers and files over sockets: what does not show in the stream contract. */
@ExtendWith(LeakCheck.class)
class ForwardingTest {

  @EachTransport
  void theTaskSleepsWhileItsStreamIsHandedOn(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair in = StreamPair.open(StreamOptions.defaults());
              StreamPair out = StreamPair.open(StreamOptions.defaults())) {
            Task<Long> transferring =
                Asyncio.createTask(() -> in.right().reader().transferTo(out.left().writer()));
            for (int i = 0; i < 100; i++) {
              in.left().writer().write("message\n");
              assertThat(out.right().reader().readLine()).hasSize(8);
            }
            in.left().writer().writeEof();

            assertThat(transferring.await()).isEqualTo(800);
            assertThat(transferring.suspensions()).isEqualTo(1);
          }
        });
  }

  @EachTransport
  void whatTasksWriteMeanwhileArrivesToo(String transport) {
    byte[] moved = random(4 << 20);
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair in = StreamPair.open(StreamOptions.defaults());
              StreamPair out = StreamPair.open(StreamOptions.defaults())) {
            Task<Long> transferring =
                Asyncio.createTask(() -> in.right().reader().transferTo(out.left().writer()));
            Task<?> source =
                Asyncio.createTask(() -> {
                  in.left().writer().write(moved);
                  in.left().writer().writeEof();
                });
            Task<?> another =
                Asyncio.createTask(() -> {
                  for (int i = 0; i < 1000; i++) {
                    out.left().writer().write(new byte[100]);
                  }
                });
            byte[] arrived = out.right().reader().readExactly(moved.length + 100_000);

            source.await();
            another.await();
            assertThat(transferring.await()).isEqualTo(moved.length);
            assertThat(arrived).hasSize(moved.length + 100_000);
          }
        });
  }

  @EachTransport
  void aResetOfTheTargetEndsTheTransferAndTheSourceLivesOn(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair in = StreamPair.open(StreamOptions.defaults());
              StreamPair out = StreamPair.open(StreamOptions.defaults())) {
            Task<Long> transferring =
                Asyncio.createTask(() -> in.right().reader().transferTo(out.left().writer()));
            in.left().writer().write("x");
            out.right().reader().readExactly(1);

            out.right().writer().abort();

            assertThatThrownBy(() -> transferring.await(IOException.class))
                .isInstanceOf(ConnectionResetException.class);
            in.left().writer().write("next");
            assertThat(in.right().reader().readExactly(4)).isEqualTo("next".getBytes());
          }
        });
  }

  @EachTransport
  void twoSourcesMayBeHandedOnToOneTarget(String transport) {
    byte[] moved = random(1 << 20);
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair one = StreamPair.open(StreamOptions.defaults());
              StreamPair two = StreamPair.open(StreamOptions.defaults());
              StreamPair out = StreamPair.open(StreamOptions.defaults())) {
            for (StreamPair in : new StreamPair[] {one, two}) {
              Asyncio.background(() -> in.right().reader().transferTo(out.left().writer()));
              Asyncio.background(() -> {
                in.left().writer().write(moved);
                in.left().writer().writeEof();
              });
            }

            assertThat(out.right().reader().readExactly(2 * moved.length))
                .hasSize(2 * moved.length);
          }
        });
  }

  @EachTransport
  void smallMessagesThatHaveToWaitHoldLittleMoreThanTheirBytes(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair in = StreamPair.open(StreamOptions.defaults());
              StreamPair out = StreamPair.open(StreamOptions.defaults())) {
            Task<Long> transferring =
                Asyncio.createTask(() -> in.right().reader().transferTo(out.left().writer()));
            byte[] large = new byte[64 * 1024];
            while (out.left().writer().writeBufferSize() == 0) { // Until the kernel takes no more.
              in.left().writer().write(large);
              OnLoop.passRounds(2);
            }
            long before = PlatformDependent.usedDirectMemory();
            for (int i = 0; i < 300; i++) {
              if (!in.left().writer().tryWrite(new byte[20])) {
                break;
              }
              OnLoop.passRounds(2);
            }

            long grown = PlatformDependent.usedDirectMemory() - before;
            assertThat(grown).isLessThan(8 << 20); // It was 64 KiB for each.
            transferring.cancel();
            out.left().writer().abort();
          }
        });
  }

  @EachTransport
  void whatIsWrittenAfterAFileInTheSameRoundComesBehindIt(String transport, @TempDir Path folder)
      throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "file ");
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair pair = StreamPair.open(StreamOptions.defaults());
              FileChannel open = FileChannel.open(file)) {
            StreamWriter writer = pair.left().writer();
            Task<Long> sending =
                Asyncio.createTask(() -> {
                  writer.write("before ");
                  return writer.sendFile(open, 0, 5);
                });
            while (sending.suspensions() < 2) { // For the file's size, and for its end.
              Asyncio.sleep(Duration.ZERO);
            }
            writer.write("behind");
            writer.writeEof();

            assertThat(pair.right().reader().readAll())
                .asString(UTF_8)
                .isEqualTo("before file behind");
            assertThat(sending.await()).isEqualTo(5);
          }
        });
  }

  @EachTransport
  void aFileThatGetsShorterWhileItIsSentEndsTheConnection(String transport, @TempDir Path folder)
      throws Exception {
    Path file = folder.resolve("file");
    Files.write(file, new byte[64 << 20]);
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair pair = StreamPair.open(StreamOptions.defaults())) {
            Task<Long> sending = Asyncio.createTask(() -> pair.left().writer().sendFile(file));
            pair.right().reader().readExactly(1);
            try (FileChannel shortened = FileChannel.open(file, StandardOpenOption.WRITE)) {
              shortened.truncate(0);
            }
            Asyncio.background(() -> {
              try {
                pair.right().reader().skip(64 << 20);
              } catch (IOException e) {
                // It ends early.
              }
            });

            assertThatThrownBy(() -> sending.await(IOException.class))
                .isInstanceOf(ConnectionResetException.class);
            assertThatThrownBy(() -> pair.left().writer().write("more"))
                .isInstanceOf(IOException.class);
          }
        });
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
