package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import dev.weir.tls.TlsProvider;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import javax.net.SocketFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** What arrives of what is written, where the kernel takes only a part of it. */
@ExtendWith(LeakCheck.class)
class TlsWritesTest {
  private static final int PART_BYTES = 64 * 1024;
  private static final int WAITING_BYTES = 1 << 20;

  @EachTlsProvider
  void whatIsWrittenWhileSomethingWaitsArrivesBehindIt(String transport, TlsProvider provider) {
    byte[] part = new byte[PART_BYTES];
    new Random(1).nextBytes(part);
    int[] written = {0};
    CountDownLatch waits = new CountDownLatch(1);
    CountDownLatch kernelHasRoom = new CountDownLatch(1);
    ConnectionHandler handler =
        (reader, writer) -> {
          while (writer.writeBufferSize() < WAITING_BYTES) {
            writer.write(part);
            written[0]++;
            OnLoop.passRounds(1);
          }
          waits.countDown();
          while (kernelHasRoom.getCount() > 0) {
            Thread.onSpinWait(); // Were it the task that waits, the loop would send meanwhile.
          }
          writer.write(part);
          written[0]++;
        };
    ServerOptions options =
        ServerOptions.defaults()
            .withTls(TestCertificates.serverTls(provider))
            .withStream(StreamOptions.defaults().withWriteLimits(4 * WAITING_BYTES, 0));
    TestServer.with(
        transport,
        handler,
        options,
        (server, port) -> {
          SocketFactory tls = TestCertificates.plainContext().getSocketFactory();
          Future<byte[]> receiving =
              OnLoop.onWorker(() -> {
                try (var client = tls.createSocket("localhost", port)) {
                  client.getInputStream().skipNBytes(1); // Shakes hands.
                  waits.await();
                  client.getInputStream().skipNBytes(4 * PART_BYTES - 1);
                  kernelHasRoom.countDown();
                  return client.getInputStream().readAllBytes();
                }
              });

          byte[] rest = receiving.await();
          assertThat(rest).hasSize((written[0] - 4) * PART_BYTES);
          for (int i = 0; i < rest.length; i += PART_BYTES) {
            assertThat(Arrays.equals(rest, i, i + PART_BYTES, part, 0, PART_BYTES)).isTrue();
          }
        });
  }
}
