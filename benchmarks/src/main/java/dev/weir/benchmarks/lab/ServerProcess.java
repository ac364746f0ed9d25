package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A {@link LabServer} in a JVM of its own, on the kind of fibers that this JVM was told to use. Not
 * for several threads at once.
 */
final class ServerProcess implements AutoCloseable {
  /** Little memory, so that what grows without bound ends the server, and soon. */
  static final List<String> SMALL =
      List.of("-Xmx64m", "-XX:MaxDirectMemorySize=64m", "-Dio.netty.maxDirectMemory=67108864");

  /** What a wait for the server may take: to reach it is a failure. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

  private final Process process;
  private final BufferedReader output;
  private final int port;
  private final boolean tls;

  private ServerProcess(Process process, boolean tls) throws IOException {
    this.process = process;
    this.tls = tls;
    this.output = process.inputReader(UTF_8);
    this.port = Integer.parseInt(nextLine());
  }

  /**
   * Starts a server and waits until it listens.
   *
   * @param jvmOptions of its JVM, beside those that Weir wants
   * @param settings as {@link LabServer#main} takes them
   */
  static ServerProcess start(List<String> jvmOptions, String... settings) throws IOException {
    String fibers = System.getProperty("weir.fibers", "auto");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    if (!fibers.equals("portable")) {
      command.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
    }
    command.addAll(List.of("-Dweir.fibers=" + fibers, "-XX:+UseSerialGC"));
    command.addAll(jvmOptions);
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), LabServer.class.getName()));
    command.addAll(List.of(settings));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      return new ServerProcess(
          process, List.of(settings).stream().anyMatch(setting -> setting.startsWith("tls=")));
    } catch (IOException | RuntimeException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  int port() {
    return port;
  }

  /**
   * {@return a connection as the server wants it, whose reads end: a server that does not answer is
   * a failure}
   */
  Socket connect() throws IOException {
    Socket socket = connectInClear();
    return tls ? LabTls.secured(socket) : socket;
  }

  /** {@return the same without TLS, whether the server wants it or not} */
  Socket connectInClear() throws IOException {
    Socket socket = new Socket(LOOPBACK, port);
    socket.setSoTimeout((int) PATIENCE.toMillis());
    return socket;
  }

  SocketAddress address() {
    return new InetSocketAddress(LOOPBACK, port);
  }

  Figures figures() throws IOException {
    OutputStream questions = process.getOutputStream();
    questions.write('\n');
    questions.flush();
    return Figures.parse(nextLine());
  }

  /** Asks for figures until {@code open} connections or fewer are left. */
  Figures awaitOpenAtMost(long open) throws IOException, InterruptedException {
    long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
    Figures figures = figures();
    while (figures.open() > open) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new IOException("still open after " + PATIENCE + ": " + figures);
      }
      Thread.sleep(10);
      figures = figures();
    }
    return figures;
  }

  /** Sends SIGTERM. */
  void terminate() {
    process.toHandle().destroy(); // Process.destroy() would close its output as well.
  }

  /** Waits for the end after {@link #terminate}. Returns what the process said of what it left. */
  String awaitEnd() throws IOException, InterruptedException {
    String last = nextLine();
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new IOException("the server did not end within " + PATIENCE);
    }
    return last;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  private String nextLine() throws IOException {
    String line = output.readLine();
    if (line == null) {
      throw new IOException("the server has ended: " + process);
    }
    return line;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  @Override
  public String toString() {
    return "ServerProcess[" + process.pid() + ", port " + port + "]";
  }
}
