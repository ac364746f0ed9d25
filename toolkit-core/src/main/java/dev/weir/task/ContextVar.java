package dev.weir.task;

import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A variable with a value of its own in every {@link Context}, as {@code contextvars.ContextVar}: a
 * task sees what its maker had set when it was made, and what it sets itself, and nobody else does.
 *
 * <p>Any thread may use it, inside a loop or not.
 *
 * @param <T> the type of the value
 */
public final class ContextVar<T extends @Nullable Object> {
  private final String name;
  private final @Nullable T defaultValue;
  private final boolean hasDefault;

  /** Makes a variable without a default. */
  public ContextVar(String name) {
    this.name = Objects.requireNonNull(name, "name");
    this.defaultValue = null;
    this.hasDefault = false;
  }

  /** Makes a variable that has {@code defaultValue} where it is not set. */
  public ContextVar(String name, T defaultValue) {
    this.name = Objects.requireNonNull(name, "name");
    this.defaultValue = defaultValue;
    this.hasDefault = true;
  }

  /** {@return its name, which serves for messages only} */
  public String name() {
    return name;
  }

  /**
   * {@return its value in the caller's context, else its default}
   *
   * @throws NoSuchElementException if it is not set and has no default
   */
  // unchecked: only set() puts values there, of this T.
  // NullAway: a default is null only where T allows it.
  @SuppressWarnings({"unchecked", "NullAway"})
  public T get() {
    Context context = Context.current();
    if (context.has(this)) {
      return (T) context.value(this);
    }
    if (!hasDefault) {
      throw new NoSuchElementException(
          "Context variable '"
              + name
              + "' is not set here and has no default: set it, or ask get(fallback)");
    }
    return defaultValue;
  }

  /** {@return its value in the caller's context, else {@code fallback}, whatever its default} */
  @SuppressWarnings({"unchecked", "NullAway"}) // As in get().
  public T get(T fallback) {
    Context context = Context.current();
    return context.has(this) ? (T) context.value(this) : fallback;
  }

  /**
   * Sets its value in the caller's context.
   *
   * @return puts the value back that it replaces: by {@link #reset}, or at the end of a
   *     try-with-resources
   */
  public Token<T> set(T value) {
    Context context = Context.current();
    Token<T> token = new Token<>(this, context);
    context.set(this, value);
    return token;
  }

  /**
   * Puts back the value that was replaced when {@code token} was made.
   *
   * @throws IllegalArgumentException if the token is another variable's, or of another context
   * @throws IllegalStateException if it was used before
   */
  public void reset(Token<T> token) {
    token.resetFor(this);
  }

  @Override
  public String toString() {
    return "ContextVar[" + name + "]";
  }

  /** What {@link ContextVar#set} replaced. Closing it is {@link ContextVar#reset}. */
  public static final class Token<T extends @Nullable Object> implements AutoCloseable {
    private final ContextVar<T> variable;
    private final Context context;
    private final boolean wasSet;
    private final @Nullable Object oldValue;
    private boolean used;

    private Token(ContextVar<T> variable, Context context) {
      this.variable = variable;
      this.context = context;
      this.wasSet = context.has(variable);
      this.oldValue = context.value(variable);
    }

    private void resetFor(ContextVar<T> requested) {
      if (requested != variable) {
        throw new IllegalArgumentException(
            "The token is of " + variable + ", not of " + requested + ": reset that one");
      }
      if (used) {
        throw new IllegalStateException(
            "The token of " + variable + " was used already: every set() gives a new one");
      }
      if (Context.current() != context) {
        throw new IllegalArgumentException(
            "The token of "
                + variable
                + " was made in another context: reset it in the task or callback that set it");
      }
      used = true;
      if (wasSet) {
        context.set(variable, oldValue);
      } else {
        context.unset(variable);
      }
    }

    @Override
    public void close() {
      resetFor(variable);
    }

    @Override
    public String toString() {
      return "Token[" + variable.name + (used ? ", used]" : "]");
    }
  }
}
