package dev.weir.task;

import java.util.Locale;

/**
 * How a loop runs its tasks on virtual threads. User code behaves the same; speed and foreign
 * blocking calls differ.
 */
public enum FiberKind {
  /** {@link #MOUNTED} where the JVM was started with access to it, else {@link #PORTABLE}. */
  AUTO,

  /**
   * Tasks run on the loop's own thread. A blocking call of the JDK suspends its task and nothing
   * else. Needs {@code --add-opens java.base/java.lang=ALL-UNNAMED}, or {@code dev.weir.core} in
   * place of {@code ALL-UNNAMED} on the module path, or {@code Add-Opens: java.base/java.lang} in
   * the manifest of a jar run with {@code java -jar}.
   */
  MOUNTED,

  /**
   * Tasks run on the JDK's scheduler, one at a time. A blocking call of the JDK blocks the loop, as
   * in Python.
   */
  PORTABLE;

  /**
   * {@return the kind that the system property {@code weir.fibers} names, {@link #AUTO} if it is
   * not set}
   */
  static FiberKind ofSystemProperty() {
    String value = System.getProperty("weir.fibers", "auto");
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "auto" -> AUTO;
      case "mounted" -> MOUNTED;
      case "portable" -> PORTABLE;
      default ->
          throw new IllegalArgumentException(
              "weir.fibers is '" + value + "': write auto, mounted or portable");
    };
  }

  /**
   * {@return this kind, or the one that {@link #AUTO} stands for in this JVM}
   *
   * @throws IllegalStateException if mounted fibers are asked for and not to be had
   */
  FiberKind resolved() {
    return switch (this) {
      case AUTO -> {
        if (VirtualThreads.schedulerIsOurs()) {
          yield MOUNTED;
        }
        PortableNotice.logOnce();
        yield PORTABLE;
      }
      case MOUNTED -> {
        if (!VirtualThreads.schedulerIsOurs()) {
          throw new IllegalStateException(
              "Mounted fibers need --add-opens java.base/java.lang=ALL-UNNAMED (=dev.weir.core on"
                  + " the module path): add it, or use FiberKind.AUTO; the JVM says: "
                  + VirtualThreads.unavailableBecause());
        }
        yield MOUNTED;
      }
      case PORTABLE -> PORTABLE;
    };
  }

  private static final class PortableNotice {
    static {
      ErrorReports.inform(
          "Running on portable fibers: a blocking call of the JDK blocks the loop. For mounted"
              + " fibers, faster and free of that, start Java with --add-opens"
              + " java.base/java.lang=ALL-UNNAMED (=dev.weir.core on the module path)");
    }

    static void logOnce() {}
  }
}
