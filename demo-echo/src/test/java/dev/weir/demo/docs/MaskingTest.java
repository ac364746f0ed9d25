package dev.weir.demo.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.Asyncio;
import dev.weir.protocol.StreamReaderProtocol;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import dev.weir.testing.StreamContract;
import dev.weir.testing.StreamEnd;
import dev.weir.testing.StreamPair;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What every stream promises, of streams on a transport that a user wrote against {@code Protocol}.
 */
class MaskingTest {
  @TestFactory
  Stream<DynamicTest> everyPromiseIsKeptInMemory() {
    return StreamContract.checks().stream()
        .map(check ->
            dynamicTest(check.name(), () -> VirtualLoop.run(() -> check.run(MaskingTest::open))));
  }

  @TestFactory
  Stream<DynamicTest> everyPromiseIsKeptOverTcp() {
    return StreamContract.checks().stream()
        .map(check ->
            dynamicTest(check.name(), () -> Asyncio.run(() -> check.run(MaskingTest::open))));
  }

  @Test
  void theBytesOnTheWayAreMasked() {
    VirtualLoop.run(() -> {
      Future<byte[]> seen = Asyncio.runningLoop().createFuture();
      try (Server server =
          Asyncio.startServer(
              (reader, writer) -> seen.setResult(reader.readAll()), "127.0.0.1", 0)) {
        StreamReaderProtocol streams = new StreamReaderProtocol(StreamOptions.defaults());
        Asyncio.createConnection(
            () -> new Masking(streams, 0x01), "127.0.0.1", server.addresses().getFirst().getPort());
        streams.writer().write("HAL");
        streams.writer().close();

        assertThat(seen.await()).asString().isEqualTo("I@M");
      }
    });
  }

  private static StreamPair open(StreamOptions options) throws IOException {
    Future<StreamReaderProtocol> accepted = Asyncio.runningLoop().createFuture();
    try (Server server =
        Asyncio.createServer(
            () -> {
              StreamReaderProtocol right = new StreamReaderProtocol(options);
              accepted.setResult(right);
              return new Masking(right, 0x2A);
            },
            "127.0.0.1",
            0,
            ServerOptions.defaults().withStream(options))) {
      StreamReaderProtocol left = new StreamReaderProtocol(options);
      Asyncio.createConnection(
          () -> new Masking(left, 0x2A),
          "127.0.0.1",
          server.addresses().getFirst().getPort(),
          ConnectOptions.defaults().withStream(options));
      StreamReaderProtocol right = accepted.await();
      return new StreamPair(
          new StreamEnd(left.reader(), left.writer()),
          new StreamEnd(right.reader(), right.writer()));
    }
  }
}
