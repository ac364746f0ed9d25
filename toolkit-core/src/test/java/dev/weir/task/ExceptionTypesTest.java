package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.IncompleteReadException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.WriteBufferFullException;
import dev.weir.sync.AsyncBarrier;
import dev.weir.sync.AsyncLock;
import dev.weir.sync.AsyncQueue;
import dev.weir.sync.BrokenBarrierException;
import dev.weir.sync.QueueShutDownException;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which exception stands for which of asyncio's, what it derives from, and what it says. */
class ExceptionTypesTest {
  static List<Arguments> bases() {
    return List.of(
        Arguments.of(CancelledError.class, Error.class),
        Arguments.of(TimeoutException.class, IOException.class),
        Arguments.of(InvalidStateException.class, IllegalStateException.class),
        Arguments.of(IncompleteReadException.class, EOFException.class),
        Arguments.of(LimitOverrunException.class, IOException.class),
        Arguments.of(WriteBufferFullException.class, IOException.class),
        Arguments.of(ConnectionResetException.class, SocketException.class),
        Arguments.of(BrokenBarrierException.class, IllegalStateException.class),
        Arguments.of(QueueShutDownException.class, IllegalStateException.class),
        Arguments.of(ExceptionGroup.class, RuntimeException.class),
        Arguments.of(SignalException.class, RuntimeException.class));
  }

  @ParameterizedTest
  @MethodSource("bases")
  void eachDerivesFromWhatItsCallersCatch(Class<?> type, Class<?> base) {
    assertThat(type.getSuperclass()).isEqualTo(base);
    assertThat(type).isPublic().isFinal();
  }

  // --- CancelledError

  @Test
  void aCancellationPassesThroughCatchException() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Task<?> task =
          Loop.running()
              .createTask(() -> {
                try {
                  Bodies.sleepLong();
                } catch (Exception e) {
                  order.add("caught");
                } finally {
                  order.add("finally");
                }
                order.add("went on");
              });
      Loop.running().yieldNow();

      task.cancel();
      Loops.settle();

