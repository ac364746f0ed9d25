package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.Named.named;

import dev.weir.Asyncio;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the JDK's blocking calls do when the task that is in them is asked to end. */
class BlockingCallCancelTest {
  @BeforeEach
  void needsMountedFibers() {
    assumeTrue(
        Loops.mounted(), "on portable fibers a blocked task holds the turn: none can cancel");
  }

  /** A call that blocks until it is interrupted, and what it throws then. */
  record Blocking(Action call, Class<? extends Exception> thrown) {}

  static Stream<Named<Blocking>> blockingCalls() {
    return Stream.of(
        blocking("Thread.sleep", () -> Thread.sleep(Loops.LONG), InterruptedException.class),
        blocking(
            "BlockingQueue.take",
            () -> new LinkedBlockingQueue<>().take(),
            InterruptedException.class),
        blocking(
            "CountDownLatch.await",
            () -> new CountDownLatch(1).await(),
            InterruptedException.class),
        blocking("Object.wait", BlockingCallCancelTest::waitOnAMonitor, InterruptedException.class),
        blocking(
            "Lock.lockInterruptibly",
            BlockingCallCancelTest::lockWhatAnotherThreadHolds,
            InterruptedException.class),
        blocking("Thread.join", () -> Thread.currentThread().join(), InterruptedException.class),
        blocking("Socket.read", BlockingCallCancelTest::readFromASocket, SocketException.class),
        blocking(
            "ServerSocket.accept", BlockingCallCancelTest::acceptOnASocket, SocketException.class),
        blocking(
            "ReadableByteChannel.read",
            BlockingCallCancelTest::readFromAPipe,
            ClosedByInterruptException.class));
  }

  private static Named<Blocking> blocking(
      String name, Action call, Class<? extends Exception> thrown) {
    return named(name, new Blocking(call, thrown));
  }

  private static void waitOnAMonitor() throws InterruptedException {
    Object monitor = new Object();
    synchronized (monitor) {
      while (true) {
        monitor.wait();
      }
    }
  }

  private static void lockWhatAnotherThreadHolds() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    CountDownLatch held = new CountDownLatch(1);
    Thread holder =
        Thread.ofPlatform()
            .start(() -> {
              lock.lock();
              held.countDown();
              while (!Thread.interrupted()) {
                LockSupport.park();
              }
              lock.unlock();
            });
    try {
      held.await();
      lock.lockInterruptibly();
    } finally {
      holder.interrupt();
    }
  }

  private static void readFromASocket() throws IOException {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket silent = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
      silent.getInputStream().read();
    }
  }

  private static void acceptOnASocket() throws IOException {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      listener.accept().close();
    }
  }

  private static void readFromAPipe() throws IOException {
    Pipe pipe = Pipe.open();
    try (var source = pipe.source();
        var sink = pipe.sink()) {
      source.read(ByteBuffer.allocate(1));
      sink.write(ByteBuffer.allocate(1));
    }
  }

  @ParameterizedTest
  @MethodSource("blockingCalls")
  void aTaskThatIsCancelledThereIsCancelledAndKeepsTheCause(Blocking blocking) {
    Loops.run(() -> {
      Task<?> task = Asyncio.createTask(blocking.call());
      Loops.untilParked(task);

      assertThat(task.cancel("enough")).isTrue();
      assertThat(task.done()).as("it may clean up first").isFalse();

      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledError.class)
          .hasMessage("enough")
          .hasCauseInstanceOf(blocking.thrown());
      assertThat(task.cancelled()).isTrue();
      assertThat(task.cancelling()).isEqualTo(1);
    });
  }

  @ParameterizedTest
  @MethodSource("blockingCalls")
  void aDeadlineThatPassesThereIsATimeoutWithTheCause(Blocking blocking) {
    Loops.run(() -> {
      assertThatThrownBy(
              () -> Asyncio.timeout(Duration.ofMillis(1)).run(scope -> blocking.call().run()))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(blocking.thrown());

      assertThat(Thread.currentThread().isInterrupted()).as("the flag afterwards").isFalse();
      assertThat(Asyncio.currentTask().cancelling()).isZero();
      Asyncio.yieldNow(); // Nothing is left to be thrown.
    });
  }
}
