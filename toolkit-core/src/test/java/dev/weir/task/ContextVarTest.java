package dev.weir.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A variable by itself, off any loop. */
class ContextVarTest {
  private final ContextVar<String> variable = new ContextVar<>("variable");

  @Test
  void aVariableThatIsNotSetHasItsDefault() {
    assertThat(new ContextVar<>("v", "default").get()).isEqualTo("default");
    assertThat(new ContextVar<String>("v", null).get()).isNull();
  }

  @Test
  void aVariableThatIsNotSetAndHasNoDefaultThrows() {
    assertThatThrownBy(variable::get)
        .isInstanceOf(NoSuchElementException.class)
        .hasMessageContaining("'variable'")
        .hasMessageContaining("set it, or ask get(fallback)");
  }

  @Test
  void theFallbackWinsOverTheDefaultButNotOverAValue() {
    ContextVar<String> defaulted = new ContextVar<>("v", "default");

    assertThat(variable.get("fallback")).isEqualTo("fallback");
    assertThat(defaulted.get("fallback")).isEqualTo("fallback");
    try (var _ = defaulted.set("value")) {
      assertThat(defaulted.get("fallback")).isEqualTo("value");
    }
  }

  @Test
  void aValueMayBeNull() {
    try (var _ = variable.set(null)) {
      assertThat(variable.get()).isNull();
      assertThat(variable.get("fallback")).isNull();
    }
  }

  @Test
  void resetPutsTheReplacedValueBack() {
    try (var _ = variable.set("outer")) {
      ContextVar.Token<String> token = variable.set("inner");
      assertThat(variable.get()).isEqualTo("inner");

      variable.reset(token);

      assertThat(variable.get()).isEqualTo("outer");
    }
    assertThat(variable.get("not set")).isEqualTo("not set");
  }

  @Test
  void aTokenIsUsedOnce() {
    ContextVar.Token<String> token = variable.set("x");
    variable.reset(token);

    assertThatThrownBy(() -> variable.reset(token))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("used already");
    assertThatThrownBy(token::close).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aTokenOfAnotherVariableIsRefused() {
    ContextVar<String> other = new ContextVar<>("other");
    try (var token = variable.set("x")) {
      assertThatThrownBy(() -> other.reset(token))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("ContextVar[variable]")
          .hasMessageContaining("not of ContextVar[other]");
      assertThat(variable.get()).isEqualTo("x");
    }
  }

  @Test
  void aTokenOfAnotherContextIsRefused() {
    try (var token = variable.set("x")) {
      assertThatThrownBy(() -> Context.copyOfCurrent().run(() -> variable.reset(token)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("another context");
      assertThat(variable.get()).isEqualTo("x");
    }
  }

  @Test
  void eachThreadHasAContextOfItsOwn() throws InterruptedException {
    try (var _ = variable.set("this thread's")) {
      List<String> seen = new ArrayList<>();
      Thread.ofPlatform()
          .start(() -> {
            seen.add(variable.get("not set"));
            variable.set("the other thread's");
          })
          .join();

      assertThat(seen).containsExactly("not set");
      assertThat(variable.get()).isEqualTo("this thread's");
    }
  }

  @Test
  void whatRunsInACopyChangesNothingOutside() {
    try (var _ = variable.set("outside")) {
      Context copy = Context.copyOfCurrent();
      String seen =
          copy.call(() -> {
            String before = variable.get();
            variable.set("inside");
            return before;
          });

      assertThat(seen).isEqualTo("outside");
      assertThat(variable.get()).isEqualTo("outside");
      assertThat(copy.<String>call(variable::get)).as("it stays in the copy").isEqualTo("inside");
      assertThat(copy.copy().<String>call(variable::get)).isEqualTo("inside");
    }
  }

  @Test
  void anEmptyContextHasNoValues() {
    try (var _ = variable.set("outside")) {
      assertThat(Context.empty().<String>call(() -> variable.get("not set"))).isEqualTo("not set");
    }
  }

  @Test
  void whatIsThrownInAContextIsThrownAsItIsAndTheOuterContextIsBack() {
    Exception failure = new Exception("checked");
    try (var _ = variable.set("outside")) {
      assertThatThrownBy(() ->
              Context.empty()
                  .run(() -> {
                    throw failure;
                  }))
          .isSameAs(failure);

      assertThat(variable.get()).isEqualTo("outside");
    }
  }

  @Test
  void aContextIsEnteredOnceAtATime() {
    Context context = Context.empty();
    List<String> order = new ArrayList<>();

    context.run(() ->
        assertThatThrownBy(() -> context.run(() -> order.add("nested")))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("entered already")
            .hasMessageContaining("context.copy().run"));
    context.run(() -> order.add("again"));

    assertThat(order).containsExactly("again");
  }

  @Test
  void nullIsRefused() {
    assertThatThrownBy(() -> new ContextVar<>(null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("name");
    assertThatThrownBy(() -> Context.empty().call(null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("body");
  }

  @Test
  void aVariableIsKnownByItsName() {
    assertThat(variable.name()).isEqualTo("variable");
    assertThat(variable).hasToString("ContextVar[variable]");
  }

  @Test
  void copiesMayBeReadWhileTheOriginalChanges() {
    Context copy = Context.copyOfCurrent();
    try (var _ = variable.set("later")) {
      CompletableFuture<String> seen = new CompletableFuture<>();
      copy.run(() -> seen.complete(variable.get("not set")));

      assertThat(seen).isCompletedWithValue("not set");
    }
  }
}
