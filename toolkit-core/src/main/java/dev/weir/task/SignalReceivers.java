package dev.weir.task;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Who in this process receives one signal: every run and every loop that asked for it. What handled
 * the signal before gets what none of them takes, and is put back after the last of them.
 */
final class SignalReceivers implements SignalHandler {
  /** By the name of the signal. Guarded by the class. */
  private static final Map<String, SignalReceivers> INSTALLED = new HashMap<>();

  private final Signal signal;
  private final List<Receiver> receivers = new CopyOnWriteArrayList<>();
  private volatile @Nullable SignalHandler previous;

  private SignalReceivers(Signal signal) {
    this.signal = signal;
  }

  /** Is told of a signal, on a thread of the JVM's. */
  interface Receiver {
    /** {@return whether it took the signal} */
    boolean receive(Signal signal);
  }

  /**
   * Hands a signal to {@code receiver} from now on.
   *
   * @return takes it from the receiver again
   * @throws IllegalArgumentException if the JVM keeps the signal to itself
   */
  static Runnable add(Signal signal, Receiver receiver) {
    synchronized (SignalReceivers.class) {
      SignalReceivers installed = INSTALLED.get(signal.getName());
      if (installed == null || !installed.handlesStill()) {
        // Somebody else's handler may lie above the old one, and hand on to it: that stays as it
        // is, and a new one lies above both.
        installed = new SignalReceivers(signal);
        installed.receivers.add(receiver); // Before the first signal, which has to find it.
        installed.previous = Signal.handle(signal, installed);
        INSTALLED.put(signal.getName(), installed);
      } else {
        installed.receivers.add(receiver);
      }
      SignalReceivers addedTo = installed;
      return () -> addedTo.remove(receiver);
    }
  }

  /** {@return whether nobody has replaced it} To ask is to set. */
  private boolean handlesStill() {
    SignalHandler current = Signal.handle(signal, this);
    if (current == this) {
      return true;
    }
    Signal.handle(signal, current);
    return false;
  }

  private void remove(Receiver receiver) {
    synchronized (SignalReceivers.class) {
      if (!receivers.remove(receiver) || !receivers.isEmpty()) {
        return;
      }
      INSTALLED.remove(signal.getName(), this);
      SignalHandler current = Signal.handle(signal, previous);
      if (current != this) {
        Signal.handle(signal, current); // Set meanwhile by somebody else, who keeps it.
      }
    }
  }

  @Override
  public void handle(Signal received) {
    boolean taken = false;
    for (Receiver receiver : receivers) {
      taken |= receiver.receive(received);
    }
    SignalHandler before = previous;
    if (!taken && before != null) {
      handleAsBefore(before, received);
    }
  }

  private static void handleAsBefore(SignalHandler before, Signal received) {
    try {
      before.handle(received);
    } catch (UnsupportedOperationException e) {
      // It is no code of Java's: the default of the system, for a signal that came too late for the
      // receiver. The next one gets there by itself.
    }
  }

  @Override
  public String toString() {
    return "SignalReceivers[" + signal + ", " + receivers + "]";
  }
}
