package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.task.RunOptions;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

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
}
