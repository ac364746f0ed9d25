package dev.weir.netty;

import static dev.weir.tls.TlsProvider.BORINGSSL;
import static dev.weir.tls.TlsProvider.JDK;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.weir.stream.ConnectOptions;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamOptions;
import dev.weir.testing.StreamContract;
import dev.weir.testing.StreamContract.Abort;
import dev.weir.testing.StreamContract.HalfClose;
import dev.weir.testing.StreamContract.PairMaker;
import dev.weir.testing.StreamPair;
import dev.weir.tls.TlsProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What every stream promises, over TCP and over Unix sockets, in clear and with TLS. */
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
  Stream<DynamicTest> tcpOnIoUring() {
    return checksOn("io_uring", Abort.RESET, StreamPair::open);
  }

  @TestFactory
  Stream<DynamicTest> tlsOnIoUringByTheJdk() {
    return checksOn("io_uring", Abort.RESET, HalfClose.NO, options -> openTls(JDK, options));
  }

  @TestFactory
  Stream<DynamicTest> tlsOnIoUringByBoringSsl() {
    return checksOn("io_uring", Abort.RESET, HalfClose.NO, options -> openTls(BORINGSSL, options));
  }

  @TestFactory
  Stream<DynamicTest> unixSocketsOnNio() {
    return checksOn("nio", Abort.END, StreamContractTest::openUnix);
  }

  @TestFactory
  Stream<DynamicTest> unixSocketsOnEpoll() {
    return checksOn("epoll", Abort.END, StreamContractTest::openUnix);
  }

  @TestFactory
  Stream<DynamicTest> tlsOnNioByTheJdk() {
    return checksOn("nio", Abort.RESET, HalfClose.NO, options -> openTls(JDK, options));
  }

  @TestFactory
  Stream<DynamicTest> tlsOnEpollByTheJdk() {
    return checksOn("epoll", Abort.RESET, HalfClose.NO, options -> openTls(JDK, options));
  }

  @TestFactory
  Stream<DynamicTest> tlsOnEpollByBoringSsl() {
    return checksOn("epoll", Abort.RESET, HalfClose.NO, options -> openTls(BORINGSSL, options));
  }

  @TestFactory
  Stream<DynamicTest> startedTlsOnNioByTheJdk() {
    return checksOn("nio", Abort.RESET, HalfClose.NO, options -> startTls(JDK, options));
  }

  @TestFactory
  Stream<DynamicTest> startedTlsOnEpollByBoringSsl() {
    return checksOn("epoll", Abort.RESET, HalfClose.NO, options -> startTls(BORINGSSL, options));
  }

  @TestFactory
  Stream<DynamicTest> tlsByTheJdkOverUnixSocketsOnNio() {
    return checksOn("nio", Abort.TRUNCATION, HalfClose.NO, options -> openUnixTls(JDK, options));
  }

  @TestFactory
  Stream<DynamicTest> tlsByBoringSslOverUnixSocketsOnEpoll() {
    return checksOn(
        "epoll", Abort.TRUNCATION, HalfClose.NO, options -> openUnixTls(BORINGSSL, options));
  }

  private static StreamPair openTls(TlsProvider provider, StreamOptions options)
      throws IOException {
    return StreamPair.open(accepting(provider, options), connecting(provider, options));
  }

  private static StreamPair openUnixTls(TlsProvider provider, StreamOptions options)
      throws IOException {
    return StreamPair.openUnix(
        directory.resolve("socket"),
        accepting(provider, options),
        connecting(provider, options).withServerHostname("localhost"));
  }

  private static ServerOptions accepting(TlsProvider provider, StreamOptions options) {
    return ServerOptions.defaults()
        .withStream(options)
        .withTls(TestCertificates.serverTls(provider));
  }

  private static ConnectOptions connecting(TlsProvider provider, StreamOptions options) {
    return ConnectOptions.defaults()
        .withStream(options)
        .withTls(TestCertificates.clientTls(provider));
  }

  /** Secures a pair that has already talked in clear. */
  private static StreamPair startTls(TlsProvider provider, StreamOptions options)
      throws IOException {
    StreamPair pair = StreamPair.open(options);
    pair.left().writer().write("!");
    pair.right().reader().readExactly(1);
    pair.startTls(
        TestCertificates.serverTls(provider), TestCertificates.clientTls(provider), "localhost");
    return pair;
  }

  private static StreamPair openUnix(StreamOptions options) throws IOException {
    return StreamPair.openUnix(directory.resolve("socket"), options);
  }

  private static Stream<DynamicTest> checksOn(String transport, Abort abort, PairMaker maker) {
    return checksOn(transport, abort, HalfClose.YES, maker);
  }

  private static Stream<DynamicTest> checksOn(
      String transport, Abort abort, HalfClose halfClose, PairMaker maker) {
    return StreamContract.checks(abort, halfClose).stream()
        .map(check ->
            dynamicTest(check.name(), () -> OnLoop.run(transport, () -> check.run(maker))));
  }
}
