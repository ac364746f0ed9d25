package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * haproxy in front of the servers {@code s1}, {@code s2} and so on, to each of which it tells the
 * client's address by version 2 of the PROXY protocol. Told what to do through its admin socket.
 */
final class Haproxy implements AutoCloseable {
  private static final int STARTS_MAX = 5;

  private final Path folder;
  private final Process process;
  private final int port;

  private Haproxy(Path folder, Process process, int port) {
    this.folder = folder;
    this.process = process;
    this.port = port;
  }

  static boolean isInstalled() {
    return find() != null;
  }

  /** Debian has it where only root's PATH leads. */
  private static @Nullable Path find() {
    String path = System.getenv("PATH") + File.pathSeparator + "/usr/sbin";
    return Arrays.stream(path.split(File.pathSeparator))
        .map(entry -> Path.of(entry, "haproxy"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  /** Starts it, and returns once it answers on its admin socket. */
  static Haproxy start(List<Integer> serverPorts) throws IOException, InterruptedException {
    for (int i = 1; ; i++) {
      Haproxy haproxy = start(freePort(), serverPorts);
      if (haproxy.awaitAdminSocket()) {
        return haproxy;
      }
      // Somebody may have been quicker to take the port.
      String log = haproxy.log();
      haproxy.close();
      if (i == STARTS_MAX) {
        throw new IOException("haproxy did not start: " + log);
      }
    }
  }

  private static Haproxy start(int port, List<Integer> serverPorts) throws IOException {
    Path folder = Files.createTempDirectory("weir-haproxy");
    StringBuilder config =
        new StringBuilder(
            """
            global
              stats socket %s mode 600 level admin
            defaults
              mode tcp
              timeout connect 2s
              timeout client 30s
              timeout server 30s
              retries 3
              option redispatch 1
            frontend fe
              bind 127.0.0.1:%d
              default_backend be
            backend be
              balance roundrobin
            """
                .formatted(folder.resolve("admin"), port));
    for (int i = 0; i < serverPorts.size(); i++) {
      config.append(
          "  server s%d 127.0.0.1:%d send-proxy-v2%n".formatted(i + 1, serverPorts.get(i)));
    }
    Path file = Files.writeString(folder.resolve("haproxy.cfg"), config);
    Process process =
        new ProcessBuilder(String.valueOf(find()), "-db", "-f", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    return new Haproxy(folder, process, port);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      return socket.getLocalPort();
    }
  }

  /** Returns false if it has ended, or does not answer for long. */
  private boolean awaitAdminSocket() throws InterruptedException {
    for (int i = 0; i < 1000 && process.isAlive(); i++) {
      try {
        ask("show info");
        return true;
      } catch (IOException e) {
        Thread.sleep(10);
      }
    }
    return false;
  }

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
  }

  // --- The admin socket

  /** No new session goes to the server. */
  void drain(String server) throws IOException {
    ask("set server be/" + server + " state drain");
  }

  /** Waits until the server has no session left. */
  void awaitDrained(String server) throws IOException, InterruptedException {
    for (int i = 0; sessions(server) > 0; i++) {
      if (i == 3000) {
        throw new IOException("sessions of " + server + " do not end");
      }
      Thread.sleep(10);
    }
  }

  /** The server is to be had again, at this port. */
  void ready(String server, int serverPort) throws IOException {
    ask("set server be/" + server + " addr 127.0.0.1 port " + serverPort);
    ask("set server be/" + server + " state ready");
  }

  private int sessions(String server) throws IOException {
    List<String> lines = ask("show stat").lines().toList();
    int column = Arrays.asList(lines.getFirst().split(",")).indexOf("scur");
    return lines.stream()
        .filter(line -> line.startsWith("be," + server + ","))
        .mapToInt(line -> Integer.parseInt(line.split(",")[column]))
        .findFirst()
        .orElseThrow(() -> new IOException("haproxy knows no server " + server));
  }

  private String ask(String command) throws IOException {
    try (SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.connect(UnixDomainSocketAddress.of(folder.resolve("admin")));
      socket.write(ByteBuffer.wrap((command + "\n").getBytes(US_ASCII)));
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      ByteBuffer chunk = ByteBuffer.allocate(16 * 1024);
      while (socket.read(chunk) >= 0) {
        answer.write(chunk.array(), 0, chunk.position());
        chunk.clear();
      }
      return answer.toString(US_ASCII);
    }
  }

  private String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly().onExit().join();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    }
    Files.delete(folder);
  }

  @Override
  public String toString() {
    return "Haproxy[" + process.pid() + ", port " + port + "]";
  }
}
