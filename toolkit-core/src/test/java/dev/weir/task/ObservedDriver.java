package dev.weir.task;

import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;

/** A {@link ParkingDriver} that tells when it polls, and when it is closed. */
final class ObservedDriver implements IoDriver {
  private final ParkingDriver driver;
  private final Runnable onPoll;
  private final Runnable onClose;

  ObservedDriver(LoopContext loop, Runnable onPoll, Runnable onClose) {
    this.driver = new ParkingDriver("observed", loop);
    this.onPoll = onPoll;
    this.onClose = onClose;
  }

  @Override
  public String transport() {
    return driver.transport();
  }

  @Override
  public Network network() {
    return driver.network();
  }

  @Override
  public long nanoTime() {
    return driver.nanoTime();
  }

  @Override
  public void attach(Runnable polling) {
    driver.attach(polling);
  }

  @Override
  public void poll(long deadlineNanos) {
    onPoll.run();
    driver.poll(deadlineNanos);
  }

  @Override
  public void wakeup() {
    driver.wakeup();
  }

  @Override
  public void close() {
    onClose.run();
    driver.close();
  }
}
