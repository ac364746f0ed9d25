package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.Connection;
import dev.weir.stream.ServerOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP with those who know it: curl, wrk, and a peer that gets it wrong. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@ExtendWith(LeakCheck.class)
class HttpServerTest {
  private static void serve(TestServer.Body body) {
    TestServer.with(HttpServer::start, body);
  }

  private static String url(int port, String path) {
    return "http://127.0.0.1:" + port + path;
  }

  // --- curl

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  void curlAsksTwiceOnOneConnection(String transport) {
    TestServer.with(
        transport,
        HttpServer::start,
        port -> {
          String said = ForeignProgram.run("curl", "-sv", url(port, "/"), url(port, "/?again"));

          assertThat(said)
              .contains("Re-using existing connection")
              .contains("content-type: text/plain; charset=utf-8")
              .containsSubsequence("Hello from Weir\n", "Hello from Weir\n");
        });
  }

  @Test
  void curlGetsTheHeadAlone() {
    serve(port -> {
      String said = ForeignProgram.run("curl", "-svI", url(port, "/"), url(port, "/"));

      assertThat(said)
          .contains("Re-using existing connection")
          .contains("content-length: 16")
          .doesNotContain("Hello");
    });
  }

  @Test
  void curlPostsMebibytesOnceItIsToldToGoOn(@TempDir Path folder) throws Exception {
    byte[] sent = new byte[5_000_001];
    new Random(1).nextBytes(sent);
    Path file = Files.write(folder.resolve("sent"), sent);
    Path received = folder.resolve("received");
    serve(port -> {
      String said =
          ForeignProgram.run(
              "curl",
              "-sv",
              "-H",
              "Expect: 100-continue",
              "-H",
              "Content-Type: application/x-test",
              "--data-binary",
              "@" + file,
              "-o",
              received.toString(),
              url(port, "/echo"));

      assertThat(said)
          .containsSubsequence("HTTP/1.1 100 Continue", "HTTP/1.1 200 OK")
          .contains("< content-type: application/x-test");
      assertThat(received).hasBinaryContent(sent);
    });
  }

