package dev.weir.protocol;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import dev.weir.testing.LinkConditions;
import dev.weir.testing.MemoryNetwork;
import dev.weir.testing.StreamContract;
import dev.weir.testing.StreamEnd;
import dev.weir.testing.StreamPair;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What every stream promises, of streams on the transports that protocols get. */
class ProtocolContractTest {
  @TestFactory
  Stream<DynamicTest> streamsOnTransportsKeepEveryPromise() {
    return StreamContract.checks().stream()
        .map(check ->
            dynamicTest(
                check.name(), () -> VirtualLoop.run(() -> check.run(ProtocolContractTest::open))));
  }

  @TestFactory
  Stream<DynamicTest> alsoOverASlowNetwork() {
    return StreamContract.checks().stream()
        .map(check ->
            dynamicTest(
                check.name(),
                () ->
                    VirtualLoop.run(() -> {
                      MemoryNetwork.current()
                          .setConditions(LinkConditions.perfect().withPieces(1, 3000));
                      check.run(ProtocolContractTest::open);
                    })));
  }

  private static StreamPair open(StreamOptions options) throws IOException {
    Future<StreamReaderProtocol> accepted = Asyncio.runningLoop().createFuture();
    try (Server server =
        Asyncio.createServer(
            () -> {
              StreamReaderProtocol streams = new StreamReaderProtocol(options);
              accepted.setResult(streams);
              return streams;
            },
            "127.0.0.1",
            0,
            ServerOptions.defaults().withStream(options))) {
      StreamReaderProtocol left =
          Asyncio.createConnection(
                  () -> new StreamReaderProtocol(options),
                  "127.0.0.1",
                  server.addresses().getFirst().getPort(),
                  ConnectOptions.defaults().withStream(options))
              .protocol();
      StreamReaderProtocol right = accepted.await();
      return new StreamPair(
          new StreamEnd(left.reader(), left.writer()),
          new StreamEnd(right.reader(), right.writer()));
    }
  }
}
