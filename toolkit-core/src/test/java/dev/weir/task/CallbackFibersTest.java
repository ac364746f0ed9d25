package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** What the callbacks that share a fiber leave to each other, and what they leave at the end. */
class CallbackFibersTest {
  /** Bounds a wait that takes this long only if the test fails. */
  private static final Duration FAILED = Duration.ofSeconds(10);

  private final List<String> order = new CopyOnWriteArrayList<>();
  private final List<ExceptionContext> errors = new ArrayList<>();
  private final List<Thread> threads = new CopyOnWriteArrayList<>();

  @Test
  void anInterruptThatACallbackLeavesReachesNoOther() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      loop.callSoon(() -> Thread.currentThread().interrupt());
      loop.callSoon(() -> order.add("next: " + Thread.currentThread().isInterrupted()));
      loop.callSoon(() -> Thread.currentThread().interrupt());
      Loops.settle();
      loop.callSoon(() -> order.add("rounds later: " + Thread.currentThread().isInterrupted()));
      Loops.settle();
    });

    assertThat(order).containsExactly("next: false", "rounds later: false");
  }

  @Test
  void aCallbackInABlockingCallIsReportedAndInterruptedWhenItsLoopCloses()
      throws InterruptedException {
    assumeTrue(Loops.mounted(), "on portable fibers it holds the turn, so nobody could close");
    Loop loop = open();
    Handle[] handle = new Handle[1];
    handle[0] =
        loop.callSoon(() -> {
          threads.add(Thread.currentThread());
          awaitForeign(new CountDownLatch(1));
        });
    runOneRound(loop);

    loop.close();

    assertThat(threads.getFirst().join(FAILED)).isTrue();
    assertThat(order).containsExactly("interrupted");
    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message()).contains("callback").contains("blocking call");
    assertThat(errors.getFirst().handle()).isSameAs(handle[0]);
    assertThat(errors.getFirst().exception().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("awaitForeign");
  }

  @Test
  void aCallbackThatWasInABlockingCallAndHasEndedIsNotReported() throws InterruptedException {
    assumeTrue(Loops.mounted(), "on portable fibers it holds the turn");
    Loop loop = open();
    CountDownLatch latch = new CountDownLatch(1);
    loop.callSoon(() -> awaitForeign(latch));
    loop.callSoon(() -> {
      threads.add(Thread.currentThread());
      latch.countDown();
    });
    loop.callSoon(() -> order.add("next"));
    runOneRound(loop);
    runOneRound(loop);

    loop.close();

    assertThat(threads.getFirst().join(FAILED)).isTrue();
    assertThat(order).containsExactly("next");
    assertThat(errors).isEmpty();
  }

  @Test
  void aCallbackThatOutlivesItsLoopHoldsNothingOfIt() throws InterruptedException {
    assumeTrue(Loops.mounted(), "on portable fibers it holds the turn, so nobody could close");
    Loop loop = open();
    CountDownLatch mayEnd = new CountDownLatch(1);
    loop.callSoon(() -> {
      threads.add(Thread.currentThread());
      Loops.awaitThroughInterrupts(mayEnd);
      order.add("ended");
    });
    loop.callSoon(() -> order.add("next"));
    runOneRound(loop);

    loop.close();
    assertThat(loop.carrier.thread.isAlive()).isFalse();
    mayEnd.countDown();

    assertThat(threads.getFirst().join(FAILED)).isTrue();
    assertThat(order).containsExactly("next", "ended");
    assertThat(errors).hasSize(1);
  }

  private void awaitForeign(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      order.add("interrupted");
    }
  }

  private Loop open() {
    Loop loop = Loops.open();
    loop.setExceptionHandler((l, context) -> errors.add(context));
    return loop;
  }

  private static void runOneRound(Loop loop) {
    loop.stop();
    loop.runForever();
  }
}
