package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExceptionGroupTest {
  private final EOFException eof = new EOFException("eof");
  private final FileNotFoundException missing = new FileNotFoundException("missing");
  private final IllegalStateException state = new IllegalStateException("state");
  private final AssertionError error = new AssertionError("error");

  // --- What is in it

  @Test
  void itHoldsTheVeryExceptionsInTheirOrder() {
    ExceptionGroup group = new ExceptionGroup("several", List.of(state, eof, error));

    assertThat(group.exceptions()).containsExactly(state, eof, error);
  }

  @Test
  void itIsUncheckedAndPassesAsAnException() {
    assertThat(new ExceptionGroup("one", List.of(eof))).isInstanceOf(RuntimeException.class);
  }

  @Test
  void itsMessageCountsTheExceptions() {
    assertThat(new ExceptionGroup("one", List.of(eof))).hasMessage("one (1 sub-exception)");
    assertThat(new ExceptionGroup("two", List.of(eof, state))).hasMessage("two (2 sub-exceptions)");
  }

  @Test
  void itsStackTraceShowsEveryException() {
    ExceptionGroup inner = new ExceptionGroup("inner", List.of(state));
    ExceptionGroup group = new ExceptionGroup("outer", List.of(eof, inner));
    StringWriter printed = new StringWriter();

    group.printStackTrace(new PrintWriter(printed));

    assertThat(group.getSuppressed()).containsExactly(eof, inner);
    assertThat(printed.toString())
        .contains("outer (2 sub-exceptions)", "eof", "inner (1 sub-exception)", "state");
  }

  @Test
  void itsListIsACopyAndCannotBeChanged() {
    List<Throwable> given = new ArrayList<>(List.of(eof));
    ExceptionGroup group = new ExceptionGroup("several", given);

    given.add(state);

    assertThat(group.exceptions()).containsExactly(eof);
    assertThatThrownBy(() -> group.exceptions().add(state))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void anEmptyGroupIsRefused() {
    assertThatThrownBy(() -> new ExceptionGroup("none", List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one exception");
  }

  @Test
  void nullsAreRefused() {
    assertThatThrownBy(() -> new ExceptionGroup(null, List.of(eof)))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> new ExceptionGroup("null", null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> new ExceptionGroup("null", Arrays.asList(eof, null)))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> new ExceptionGroup("x", List.of(eof)).split(null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("type");
  }

  // --- Its parts

  @Test
  void splitDividesIntoWhatMatchesAndTheRest() {
    ExceptionGroup group = new ExceptionGroup("several", List.of(eof, state, missing, error));

    ExceptionGroup.Split split = group.split(IOException.class);

    assertThat(split.matching().exceptions()).containsExactly(eof, missing);
    assertThat(split.rest().exceptions()).containsExactly(state, error);
    assertThat(group.exceptions()).as("unchanged").containsExactly(eof, state, missing, error);
  }

  @Test
  void splitHasNoEmptyParts() {
    ExceptionGroup group = new ExceptionGroup("several", List.of(eof, missing));

    ExceptionGroup.Split all = group.split(IOException.class);
    ExceptionGroup.Split none = group.split(IllegalStateException.class);

    assertThat(all.matching().exceptions()).containsExactly(eof, missing);
    assertThat(all.rest()).isNull();
    assertThat(none.matching()).isNull();
    assertThat(none.rest().exceptions()).containsExactly(eof, missing);
  }

  @Test
  void subgroupIsThePartThatMatches() {
    ExceptionGroup group = new ExceptionGroup("several", List.of(eof, state));

    assertThat(group.subgroup(EOFException.class).exceptions()).containsExactly(eof);
    assertThat(group.subgroup(Throwable.class).exceptions()).containsExactly(eof, state);
    assertThat(group.subgroup(FileNotFoundException.class)).isNull();
  }

  @Test
  void groupsInTheGroupAreSearchedAndKeepTheirShape() {
    ExceptionGroup deep = new ExceptionGroup("deep", List.of(missing, state));
    ExceptionGroup inner = new ExceptionGroup("inner", List.of(deep, error));
    ExceptionGroup group = new ExceptionGroup("outer", List.of(eof, inner));

    ExceptionGroup.Split split = group.split(IOException.class);

    assertThat(shapeOf(split.matching()))
        .isEqualTo(
            "outer (2 sub-exceptions)[eof, inner (1 sub-exception)"
                + "[deep (1 sub-exception)[missing]]]");
    assertThat(shapeOf(split.rest()))
        .isEqualTo(
            "outer (1 sub-exception)[inner (2 sub-exceptions)"
                + "[deep (1 sub-exception)[state], error]]");
  }

  @Test
  void aGroupInTheGroupOfWhichNothingMatchesIsLeftOut() {
    ExceptionGroup inner = new ExceptionGroup("inner", List.of(state));
    ExceptionGroup group = new ExceptionGroup("outer", List.of(eof, inner));

    assertThat(shapeOf(group.subgroup(IOException.class)))
        .isEqualTo("outer (1 sub-exception)[eof]");
  }

  @Test
  void aGroupIsLookedIntoAndDoesNotMatchItself() {
    ExceptionGroup group =
        new ExceptionGroup("outer", List.of(new ExceptionGroup("inner", List.of(eof)), state));

    // Groups are RuntimeExceptions, but one of an IOException is no RuntimeException to handle.
    assertThat(shapeOf(group.subgroup(RuntimeException.class)))
        .isEqualTo("outer (1 sub-exception)[state]");
    assertThat(group.subgroup(ExceptionGroup.class)).isNull();
  }

  @Test
  void partsTellWhereTheGroupCameFrom() {
    IOException cause = new IOException("cause");
    TimeoutException deadline = new TimeoutException("deadline");
    ExceptionGroup group = new ExceptionGroup("several", List.of(eof, state));
    group.initCause(cause);
    group.addSuppressed(deadline);

    ExceptionGroup.Split split = group.split(IOException.class);

    for (ExceptionGroup part : List.of(split.matching(), split.rest())) {
      assertThat(part.getStackTrace()).isEqualTo(group.getStackTrace());
      assertThat(part).hasCause(cause);
      assertThat(part.getSuppressed()).contains(deadline);
    }
    assertThat(split.matching().getSuppressed()).containsExactly(eof, deadline);
  }

  private static String shapeOf(Throwable exception) {
    if (exception instanceof ExceptionGroup group) {
      return group.getMessage()
          + group.exceptions().stream().map(ExceptionGroupTest::shapeOf).toList();
    }
    return exception.getMessage();
  }
}
