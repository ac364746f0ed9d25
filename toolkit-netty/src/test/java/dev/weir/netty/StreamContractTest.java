package dev.weir.netty;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.testing.StreamContract;
import dev.weir.testing.StreamPair;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** What every stream promises, over TCP. */
@ExtendWith(LeakCheck.class)
class StreamContractTest {
  @TestFactory
  Stream<DynamicTest> tcpOnNio() {
    return checksOn("nio");
  }

  @TestFactory
  Stream<DynamicTest> tcpOnEpoll() {
    return checksOn("epoll");
  }

  private static Stream<DynamicTest> checksOn(String transport) {
    return StreamContract.checks().stream()
        .map(check ->
            dynamicTest(
                check.name(), () -> OnLoop.run(transport, () -> check.run(StreamPair::open))));
  }
}
