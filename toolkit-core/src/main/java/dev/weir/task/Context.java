package dev.weir.task;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The values of {@link ContextVar}s that one task, callback or thread sees, as {@code
 * contextvars.Context}.
 *
 * <p>Every task and callback gets a copy of its maker's context, or the context it is made with;
 * {@code toThread} hands a copy to the thread. A copy costs the same whatever it holds.
 *
 * <p>A context is used by one thread at a time: the loop's, or the one that {@link #run}s in it.
 */
public final class Context {
  private static final ThreadLocal<@Nullable Context> OF_OTHER_THREADS = new ThreadLocal<>();
  private static final List<Carried<?>> CARRIED = new CopyOnWriteArrayList<>();

  /** Never changed, only replaced, so that copies may share it. */
  private Map<ContextVar<?>, @Nullable Object> values;

  /** What {@link #CARRIED} said when the context was copied; never changed. */
  private Map<Carried<?>, @Nullable Object> carriedValues;

  /**
   * While {@link #run} or {@link #call} is at work in this context: the one it was entered from.
   */
  private @Nullable Context enteredFrom;

  /** A thread-local value of somebody else's that follows tasks. */
  private record Carried<T extends @Nullable Object>(Supplier<T> read, Consumer<T> write) {
    /** A task or callback waits to begin behind this: a failure must not keep it from that. */
    @SuppressWarnings("unchecked") // The value is what read() returned.
    void restore(@Nullable Object value) {
      try {
        write.accept((T) value);
      } catch (Throwable e) {
        ErrorReports.warn("A value of Context.carry() could not be written", e);
      }
    }
  }

  private Context(
      Map<ContextVar<?>, @Nullable Object> values,
      Map<Carried<?>, @Nullable Object> carriedValues) {
    this.values = values;
    this.carriedValues = carriedValues;
  }

  /** {@return a new context in which no variable is set; any thread may ask} */
  public static Context empty() {
    return new Context(Map.of(), Map.of());
  }

  /**
   * {@return a copy of the caller's context} Corresponds to {@code contextvars.copy_context()}. Any
   * thread may ask.
   */
  public static Context copyOfCurrent() {
    return new Context(current().values, CARRIED.isEmpty() ? Map.of() : readCarried());
  }

  /** {@return a copy of this context} */
  public Context copy() {
    return new Context(values, carriedValues);
  }

  /**
   * Lets a thread-local value of another library follow tasks as context variables do: it is read
   * in the maker of a task, callback or {@code toThread} call, and written before that begins, and
   * before its failure is reported to the exception handler or the log. For SLF4J's MDC:
   *
   * <pre>{@code
   * Context.carry(MDC::getCopyOfContextMap, MDC::setContextMap);
   * }</pre>
   *
   * @param read reads the value on the calling thread; must not suspend
   * @param write sets the value on the calling thread, to null where nothing was read; must not
   *     suspend. What it throws is logged
   * @return ends it
   */
  public static <T extends @Nullable Object> Runnable carry(Supplier<T> read, Consumer<T> write) {
    Carried<T> carried =
        new Carried<>(Objects.requireNonNull(read, "read"), Objects.requireNonNull(write, "write"));
    CARRIED.add(carried);
    return () -> CARRIED.remove(carried);
  }

  /**
   * Runs {@code action} in this context: what it sets stays here. Corresponds to {@code
   * Context.run}. Any thread may call this.
   *
   * <p>What {@code action} throws is thrown as it is, checked exceptions included.
   *
   * @throws IllegalStateException if something runs in this context already, as the calling task
   *     does in its own
   */
  public void run(Action action) {
    call(Loop.asCoroutine(action));
  }

