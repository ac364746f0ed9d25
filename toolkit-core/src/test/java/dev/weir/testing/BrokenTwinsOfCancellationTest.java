package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.sync.AsyncLock;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * As {@link BrokenTwinsTest}, for what a cancellation leaves: lost bytes, a lock that stays locked.
 */
class BrokenTwinsOfCancellationTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** Messages of one byte of length and as many bytes. */
  private static final class MessageReader {
    private final StreamReader reader;
    private final boolean resumable;
    private int length = -1;

    MessageReader(StreamReader reader, boolean resumable) {
      this.reader = reader;
      this.resumable = resumable;
    }

    String read() throws IOException {
      if (length < 0 || !resumable) {
        length = reader.readExactly(1)[0];
      }
      String message = new String(reader.readExactly(length), UTF_8);
      length = -1;
      return message;
    }
  }

  private static void readMessages(boolean resumable) throws IOException {
    MemoryNetwork.current().setConditions(LinkConditions.perfect().withPieces(1, 1));
    List<Connection> connections = new ArrayList<>();
    try (Server _ =
        Asyncio.startServer(
            (reader, writer) -> writer.write("\3one\3two".getBytes(UTF_8)), "10.0.0.1", 80)) {
      CancelEverywhere.run(
          () -> {
            connections.add(Asyncio.openConnection("10.0.0.1", 80));
            return new MessageReader(connections.getLast().reader(), resumable);
          },
          MessageReader::read,
          messages -> assertThat(messages.read()).isIn("one", "two"));
    } finally {
      connections.forEach(Connection::close);
    }
  }

  @Test
  void aReadThatLosesBytesWhenCancelledIsFound() {
    VirtualLoop.run(() -> readMessages(true));

    assertThatThrownBy(() -> VirtualLoop.run(() -> readMessages(false)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("after a cancellation at suspension")
        .hasMessageContaining("BrokenTwinsOfCancellationTest$MessageReader.read");
  }

  private static void useTheLockTwice(boolean releasing) {
    AsyncLock lock = new AsyncLock();
    Task<?> cancelled =
        Asyncio.createTask(
            () -> {
              lock.acquire();
              try {
                Asyncio.sleep(SECOND);
              } catch (CancelledError e) {
                if (releasing) {
                  lock.release();
                }
                throw e;
              }
              lock.release();
            },
            "careless");
    Asyncio.yieldNow();
    cancelled.cancel();
    lock.acquire();
    lock.release();
  }

  @Test
  void aLockThatIsHeldAcrossACancellationIsFound() {
    VirtualLoop.run(() -> useTheLockTwice(true));

    assertThatThrownBy(() -> VirtualLoop.run(() -> useTheLockTwice(false)))
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("waits in AsyncLock.acquire() for AsyncLock[locked, 1 waiting")
        .hasMessageContaining("acquired by Task[careless, cancelled]");
  }
}
