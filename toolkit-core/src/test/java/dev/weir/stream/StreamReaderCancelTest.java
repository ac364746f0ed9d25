package dev.weir.stream;

import static dev.weir.stream.MemoryPeer.bytes;
import static dev.weir.stream.MemoryPeer.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A read that is cancelled consumes nothing, whichever call it was. */
class StreamReaderCancelTest {

  interface Read {
    Object from(StreamReader reader) throws Exception;
  }

  record Kind(String name, String before, Read read) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Each with what may arrive without satisfying it. */
  static Stream<Kind> reads() {
    return Stream.of(
        new Kind("read", "", reader -> reader.read(100)),
        new Kind("readLine", "par", StreamReader::readLine),
        new Kind("readLine(Charset)", "par", reader -> reader.readLine(UTF_8)),
        new Kind("readExactly", "par", reader -> reader.readExactly(8)),
        new Kind("readUntil", "par", reader -> reader.readUntil(bytes("al\n"), bytes("\n"))),
        new Kind("readAll", "par", StreamReader::readAll),
        new Kind("iteration", "par", reader -> reader.iterator().next()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("reads")
  void aCancelledReadConsumesNothing(Kind kind) {
    MemoryPeer.run(peer -> {
      Task<Object> reading = Asyncio.createTask(() -> kind.read.from(peer.reader()));
      peer.send(kind.before);
      Rounds.settle();

      reading.cancel();

      assertThatThrownBy(reading::await).isInstanceOf(CancelledError.class);
      peer.send("partial\n".substring(kind.before.length()));
      assertThat(text(peer.reader().readLine())).isEqualTo("partial\n");
    });
  }

  /** The bytes are there and the reader is about to run: still nothing may be lost. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("reads")
  void aReadCancelledInTheRoundOfItsBytesConsumesNothing(Kind kind) {
    MemoryPeer.run(peer -> {
      Task<Object> reading = Asyncio.createTask(() -> kind.read.from(peer.reader()));
      Rounds.settle();
      peer.send("partial\n");
      Rounds.until(() -> peer.arrived() == 8);
      assertThat(reading.done()).isFalse();

      reading.cancel();

      assertThatThrownBy(reading::await).isInstanceOf(CancelledError.class);
      assertThat(text(peer.reader().readExactly(8))).isEqualTo("partial\n");
    });
  }

  @Test
  void afterACancelledReadAnotherTaskMayRead() {
    MemoryPeer.run(peer -> {
      Task<byte[]> first = Asyncio.createTask(() -> peer.reader().readLine());
      Rounds.settle();
      first.cancel();
      Rounds.settle();

      Task<byte[]> second = Asyncio.createTask(() -> peer.reader().readLine());
      Rounds.settle();
      peer.send("line\n");

      assertThat(text(second.await())).isEqualTo("line\n");
    });
  }
}