  /**
   * The same as {@link #run} for a body with a value.
   *
   * @return what {@code body} returned
   * @throws IllegalStateException if something runs in this context already
   */
  public <T extends @Nullable Object> T call(Coroutine<T> body) {
    Objects.requireNonNull(body, "body");
    Context outer = current();
    if (enteredFrom != null || outer.isOrCameFrom(this)) {
      throw new IllegalStateException(
          "This context is entered already: run in a copy of it, context.copy().run(...)");
    }
    enteredFrom = outer;
    makeCurrent(this);
    try {
      return body.run();
    } catch (Throwable e) {
      throw Sneaky.rethrow(e);
    } finally {
      makeCurrent(outer);
      enteredFrom = null;
    }
  }

  /** {@return whether {@code context} is this one, or one of those that this was entered from} */
  private boolean isOrCameFrom(Context context) {
    for (Context entered = this; entered != null; entered = entered.enteredFrom) {
      if (entered == context) {
        return true;
      }
    }
    return false;
  }

  /**
   * Runs {@code body} in this context on a thread that other work uses as well: what is carried is
   * put back afterwards.
   */
  <T extends @Nullable Object> T callOnOtherThread(Coroutine<T> body) {
    Context before = copyOfCurrent();
    restoreCarried();
    try {
      return call(body);
    } finally {
      before.restoreCarried();
    }
  }

  // --- For ContextVar

  static Context current() {
    Fiber fiber = Fiber.current();
    if (fiber != null) {
      return fiber.context;
    }
    Context context = OF_OTHER_THREADS.get();
    if (context == null) {
      context = empty();
      OF_OTHER_THREADS.set(context);
    }
    return context;
  }

  boolean has(ContextVar<?> variable) {
    return values.containsKey(variable);
  }

  @Nullable Object value(ContextVar<?> variable) {
    return values.get(variable);
  }

  void set(ContextVar<?> variable, @Nullable Object value) {
    Map<ContextVar<?>, @Nullable Object> changed = new HashMap<>(values);
    changed.put(variable, value);
    values = changed;
  }

  void unset(ContextVar<?> variable) {
    Map<ContextVar<?>, @Nullable Object> changed = new HashMap<>(values);
    changed.remove(variable);
    values = changed;
  }

  // --- For the loop

  /**
   * Runs {@code action}, a report, in this context, whatever runs in it already; what is carried as
   * well, which is put back afterwards.
   */
  void runNested(Runnable action) {
    Context outer = current();
    if (outer == this) {
      action.run(); // With what is carried as it is: what runs here may have changed it.
      return;
    }
    Map<Carried<?>, @Nullable Object> before = readCarriedOrWarn();
    restoreCarried();
    makeCurrent(this);
    try {
      action.run();
    } finally {
      makeCurrent(outer);
      restoreCarried(before);
    }
  }

  /** Writes what is carried to the calling thread, which begins to run in this context. */
  void restoreCarried() {
    restoreCarried(carriedValues);
  }

  private static void restoreCarried(Map<Carried<?>, @Nullable Object> values) {
    if (!CARRIED.isEmpty()) {
      for (Carried<?> carried : CARRIED) {
        carried.restore(values.get(carried));
      }
    }
  }

  /** {@return what is carried, as far as it can be read: a report must not fail because of it} */
  private static Map<Carried<?>, @Nullable Object> readCarriedOrWarn() {
    if (CARRIED.isEmpty()) {
      return Map.of();
    }
    Map<Carried<?>, @Nullable Object> values = new HashMap<>();
    for (Carried<?> carried : CARRIED) {
      try {
        values.put(carried, carried.read().get());
      } catch (Throwable e) {
        ErrorReports.warn("A value of Context.carry() could not be read", e);
      }
    }
    return values;
  }

  private static Map<Carried<?>, @Nullable Object> readCarried() {
    Map<Carried<?>, @Nullable Object> values = new HashMap<>();
    for (Carried<?> carried : CARRIED) {
      values.put(carried, carried.read().get());
    }
    return values;
  }

  private static void makeCurrent(Context context) {
    Fiber fiber = Fiber.current();
    if (fiber != null) {
      fiber.context = context;
    } else {
      OF_OTHER_THREADS.set(context);
    }
  }

  @Override
  public String toString() {
    return "Context" + values;
  }
}