      assertThat(task.cancelled()).isTrue();
      assertThat(order).containsExactly("finally");
    });
  }

  @Test
  void aCancellationSaysWhatTheOneWhoCancelledSaid() {
    assertThat(new CancelledError("enough")).hasMessage("enough").hasNoCause();
    assertThat(new CancelledError(null)).hasMessage(null).hasNoCause();

    InterruptedException cause = new InterruptedException();
    assertThat(new CancelledError("enough", cause)).hasCause(cause);
  }

  @Test
  void aCancellationBecomesTheJdksOwnAtABridgeAndBack() {
    Loops.run(() -> {
      Future<String> cancelled = Loop.running().createFuture();
      CompletableFuture<String> outside = cancelled.toCompletableFuture();
      cancelled.cancel();
      Loops.settle();
      assertThatThrownBy(outside::join).isInstanceOf(CancellationException.class);

      CompletableFuture<String> stage = new CompletableFuture<>();
      Future<String> inside = Loop.running().wrapFuture(stage);
      stage.cancel(false);
      assertThatThrownBy(inside::await)
          .isInstanceOf(CancelledError.class)
          .hasCauseInstanceOf(CancellationException.class);
    });
  }

  // --- TimeoutException

  @Test
  void aTimeoutIsCaughtWithTheErrorsOfInputAndOutput() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      try {
        Timeout.at(Loop.running().time()).run(timeout -> Bodies.sleepLong());
      } catch (IOException e) {
        order.add(e.getClass().getName());
      }

      assertThat(order).containsExactly("dev.weir.task.TimeoutException");
    });
  }

  @Test
  void aTimeoutKeepsItsMessageAndCause() {
    CancelledError cause = new CancelledError("deadline");

    assertThat(new TimeoutException("late", cause)).hasMessage("late").hasCause(cause);
    assertThat(new TimeoutException("late")).hasMessage("late").hasNoCause();
    assertThat(new TimeoutException(null)).hasMessage(null);
  }

  // --- Of streams

  @Test
  void anIncompleteReadTellsWhatCameAndWhatWasExpected() {
    byte[] partial = bytes("abc");
    IncompleteReadException exception = new IncompleteReadException(partial, 10);
    partial[0] = 'x';
    exception.partial()[1] = 'x';

    assertThat(exception.partial()).as("a copy").isEqualTo(bytes("abc"));
    assertThat(exception.expected()).isEqualTo(10);
    assertThat(exception).hasMessage("3 bytes read on a total of 10 expected bytes");
  }

  @Test
  void anIncompleteReadUpToASeparatorExpectedNoCertainLength() {
    IncompleteReadException exception =
        new IncompleteReadException(bytes("abc"), IncompleteReadException.UNKNOWN);

    assertThat(exception.expected()).isEqualTo(IncompleteReadException.UNKNOWN).isNegative();
    assertThat(exception).hasMessage("3 bytes read on a total of undefined expected bytes");
  }

  @Test
  void aLimitOverrunTellsHowMuchCanBeSkipped() {
    LimitOverrunException exception = new LimitOverrunException("too long", 42);

    assertThat(exception.consumed()).isEqualTo(42);
    assertThat(exception).hasMessage("too long");
  }

  @Test
  void aResetKeepsWhatTheTransportSaid() {
    IOException reported = new IOException("Connection reset by peer");

    assertThat(new ConnectionResetException("lost", reported))
        .hasMessage("lost")
        .hasCause(reported);
    assertThat(new ConnectionResetException("aborted", null)).hasNoCause();
  }

  // --- Of queues and barriers

  @Test
  void anEmptyAndAFullQueueThrowWhatTheJdksQueuesThrow() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>(1);

      assertThatThrownBy(queue::getNowait)
          .isExactlyInstanceOf(NoSuchElementException.class)
          .hasMessageContaining("empty")
          .hasMessageContaining("get() waits");
      queue.putNowait("x");
      assertThatThrownBy(() -> queue.putNowait("y"))
          .isExactlyInstanceOf(IllegalStateException.class)
          .hasMessageContaining("full")
          .hasMessageContaining("put() waits");
    });
  }

  @Test
  void aQueueThatIsShutDownSaysSo() {
    Loops.run(() -> {
      AsyncQueue<String> queue = new AsyncQueue<>();
      queue.shutdown();

      assertThatThrownBy(() -> queue.putNowait("x"))
          .isInstanceOf(QueueShutDownException.class)
          .hasMessageContaining("shut down");
      assertThatThrownBy(queue::getNowait)
          .isInstanceOf(QueueShutDownException.class)
          .hasMessageContaining("shut down");
    });
  }

  @Test
  void aBrokenBarrierSaysWhatToDo() {
    Loops.run(() -> {
      AsyncBarrier barrier = new AsyncBarrier(2);
      barrier.abort();

      assertThatThrownBy(barrier::await)
          .isInstanceOf(BrokenBarrierException.class)
          .hasMessageContaining("broken")
          .hasMessageContaining("reset()");
    });
  }

  // --- Of bad use

  @Test
  void badUseThrowsTheJdksOwnExceptions() {
    Loops.run(() -> {
      assertThatThrownBy(() -> new AsyncLock().release())
          .as("asyncio's RuntimeError")
          .isExactlyInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not locked");
      assertThatThrownBy(() -> new AsyncBarrier(0))
          .as("asyncio's ValueError")
          .isExactlyInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("parties < 1: 0");
      assertThatThrownBy(() -> Loop.running().createTask((Coroutine<String>) null))
          .as("asyncio's TypeError")
          .isExactlyInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");
      assertThatThrownBy(() -> Loop.running().createFuture().result())
          .as("asyncio's InvalidStateError")
          .isExactlyInstanceOf(InvalidStateException.class)
          .hasMessageContaining("await()");
    });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
