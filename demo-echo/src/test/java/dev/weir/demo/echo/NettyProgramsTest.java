package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.netty.AdoptingServer;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.Action;
import dev.weir.task.ExceptionContext;
import dev.weir.task.RunOptions;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that were Netty's, with a sequential handler in them, asked by curl. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@ExtendWith(LeakCheck.class)
class NettyProgramsTest {
  private static void run(String transport, Action body) {
    assumeTrue(!transport.equals("epoll") || Epoll.isAvailable(), "there is no epoll here");
    List<ExceptionContext> reports = new ArrayList<>();
    Asyncio.run(
        () -> {
          Asyncio.runningLoop().setExceptionHandler((_, context) -> reports.add(context));
          body.run();
        },
        RunOptions.defaults().withTransport(transport));
    assertThat(reports).as("what was reported to the loop's exception handler").isEmpty();
  }

  private static void askByCurl(Channel listening) throws Exception {
    String url =
        "http://127.0.0.1:" + ((InetSocketAddress) listening.localAddress()).getPort() + "/";

    String said = ForeignProgram.run("curl", "-sv", url, url, "-d", "a river", url + "echo");

    assertThat(said)
        .contains("Re-using existing connection")
        .containsSubsequence("405", "405", "a river"); // With a body, curl posts to all.
    assertThat(ForeignProgram.run("curl", "-s", url)).isEqualTo("Hello from Weir\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  void aProgramIsGivenWeirsGroup(String transport) {
    run(
        transport,
        () -> {
          try (AdoptingServer weir = NettyPrograms.startAdopting()) {
            Channel listening = NettyPrograms.listenOnWeirsLoop(weir);
            askByCurl(listening);
            Asyncio.toThread(() -> listening.close().sync());
            weir.server().shutdown(Duration.ofSeconds(5));
          }
        });
  }

  /** On nio its channels move, on epoll they are bridged. */
  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  void theChannelsOfAProgramAreTakenOver(String transport) {
    run(
        transport,
        () -> {
          EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
          try (AdoptingServer weir = NettyPrograms.startAdopting()) {
            Channel listening =
                NettyPrograms.listenOnItsOwnLoops(group, NioServerSocketChannel.class, weir);
            askByCurl(listening);
            Asyncio.toThread(() -> listening.close().sync());
            weir.server().shutdown(Duration.ofSeconds(5));
          } finally {
            Asyncio.toThread(() -> group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync());
          }
        });
  }

  @Test
  void streamsAreBehindHandlers() {
    run(
        "auto",
        () -> {
          try (Server server = NettyPrograms.startShaped();
              Connection client =
                  Asyncio.openConnection("127.0.0.1", server.addresses().getFirst().getPort())) {
            client.writer().write("river\n");
            assertThat(client.reader().readLine(UTF_8)).isEqualTo("Hello, river");
          }
        });
  }
}
