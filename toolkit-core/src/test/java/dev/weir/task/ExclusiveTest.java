package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.Named.named;

import dev.weir.Asyncio;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExclusiveTest {
  private final List<String> order = new ArrayList<>();

  @Test
  void itReturnsWhatTheBodyReturns() {
    Loops.run(() -> {
      assertThat(Asyncio.<String>exclusive(() -> "x")).isEqualTo("x");
      Asyncio.exclusive(() -> {
        order.add("ran");
      });

      assertThat(order).containsExactly("ran");
    });
  }

  @Test
  void whatTheBodyThrowsIsThrownAsItIs() {
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.exclusive(() -> {
                throw failure;
              }))
          .isSameAs(failure);
    });
  }

  /** A call that may suspend. */
  interface Suspending {
    void on(Future<String> future) throws Exception;
  }

  static Stream<Named<Suspending>> suspendingCalls() {
    return Stream.of(
        call("Future.await", Future::await),
        call("Future.await(Class)", future -> future.await(IOException.class)),
        call("sleep", future -> Asyncio.sleep(Loops.LONG)),
        call("sleep(0)", future -> Asyncio.sleep(Duration.ZERO)),
        call("yieldNow", future -> Asyncio.yieldNow()),
        call("wait", future -> Asyncio.wait(List.of(future))),
        call("waitFor", future -> Asyncio.waitFor(future, Loops.LONG)),
        call("waitFor without time", future -> Asyncio.waitFor(future, Duration.ZERO)),
        call("waitFor a coroutine", future -> Asyncio.waitFor(() -> future.await(), Duration.ZERO)),
        call("asCompleted", future -> Asyncio.asCompleted(List.of(future)).iterator().next()),
        call("toThread", future -> Asyncio.toThread(() -> {})));
  }

  private static Named<Suspending> call(String name, Suspending call) {
    return named(name, call);
  }

  @ParameterizedTest
  @MethodSource("suspendingCalls")
  void aCallThatSuspendsIsRefusedAndChangesNothing(Suspending call) {
    Loops.run(() -> {
      Future<String> future = Loop.running().createFuture();
      Asyncio.createTask(() -> order.add("other task"));

      assertThatThrownBy(() -> Asyncio.exclusive(() -> call.on(future)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("exclusive code must not")
          .hasMessageContaining("before or after Asyncio.exclusive");

      assertThat(order).as("nothing else ran").isEmpty();
      assertThat(future.done()).isFalse();
    });
  }

  @Test
  void workThatWouldBeAwaitedDoesNotEvenBegin() {
    Loops.run(() -> {
      assertThatThrownBy(
              () -> Asyncio.exclusive(() -> Asyncio.toThread(() -> order.add("on a thread"))))
          .isInstanceOf(IllegalStateException.class);
      Loop.running().runInExecutor(() -> order.add("behind it")).await();

      assertThat(order).containsExactly("behind it");
    });
  }

  @Test
  void anAwaitIsRefusedEvenIfTheFutureIsDone() {
    Loops.run(() -> {
      Future<String> done = Loops.done("x");

      for (Action await :
          List.<Action>of(
              done::await,
              () -> Asyncio.wait(List.of(done)),
              () -> Asyncio.waitFor(done, Loops.LONG))) {
        assertThatThrownBy(() -> Asyncio.exclusive(await))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("exclusive code must not");
      }
    });
  }

  @Test
  void aBodyThatCatchesTheRefusalGoesOn() {
    Loops.run(() -> {
      String result =
          Asyncio.exclusive(() -> {
            try {
              Asyncio.yieldNow();
              return "yielded";
            } catch (IllegalStateException e) {
              return "refused";
            }
          });

      assertThat(result).isEqualTo("refused");
    });
  }

  @Test
  void afterwardsTheTaskMaySuspendAgain() {
    Loops.run(() -> {
      Asyncio.exclusive(() -> {});
      Asyncio.yieldNow();
      assertThatThrownBy(() -> Asyncio.exclusive(Asyncio::yieldNow))
          .isInstanceOf(IllegalStateException.class);

      Asyncio.yieldNow();
    });
  }

  @Test
  void otherTasksMaySuspendMeanwhileNotBeingExclusive() {
    Loops.run(() -> {
      Task<?> sleeper = Loops.sleeper();
      Asyncio.exclusive(() -> {
        sleeper.cancel();
        Loop.running().callSoon(() -> order.add("callback"));
      });
      Loops.settle();

      assertThat(sleeper.cancelled()).isTrue();
      assertThat(order).containsExactly("callback");
    });
  }

  @Test
  void itMayBeNestedAndEndsWithTheOuterOne() {
    Loops.run(() -> {
      assertThatThrownBy(() ->
              Asyncio.exclusive(() -> {
                Asyncio.exclusive(() -> order.add("inner"));
                Asyncio.yieldNow();
              }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("exclusive code must not");

      assertThat(order).containsExactly("inner");
    });
  }

  @Test
  void exclusiveNeedsATask() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();

      Loop.running().callSoon(() -> Asyncio.exclusive(() -> order.add("ran")));
      Loops.settle();

      assertThat(order).isEmpty();
      assertThat(errors)
          .singleElement()
          .satisfies(error -> assertThat(error.exception()).hasMessageContaining("exclusive()"));
    });
  }

  @Test
  void aBodyThatParksIsReportedAfterwardsWithItsStack() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call gives nobody the turn");
    Loops.run(() -> {
      CountDownLatch latch = new CountDownLatch(1);
      Asyncio.createTask(() -> {
        order.add("other task");
        latch.countDown();
      });

      assertThatThrownBy(() ->
              Asyncio.exclusive(() -> {
                parkFor(latch);
                order.add("body went on");
              }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("suspended in a blocking call")
          .hasMessageContaining("out of Asyncio.exclusive")
          .cause()
          .satisfies(cause ->
              assertThat(cause.getStackTrace())
                  .extracting(StackTraceElement::getMethodName)
                  .contains("parkFor"));

      assertThat(order).containsExactly("other task", "body went on");
      Asyncio.exclusive(() -> order.add("clean again"));
    });
  }

  private static void parkFor(CountDownLatch latch) throws InterruptedException {
    latch.await();
  }

  @Test
  void aBodyThatParkedAndThrowsThrowsItsOwn() {
    assumeTrue(Loops.mounted(), "on portable fibers a blocking call gives nobody the turn");
    IOException failure = new IOException("broken");

    Loops.run(() -> {
      CountDownLatch latch = new CountDownLatch(1);
      Asyncio.createTask(latch::countDown);

      assertThatThrownBy(() ->
              Asyncio.exclusive(() -> {
                parkFor(latch);
                throw failure;
              }))
          .isSameAs(failure);

      Asyncio.exclusive(() -> order.add("clean again"));
    });
  }

  @Test
  void onPortableFibersABodyThatBlocksIsExclusiveAllTheSame() {
    assumeFalse(Loops.mounted(), "on mounted fibers a blocking call lets others run");
    Loops.run(() -> {
      CountDownLatch latch = new CountDownLatch(1);
      Asyncio.createTask(() -> order.add("other task"));
      Thread.ofPlatform().start(latch::countDown);

      Asyncio.exclusive(() -> parkFor(latch));

      assertThat(order).isEmpty();
    });
  }
}
