package dev.weir.testing;

import dev.weir.spi.EngineProvider;
import dev.weir.spi.IoDriver;
import dev.weir.spi.LoopContext;
import dev.weir.spi.Network;
import dev.weir.spi.Transport;
import dev.weir.spi.TransportProtocol;
import dev.weir.task.Action;
import dev.weir.task.RunOptions;
import dev.weir.task.Runner;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * An engine without sockets and without waiting: connections within the loop, and a clock that
 * jumps to the next deadline when nothing is ready. So whoever waits for what never comes times out
 * at once.
 */
final class PipeEngine implements EngineProvider {
  /** Runs {@code body} as the main task of a loop with {@code engine}. */
  static void run(EngineProvider engine, Action body) {
    try (Runner runner = new Runner(RunOptions.defaults(), engine)) {
      runner.run(body);
    }
  }

  @Override
  public IoDriver open(String transport, LoopContext loop) {
    return new Driver(loop);
  }

  private static final class Driver implements IoDriver, Network {
    private final LoopContext loop;
    private volatile Thread ioThread = Thread.currentThread();
    private volatile boolean woken;
    private volatile long nowNanos = System.nanoTime();

    // On the loop only.

    private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
    private final Map<Integer, Supplier<TransportProtocol>> acceptors = new HashMap<>();
    private final List<PipeTransport> open = new ArrayList<>();
    private int nextPort = 50_000;

    Driver(LoopContext loop) {
      this.loop = loop;
    }

    @Override
    public String transport() {
      return "pipe";
    }

    @Override
    public Network network() {
      return this;
    }

    @Override
    public long nanoTime() {
      return nowNanos;
    }

    @Override
    public void attach(Runnable polling) {
      ioThread = Thread.currentThread();
      polling.run();
    }

    @Override
    public void poll(long deadlineNanos) {
      boolean progress = !requests.isEmpty();
      for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
        request.run();
      }
      for (PipeTransport transport : List.copyOf(open)) {
        progress |= transport.deliver();
      }
      for (PipeTransport transport : List.copyOf(open)) {
        progress |= transport.flush();
      }
      open.removeIf(PipeTransport::closed);
      if (!progress && loop.mayBlock()) {
        passTime(deadlineNanos);
      }
      woken = false;
    }

    private void passTime(long deadlineNanos) {
      if (deadlineNanos == NO_DEADLINE) {
        while (!woken) {
          LockSupport.park(this);
        }
      }
      if (!woken) {
        nowNanos = Math.max(nowNanos, deadlineNanos);
      }
    }

    @Override
    public void wakeup() {
      woken = true;
      LockSupport.unpark(ioThread);
    }

    @Override
    public void close() {
      for (PipeTransport transport : List.copyOf(open)) {
        transport.abort();
        transport.flush();
      }
    }

    private void request(Runnable request) {
      requests.add(request);
      loop.ioRequested();
    }

    @Override
    public void listen(
        InetSocketAddress local,
        int backlog,
        boolean reuseAddress,
        Supplier<TransportProtocol> acceptor,
        Completion<Listener> outcome) {
      int port = nextPort++;
      acceptors.put(port, acceptor);
      Listener listener =
          new Listener() {
            @Override
            public InetSocketAddress localAddress() {
              return new InetSocketAddress(local.getAddress(), port);
            }

            @Override
            public void close() {
              acceptors.remove(port);
            }
          };
      request(() -> outcome.succeeded(listener));
    }

    @Override
    public Attempt connect(
        InetSocketAddress remote,
        Duration timeout,
        TransportProtocol protocol,
        Completion<Transport> outcome) {
      boolean[] abandoned = {false};
      request(() -> {
        Supplier<TransportProtocol> acceptor = acceptors.get(remote.getPort());
        if (acceptor == null) {
          outcome.failed(new ConnectException("Connection refused: " + remote));
        } else if (!abandoned[0]) {
          InetSocketAddress local = new InetSocketAddress(remote.getAddress(), nextPort++);
          PipeTransport client =
              new PipeTransport(loop::ioRequested, local, remote, protocol, acceptor.get());
          open.add(client);
          open.add(client.peer());
          client.connect();
          outcome.succeeded(client);
        }
      });
      return () -> abandoned[0] = true;
    }

    @Override
    public String toString() {
      return "PipeEngine[" + open + "]";
    }
  }
}
