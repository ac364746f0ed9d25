package dev.weir.task;

import org.jspecify.annotations.Nullable;

/**
 * How a task is made: the keyword arguments of {@code asyncio.create_task}.
 *
 * @param name its name, or null for {@code Task-N}
 * @param context the context it runs in, or null for a copy of its maker's
 * @param eager whether it begins at once, inside {@code createTask}, and runs there to its first
 *     suspension; or null for what the loop's task factory does
 */
public record TaskOptions(
    @Nullable String name, @Nullable Context context, @Nullable Boolean eager) {
  private static final TaskOptions DEFAULTS = new TaskOptions(null, null, null);

  /** {@return the defaults} */
  public static TaskOptions defaults() {
    return DEFAULTS;
  }

  /** {@return these options with a name} */
  public TaskOptions withName(String name) {
    return new TaskOptions(name, context, eager);
  }

  /** {@return these options with a context to run in, not a copy of it} */
  public TaskOptions withContext(Context context) {
    return new TaskOptions(name, context, eager);
  }

  /** {@return these options with an eager start or without one} */
  public TaskOptions withEager(boolean eager) {
    return new TaskOptions(name, context, eager);
  }
}
