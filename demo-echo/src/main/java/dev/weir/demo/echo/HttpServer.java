package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.netty.MessageConnection;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.io.IOException;

/**
 * HTTP/1.1, by Netty's codec: {@code GET /} answers a line of text, {@code POST /echo} the body.
 */
public final class HttpServer {
  private static final int BODY_BYTES_MAX = 16 * 1024 * 1024;

  private HttpServer() {}

  static Server start(String host, int port) throws IOException {
    return NettyStreams.startMessageServer(
        HttpServer::serve,
        host,
        port,
        ServerOptions.defaults(),
        FullHttpRequest.class,
        HttpServer::addHandlers);
  }

  static void addHandlers(ChannelPipeline pipeline) {
    pipeline.addLast(
        new HttpServerCodec(), // Leaves out the body of what answers HEAD.
        new HttpObjectAggregator(BODY_BYTES_MAX)); // Answers "Expect: 100-continue", too.
  }

  /** Serves one connection: a request, its response, and so on, as long as the client likes. */
  static void serve(MessageConnection<FullHttpRequest, FullHttpResponse> connection)
      throws IOException {
    for (FullHttpRequest request : connection) {
      boolean keepAlive = request.decoderResult().isSuccess() && HttpUtil.isKeepAlive(request);
      FullHttpResponse response;
      try {
        response = answer(request);
      } finally {
        request.release(); // Who receives a message owns it.
      }
      HttpUtil.setKeepAlive(response, keepAlive);
      connection.send(response); // And who sends one has given it away.
      if (!keepAlive) {
        return;
      }
    }
  }

  private static FullHttpResponse answer(FullHttpRequest request) {
    if (request.decoderResult().isFailure()) {
      return text(statusFor(request.decoderResult().cause()));
    }
    return switch (new QueryStringDecoder(request.uri()).path()) {
      case "/" -> answerRoot(request.method());
      case "/echo" -> answerEcho(request);
      default -> text(HttpResponseStatus.NOT_FOUND);
    };
  }

  /** The codec throws nothing at what is no HTTP: it says so in the request. */
  private static HttpResponseStatus statusFor(Throwable malformation) {
    return switch (malformation) {
      case TooLongHttpLineException _ -> HttpResponseStatus.REQUEST_URI_TOO_LONG;
      case TooLongHttpHeaderException _ -> HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
      default -> HttpResponseStatus.BAD_REQUEST;
    };
  }

  private static FullHttpResponse answerRoot(HttpMethod method) {
    if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
      return notAllowed("GET, HEAD");
    }
    return text(HttpResponseStatus.OK, "Hello from Weir\n");
  }

  private static FullHttpResponse answerEcho(FullHttpRequest request) {
    if (!request.method().equals(HttpMethod.POST)) {
      return notAllowed("POST");
    }
    ByteBuf body = request.content().retain(); // The response owns it as well, and needs no copy.
    String type = request.headers().get(HttpHeaderNames.CONTENT_TYPE, "application/octet-stream");
    return respond(HttpResponseStatus.OK, type, body);
  }

  private static FullHttpResponse notAllowed(String allowed) {
    FullHttpResponse response = text(HttpResponseStatus.METHOD_NOT_ALLOWED);
    response.headers().set(HttpHeaderNames.ALLOW, allowed);
    return response;
  }

  private static FullHttpResponse text(HttpResponseStatus status) {
    return text(status, status + "\n");
  }

  private static FullHttpResponse text(HttpResponseStatus status, String text) {
    return respond(status, "text/plain; charset=utf-8", Unpooled.copiedBuffer(text, UTF_8));
  }

  private static FullHttpResponse respond(HttpResponseStatus status, String type, ByteBuf body) {
    FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
    HttpUtil.setContentLength(response, body.readableBytes());
    return response;
  }
}
