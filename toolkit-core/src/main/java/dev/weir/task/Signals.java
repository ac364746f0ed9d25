package dev.weir.task;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;

/** SIGINT and SIGTERM while a loop runs; what handled them before is put back at the end. */
final class Signals implements AutoCloseable {
  static final Signals NONE = new Signals();

  /** The first asks, the second interrupts, and a third is handled as if there were no loop. */
  private static final int SIGNALS_UNTIL_PREVIOUS = 2;

  private final List<Runnable> restorers = new ArrayList<>();
  private volatile @Nullable Signal first;

  /** How many have come. Guarded by this. */
  private int count;

  /** Whether the run is over. Written under the lock, read by any thread. */
  private volatile boolean closed;

  private Signals() {}

  /**
   * Takes every SIGINT and SIGTERM, on a thread of the JVM's, while {@code loop} has the run that
   * begins.
   *
   * @param onFirst is told of the first signal, in words, on the loop
   * @throws IllegalStateException if the module jdk.unsupported is missing, or the JVM keeps the
   *     signals to itself
   */
  static Signals handle(Loop loop, Consumer<String> onFirst) {
    Signals signals = new Signals();
    try {
      for (String name : List.of("INT", "TERM")) {
        signals.take(loop, new Signal(name), onFirst);
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

  private void take(Loop loop, Signal signal, Consumer<String> onFirst) {
    restorers.add(
        SignalReceivers.add(
            signal,
            received -> isHandledByUser(loop, received) || accept(loop, received, onFirst)));
  }

  private static boolean isHandledByUser(Loop loop, Signal signal) {
    return loop.group().stream().anyMatch(each -> each.handlesSignal(signal.getName()));
  }

  /**
   * {@return whether the signal is for the run, and not for whoever handled it before} What cannot
   * be ended by an interrupt either is left to the JVM, which exits.
   */
  private synchronized boolean accept(Loop loop, Signal signal, Consumer<String> onFirst) {
    count++;
    if (closed || count > SIGNALS_UNTIL_PREVIOUS) {
      return false; // It may have been dispatched to us before the run ended, and come after.
    }
    if (first == null) {
      first = signal;
      submit(loop, () -> onFirst.accept("SIG" + signal.getName()));
    } else {
      submit(loop, () -> loop.carrier.abort(exceptionOf(signal, null)));
      // Else one that blocks keeps the loops from aborting.
      loop.group().forEach(each -> each.carrier.interruptStep());
    }
    return true;
  }

  /** Runs {@code step} on the loop, unless it comes to that in a later run only. */
  private void submit(Loop loop, Runnable step) {
    loop.submitInternal(() -> {
      if (!closed) {
        step.run();
      }
    });
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
    synchronized (this) {
      closed = true;
    }
    restorers.forEach(Runnable::run);
  }
}
