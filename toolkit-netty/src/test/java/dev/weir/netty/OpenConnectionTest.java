package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.task.CancelledError;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Task;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class OpenConnectionTest {
  @EachTransportAndIoUring
  void aRefusedConnectionNamesTheAddress(String transport) {
    OnLoop.run(
        transport,
        () -> {
          int port = freePort();
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", port))
              .withMessage("Connection refused: 127.0.0.1:" + port);
          assertThatExceptionOfType(ConnectException.class)
              .isThrownBy(() -> Asyncio.openConnection("localhost", port));
        });
  }

  @EachTransportAndIoUring
  void anUnknownHostIsSaidToBe(String transport) {
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(UnknownHostException.class)
                .isThrownBy(() -> Asyncio.openConnection("no-such-host.invalid", 1))
                .withMessageContaining("no-such-host.invalid"));
  }

  @EachTransportAndIoUring
  void anUnknownHostThatNobodyWaitsForAnyMoreIsNoErrorToReport(String transport) {
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () -> {
              Asyncio.runningLoop().setDefaultExecutor(new InlineExecutor());
              Task<?> connecting =
                  Asyncio.createTask(() -> Asyncio.openConnection("no-such-host.invalid", 1));
              Asyncio.yieldNow();

              connecting.cancel(); // The answer is there, and has not reached the loop yet.
              OnLoop.passRounds(5);

              assertThat(connecting.cancelled()).isTrue();
            });

    assertThat(reports).isEmpty();
  }

  @EachTransportAndIoUring
  void aLookupThatTakesTooLongTimesOutWhileTheLoopGoesOn(String transport) {
    OnLoop.run(
        transport,
        () -> {
          CountDownLatch answered = new CountDownLatch(1);
          ExecutorService resolver = Executors.newSingleThreadExecutor();
          resolver.execute(() -> awaitQuietly(answered)); // Whatever is looked up waits behind it.
          Asyncio.runningLoop().setDefaultExecutor(resolver);
          try {
            ConnectOptions impatient =
                ConnectOptions.defaults().withConnectTimeout(Duration.ofMillis(50));
            Task<?> connecting =
                Asyncio.createTask(() -> Asyncio.openConnection("localhost", 1, impatient));
            OnLoop.passRounds(10);

            assertThatExceptionOfType(SocketTimeoutException.class)
                .isThrownBy(() -> connecting.await(IOException.class))
                .withMessage("The name localhost was not looked up within 0.05 s");
          } finally {
            answered.countDown();
          }
        });
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Works on the thread that hands the work over. */
  private static final class InlineExecutor extends AbstractExecutorService {
    private boolean shutDown;

    @Override
    public void execute(Runnable work) {
      work.run();
    }

    @Override
    public void shutdown() {
      shutDown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
      shutDown = true;
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return shutDown;
    }

    @Override
    public boolean isTerminated() {
      return shutDown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return shutDown;
    }
  }

  @EachTransportAndIoUring
  void aPortOutOfRangeIsSaidToBe(String transport) {
    OnLoop.run(
        transport,
        () ->
            assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", 70_000))
                .withMessageContaining("70000"));
  }

  @EachTransportAndIoUring
  void aConnectThatNobodyAnswersTimesOut(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (FullListener listener = new FullListener()) {
            ConnectOptions impatient =
                ConnectOptions.defaults().withConnectTimeout(Duration.ofMillis(50));
            assertThatExceptionOfType(SocketTimeoutException.class)
                .isThrownBy(() -> Asyncio.openConnection("127.0.0.1", listener.port(), impatient))
                .withMessageContaining("127.0.0.1:" + listener.port());
          }
        });
  }

  @EachTransportAndIoUring
  void theLongestTimeoutThereIsConnects(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ConnectOptions patient =
                ConnectOptions.defaults().withConnectTimeout(Duration.ofSeconds(Long.MAX_VALUE));
            Asyncio.openConnection("127.0.0.1", listener.getLocalPort(), patient).close();
          }
        });
  }

  @EachTransportAndIoUring
  void aCancelledConnectIsGivenUp(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (FullListener listener = new FullListener()) {
            long before = Descriptors.open();
            Task<?> connecting =
                Asyncio.createTask(() -> Asyncio.openConnection("127.0.0.1", listener.port()));
            OnLoop.passRounds(3);

            connecting.cancel();

            assertThatExceptionOfType(CancelledError.class).isThrownBy(connecting::await);
            OnLoop.passRounds(3);
            assertThat(Descriptors.open()).isLessThanOrEqualTo(before);
          }
        });
  }

  /** Cancels in every round in turn, so also in the one in which the connection is made. */
  @EachTransportAndIoUring
  void aConnectCancelledInAnyRoundLeavesNoConnection(String transport) {
    OnLoop.run(
        transport,
        () -> {
          for (int round = 0; round < 12; round++) {
            try (ServerSocket listener =
                new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
              int port = listener.getLocalPort();
              Task<Connection> connecting =
                  Asyncio.createTask(() -> Asyncio.openConnection("127.0.0.1", port));
              OnLoop.passRounds(round);
              boolean cancelled = connecting.cancel();
              OnLoop.passRounds(4);

              if (cancelled && connecting.cancelled()) {
                assertNothingHeldOpen(listener);
              } else {
                connecting.await().close();
              }
            }
          }
        });
  }

  private static void assertNothingHeldOpen(ServerSocket listener) throws IOException {
    listener.setSoTimeout(1);
    Socket accepted;
    try {
      accepted = listener.accept();
    } catch (SocketTimeoutException e) {
      return; // It never came to a connection.
    }
    try (accepted) {
      assertThat(OnLoop.onWorker(() -> isEnded(accepted)).await()).isTrue();
    }
  }

  private static boolean isEnded(Socket socket) {
    try {
      return socket.getInputStream().read() == -1;
    } catch (IOException e) {
      return true; // Reset.
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** A listener whose queue is full: the kernel answers no further attempt. */
  private static final class FullListener implements AutoCloseable {
    private final ServerSocket listener =
        new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    private final List<SocketChannel> fillers = new ArrayList<>();

    FullListener() throws IOException {
      for (int i = 0; i < 4; i++) {
        SocketChannel filler = SocketChannel.open();
        filler.configureBlocking(false);
        filler.connect(new InetSocketAddress("127.0.0.1", port()));
        fillers.add(filler);
      }
      assumeTrue(fillers.getFirst().finishConnect(), "the kernel here does not connect at once");
    }

    int port() {
      return listener.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      for (SocketChannel filler : fillers) {
        filler.close();
      }
      listener.close();
    }
  }
}
