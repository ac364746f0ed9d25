package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which context tasks and callbacks run in, and what else follows them. */
class ContextTest {
  private final ContextVar<String> variable = new ContextVar<>("variable", "default");
  private final List<String> seen = new ArrayList<>();

  // --- Variables

  @Test
  void aTaskSeesWhatItsMakerHadSetWhenItWasMade() {
    Loops.run(() -> {
      variable.set("before");
      Task<String> task =
          Asyncio.createTask(() -> {
            Asyncio.yieldNow();
            return variable.get();
          });
      variable.set("after");

      assertThat(task.await()).isEqualTo("before");
      assertThat(variable.get()).isEqualTo("after");
    });
  }

  @Test
  void whatATaskSetsNobodyElseSees() {
    Loops.run(() -> {
      Task<?> first = Asyncio.createTask(() -> setAndRead("first"));
      Task<?> second = Asyncio.createTask(() -> setAndRead("second"));
      first.await();
      second.await();

      assertThat(seen).containsExactly("first", "second");
      assertThat(variable.get()).isEqualTo("default");
    });
  }

  private void setAndRead(String value) {
    variable.set(value);
    Asyncio.yieldNow();
    seen.add(variable.get());
  }

  @Test
  void aTaskMadeWithAContextRunsInItAndNotInACopy() {
    Loops.run(() -> {
      Context context = Context.copyOfCurrent();
      TaskOptions options = TaskOptions.defaults().withContext(context);

      Asyncio.createTask(() -> variable.set("first task's"), options).await();
      Task<String> second = Asyncio.createTask(() -> variable.get(), options);

      assertThat(second.await()).isEqualTo("first task's");
      assertThat(second.context()).isSameAs(context);
      assertThat(variable.get()).isEqualTo("default");
    });
  }

  @Test
  void twoTasksMayShareAContext() {
    Loops.run(() -> {
      TaskOptions shared = TaskOptions.defaults().withContext(Context.empty());
      Task<?> writer =
          Asyncio.createTask(
              () -> {
                variable.set("written");
                Asyncio.yieldNow();
                Asyncio.yieldNow();
              },
              shared);
      Task<String> reader = Asyncio.createTask(() -> variable.get(), shared);

      assertThat(reader.await()).isEqualTo("written");
      writer.await();
    });
  }

  @Test
  void callbacksRunInACopyOfTheContextOfWhoeverRegisteredThem() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      Runnable read =
          () -> {
            seen.add(variable.get());
            variable.set("a callback's");
          };
      variable.set("registered");
      loop.callSoon(read);
      loop.callSoonThreadsafe(read);
      loop.callLater(Duration.ZERO, read);
      loop.callAt(loop.time(), read);
      future.addDoneCallback(f -> read.run());
      variable.set("later");
      Asyncio.createTask(() -> {
        variable.set("the completer's");
        future.setResult("x");
      });
      Loops.settle();

