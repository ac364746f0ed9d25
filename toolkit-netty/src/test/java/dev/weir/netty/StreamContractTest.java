package dev.weir.netty;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.stream.StreamOptions;
import dev.weir.testing.StreamContract;
import dev.weir.testing.StreamContract.Abort;
import dev.weir.testing.StreamContract.PairMaker;
import dev.weir.testing.StreamPair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What every stream promises, over TCP and over Unix sockets. */
@ExtendWith(LeakCheck.class)
class StreamContractTest {
  @TempDir static Path directory;

  @TestFactory
  Stream<DynamicTest> tcpOnNio() {
    return checksOn("nio", Abort.RESET, StreamPair::open);
  }

  @TestFactory
  Stream<DynamicTest> tcpOnEpoll() {
    return checksOn("epoll", Abort.RESET, StreamPair::open);
  }

  @TestFactory
  Stream<DynamicTest> unixSocketsOnNio() {
    return checksOn("nio", Abort.END, StreamContractTest::openUnix);
  }

  @TestFactory
  Stream<DynamicTest> unixSocketsOnEpoll() {
    return checksOn("epoll", Abort.END, StreamContractTest::openUnix);
  }

  private static StreamPair openUnix(StreamOptions options) throws IOException {
    return StreamPair.openUnix(directory.resolve("socket"), options);
  }

  private static Stream<DynamicTest> checksOn(String transport, Abort abort, PairMaker maker) {
    return StreamContract.checks(abort).stream()
        .map(check ->
            dynamicTest(check.name(), () -> OnLoop.run(transport, () -> check.run(maker))));
  }
}
