package dev.weir.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/**
 * A server in a process of its own, that may open 130 descriptors, and 150 clients: what is
 * connected goes on, who comes too late is told so, and when there are descriptors again everything
 * is as it was.
 */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class DescriptorsRunOutTest {
  private static final int DESCRIPTORS_MAX = 130;
  private static final int CLIENTS = 150;
  private static final Duration PRESSURE = Duration.ofSeconds(3);
  private static final Duration RECOVERY_MAX = Duration.ofSeconds(2);

  private Process server;
  private BufferedReader output;
  private Path errors;

  private void start(String transport) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String command =
        "ulimit -n "
            + DESCRIPTORS_MAX
            + " && exec "
            + java
            + " --add-opens java.base/java.lang=ALL-UNNAMED --enable-native-access=ALL-UNNAMED"
            + " -Dweir.fibers="
            + System.getProperty("weir.fibers", "auto")
            + " -XX:-UsePerfData -cp \"$CLASSES\" "
            + ScarceServer.class.getName()
            + " "
            + transport;
    errors = Files.createTempFile("scarce", ".err");
    errors.toFile().deleteOnExit();
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", command);
    builder.environment().put("CLASSES", ChildJvm.classPath());
    server = builder.redirectError(errors.toFile()).start();
    output = server.inputReader(UTF_8);
  }

  @AfterEach
  void kill() {
    if (server != null) {
      server.destroyForcibly();
    }
  }

  private int reports() throws IOException {
    server.getOutputStream().write('?');
    server.getOutputStream().flush();
    return Integer.parseInt(output.readLine());
  }

  private static Socket connect(int port) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout((int) Duration.ofSeconds(10).toMillis());
    return socket;
  }

  private static void assertEchoes(Socket socket) throws IOException {
    socket.getOutputStream().write("hello\n".getBytes(UTF_8));
    assertThat(new String(socket.getInputStream().readNBytes(6), UTF_8)).isEqualTo("hello\n");
  }

  /** {@return whether the server turned it away, by a reset; else it echoes} */
  private static boolean isRefused(Socket socket) throws IOException {
    try {
      assertEchoes(socket);
      return false;
    } catch (SocketException e) {
      return true;
    }
  }

  @EachTransport
  void whoIsConnectedGoesOnAndWhoComesTooLateIsToldSo(String transport) throws Exception {
    OnLoop.assumeAvailable(transport);
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "this system has no ulimit, perhaps");
    start(transport);
    int port = Integer.parseInt(output.readLine());
    List<Socket> clients = new ArrayList<>();
    try (Socket before = connect(port)) {
      assertEchoes(before);
      assertThat(reports()).isZero();

      int refused = 0;
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(connect(port));
      }
      for (Socket client : clients) {
        if (isRefused(client)) {
          refused++;
        }
      }
      assertThat(refused).as("clients refused").isBetween(CLIENTS - DESCRIPTORS_MAX, CLIENTS - 1);
      assertEchoes(before);

      Duration cpuBefore = server.info().totalCpuDuration().orElseThrow();
      long pressedNanos = System.nanoTime();
      int tooLate = 0;
      while (System.nanoTime() - pressedNanos < PRESSURE.toNanos()) {
        try (Socket late = connect(port)) {
          assertThat(isRefused(late)).isTrue();
          tooLate++;
        }
        assertEchoes(before);
      }
      Duration cpu = server.info().totalCpuDuration().orElseThrow().minus(cpuBefore);
      assertThat(tooLate).as("told within a second each").isGreaterThanOrEqualTo(2);
      assertThat(cpu).as("processor time").isLessThan(PRESSURE.dividedBy(5));
      assertThat(reports()).as("reports").isOne();

      for (Socket client : clients) {
        client.close();
      }
      long freedNanos = System.nanoTime();
      boolean served = false;
      while (!served) {
        try (Socket late = connect(port)) {
          served = !isRefused(late);
        }
      }
      Duration recovery = Duration.ofNanos(System.nanoTime() - freedNanos);
      assertThat(recovery).isLessThan(RECOVERY_MAX);
      assertEchoes(before);
      System.out.printf(
          "%s: %d refused at once, %d later; %d ms of processor time in %d s; served again after %d"
              + " ms%n",
          transport, refused, tooLate, cpu.toMillis(), PRESSURE.toSeconds(), recovery.toMillis());
    } finally {
      for (Socket client : clients) {
        client.close();
      }
    }
    server.getOutputStream().close();
    assertThat(server.waitFor()).isZero();
    assertThat(Files.readString(errors))
        .containsOnlyOnce("Accepting connections failed on /127.0.0.1:")
        .contains("Too many open files")
        .doesNotContain("NoClassDefFoundError", "Exception in thread");
  }
}
