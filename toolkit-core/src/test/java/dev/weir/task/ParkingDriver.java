package dev.weir.task;

import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import java.util.concurrent.locks.LockSupport;

/**
 * A driver without I/O: it parks until it is woken. On a mounted loop its fiber parks and leaves
 * the carrier free, as with NIO's selector.
 */
final class ParkingDriver implements IoDriver {
  private final LoopContext loop;
  private volatile Thread ioThread = Thread.currentThread();
  private volatile boolean woken;

  ParkingDriver(String transport, LoopContext loop) {
    this.loop = loop;
  }

  @Override
  public String transport() {
    return "none";
  }

  @Override
  public Network network() {
    throw new UnsupportedOperationException("this driver has no network");
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public void attach(Runnable polling) {
    ioThread = Thread.currentThread();
    polling.run();
  }

  @Override
  public void poll(long deadlineNanos) {
    if (loop.mayBlock()) {
      while (!woken) {
        long remainingNanos =
            deadlineNanos == NO_DEADLINE ? Long.MAX_VALUE : deadlineNanos - nanoTime();
        if (remainingNanos <= 0) {
          break;
        }
        LockSupport.parkNanos(this, remainingNanos);
      }
    }
    woken = false;
  }

  @Override
  public void wakeup() {
    woken = true;
    LockSupport.unpark(ioThread);
  }

  @Override
  public void close() {}
}
