package dev.weir.task;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** SIGINT and SIGTERM while a loop runs; what handled them before is put back at the end. */
final class Signals implements AutoCloseable {
  static final Signals NONE = new Signals();

  private final List<Runnable> restorers = new ArrayList<>();
  private volatile @Nullable Signal first;

  private Signals() {}

  /**
   * Takes every SIGINT and SIGTERM, on a thread of the JVM's.
   *
   * @param onFirst is told of the first signal, in words
   * @param onFurther gets the exception for every further one
   * @throws IllegalStateException if the module jdk.unsupported is missing, or the JVM keeps the
   *     signals to itself
   */
  static Signals handle(Consumer<String> onFirst, Consumer<SignalException> onFurther) {
    Signals signals = new Signals();
    try {
      for (String name : List.of("INT", "TERM")) {
        Signal signal = new Signal(name);
        SignalHandler previous =
            Signal.handle(signal, received -> signals.received(received, onFirst, onFurther));
        signals.restorers.add(() -> Signal.handle(signal, previous));
      }
      return signals;
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          "handleSignals needs the module jdk.unsupported: add it, or leave handleSignals off", e);
    } catch (IllegalArgumentException e) {
      signals.close();
      throw new IllegalStateException(
          "handleSignals does not work in this JVM (was it started with -Xrs?): leave it off", e);
    }
  }

  private synchronized void received(
      Signal signal, Consumer<String> onFirst, Consumer<SignalException> onFurther) {
    if (first == null) {
      first = signal;
      onFirst.accept("SIG" + signal.getName());
    } else {
      onFurther.accept(exceptionOf(signal, null));
    }
  }

  /** {@return what to throw for the cancellation of the main task} */
  RuntimeException translate(CancelledError cancelled) {
    Signal signal = first;
    if (signal == null) {
      throw cancelled;
    }
    return exceptionOf(signal, cancelled);
  }

  private static SignalException exceptionOf(Signal signal, @Nullable CancelledError cause) {
    return new SignalException(signal.getName(), signal.getNumber(), cause);
  }

  @Override
  public void close() {
    restorers.forEach(Runnable::run);
  }
}