  @Test
  void curlPostsInChunks(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("sent"), "x".repeat(100_000));
    serve(port -> {
      String said =
          ForeignProgram.run(
              "curl",
              "-s",
              "-H",
              "Transfer-Encoding: chunked",
              "--data-binary",
              "@" + file,
              url(port, "/echo"));

      assertThat(said).isEqualTo("x".repeat(100_000));
    });
  }

  @Test
  void curlIsToldThatABodyIsTooLargeBeforeItSendsIt(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("sent"), new byte[(16 << 20) + 1]);
    serve(port -> {
      String said =
          ForeignProgram.run(
              "curl",
              "-s",
              "-w",
              "%{http_code}, %{size_upload} bytes sent",
              "-H",
              "Expect: 100-continue",
              "--data-binary",
              "@" + file,
              url(port, "/echo"));

      assertThat(said).isEqualTo("413, 0 bytes sent");
    });
  }

  @ParameterizedTest
  @CsvSource({"GET, /nowhere, 404", "DELETE, /, 405", "GET, /echo, 405", "GET, /, 200"})
  void curlIsToldWhatThereIsNot(String method, String path, int status) {
    serve(port -> {
      String said =
          ForeignProgram.run(
              "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, url(port, path));

      assertThat(said).isEqualTo(String.valueOf(status));
    });
  }

  // --- wrk

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll"})
  void wrkSeesNoErrors(String transport) {
    TestServer.with(
        transport,
        HttpServer::start,
        port -> {
          String said = ForeignProgram.run("wrk", "-t1", "-c32", "-d2s", url(port, "/"));

          assertThat(said)
              .containsPattern("[1-9][0-9]* requests in")
              .doesNotContain("Socket errors")
              .doesNotContain("Non-2xx");
        });
  }

  // --- Peers by hand

  @Test
  void requestsThatComeTogetherAreAnsweredInTheirOrder() {
    serve(port -> {
      String said =
          TestServer.say(
              port,
              """
              POST /echo HTTP/1.1
              Content-Length: 5

              firstHEAD / HTTP/1.1

              GET /nowhere HTTP/1.1

              POST /echo HTTP/1.1
              Content-Length: 4
              Connection: close

              lastGET / HTTP/1.1

              """
                  .replace("\n", "\r\n"));

      assertThat(said)
          .containsSubsequence("first", "200 OK", "404 Not Found\n", "connection: close", "last")
          .endsWith("last");
    });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n",
      })
  void whatIsNoHttpIsABadRequestAndTheLastOne(String said) {
    serve(port ->
        assertThat(TestServer.say(port, said))
            .startsWith("HTTP/1.1 400 Bad Request\r\n")
            .contains("connection: close")
            .endsWith("400 Bad Request\n"));
  }

  @Test
  void linesThatAreTooLongAreToldApart() {
    serve(port -> {
      assertThat(TestServer.say(port, "GET /" + "x".repeat(5000) + " HTTP/1.1\r\n\r\n"))
          .startsWith("HTTP/1.1 414 ");
      assertThat(TestServer.say(port, "GET / HTTP/1.1\r\nX: " + "x".repeat(9000) + "\r\n\r\n"))
          .startsWith("HTTP/1.1 431 ");
    });
  }

  @Test
  void anOldClientIsAnsweredAndTheConnectionClosed() {
    serve(port ->
        assertThat(TestServer.say(port, "GET / HTTP/1.0\r\n\r\n")).endsWith("Hello from Weir\n"));
  }

  /** Each of its reads ends within a body, and then the aggregator wants more. */
  @Test
  void whoPostsAndReadsNoAnswerIsHeldBack() {
    long bytesMax = 60_000_000; // More than the systems keep for two directions of a connection.
    AtomicLong arrived = new AtomicLong();
    TestServer.with(
        (host, port) ->
            NettyStreams.startMessageServer(
                HttpServer::serve,
                host,
                port,
                ServerOptions.defaults(),
                FullHttpRequest.class,
                pipeline -> {
                  pipeline.addLast(new Counting(arrived));
                  HttpServer.addHandlers(pipeline);
                }),
        port -> {
          byte[] post =
              ("POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n"
                      + "x".repeat(1_000_000))
                  .getBytes(UTF_8);
          Connection client = Asyncio.openConnection("127.0.0.1", port);
          long before = 0;
          int quietRounds = 0;
          while (quietRounds < 300 && before < bytesMax) {
            client.writer().tryWrite(post);
            Asyncio.sleep(Duration.ZERO);
            quietRounds = arrived.get() == before ? quietRounds + 1 : 0;
            before = arrived.get();
          }
          assertThat(arrived.get()).isBetween(1_000_000L, bytesMax - 1);
          client.writer().abort();
        });
  }

  private static final class Counting extends ChannelInboundHandlerAdapter {
    private final AtomicLong arrived;

    Counting(AtomicLong arrived) {
      this.arrived = arrived;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      arrived.addAndGet(((ByteBuf) message).readableBytes());
      context.fireChannelRead(message);
    }
  }

  @Test
  void whoLeavesInTheMiddleOfABodyLeavesNothingBehind() {
    serve(port -> {
      for (int i = 0; i < 10; i++) {
        leaveInTheMiddle(port, i % 2 == 0);
      }
      assertThat(TestServer.say(port, "GET / HTTP/1.0\r\n\r\n")).endsWith("Hello from Weir\n");
    });
  }

  private static void leaveInTheMiddle(int port, boolean rudely) throws IOException {
    try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
      connection
          .writer()
          .write(
              """
              GET / HTTP/1.1\r
              \r
              POST /echo HTTP/1.1\r
              Content-Length: 1000\r
              \r
              not yet a thousand\
              """);
      connection.reader().readUntil("Hello from Weir\n".getBytes(UTF_8));
      if (rudely) {
        connection.writer().abort();
      }
    }
  }
}
