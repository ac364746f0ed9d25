package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Work that crosses between a loop and other threads. */
class ThreadsTest {
  private final IOException failure = new IOException("broken");
  private final ContextVar<String> variable = new ContextVar<>("variable", "default");

  // --- toThread

  @Test
  void toThreadRunsTheWorkOnAWorkerAndReturnsItsResult() {
    Loops.run(() -> {
      String worker = Asyncio.toThread(() -> Thread.currentThread().getName());

      assertThat(worker).startsWith(Loop.running().carrier.thread.getName() + "-worker-");
    });
  }

  @Test
  void toThreadTakesWorkWithoutAResult() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      Asyncio.toThread(() -> {
        order.add("worked");
      });

      assertThat(order).containsExactly("worked");
    });
  }

  @Test
  void toThreadThrowsTheVeryExceptionOfTheWork() {
    Loops.run(() ->
        assertThatThrownBy(() ->
                Asyncio.toThread(() -> {
                  throw failure;
                }))
            .isSameAs(failure));
  }

  @Test
  void otherTasksRunWhileTheWorkDoes() {
    Loops.run(() -> {
      CountDownLatch latch = new CountDownLatch(1);
      Asyncio.createTask(latch::countDown);

      Asyncio.toThread(() -> latch.await());
    });
  }

  @Test
  void theWorkSeesACopyOfTheCallersContext() {
    Loops.run(() -> {
      Loop.running().setDefaultExecutor(Executors.newSingleThreadExecutor());
      variable.set("caller's");

      String seen =
          Asyncio.toThread(() -> {
            String before = variable.get();
            variable.set("worker's");
            return before;
          });

      assertThat(seen).isEqualTo("caller's");
      assertThat(variable.get()).isEqualTo("caller's");
      assertThat(Loop.running().<String>runInExecutor(variable::get).await())
          .as("nothing stays on the worker, and runInExecutor copies nothing")
          .isEqualTo("default");
    });
  }

  @Test
  void cancellingTheAwaitDoesNotStopTheThread() {
    Loops.run(() -> {
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch mayEnd = new CountDownLatch(1);
      CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
      Task<?> task =
          Asyncio.createTask(() ->
              Asyncio.toThread(() -> {
                begun.countDown();
                mayEnd.await();
                interrupted.complete(Thread.currentThread().isInterrupted());
              }));
      Asyncio.yieldNow();
      begun.await();

      task.cancel("enough");
      assertThatThrownBy(task::await).isInstanceOf(CancelledError.class).hasMessage("enough");
      mayEnd.countDown();

      assertThat(Asyncio.wrapFuture(interrupted).await()).isFalse();
    });
  }

  @Test
  void toThreadNeedsATask() {
    assertThatThrownBy(() -> Asyncio.toThread(() -> "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loop.running().callSoon(() -> Asyncio.toThread(() -> {}));
      Loops.settle();

      assertThat(errors)
          .singleElement()
          .satisfies(error -> assertThat(error.exception()).hasMessageContaining("toThread()"));
    });
  }

  // --- runCoroutineThreadsafe

  @Test
  void aThreadGetsTheResultOfACoroutineThatRunsAsATaskOfTheLoop() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      String seen =
          Asyncio.toThread(() ->
              Asyncio.runCoroutineThreadsafe(
                      () -> {
                        Asyncio.yieldNow();
                        return Loop.running() == loop && Asyncio.currentTask() != null
                            ? "on the loop"
                            : "elsewhere";
                      },
                      loop)
                  .get());

      assertThat(seen).isEqualTo("on the loop");
    });
  }

  @Test
  void aThreadGetsTheVeryExceptionOfTheCoroutine() {
    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loop loop = Loop.running();
      Throwable thrown =
          Asyncio.toThread(() -> {
            CompletableFuture<String> future =
                Asyncio.runCoroutineThreadsafe(
                    () -> {
                      throw failure;
                    },
                    loop);
            try {
              return new AssertionError(future.get());
            } catch (ExecutionException e) {
              return e.getCause();
            }
          });

      assertThat(thrown).isSameAs(failure);
      assertThat(errors).isEmpty();
    });
  }

  @Test
  void theCoroutineRunsInACopyOfTheContextOfTheThread() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      String seen =
          Asyncio.toThread(() -> {
            variable.set("thread's");
            return Asyncio.<String>runCoroutineThreadsafe(variable::get, loop).get();
          });

      assertThat(seen).isEqualTo("thread's");
      assertThat(variable.get()).isEqualTo("default");
    });
  }

  @Test
  void cancellingTheThreadsFutureCancelsTheTask() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> ended = loop.createFuture();
      Task<?> thread =
          Asyncio.createTask(() ->
              Asyncio.toThread(() -> {
                CountDownLatch begun = new CountDownLatch(1);
                CompletableFuture<String> future =
                    Asyncio.runCoroutineThreadsafe(
                        () -> {
                          begun.countDown();
                          return sleepUntilCancelled(ended);
                        },
                        loop);
                begun.await();
                future.cancel(true);
              }));

      assertThat(ended.await()).isEqualTo("cancelled");
      thread.await();
    });
  }

  private static String sleepUntilCancelled(Future<String> ended) {
    try {
      Asyncio.sleep(Loops.LONG);
      return "slept";
    } catch (CancelledError e) {
      ended.setResult("cancelled");
      throw e;
    }
  }

  @Test
  void cancellingTheFutureBeforeTheTaskIsMadeMakesNone() {
    Loops.run(() -> {
      List<String> order = new ArrayList<>();
      CompletableFuture<Boolean> future =
          Asyncio.runCoroutineThreadsafe(() -> order.add("began"), Loop.running());

      future.cancel(false);
      Loops.settle();

      assertThat(order).isEmpty();
      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void aTaskThatIsCancelledCancelsTheThreadsFuture() {
    Loops.run(() -> {
      CompletableFuture<String> future =
          Asyncio.runCoroutineThreadsafe(
              () -> {
                throw new CancelledError("from inside");
              },
              Loop.running());
      Loops.settle();

      assertThat(future).isCancelled();
      assertThatThrownBy(future::get).isInstanceOf(CancellationException.class);
    });
  }

  @Test
  void aThreadIsToldWhenTheLoopClosesOverItsTask() {
    Loop loop = Loops.open();
    CompletableFuture<?> future =
        Asyncio.runCoroutineThreadsafe(() -> Loop.running().createFuture().await(), loop);
    loop.runUntilComplete(Loops::settle);
    loop.setExceptionHandler((l, context) -> {});

    loop.close();

    assertThatThrownBy(future::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void aClosedLoopRefusesCoroutines() {
    Loop closed = Loops.call(Loop::running);

    assertThatThrownBy(() -> Asyncio.runCoroutineThreadsafe(() -> "x", closed))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void nullIsRefusedOnTheCallingThread() {
    Loops.run(() -> {
      assertThatThrownBy(() -> Asyncio.runCoroutineThreadsafe(null, Loop.running()))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("The coroutine is null: write");
      assertThatThrownBy(() -> Asyncio.runCoroutineThreadsafe(() -> "x", null))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("loop");
    });
  }

  @Test
  void coroutinesHandedOverByOneThreadBeginInThatOrder() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      List<Integer> order = new ArrayList<>();
      Asyncio.toThread(() -> {
        List<CompletableFuture<Boolean>> futures = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
          int number = i;
          futures.add(Asyncio.runCoroutineThreadsafe(() -> order.add(number), loop));
        }
        CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new)).join();
      });

      assertThat(order).isSorted().hasSize(100);
    });
  }
}