      assertThat(seen).hasSize(5).containsOnly("registered");
      assertThat(variable.get()).isEqualTo("later");
    });
  }

  @Test
  void aCallbackRegisteredWithAContextRunsInIt() {
    Loops.run(() -> {
      Loop loop = Loop.running();
      Context context = Context.empty();
      context.run(() -> variable.set("given"));
      Runnable read = () -> seen.add(variable.get());

      loop.callSoon(read, context);
      loop.callSoonThreadsafe(read, context);
      loop.callLater(Duration.ZERO, read, context);
      loop.callAt(loop.time(), read, context);
      Loops.done("x").addDoneCallback(f -> read.run(), context);
      Loops.settle();

      assertThat(seen).hasSize(5).containsOnly("given");
    });
  }

  @Test
  void anAwaitLeavesTheContextOfTheTaskAlone() {
    Loops.run(() -> {
      variable.set("main's");
      Future<String> future = Loop.running().createFuture();
      Asyncio.createTask(() -> {
        variable.set("the completer's");
        future.setResult("x");
      });

      future.await();

      assertThat(variable.get()).isEqualTo("main's");
    });
  }

  @Test
  void aBodyInAContextMaySuspend() {
    Loops.run(() -> {
      Context context = Context.empty();
      Task<String> task =
          Asyncio.createTask(() ->
              context.call(() -> {
                variable.set("inside");
                Asyncio.yieldNow();
                return variable.get();
              }));

      assertThat(task.await()).isEqualTo("inside");
      assertThat(variable.get()).isEqualTo("default");
    });
  }

  @Test
  void theContextThatACallerRunsInCannotBeEnteredAgain() {
    Loops.run(() -> {
      Handle[] handle = new Handle[1];
      handle[0] = Loop.running().callSoon(() -> assertIsEntered(handle[0].context()));
      Loops.settle();
      assertIsEntered(Asyncio.currentTask().context());

      assertThat(seen).containsExactly("refused", "refused");
    });
  }

  private void assertIsEntered(Context context) {
    assertThatThrownBy(() -> context.run(() -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("entered already")
        .hasMessageContaining("context.copy()");
    seen.add("refused");
  }

  @Test
  void theContextOfATaskCannotBeEnteredFromOneThatTheTaskHasEntered() {
    Loops.run(() -> {
      Context own = Asyncio.currentTask().context();

      Context.empty().run(() -> Context.empty().run(() -> assertIsEntered(own)));

      assertThat(seen).containsExactly("refused");
      own.copy().run(() -> seen.add("a copy is another one"));
      assertThat(seen).hasSize(2);
    });
  }

  @Test
  void theContextOfATaskThatIsSuspendedMayBeEntered() {
    Loops.run(() -> {
      Task<?> sleeper = Loops.sleeper();

      sleeper.context().run(() -> variable.set("left by another task"));

      assertThat(sleeper.context().<String>call(variable::get)).isEqualTo("left by another task");
      sleeper.cancel();
    });
  }

  // --- What is carried along: a thread-local of somebody else's, as SLF4J's MDC

  private final ThreadLocal<String> mdc = new ThreadLocal<>();
  private final List<Runnable> registrations = new ArrayList<>();

  @AfterEach
  void stopCarrying() {
    registrations.forEach(Runnable::run);
  }

  private void carryMdc() {
    registrations.add(Context.carry(mdc::get, mdc::set));
  }

  @Test
  void aCarriedValueIsWrittenWhereTasksAndCallbacksBegin() {
    carryMdc();
    Loops.run(() -> {
      Loop loop = Loop.running();
      Future<String> future = loop.createFuture();
      mdc.set("registered");
      Task<String> task = Asyncio.createTask(() -> mdc.get());
      Runnable read = () -> seen.add(mdc.get());
      loop.callSoon(read);
      loop.callSoonThreadsafe(read);
      loop.callLater(Duration.ZERO, read);
      future.addDoneCallback(f -> read.run());
      mdc.set("later");
      future.setResult("x");
      Loops.settle();

      assertThat(task.await()).isEqualTo("registered");
      assertThat(seen).hasSize(4).containsOnly("registered");
      assertThat(mdc.get()).isEqualTo("later");
    });
  }

  @Test
  void theMainTaskGetsWhatTheThreadThatRunsItHad() {
    carryMdc();
    mdc.set("caller's");
    try {
      assertThat(Loops.<String>call(mdc::get)).isEqualTo("caller's");
    } finally {
      mdc.remove();
    }
  }

  @Test
  void aTaskKeepsWhatItSetsAcrossSuspensions() {
    carryMdc();
    Loops.run(() -> {
      Task<?> first = Asyncio.createTask(() -> setMdcAndRead("first"));
      Task<?> second = Asyncio.createTask(() -> setMdcAndRead("second"));
      first.await();
      second.await();

      assertThat(seen).containsExactly("first", "second");
      assertThat(mdc.get()).isNull();
    });
  }

  private void setMdcAndRead(String value) {
    mdc.set(value);
    Asyncio.yieldNow();
    seen.add(mdc.get());
  }

  @Test
  void whatACallbackSetsIsNotSeenByTheNext() {
    carryMdc();
    Loops.run(() -> {
      Loop.running().callSoon(() -> mdc.set("the first callback's"));
      Loop.running().callSoon(() -> seen.add(String.valueOf(mdc.get())));
      Loops.settle();

      assertThat(seen).containsExactly("null");
    });
  }

  @Test
  void anEagerTaskGetsIt() {
    carryMdc();
    Loops.run(() -> {
      mdc.set("maker's");

      Task<String> task =
          Asyncio.createTask(() -> mdc.get(), TaskOptions.defaults().withEager(true));

      assertThat(task.result()).isEqualTo("maker's");
    });
  }

  @Test
  void workOnAnotherThreadGetsItAndLeavesNothingThere() {
    carryMdc();
    Loops.run(() -> {
      Loop.running().setDefaultExecutor(Executors.newSingleThreadExecutor());
      mdc.set("caller's");

      assertThat(Asyncio.<String>toThread(mdc::get)).isEqualTo("caller's");

      Future<String> left = Loop.running().runInExecutor(mdc::get);
      assertThat(left.await()).isNull();
      assertThatThrownBy(() ->
              Asyncio.toThread(() -> {
                throw new IllegalStateException("broken");
              }))
          .hasMessage("broken");
      assertThat(Loop.running().<String>runInExecutor(mdc::get).await()).isNull();
    });
  }

  @Test
  void aCoroutineHandedOverByAThreadGetsWhatThatThreadHad() {
    carryMdc();
    Loops.run(() -> {
      Loop loop = Loop.running();
      String carried =
          Asyncio.toThread(() -> {
            mdc.set("thread's");
            return Asyncio.<String>runCoroutineThreadsafe(mdc::get, loop).get();
          });

      assertThat(carried).isEqualTo("thread's");
    });
  }

  @Test
  void nothingFollowsOnceTheCarryingHasEnded() {
    Runnable end = Context.carry(mdc::get, mdc::set);
    Loops.run(() -> {
      mdc.set("maker's");
      end.run();

      assertThat(Asyncio.<String>createTask(mdc::get).await()).isNull();
    });
  }

  @Test
  void severalValuesAreCarriedSideBySide() {
    ThreadLocal<String> other = new ThreadLocal<>();
    carryMdc();
    registrations.add(Context.carry(other::get, other::set));
    Loops.run(() -> {
      mdc.set("one");
      other.set("two");

      assertThat(Asyncio.createTask(() -> mdc.get() + other.get()).await()).isEqualTo("onetwo");
    });
  }

  @Test
  void aWriteThatThrowsDoesNotKeepTasksAndCallbacksFromRunning() {
    Loops.run(() -> {
      registrations.add(
          Context.carry(
              () -> "x",
              value -> {
                throw new IllegalStateException("cannot write");
              }));
      Task<String> task = Asyncio.createTask(() -> "ran");
      Loop.running().callSoon(() -> seen.add("callback"));

      assertThat(task.await()).isEqualTo("ran");
      Loops.settle();
      assertThat(seen).containsExactly("callback");
      assertThat(Asyncio.<String>toThread(() -> "worked")).isEqualTo("worked");
      stopCarrying();
    });
  }

  @Test
  void aReadThatThrowsIsThrownToTheMaker() {
    Loops.run(() -> {
      IllegalStateException failure = new IllegalStateException("cannot read");
      registrations.add(
          Context.carry(
              () -> {
                throw failure;
              },
              value -> {}));

      assertThatThrownBy(() -> Asyncio.createTask(() -> "x")).isSameAs(failure);
      stopCarrying();
      assertThat(Asyncio.allTasks()).hasSize(1);
    });
  }

  @Test
  void nullIsRefused() {
    assertThatThrownBy(() -> Context.carry(null, mdc::set))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("read");
    assertThatThrownBy(() -> Context.carry(mdc::get, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("write");
  }
}
