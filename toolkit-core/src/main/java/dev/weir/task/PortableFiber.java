package dev.weir.task;

import org.jspecify.annotations.Nullable;

/** A fiber on the JDK's own scheduler that runs only while it holds its loop's turn. */
final class PortableFiber extends Fiber {
  // Neither a ScopedValue nor inheritable: both would leak into threads that the user's code
  // starts.
  private static final ThreadLocal<@Nullable Fiber> CURRENT = new ThreadLocal<>();

  /** {@return the portable fiber that the calling thread is, or null} */
  static @Nullable Fiber currentPortable() {
    return CURRENT.get();
  }

  /** Makes {@code fiber} the one that the calling thread is, as long as the thread lives. */
  static void setCurrent(Fiber fiber) {
    CURRENT.set(fiber);
  }

  @Override
  void becomeCurrent() {
    setCurrent(this);
  }

  private final PortableCarrier portableCarrier;
  final Turn turn;

  PortableFiber(PortableCarrier carrier, String name, @Nullable Task<?> task, Runnable body) {
    super(carrier, task, body);
    this.portableCarrier = carrier;
    this.turn = new Turn(Thread.ofVirtual().name(name).unstarted(this::run));
  }

  @Override
  Thread thread() {
    return turn.thread();
  }

  @Override
  void park() {
    parked = true;
    if (!portableCarrier.passTurn(turn)) {
      turn.await();
    }
    parked = false;
  }

  @Override
  boolean inForeignCode() {
    return false; // There it holds the turn, so nobody else can ask.
  }

  private void run() {
    turn.await();
    try {
      runBody();
    } finally {
      portableCarrier.passTurn(null); // Whatever happened: a turn that is lost stops the loop.
    }
  }
}
