package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class AttachmentTest {
  private final List<String> ended = new ArrayList<>();

  private Attachment attach(String name) {
    return Loop.running().attach(name, deadline -> ended.add(name));
  }

  @Test
  void whatIsAttachedEndsWithTheLoopInTheOrderOfAttaching() {
    Loops.run(() -> {
      attach("first");
      attach("second").detach();
      attach("third");
    });

    assertThat(ended).containsExactly("first", "third");
  }

  @Test
  void oneThatCannotEndIsReportedAndDoesNotKeepTheOthers() {
    List<ExceptionContext> errors = new ArrayList<>();
    Loops.run(() -> {
      Loop.running().setExceptionHandler((loop, context) -> errors.add(context));
      Loop.running()
          .attach(
              "broken",
              deadline -> {
                throw new IllegalStateException("cannot end");
              });
      attach("other");
    });

    assertThat(ended).containsExactly("other");
    assertThat(errors).hasSize(1);
    assertThat(errors.getFirst().message()).contains("broken");
    assertThat(errors.getFirst().exception()).hasMessage("cannot end");
  }

  @Test
  void whatAThreadSubmitsRunsOnTheLoopInOrder() {
    Loops.run(() -> {
      Attachment attachment = attach("pipe");
      Future<String> last = Loop.running().createFuture();
      List<Integer> seen = new ArrayList<>();
      Thread thread =
          attachment.startThread(
              "tester",
              () -> {
                for (int i = 0; i < 100; i++) {
                  int number = i;
                  attachment.submit(() -> seen.add(number));
                }
                attachment.submit(() -> last.setResult(Thread.currentThread().getName()));
              });

      last.await();
      assertThat(seen).hasSize(100).isSorted();
      assertThat(thread.isDaemon()).isTrue();
      assertThat(thread.getName()).startsWith("weir-loop-").contains("-tester-");
    });
  }

  @Test
  void whatIsSubmittedAfterTheLoopHasClosedIsDropped() {
    AtomicReference<Attachment> left = new AtomicReference<>();
    Loops.run(() -> left.set(attach("pipe")));

    left.get().submit(() -> ended.add("ran"));

    assertThat(ended).containsExactly("pipe");
  }
}
