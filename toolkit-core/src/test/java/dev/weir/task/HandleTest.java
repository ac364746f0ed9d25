package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class HandleTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final ContextVar<String> USER = new ContextVar<>("user", "nobody");

  private final List<String> order = new CopyOnWriteArrayList<>();

  // --- Cancelling

  @Test
  void aCancelledCallbackDoesNotRun() {
    Loops.run(() -> {
      Handle handle = Loop.running().callSoon(() -> order.add("called"));

      handle.cancel();
      handle.cancel();
      Loops.settle();

      assertThat(handle.cancelled()).isTrue();
      assertThat(order).isEmpty();
    });
  }

  @Test
  void aCallbackThatRanIsNotCancelledAfterwards() {
    Loops.run(() -> {
      Handle handle = Loop.running().callSoon(() -> {});
      Loops.settle();

      handle.cancel();

      assertThat(handle.cancelled()).isFalse();
    });
  }

  @Test
  void aCancelledHandleLetsGoOfItsCallback() {
    Loops.run(() -> {
      Handle soon = Loop.running().callSoon(() -> {});
      TimerHandle later = Loop.running().callLater(LONG, new Callback());
      WeakReference<Runnable> callback = new WeakReference<>(new Callback());
      Handle observed = Loop.running().callLater(LONG, callback.get());

      List.of(soon, later, observed).forEach(Handle::cancel);
      while (callback.get() != null) {
        System.gc(); // Until the collector has seen it; the test's time limit bounds this.
      }

      assertThat(later.toString()).contains("cancelled").doesNotContain("Callback");
    });
  }

  private static final class Callback implements Runnable {
    @Override
    public void run() {}
  }

  @Test
  void aHandleCancelledByAnotherThreadRanOrWasCancelled() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (int i = 0; i < 500; i++) {
        AtomicInteger ran = new AtomicInteger();
        Handle handle = loop.callSoon(ran::incrementAndGet);
        Future<?> cancelling =
            loop.runInExecutor(() -> {
              handle.cancel();
              return null;
            });
        cancelling.await();
        Loops.settle();

        assertThat(ran.get()).isEqualTo(handle.cancelled() ? 0 : 1);
      }
    });
  }

  // --- Handles of callSoonThreadsafe

  @Test
  void aCallbackHandedOverIsCancelledFromItsThread() throws InterruptedException {
    try (Loop loop = Loops.open()) {
      Handle handle = loop.callSoonThreadsafe(() -> order.add("called"));

      Thread.ofPlatform()
          .start(() -> {
            handle.cancel();
            order.add("cancelled: " + handle.cancelled());
          })
          .join();
      loop.stop();
      loop.runForever();
    }

    assertThat(order).containsExactly("cancelled: true");
  }

  @Test
  void cancellingACallbackThatRunsWaitsForItsEnd() {
    assertWaitsForTheCallback(Handle::cancel);
  }

  @Test
  void askingWhetherACallbackThatRunsIsCancelledWaitsForItsEnd() {
    assertWaitsForTheCallback(handle -> order.add("cancelled: " + handle.cancelled()));
    assertThat(order).contains("cancelled: false");
  }

  private void assertWaitsForTheCallback(Consumer<Handle> call) {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Handle[] handle = new Handle[1];
      List<Thread> callers = new ArrayList<>();
      handle[0] =
          loop.callSoonThreadsafe(() -> {
            Thread caller =
                Thread.ofPlatform()
                    .start(() -> {
                      call.accept(handle[0]);
                      order.add("caller goes on");
                    });
            callers.add(caller);
            // If the caller did not wait it would end, and say so first.
            while (caller.getState() != Thread.State.WAITING
                && caller.getState() != Thread.State.TERMINATED) {
              Thread.onSpinWait();
            }
            order.add("callback ends");
          });
      Loops.settle();
      loop.runInExecutor(
              () -> {
                callers.getFirst().join();
                return null;
              })
          .await();
    });

    assertThat(order).startsWith("callback ends").endsWith("caller goes on");
  }

  @Test
  void aCallbackThatCancelsItselfGoesOn() {
    Loops.run(() -> {
      Handle[] handle = new Handle[1];
      handle[0] =
          Loop.running()
              .callSoonThreadsafe(() -> {
                handle[0].cancel();
                order.add("cancelled: " + handle[0].cancelled());
              });
      Loops.settle();

      handle[0].cancel();
      order.add("cancelled afterwards: " + handle[0].cancelled());
    });

    assertThat(order).containsExactly("cancelled: false", "cancelled afterwards: false");
  }

  @Test
  void aCallbackThatAClosedLoopDroppedKeepsNobodyWaiting() {
    Loop loop = Loops.open();
    Handle handle = loop.callSoonThreadsafe(() -> order.add("called"));
    loop.close();

    assertThat(handle.cancelled()).isFalse();
    handle.cancel();

    assertThat(handle.cancelled()).isTrue();
    assertThat(order).isEmpty();
  }

  // --- Context

  @Test
  void aCallbackRunsInACopyOfTheCallersContextOrInTheOneItIsGiven() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Context given = Context.empty();
      given.run(() -> USER.set("given"));
      Runnable look = () -> order.add(USER.get());

      USER.set("main");
      Handle copied = loop.callSoon(look);
      List<Handle> handles =
          List.of(
              loop.callSoon(look, given),
              loop.callSoonThreadsafe(look, given),
              loop.callLater(Duration.ZERO, look, given),
              loop.callAt(Duration.ZERO, look, given));
      USER.set("changed later");
      Loops.settle();

      assertThat(order).containsExactlyInAnyOrder("main", "given", "given", "given", "given");
      assertThat(handles).extracting(Handle::context).containsOnly(given);
      copied.context().run(() -> assertThat(USER.get()).isEqualTo("main"));
    });
  }

  @Test
  void whatACallbackSetsStaysInItsContext() {
    Loops.run(() -> {
      Context given = Context.empty();

      Loop.running().callSoon(() -> USER.set("callback"), given);
      Loop.running().callSoon(() -> order.add(USER.get()), given);
      Loops.settle();

      assertThat(order).containsExactly("callback");
      assertThat(USER.get()).isEqualTo("nobody");
    });
  }

  // --- Timers

  @Test
  void timersCompareByTheirTimeThenByTheirMaking() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      TimerHandle late = loop.callAt(LONG.plusNanos(1), () -> {});
      TimerHandle early = loop.callAt(LONG, () -> {});
      TimerHandle earlyToo = loop.callAt(LONG, () -> {});

      assertThat(new ArrayList<>(List.of(late, earlyToo, early)).stream().sorted())
          .containsExactly(early, earlyToo, late);
      assertThat(early.when()).isEqualTo(LONG);
    });
  }

  @Test
  void aTimerTellsWhenItIsDueAndDoesNotFireOnceCancelled() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Duration when = loop.time().plusMillis(1);
      TimerHandle cancelled = loop.callAt(when, () -> order.add("fired"));
      assertThat(cancelled.when()).isEqualTo(when);

      cancelled.cancel();
      loop.sleep(Duration.ofMillis(3));

      assertThat(order).isEmpty();
      assertThat(cancelled.cancelled()).isTrue();
    });
  }

  @Test
  void aTimerCancelledByAnotherThreadDoesNotFire() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      TimerHandle timer = loop.callAt(loop.time().plusMillis(1), () -> order.add("fired"));
      while (!timer.cancelled()) {
        loop.runInExecutor(
                () -> {
                  timer.cancel();
                  return null;
                })
            .await();
        if (!order.isEmpty()) {
          return; // The other thread came too late.
        }
      }
      loop.sleep(Duration.ofMillis(2));

      assertThat(order).isEmpty();
    });
  }
}
