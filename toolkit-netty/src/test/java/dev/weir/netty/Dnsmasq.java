package dev.weir.netty;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A dnsmasq that knows what it is told, and that there is nothing else below {@code example}. */
final class Dnsmasq implements AutoCloseable {
  private final ForeignProgram program;
  private final InetSocketAddress address;

  private Dnsmasq(ForeignProgram program, InetSocketAddress address) {
    this.program = program;
    this.address = address;
  }

  /** Starts one on a port of its own, or has the test skipped if this machine has none. */
  static Dnsmasq start(String... options) throws IOException {
    int port = freePort();
    List<String> command =
        new ArrayList<>(
            List.of(
                "dnsmasq",
                "--no-daemon",
                "--conf-file=/dev/null",
                "--pid-file=",
                "--no-resolv",
                "--no-hosts",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
                "--port=" + port,
                "--local=/example/",
                "--local-ttl=3600"));
    command.addAll(List.of(options));
    ForeignProgram program = ForeignProgram.startTalkative(command.toArray(String[]::new));
    program.nextLineWith("started");
    return new Dnsmasq(program, new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
  }

  /** {@return a port that is free for UDP and TCP} It takes no 0 for that. */
  private static int freePort() throws IOException {
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    while (true) {
      try (ServerSocket tcp = new ServerSocket(0, 1, loopback);
          DatagramSocket _ = new DatagramSocket(tcp.getLocalPort(), loopback)) {
        return tcp.getLocalPort();
      } catch (BindException e) {
        // Somebody has it for UDP: the next one.
      }
    }
  }

  /** {@return the option that has it read a file of hosts} */
  static String hosts(Path file) {
    return "--addn-hosts=" + file;
  }

  InetSocketAddress address() {
    return address;
  }

  /** Ends it at once; whoever asks it from then on gets no answer. */
  void kill() throws InterruptedException {
    program.kill();
    program.awaitExit();
  }

  @Override
  public void close() {
    program.close();
  }
}
