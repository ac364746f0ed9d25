package dev.weir.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Several failures as one, as Python's {@code ExceptionGroup}: what a {@link TaskGroup} throws.
 * Each is also listed as suppressed, so that a stack trace shows all of them.
 */
public final class ExceptionGroup extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String text;

  @SuppressWarnings("serial") // A list of java.util's, which is serializable.
  private final List<Throwable> exceptions;

  /**
   * A group and the rest.
   *
   * @param matching those that matched, or null if none did
   * @param rest the others, or null if there are none
   */
  public record Split(@Nullable ExceptionGroup matching, @Nullable ExceptionGroup rest) {}

  /**
   * Creates a group.
   *
   * @throws IllegalArgumentException if there is no exception
   */
  public ExceptionGroup(String message, List<? extends Throwable> exceptions) {
    super(
        message
            + " ("
            + exceptions.size()
            + (exceptions.size() == 1 ? " sub-exception)" : " sub-exceptions)"));
    if (exceptions.isEmpty()) {
      throw new IllegalArgumentException("An exception group needs at least one exception");
    }
    this.text = Objects.requireNonNull(message, "message");
    this.exceptions = List.copyOf(exceptions);
    this.exceptions.forEach(this::addSuppressed);
  }

  /** {@return the exceptions, groups among them as they are} */
  public List<Throwable> exceptions() {
    return exceptions;
  }

  /**
   * {@return the part of this group that consists of {@code type}, or null if there is none}
   *
   * <p>Groups in the group are searched as well and keep their shape. The equivalent of {@code
   * except*}.
   */
  public @Nullable ExceptionGroup subgroup(Class<? extends Throwable> type) {
    return split(type).matching();
  }

  /**
   * {@return this group, divided into what consists of {@code type} and what does not}
   *
   * <p>The parts have the stack trace, the cause and the other suppressed exceptions of the whole.
   */
  public Split split(Class<? extends Throwable> type) {
    Objects.requireNonNull(type, "type");
    return new Split(filter(type::isInstance), filter(e -> !type.isInstance(e)));
  }

  private @Nullable ExceptionGroup filter(Predicate<Throwable> wanted) {
    List<Throwable> kept = new ArrayList<>();
    for (Throwable exception : exceptions) {
      Throwable part =
          exception instanceof ExceptionGroup group
              ? group.filter(wanted)
              : wanted.test(exception) ? exception : null;
      if (part != null) {
        kept.add(part);
      }
    }
    if (kept.isEmpty()) {
      return null;
    }
    ExceptionGroup part = new ExceptionGroup(text, kept);
    part.setStackTrace(getStackTrace());
    if (getCause() != null) {
      part.initCause(getCause());
    }
    for (Throwable remark : getSuppressed()) { // Of a deadline that passed, say.
      if (!exceptions.contains(remark)) {
        part.addSuppressed(remark);
      }
    }
    return part;
  }
}
