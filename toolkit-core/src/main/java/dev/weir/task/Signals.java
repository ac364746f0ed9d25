package dev.weir.task;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** SIGINT and SIGTERM while a loop runs; what handled them before is put back at the end. */
final class Signals implements AutoCloseable {
  static final Signals NONE = new Signals();

  /** The first asks, the second interrupts, and a third is handled as if there were no loop. */
  private static final int SIGNALS_UNTIL_PREVIOUS = 2;

  private final List<Runnable> restorers = new ArrayList<>();
  private volatile @Nullable Signal first;

  /** How many have come. Guarded by this. */
  private int count;

  private Signals() {}

  /**
   * Takes every SIGINT and SIGTERM, on a thread of the JVM's.
   *
   * @param onFirst is told of the first signal, in words
   * @param onSecond gets the exception for the second one
   * @throws IllegalStateException if the module jdk.unsupported is missing, or the JVM keeps the
   *     signals to itself
   */
  static Signals handle(Consumer<String> onFirst, Consumer<SignalException> onSecond) {
    Signals signals = new Signals();
    try {
      for (String name : List.of("INT", "TERM")) {
        signals.take(new Signal(name), onFirst, onSecond);
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

  private void take(Signal signal, Consumer<String> onFirst, Consumer<SignalException> onSecond) {
    AtomicReference<@Nullable SignalHandler> previous = new AtomicReference<>();
    SignalHandler ours =
        received -> {
          if (count() > SIGNALS_UNTIL_PREVIOUS) {
            handleAsBefore(previous.get(), received);
          } else {
            received(received, onFirst, onSecond);
          }
        };
    SignalHandler replaced = Signal.handle(signal, ours);
    previous.set(replaced);
    restorers.add(() -> {
      SignalHandler current = Signal.handle(signal, replaced);
      if (current != ours) {
        Signal.handle(signal, current); // Set meanwhile by somebody else, who keeps it.
      }
    });
  }

  private synchronized int count() {
    count++;
    return count;
  }

  /** What cannot be ended by an interrupt either is left to the JVM, which exits. */
  private static void handleAsBefore(@Nullable SignalHandler previous, Signal received) {
    if (previous != null) {
      previous.handle(received);
    }
  }

  private synchronized void received(
      Signal signal, Consumer<String> onFirst, Consumer<SignalException> onSecond) {
    if (first == null) {
      first = signal;
      onFirst.accept("SIG" + signal.getName());
    } else {
      onSecond.accept(exceptionOf(signal, null));
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
