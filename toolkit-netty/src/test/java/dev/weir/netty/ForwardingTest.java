package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.StreamWriter;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Task;
import dev.weir.testing.StreamPair;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Moving buffers and files over sockets: what does not show in the stream contract. */
@ExtendWith(LeakCheck.class)
class ForwardingTest {
  /** A test's body that needs a connection to hand on from, and one to hand on to. */
  private interface TwoPairs {
    void run(StreamPair in, StreamPair out) throws Exception;
  }

  private static void withTwo(String transport, TwoPairs body) {
    withTwo(transport, StreamOptions.defaults(), body);
  }

  private static void withTwo(String transport, StreamOptions ofTarget, TwoPairs body) {
    OnLoop.run(
        transport,
        () -> {
          try (StreamPair in = StreamPair.open(StreamOptions.defaults());
              StreamPair out = StreamPair.open(ofTarget)) {
            body.run(in, out);
          }
        });
  }

  @EachTransportAndIoUring
  void theTaskSleepsWhileItsStreamIsHandedOn(String transport) {
    withTwo(
        transport,
        (in, out) -> {
          Task<Long> transferring =
              Asyncio.createTask(() -> in.right().reader().transferTo(out.left().writer()));
          for (int i = 0; i < 100; i++) {
            in.left().writer().write("message\n");
            assertThat(out.right().reader().readLine()).hasSize(8);
          }
          in.left().writer().writeEof();

          assertThat(transferring.await()).isEqualTo(800);
          assertThat(transferring.suspensions()).isEqualTo(1);
        });
  }

  @EachTransportAndIoUring
  void whatTasksWriteMeanwhileArrivesToo(String transport) {
    byte[] moved = random(4 << 20); // Without zeros, which the task writes.
    withTwo(
        transport,
        (in, out) -> {
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
          assertThat(withoutZeros(arrived)).isEqualTo(moved);
        });
  }

  @EachTransportAndIoUring
  void aResetOfTheTargetEndsTheTransferAndTheSourceLivesOn(String transport) {
    withTwo(
        transport,
        (in, out) -> {
          Task<Long> transferring =
              Asyncio.createTask(() -> in.right().reader().transferTo(out.left().writer()));
          in.left().writer().write("x");
          out.right().reader().readExactly(1);

          out.right().writer().abort();

          assertThatThrownBy(() -> transferring.await(IOException.class))
              .isInstanceOf(ConnectionResetException.class);
          in.left().writer().write("next");
          assertThat(in.right().reader().readExactly(4)).isEqualTo("next".getBytes());
        });
  }

  @EachTransportAndIoUring
  void twoSourcesMayBeHandedOnToOneTarget(String transport) {
    int length = 1 << 20;
    withTwo(
        transport,
        (one, out) -> {
          try (StreamPair two = StreamPair.open(StreamOptions.defaults())) {
            byte[] ones = new byte[length];
            Arrays.fill(ones, (byte) 1);
            List<Task<Long>> transferring = new ArrayList<>();
            for (StreamPair in : List.of(one, two)) {
              transferring.add(
                  Asyncio.createTask(
                      () -> in.right().reader().transferTo(out.left().writer(), length)));
            }
            Asyncio.background(() -> one.left().writer().write(ones));
            Asyncio.background(() -> two.left().writer().write(new byte[length]));

            byte[] arrived = out.right().reader().readExactly(2 * length);

            assertThat(withoutZeros(arrived)).isEqualTo(ones);
            for (Task<Long> task : transferring) {
              assertThat(task.await()).isEqualTo(length);
            }
          }
        });
  }

  @EachTransportAndIoUring
  void smallMessagesThatHaveToWaitHoldLittleMoreThanTheirBytes(String transport) {
    int messages = 300;
    withTwo(
        transport,
        StreamOptions.defaults().withWriteLimits(1 << 20, 1 << 19),
        (in, out) -> {
          StreamWriter target = out.left().writer();
          Task<?> transferring = Asyncio.createTask(() -> in.right().reader().transferTo(target));
          while (target.writeBufferSize() == 0) { // Until the kernel takes no more.
            in.left().writer().write(new byte[64 * 1024]);
            OnLoop.passRounds(2);
          }
          long memoryBefore = PlatformDependent.usedDirectMemory();
          for (int i = 0; i < messages; i++) {
            long unsent = target.writeBufferSize();
            in.left().writer().write(new byte[20]);
            OnLoop.passRoundsUntil(() -> target.writeBufferSize() > unsent);
          }

          long perMessage = (PlatformDependent.usedDirectMemory() - memoryBefore) / messages;
          assertThat(perMessage).isLessThan(16 * 1024); // A read's buffer has 64 KiB.
          transferring.cancel();
          target.abort();
        });
  }

  // Where the kernel sends files, which it does not on io_uring: see StreamWriter.sendFile.
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

  // Likewise: what a failed read of the copying kind says is no connection\'s failure.
  @EachTransport
  void aFileThatGetsShorterEndsTheConnectionAndIsReported(String transport, @TempDir Path folder)
      throws Exception {
    Path file = Files.write(folder.resolve("file"), new byte[64 << 20]);
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () -> {
              try (Server server =
                      Asyncio.startServer((_, writer) -> writer.sendFile(file), "127.0.0.1", 0);
                  Connection client = TestServer.connect(server.addresses().getFirst().getPort())) {
                client.reader().readExactly(1);
                try (FileChannel shortened = FileChannel.open(file, StandardOpenOption.WRITE)) {
                  shortened.truncate(0);
                }

                assertThatThrownBy(() -> client.reader().skip(64 << 20))
                    .isInstanceOf(IOException.class); // It ends early.
                server.shutdown(Duration.ofSeconds(10));
              }
            });

    assertThat(reports)
        .singleElement()
        .satisfies(report ->
            assertThat(report.exception())
                .isExactlyInstanceOf(IOException.class)
                .hasMessageStartingWith("The file became shorter while it was sent")
                .hasCauseInstanceOf(IOException.class));
  }

  @EachTransportAndIoUring
  void aPeerThatGoesWhileAFileIsSentIsNoFailureOfTheHandlers(String transport, @TempDir Path folder)
      throws Exception {
    Path file = Files.write(folder.resolve("file"), new byte[64 << 20]);
    List<IOException> thrown = new ArrayList<>();
    OnLoop.run( // In which nothing may be reported.
        transport,
        () -> {
          try (Server server =
                  Asyncio.startServer(
                      (_, writer) -> {
                        try {
                          writer.sendFile(file);
                        } catch (IOException e) {
                          thrown.add(e);
                          throw e;
                        }
                      },
                      "127.0.0.1",
                      0);
              Connection client = TestServer.connect(server.addresses().getFirst().getPort())) {
            client.reader().readExactly(1);

            client.writer().abort();

            server.shutdown(Duration.ofSeconds(10));
          }
        });

    assertThat(thrown).singleElement().isInstanceOf(ConnectionResetException.class);
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    Random random = new Random(length);
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) random.nextInt(1, 256);
    }
    return bytes;
  }

  private static byte[] withoutZeros(byte[] bytes) {
    byte[] kept = new byte[bytes.length];
    int length = 0;
    for (byte each : bytes) {
      if (each != 0) {
        kept[length++] = each;
      }
    }
    return Arrays.copyOf(kept, length);
  }
}
