package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class TaskFactoryTest {
  private final List<String> order = new ArrayList<>();

  /** Notes the options, then makes the task as the default factory does. */
  private final class Noting implements TaskFactory {
    @Override
    public <T> Task<T> createTask(Loop loop, Coroutine<T> coroutine, TaskOptions options) {
      order.add("made with name " + options.name() + ", eager " + options.eager());
      return TaskFactory.LAZY.createTask(loop, coroutine, options);
    }
  }

  @Test
  void aLoopBeginsWithTheLazyFactory() {
    Loops.run(() -> assertThat(Loop.running().taskFactory()).isSameAs(TaskFactory.LAZY));
  }

  @Test
  void theEagerFactoryBeginsTasksAtOnce() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);

      Asyncio.createTask(() -> order.add("task"));
      order.add("creator");

      assertThat(order).containsExactly("task", "creator");
    });
  }

  @Test
  void eagerFalseOverridesTheEagerFactory() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);

      Asyncio.createTask(() -> order.add("task"), TaskOptions.defaults().withEager(false));
      order.add("creator");
      Loops.settle();

      assertThat(order).containsExactly("creator", "task");
    });
  }

  @Test
  void nullRestoresTheLazyFactory() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(TaskFactory.EAGER);
      Loop.running().setTaskFactory(null);

      Task<?> task = Asyncio.createTask(() -> {});

      assertThat(task.done()).isFalse();
      assertThat(Loop.running().taskFactory()).isSameAs(TaskFactory.LAZY);
    });
  }

  @Test
  void oneOfTheUsersGetsTheLoopTheCoroutineAndTheOptionsAsTheyWereGiven() {
    Loops.run(() -> {
      TaskOptions given = TaskOptions.defaults().withName("mine").withContext(Context.empty());
      Coroutine<String> body = () -> "x";
      List<Object> seen = new ArrayList<>();
      Loop.running()
          .setTaskFactory(
              new TaskFactory() {
                @Override
                public <T> Task<T> createTask(
                    Loop loop, Coroutine<T> coroutine, TaskOptions options) {
                  seen.addAll(List.of(loop, coroutine, options));
                  return TaskFactory.LAZY.createTask(loop, coroutine, options);
                }
              });

      Task<String> task = Asyncio.createTask(body, given);

      assertThat(seen).containsExactly(Loop.running(), body, given);
      assertThat(task.await()).isEqualTo("x");
      assertThat(task.name()).isEqualTo("mine");
    });
  }

  @Test
  void oneOfTheUsersMayWrapTheCoroutine() {
    Loops.run(() -> {
      Loop.running()
          .setTaskFactory(
              new TaskFactory() {
                @Override
                public <T> Task<T> createTask(
                    Loop loop, Coroutine<T> coroutine, TaskOptions options) {
                  return TaskFactory.EAGER.createTask(
                      loop,
                      () -> {
                        order.add("before");
                        try {
                          return coroutine.run();
                        } finally {
                          order.add("after");
                        }
                      },
                      options);
                }
              });

      assertThat(Asyncio.createTask(() -> order.add("body")).result()).isTrue();

      assertThat(order).containsExactly("before", "body", "after");
    });
  }

  @Test
  void everythingThatMakesTasksAsksTheFactory() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(new Noting());

      Asyncio.createTask(() -> "x", "coroutine");
      Asyncio.createTask(() -> {}, "action");
      Asyncio.gather(() -> "x", () -> "y").await();
      Asyncio.background(() -> {});
      new TaskGroup().run(group -> group.createTask(() -> {}, "in a group"));
      CompletableFuture<String> threadsafe =
          Asyncio.runCoroutineThreadsafe(() -> "x", Loop.running());
      Loop.running().wrapFuture(threadsafe).await();

      assertThat(order)
          .containsExactly(
              "made with name coroutine, eager null",
              "made with name action, eager null",
              "made with name null, eager null",
              "made with name null, eager null",
              "made with name null, eager null",
              "made with name in a group, eager null",
              "made with name null, eager null");
    });
  }

  @Test
  void theFactoriesThemselvesRefuseOtherThreads() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      for (TaskFactory factory : List.of(TaskFactory.LAZY, TaskFactory.EAGER)) {
        for (ForeignThread thread : ForeignThread.values()) {
          assertThat(
                  thread.thrownBy(
                      () -> factory.createTask(loop, () -> "x", TaskOptions.defaults())))
              .as("%s on %s", factory, thread)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining(loop.carrier.thread.getName());
        }
      }

      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void whatAFactoryThrowsIsThrownToTheOneWhoWantsATask() {
    Loops.run(() -> {
      IllegalStateException failure = new IllegalStateException("no more tasks");
      Loop.running().setTaskFactory(refusing(failure));

      assertThatThrownBy(() -> Asyncio.createTask(() -> "x")).isSameAs(failure);
      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void whatAFactoryThrowsForAnotherThreadIsTheFailureOfItsFuture() {
    IllegalStateException failure = new IllegalStateException("no more tasks");

    Loops.run(() -> {
      List<ExceptionContext> errors = Loops.collectErrors();
      Loop.running().setTaskFactory(refusing(failure));

      CompletableFuture<String> future = Asyncio.runCoroutineThreadsafe(() -> "x", Loop.running());
      Loops.settle();

      assertThatThrownBy(future::get).isInstanceOf(ExecutionException.class).hasCause(failure);
      assertThat(errors).isEmpty();
    });
  }

  @Test
  void aFactoryThatReturnsNullIsNamedToTheOneWhoWantsATask() {
    Loops.run(() -> {
      TaskFactory forgetful = refusingAfter(0, () -> null);
      Loop.running().setTaskFactory(forgetful);

      assertThatThrownBy(() -> Asyncio.createTask(() -> "x"))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("task factory " + TaskFactoryTest.class.getName())
          .hasMessageContaining("returned null")
          .hasMessageContaining("TaskFactory.LAZY");
      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void aGroupEndsItsTasksWhenTheFactoryReturnsNull() {
    Loops.run(() -> {
      Loop.running().setTaskFactory(refusingAfter(1, () -> null));
      List<Task<?>> children = new ArrayList<>();

      assertThatThrownBy(() ->
              new TaskGroup()
                  .run(group -> {
                    children.add(group.createTask(() -> Asyncio.sleep(Loops.LONG)));
                    group.createTask(() -> {});
                  }))
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              e ->
                  assertThat(e.exceptions())
                      .singleElement()
                      .isInstanceOf(NullPointerException.class));

      assertThat(children.getFirst().cancelled()).isTrue();
    });
  }

  @Test
  void gatherCancelsTheTasksThatItHasMadeWhenTheFactoryRefusesOne() {
    IllegalStateException failure = new IllegalStateException("no more tasks");
    Coroutine<String> body =
        () -> {
          order.add("ran");
          return "x";
        };
    Loops.run(() -> {
      for (Action gather :
          List.<Action>of(
              () -> Asyncio.gather(body, body, body),
              () -> Asyncio.gatherOutcomes(body, body, body))) {
        Loop.running()
            .setTaskFactory(
                refusingAfter(
                    2,
                    () -> {
                      throw failure;
                    }));

        assertThatThrownBy(gather::run).isSameAs(failure);
        Loops.settle();
      }

      assertThat(order).isEmpty();
      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  /** Makes {@code count} tasks, and then does as {@code refusal} does. */
  private static TaskFactory refusingAfter(int count, Supplier<Task<?>> refusal) {
    AtomicInteger left = new AtomicInteger(count);
    return new TaskFactory() {
      @Override
      @SuppressWarnings("unchecked") // What refuses returns null, if anything.
      public <T> Task<T> createTask(Loop loop, Coroutine<T> coroutine, TaskOptions options) {
        return left.getAndDecrement() > 0
            ? TaskFactory.LAZY.createTask(loop, coroutine, options)
            : (Task<T>) refusal.get();
      }
    };
  }

  private static TaskFactory refusing(RuntimeException failure) {
    return new TaskFactory() {
      @Override
      public <T> Task<T> createTask(Loop loop, Coroutine<T> coroutine, TaskOptions options) {
        throw failure;
      }
    };
  }
}
