package dev.weir.task;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;

/** The signals that callbacks of one loop's user handle. */
final class LoopSignals {
  /** Signals that only {@code -Xrs} keeps from Java. */
  private static final Set<String> KEPT_BY_XRS = Set.of("HUP", "INT", "TERM");

  /** Signals that the JVM would let go, and could not do without. */
  private static final Set<String> NEEDED_BY_JVM = Set.of("BUS", "USR2");

  private final Loop loop;

  /** By the signal. Written on the loop, or while it is closed; read by the JVM's threads. */
  private final Map<String, Registration> registrations = new ConcurrentHashMap<>();

  LoopSignals(Loop loop) {
    this.loop = loop;
  }

  /** What is called in which context, and what takes the signal from this loop. */
  private record Registration(Runnable callback, Context context, Runnable stopReceiving) {}

  void add(String name, Runnable callback, Context context) {
    String signal = plain(name);
    Registration replaced = registrations.get(signal);
    Runnable stopReceiving = replaced == null ? receive(signal) : replaced.stopReceiving();
    registrations.put(signal, new Registration(callback, context, stopReceiving));
  }

  private Runnable receive(String name) {
    Signal signal;
    try {
      signal = signalOf(name);
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          "addSignalHandler(\"" + name + "\") needs the module jdk.unsupported: add it", e);
    }
    if (NEEDED_BY_JVM.contains(name)) {
      throw keptByJvm(name, null);
    }
    try {
      return SignalReceivers.add(
          signal,
          received -> {
            loop.submitInternal(() -> call(name));
            return true;
          });
    } catch (IllegalArgumentException e) {
      throw KEPT_BY_XRS.contains(name)
          ? new IllegalStateException(
              "addSignalHandler(\""
                  + name
                  + "\") does not work in this JVM (was it started with -Xrs?): leave it out",
              e)
          : keptByJvm(name, e);
    }
  }

  private static Signal signalOf(String name) {
    try {
      return new Signal(name);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "This system has no signal '" + name + "': write its name, as in \"HUP\" or \"SIGHUP\"",
          e);
    }
  }

  private static IllegalArgumentException keptByJvm(
      String name, @Nullable IllegalArgumentException cause) {
    String why =
        switch (name) {
          case "KILL", "STOP" -> "the system lets no process handle it";
          case "QUIT" -> "the JVM prints all threads' stacks at it";
          default -> "the JVM needs it for itself";
        };
    return new IllegalArgumentException(
        "SIG" + name + " cannot be handled, " + why + ": choose another, SIGHUP or SIGUSR1 say",
        cause);
  }

  /**
   * Queues the callback that handles the signal now: another may have replaced the one that was
   * there when the signal came. On the loop.
   */
  private void call(String signal) {
    Registration registration = registrations.get(signal);
    if (registration != null) {
      loop.enqueueCallback(registration.callback(), registration.context());
    }
  }

  boolean remove(String name) {
    String signal = plain(name);
    Registration removed = registrations.remove(signal);
    if (removed == null) {
      ensureKnown(signal);
      return false;
    }
    removed.stopReceiving().run();
    return true;
  }

  /** {@return whether a callback handles the signal of that name} Any thread. */
  boolean handles(String signal) {
    return registrations.containsKey(signal);
  }

  /** Takes every signal from the loop, which is closed. */
  void close() {
    for (String signal : registrations.keySet()) {
      remove(signal);
    }
  }

  /** {@return the name as the JVM has it, for {@code "sighup"} as well} */
  private static String plain(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    return upper.startsWith("SIG") ? upper.substring("SIG".length()) : upper;
  }

  private static void ensureKnown(String name) {
    try {
      signalOf(name);
    } catch (NoClassDefFoundError e) {
      // Then nobody can say, and no handler was added.
    }
  }

  @Override
  public String toString() {
    return "LoopSignals[" + registrations.keySet() + "]";
  }
}
