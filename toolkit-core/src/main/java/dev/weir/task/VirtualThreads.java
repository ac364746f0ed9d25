package dev.weir.task;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The one place that reaches into the JDK for virtual threads with a scheduler of our own.
 *
 * <p>JDK 21 to 25 have it, not public, in {@code java.lang.ThreadBuilders}. Whether it is there and
 * open to us is found out by trying, never by the version.
 */
final class VirtualThreads {
  private static final @Nullable MethodHandle NEW_VIRTUAL_THREAD;
  private static final @Nullable MethodHandle SCHEDULER_OF;
  private static final @Nullable Executor DEFAULT_SCHEDULER;
  private static final @Nullable String UNAVAILABLE_BECAUSE;

  static {
    MethodHandle newVirtualThread = null;
    MethodHandle schedulerOf = null;
    Executor defaultScheduler = null;
    String unavailableBecause = null;
    try {
      MethodHandles.Lookup lookup =
          MethodHandles.privateLookupIn(
              Class.forName("java.lang.ThreadBuilders"), MethodHandles.lookup());
      newVirtualThread =
          lookup.findStatic(
              lookup.lookupClass(),
              "newVirtualThread",
              MethodType.methodType(
                  Thread.class, Executor.class, String.class, int.class, Runnable.class));
      Class<?> virtualThread = Class.forName("java.lang.VirtualThread");
      schedulerOf =
          MethodHandles.privateLookupIn(virtualThread, MethodHandles.lookup())
              .findGetter(virtualThread, "scheduler", Executor.class)
              .asType(MethodType.methodType(Executor.class, Thread.class));
      Field scheduler = virtualThread.getDeclaredField("DEFAULT_SCHEDULER");
      scheduler.setAccessible(true);
      defaultScheduler = (Executor) scheduler.get(null);
    } catch (ReflectiveOperationException | RuntimeException e) {
      newVirtualThread = null;
      unavailableBecause = e.toString();
    }
    NEW_VIRTUAL_THREAD = newVirtualThread;
    SCHEDULER_OF = schedulerOf;
    DEFAULT_SCHEDULER = defaultScheduler;
    UNAVAILABLE_BECAUSE = unavailableBecause;
  }

  private VirtualThreads() {}

  /** {@return whether {@link #newThread} works in this JVM} */
  static boolean schedulerIsOurs() {
    return NEW_VIRTUAL_THREAD != null;
  }

  /** {@return why {@link #newThread} does not work, or null if it does} */
  static @Nullable String unavailableBecause() {
    return UNAVAILABLE_BECAUSE;
  }

  /** {@return a virtual thread, not started, whose every step is handed to {@code scheduler}} */
  static Thread newThread(Executor scheduler, String name, Runnable body) {
    MethodHandle newVirtualThread = NEW_VIRTUAL_THREAD;
    if (newVirtualThread == null) {
      throw new IllegalStateException("no access to virtual threads: " + UNAVAILABLE_BECAUSE);
    }
    try {
      return (Thread) newVirtualThread.invokeExact(scheduler, name, 0, body);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e); // newVirtualThread declares no checked exception.
    }
  }

  /** {@return what the steps of a virtual thread are handed to, or null if that is closed to us} */
  static @Nullable Executor schedulerOf(Thread virtualThread) {
    MethodHandle schedulerOf = SCHEDULER_OF;
    if (schedulerOf == null) {
      return null;
    }
    try {
      return (Executor) schedulerOf.invokeExact(virtualThread);
    } catch (Throwable e) {
      throw new AssertionError(e); // It reads a field.
    }
  }

  /** {@return the scheduler that the JDK gives its virtual threads} */
  static Executor defaultScheduler() {
    Executor scheduler = DEFAULT_SCHEDULER;
    if (scheduler == null) {
      throw new IllegalStateException("no access to virtual threads: " + UNAVAILABLE_BECAUSE);
    }
    return scheduler;
  }
}
