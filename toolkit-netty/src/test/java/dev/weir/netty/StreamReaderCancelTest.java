package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.StreamReader;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A read that is cancelled consumes nothing, whichever call it was. */
@ExtendWith(LeakCheck.class)
class StreamReaderCancelTest {

  private interface Read {
    Object from(StreamReader reader) throws Exception;
  }

  private record Kind(String name, String before, Read read) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Each with what may arrive without satisfying it. */
  static Stream<Arguments> readsOnTransports() {
    return Stream.of(
            new Kind("read", "", reader -> reader.read(100)),
            new Kind("readLine", "par", StreamReader::readLine),
            new Kind("readLine(Charset)", "par", reader -> reader.readLine(UTF_8)),
            new Kind("readExactly", "par", reader -> reader.readExactly(8)),
            new Kind("readUntil", "par", reader -> reader.readUntil(bytes("al\n"), bytes("\n"))),
            new Kind("readAll", "par", StreamReader::readAll),
            new Kind("iteration", "par", reader -> reader.iterator().next()))
        .flatMap(kind -> Stream.of(Arguments.of("nio", kind), Arguments.of("epoll", kind)));
  }

  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("readsOnTransports")
  void aCancelledReadConsumesNothing(String transport, Kind kind) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<Object> reading = Asyncio.createTask(() -> kind.read.from(peer.reader()));
          peer.send(kind.before);
          peer.awaitArrived(kind.before.length());
          OnLoop.passRounds(2);

          reading.cancel();

          assertThatThrownBy(reading::await).isInstanceOf(CancelledError.class);
          peer.send("partial\n".substring(kind.before.length()));
          assertThat(text(peer.reader().readLine())).isEqualTo("partial\n");
        });
  }

  /** The bytes are there and the reader is about to run: still nothing may be lost. */
  @ParameterizedTest(name = "{1} on {0}")
  @MethodSource("readsOnTransports")
  void aReadCancelledInTheRoundOfItsBytesConsumesNothing(String transport, Kind kind) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<Object> reading = Asyncio.createTask(() -> kind.read.from(peer.reader()));
          OnLoop.passRounds(2);
          peer.send("partial\n");
          peer.awaitArrived(8);

          reading.cancel();

          assertThatThrownBy(reading::await).isInstanceOf(CancelledError.class);
          assertThat(text(peer.reader().readExactly(8))).isEqualTo("partial\n");
        });
  }

  @EachTransport
  void afterACancelledReadAnotherTaskMayRead(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          Task<byte[]> first = Asyncio.createTask(() -> peer.reader().readLine());
          OnLoop.passRounds(2);
          first.cancel();
          OnLoop.passRounds(2);

          Task<byte[]> second = Asyncio.createTask(() -> peer.reader().readLine());
          OnLoop.passRounds(2);
          peer.send("line\n");

          assertThat(text(second.await())).isEqualTo("line\n");
        });
  }
}
