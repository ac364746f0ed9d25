package dev.weir.testing;

import dev.weir.spi.ConnectRequest;
import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.ListenRequest;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Action;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A virtual loop every connection of which is tampered with. */
final class TamperedEngine implements EngineProvider {
  private final Supplier<? extends Tampering> newTampering;

  private TamperedEngine(Supplier<? extends Tampering> newTampering) {
    this.newTampering = newTampering;
  }

  /** Runs {@code body} on a loop whose connections are tampered with by what the supplier makes. */
  static void run(Supplier<? extends Tampering> newTampering, Action body) {
    try (Runner runner = new Runner(RunOptions.defaults(), new TamperedEngine(newTampering))) {
      runner.run(body);
    }
  }

  @Override
  public IoDriver open(String transport, LoopContext loop) {
    return new Driver(new VirtualDriver(loop, VirtualOptions.defaults()));
  }

  private final class Driver implements IoDriver, Network {
    private final IoDriver driver;
    private final List<Tampering> tamperings = new ArrayList<>();

    Driver(IoDriver driver) {
      this.driver = driver;
    }

    private Tampering tampered(TransportProtocol protocol) {
      Tampering tampering = newTampering.get().with(protocol);
      tamperings.add(tampering);
      return tampering;
    }

    @Override
    public void poll(long deadlineNanos) {
      boolean soon = tamperings.stream().anyMatch(Tampering::holdsSomething);
      driver.poll(soon ? driver.nanoTime() : deadlineNanos);
      List.copyOf(tamperings).forEach(Tampering::polled);
    }

    @Override
    public Attempt connect(
        ConnectRequest request, TransportProtocol protocol, Completion<Transport> outcome) {
      return driver.network().connect(request, tampered(protocol), outcome);
    }

    @Override
    public void listen(
        ListenRequest request, Supplier<TransportProtocol> acceptor, Completion<Listener> outcome) {
      driver.network().listen(request, () -> tampered(acceptor.get()), outcome);
    }

    @Override
    public String transport() {
      return driver.transport();
    }

    @Override
    public Network network() {
      return this;
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
    public void wakeup() {
      driver.wakeup();
    }

    @Override
    public void close() {
      driver.close();
    }
  }
}
