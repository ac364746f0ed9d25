package dev.weir.netty;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.task.RunOptions;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NettyIoTest {
  @Test
  void autoTakesNeitherIoUringNorWhatDoesNotWork() {
    NettyIo chosen = NettyIo.of("auto");

    assertThat(chosen).isNotEqualTo(NettyIo.IO_URING);
    assertThat(chosen.unavailability()).isNull();
  }

  @Test
  void aTransportThatDoesNotWorkHereSaysWhyAndWhatToWriteInstead() {
    String reason = NettyIo.KQUEUE.unavailability();
    assumeTrue(reason != null, "kqueue works here");

    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> Asyncio.run(() -> {}, RunOptions.defaults().withTransport("kqueue")))
        .withMessageContainingAll("kqueue does not work here, use auto or nio", reason);
  }

  @Test
  void anUnknownTransportIsAnsweredByThoseThatThereAre() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NettyIo.of("iocp"))
        .withMessageContainingAll(
            Arrays.stream(NettyIo.values()).map(NettyIo::transportName).toArray(String[]::new));
  }

  @EachTransportAndIoUring
  void aLoopRunsOnTheTransportThatWasAskedFor(String transport) {
    OnLoop.assumeAvailable(transport);
    NettyIo io = NettyIo.of(transport);

    assertThat(io.transportName()).isEqualTo(transport);
    SocketChannel socket = io.newSocketChannel();
    ServerSocketChannel server = io.newServerSocketChannel();
    socket.unsafe().closeForcibly();
    server.unsafe().closeForcibly();
    assertThat(socket).isInstanceOf(io.socketChannelType());
    assertThat(server).isInstanceOf(io.serverSocketChannelType());
  }

  @Test
  @Tag("once")
  void theTransportIsInTheLogOnceHoweverManyLoopsThereAre(@TempDir Path folder) throws IOException {
    List<String> output = runLogging(folder, "auto", "auto", "nio", "nio");

    String chosen = NettyIo.of("auto").transportName();
    assertThat(output).filteredOn(("ran on " + chosen)::equals).hasSize(2);
    assertThat(output)
        .filteredOn(line -> line.startsWith("FINE: The transport is "))
        .containsExactly("FINE: The transport is " + chosen, "FINE: The transport is nio");
  }

  @Test
  @Tag("once")
  void whyAutoTakesNioIsInTheLogOnce(@TempDir Path folder) throws IOException {
    List<String> output =
        runLogging(folder, List.of("-Dio.netty.transport.noNative=true"), "auto", "auto");

    assertThat(output).filteredOn("ran on nio"::equals).hasSize(2);
    assertThat(output)
        .filteredOn(line -> line.contains("The transport auto takes nio here"))
        .singleElement(as(STRING))
        .startsWith("FINE: ")
        .contains("Not epoll: ", "noNative", "Not kqueue: ");
  }

  @Test
  @Tag("once")
  void ioUringIsRefusedWhereNettyWasToldToDoWhatLosesResets() throws IOException {
    OnLoop.assumeAvailable("io_uring");
    String property = "io.netty.iouring.pollAddMultishotEnabled";

    List<String> output =
        ChildJvm.run(List.of("-D" + property + "=true"), LoopsInTurn.class, "io_uring", "auto");

    assertThat(output)
        .filteredOn(line -> line.startsWith("refused: "))
        .singleElement(as(STRING))
        .contains("io_uring does not work here", "-D" + property + "=false");
    assertThat(output).contains("ran on " + NettyIo.of("auto").transportName());
  }

  private static List<String> runLogging(Path folder, String... transports) throws IOException {
    return runLogging(folder, List.of(), transports);
  }

  /** Has all that Weir's engine logs printed, a line each, its level before it. */
  private static List<String> runLogging(Path folder, List<String> options, String... transports)
      throws IOException {
    Path configuration =
        Files.writeString(
            folder.resolve("logging.properties"),
            """
            handlers = java.util.logging.ConsoleHandler
            java.util.logging.ConsoleHandler.level = ALL
            java.util.logging.SimpleFormatter.format = %4$s: %5$s%n
            dev.weir.netty.level = ALL
            """);
    List<String> all = new ArrayList<>(options);
    all.add("-Djava.util.logging.config.file=" + configuration);
    return ChildJvm.run(all, LoopsInTurn.class, transports);
  }
}
