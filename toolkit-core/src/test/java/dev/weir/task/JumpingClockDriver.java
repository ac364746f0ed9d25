package dev.weir.task;

import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import java.time.Duration;

/**
 * A driver without I/O whose clock stands still while anything is ready, and jumps to the next
 * deadline then. So a deadline passes in the round in which a test wants it to, however slow the
 * machine is, and an hour is over at once.
 */
final class JumpingClockDriver implements IoDriver {
  private final LoopContext loop;
  private final ParkingDriver parking;
  private volatile long nowNanos = System.nanoTime();

  private JumpingClockDriver(String transport, LoopContext loop) {
    this.loop = loop;
    this.parking = new ParkingDriver(transport, loop);
  }

  /** Runs {@code body} as the main task of a loop with such a clock. */
  static void run(Action body) {
    try (Runner runner = new Runner(RunOptions.defaults(), JumpingClockDriver::new)) {
      runner.run(body);
    }
  }

  /** Has time pass on the running loop as if the caller had been busy. */
  static void advance(Duration time) {
    JumpingClockDriver driver = (JumpingClockDriver) Loop.running().carrier.driver;
    driver.nowNanos = driver.nowNanos + time.toNanos();
  }

  @Override
  public long nanoTime() {
    return nowNanos;
  }

  @Override
  public void poll(long deadlineNanos) {
    if (deadlineNanos == NO_DEADLINE) {
      parking.poll(deadlineNanos);
    } else if (loop.mayBlock()) {
      nowNanos = Math.max(nowNanos, deadlineNanos);
    }
  }

  @Override
  public String transport() {
    return parking.transport();
  }

  @Override
  public Network network() {
    return parking.network();
  }

  @Override
  public void attach(Runnable polling) {
    parking.attach(polling);
  }

  @Override
  public void wakeup() {
    parking.wakeup();
  }

  @Override
  public void close() {
    parking.close();
  }
}
