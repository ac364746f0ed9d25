package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Task;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong with the file that is sent, and whom it concerns. */
@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class FileSendingTest {
  @TempDir Path folder;

  private Path newFifo() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "mkfifo is not installed");
    Path fifo = folder.resolve("fifo");
    Process mkfifo = new ProcessBuilder("/usr/bin/mkfifo", fifo.toString()).start();
    assertThat(mkfifo.waitFor(10, TimeUnit.SECONDS)).isTrue();
    return fifo;
  }

  @Test
  void fifosAreRefusedAndHoldUpNoWorker() throws Exception {
    Path fifo = newFifo();
    Path file = Files.writeString(folder.resolve("file"), "contents");
    MemoryPeer.run(peer -> {
      for (int i = 0; i < 100; i++) { // More than there are workers.
        assertThatExceptionOfType(FileSystemException.class)
            .isThrownBy(() -> peer.writer().sendFile(fifo))
            .withMessageContaining(fifo.toString())
            .withMessageContaining("a FIFO, a device or a socket");
      }

      assertThat(peer.writer().sendFile(file)).isEqualTo(8);
      assertThat(text(peer.receive(8))).isEqualTo("contents");
    });
  }

  @Test
  void aDirectoryIsRefusedAndTheConnectionLivesOn() {
    MemoryPeer.run(peer -> {
      assertThatExceptionOfType(FileSystemException.class)
          .isThrownBy(() -> peer.writer().sendFile(folder))
          .withMessage(folder + ": It is a directory, and only regular files can be sent");

      peer.writer().write("next");
      assertThat(text(peer.receive(4))).isEqualTo("next");
    });
  }

  @Test
  void aTaskThatIsCancelledDoesNotWaitForTheOpeningAndTheFileIsClosed() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "contents");
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<FileChannel> opened = new CompletableFuture<>();
    MemoryPeer.run(peer -> {
      Task<Long> sending =
          Asyncio.createTask(() ->
              FileSending.send(
                  peer.writer(),
                  Asyncio.runningLoop(),
                  () -> {
                    begun.countDown();
                    awaitUninterruptibly(goOn);
                    opened.complete(FileChannel.open(file));
                    return opened.join();
                  }));
      while (begun.getCount() > 0) {
        Asyncio.yieldNow();
      }

      sending.cancel();

      assertThatThrownBy(sending::await).isInstanceOf(CancelledError.class);
      goOn.countDown();
      while (!opened.isDone() || opened.join().isOpen()) {
        Asyncio.yieldNow();
      }
      peer.writer().write("next");
      assertThat(text(peer.receive(4))).isEqualTo("next");
    });
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // As a system call would.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aFileThatGetsShorterAbortsTheConnectionAndIsNoLossOfIt() throws Exception {
    Path file = Files.write(folder.resolve("file"), new byte[16 << 20]);
    MemoryPeer.run(peer -> {
      Task<Long> sending = Asyncio.createTask(() -> peer.writer().sendFile(file));
      peer.receive(1);
      try (FileChannel shortened = FileChannel.open(file, StandardOpenOption.WRITE)) {
        shortened.truncate(0);
      }

      assertThatExceptionOfType(ConnectionResetException.class).isThrownBy(peer::receiveAll);
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> sending.await(IOException.class))
          .isNotInstanceOf(ConnectionResetException.class)
          .withMessageStartingWith("The file became shorter while it was sent");
    });
  }

  @Test
  void whatIsWrongWithTheFileIsReportedAsTheHandlersFailure() {
    List<ExceptionContext> reports =
        MemoryServer.reportsOf(
            (reader, writer) -> writer.sendFile(folder),
            (server, port) -> {
              try (Connection connection = MemoryServer.connect(port)) {
                assertThat(connection.reader().readAll()).isEmpty();
              }
            });

    assertThat(reports)
        .singleElement()
        .satisfies(
            report -> assertThat(report.exception()).isInstanceOf(FileSystemException.class));
  }
}
