package dev.weir.benchmarks;

import dev.weir.task.FiberKind;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletionException;

/**
 * An echo server on a port of 127.0.0.1 that the system chose, listening from the moment it exists.
 *
 * <p>Each kind is written in the way that is usual for its library, so the kinds differ in nothing
 * but that library. All serve every connection from one thread or event loop.
 */
interface EchoPeer extends AutoCloseable {
  /** What is sent back. */
  enum Mode {
    /** Whatever arrives, as it arrives. */
    BYTES,

    /** Line by line: each is taken out of the stream, and written with its separator. */
    LINES;

    /**
     * {@return the mode of that name}
     *
     * @param name {@code bytes} or {@code lines}
     */
    static Mode of(String name) {
      return switch (name) {
        case "bytes" -> BYTES;
        case "lines" -> LINES;
        default ->
            throw new IllegalArgumentException("Unknown mode '" + name + "': write bytes or lines");
      };
    }
  }

  /** The most that a kind with a buffer of its own reads at once. */
  int READ_BYTES_MAX = 64 * 1024;

  /** How many connections may wait to be accepted. */
  int BACKLOG = 4096;

  /** What {@link #start} knows. */
  List<String> KINDS =
      List.of(
          "netty",
          "netty-nio",
          "netty-io_uring",
          "netty-tuned",
          "mounted",
          "portable",
          "mounted-nio",
          "mounted-io_uring",
          "mounted-2-loops",
          "transfer",
          "vertx",
          "reactor",
          "blocking",
          "netty-tls",
          "mounted-tls",
          "portable-tls",
          "transfer-tls",
          "netty-tls-boringssl",
          "mounted-tls-boringssl",
          "portable-tls-boringssl",
          "transfer-tls-boringssl");

  /**
   * Starts a server.
   *
   * @param kind one of {@link #KINDS}
   * @throws UnsupportedOperationException if this kind is not for this machine
   */
  static EchoPeer start(String kind, Mode mode) throws IOException {
    return switch (kind) {
      case "netty" -> NettyEchoPeer.start("auto");
      case "netty-nio" -> NettyEchoPeer.start("nio");
      case "netty-io_uring" -> NettyEchoPeer.startOnIoUring();
      case "netty-tuned" -> NettyEchoPeer.startTuned();
      case "mounted" -> WeirEchoPeer.start(FiberKind.MOUNTED, "auto", mode);
      case "portable" -> WeirEchoPeer.start(FiberKind.PORTABLE, "auto", mode);
      case "mounted-nio" -> WeirEchoPeer.start(FiberKind.MOUNTED, "nio", mode);
      case "mounted-io_uring" -> startOnIoUring(mode);
      case "mounted-2-loops" -> WeirEchoPeer.startSpread(2, mode);
      case "transfer" -> WeirEchoPeer.startTransferring(null);
      case "vertx" -> VertxEchoPeer.start(mode);
      case "reactor" -> ReactorEchoPeer.start(mode);
      case "blocking" -> BlockingEchoPeer.start(mode);
      case "netty-tls" -> NettyEchoPeer.startSecured(EchoTls.JDK);
      case "netty-tls-boringssl" -> NettyEchoPeer.startSecured(EchoTls.BORINGSSL);
      case "mounted-tls" -> WeirEchoPeer.startSecured(FiberKind.MOUNTED, mode, EchoTls.JDK);
      case "mounted-tls-boringssl" ->
          WeirEchoPeer.startSecured(FiberKind.MOUNTED, mode, EchoTls.BORINGSSL);
      case "portable-tls" -> WeirEchoPeer.startSecured(FiberKind.PORTABLE, mode, EchoTls.JDK);
      case "portable-tls-boringssl" ->
          WeirEchoPeer.startSecured(FiberKind.PORTABLE, mode, EchoTls.BORINGSSL);
      case "transfer-tls" -> WeirEchoPeer.startTransferring(EchoTls.JDK);
      case "transfer-tls-boringssl" -> WeirEchoPeer.startTransferring(EchoTls.BORINGSSL);
      default ->
          throw new IllegalArgumentException(
              "Unknown server '" + kind + "': write one of " + KINDS);
    };
  }

  private static EchoPeer startOnIoUring(Mode mode) {
    try {
      return WeirEchoPeer.start(FiberKind.MOUNTED, "io_uring", mode);
    } catch (CompletionException e) {
      // Not before: Weir has to be the first who uses Netty's io_uring.
      NettyEchoPeer.ensureIoUring();
      throw e;
    }
  }

  /** {@return the port it listens on} */
  int port();

  /** {@return what it is and what it runs on, in a few words, for the head of a report} */
  String description();

  /** Stops listening, closes the connections, and ends its threads. */
  @Override
  void close();
}
