package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import dev.weir.testing.StreamContract.Abort;
import dev.weir.testing.StreamContract.HalfClose;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How the contract runs its checks, what it says of those that fail, and what it leaves behind. */
class StreamContractTest {
  private static final StreamContract.Check ANY_CHECK = StreamContract.checks().getFirst();

  private static void assertNothingIsLeft(List<StreamPair> pairs, int tasks) throws IOException {
    for (StreamPair pair : pairs) {
      for (StreamEnd end : List.of(pair.left(), pair.right())) {
        assertThat(end.writer().toString()).contains("lost");
      }
    }
    assertThat(Asyncio.allTasks()).hasSize(tasks);
  }

  /** Remembers the pairs that it makes. */
  private static StreamContract.PairMaker remembering(List<StreamPair> pairs) {
    return options -> {
      StreamPair pair = StreamPair.open(options);
      pairs.add(pair);
      return pair;
    };
  }

  @Test
  void everyPromiseIsASentenceOfItsOwn() {
    assertThat(StreamContract.checks())
        .hasSizeGreaterThan(30)
        .extracting(StreamContract.Check::name)
        .doesNotHaveDuplicates()
        .allSatisfy(name -> assertThat(name).contains(" ").doesNotEndWith("."));
  }

  @Test
  void everyPromiseIsASentenceOfItsOwnWhateverTheTransport() {
    for (Abort abort : Abort.values()) {
      for (HalfClose halfClose : HalfClose.values()) {
        assertThat(StreamContract.checks(abort, halfClose))
            .extracting(StreamContract.Check::name)
            .doesNotHaveDuplicates();
      }
    }
  }

  @Test
  void aTransportWhoseDirectionsEndTogetherKeepsItsOwnPromises() {
    List<StreamPair> pairs = new ArrayList<>();
    TamperedEngine.run(
        Mutants.EndsBothDirections::new,
        () -> {
          StreamContract.run(remembering(pairs), Abort.RESET, HalfClose.NO);

          assertThat(pairs).hasSizeGreaterThan(30);
          assertNothingIsLeft(pairs, 1);
        });
  }

  @Test
  void allPromisesAreKeptAndLeaveNeitherTasksNorConnections() {
    List<StreamPair> pairs = new ArrayList<>();
    TamperedEngine.run(
        Tampering::new,
        () -> {
          StreamContract.run(remembering(pairs));

          assertThat(pairs).hasSizeGreaterThan(30);
          assertNothingIsLeft(pairs, 1);
        });
  }

  @Test
  void aCheckThatHangsLeavesNeitherTasksNorConnections() {
    List<StreamPair> pairs = new ArrayList<>();
    TamperedEngine.run(
        Mutants.ForgetsResumeWriting::new,
        () -> {
          assertThatThrownBy(() -> StreamContract.run(remembering(pairs)))
              .isInstanceOf(AssertionError.class)
              .hasMessageContaining("not ended within 30 s");

          assertThat(pairs).hasSizeGreaterThan(30);
          assertNothingIsLeft(pairs, 1);
        });
  }

  @Test
  void aRunNamesEveryBrokenPromiseWithItsReason() {
    TamperedEngine.run(
        Mutants.ClosesAtThePeersEnd::new,
        () -> {
          AssertionError broken =
              catchThrowableOfType(
                  AssertionError.class, () -> StreamContract.run(StreamPair::open));

          assertThat(broken)
              .hasMessageContaining(
                  " of " + StreamContract.checks().size() + " promises are broken")
              .hasMessageContaining("\n- After writeEof() the peer sees everything")
              .hasMessageContaining("only read to the end: expected false, but was true")
              .hasMessageContaining("\n- An end of the stream that is followed by a reset");
          assertThat(broken.getCause()).isInstanceOf(AssertionError.class);
          assertThat(broken.getSuppressed())
              .isNotEmpty()
              .hasOnlyElementsOfType(AssertionError.class);
        });
  }

  @Test
  void aMakerThatFailsFailsTheCheckWithItsReason() {
    VirtualLoop.run(() ->
        assertThatThrownBy(() ->
                ANY_CHECK.run(options -> {
                  throw new IOException("no network today");
                }))
            .isInstanceOf(AssertionError.class)
            .hasMessageStartingWith(ANY_CHECK.name())
            .hasMessageContaining("no network today")
            .hasCauseInstanceOf(IOException.class));
  }

  @Test
  void aMakerThatCancelsItselfFailsTheCheck() {
    VirtualLoop.run(() ->
        assertThatThrownBy(() ->
                ANY_CHECK.run(options -> {
                  throw new CancelledError("by the maker");
                }))
            .isInstanceOf(AssertionError.class)
            .hasMessageContaining("by the maker"));
  }

  @Test
  void aTaskThatTheMakerLeavesIsNamed() {
    List<Task<?>> strays = new ArrayList<>();
    VirtualLoop.run(() -> {
      assertThatThrownBy(() ->
              ANY_CHECK.run(options -> {
                strays.add(Asyncio.createTask(() -> Asyncio.sleep(Duration.ofDays(1)), "stray"));
                return StreamPair.open(options);
              }))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("left behind")
          .hasMessageContaining("Task[stray, pending");
      strays.forEach(Task::cancel);
    });
  }

  @Test
  void aCancelledCheckLeavesNothingBehind() {
    List<StreamPair> pairs = new ArrayList<>();
    VirtualLoop.run(() -> {
      Task<?> checking = Asyncio.createTask(() -> ANY_CHECK.run(remembering(pairs)));
      while (pairs.isEmpty()) {
        Asyncio.yieldNow();
      }
      checking.cancel();

      assertThatThrownBy(checking::await).isInstanceOf(CancelledError.class);
      assertNothingIsLeft(pairs, 1);
    });
  }

  @Test
  void outsideATaskItIsRefused() {
    assertThatThrownBy(() -> ANY_CHECK.run(StreamPair::open))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("No running loop");
  }
}
