package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.protocol.Protocol;
import dev.weir.protocol.StreamReaderProtocol;
import dev.weir.protocol.Transport;
import dev.weir.stream.Server;
import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The examples of docs/protocols.md. */
final class Protocols {
  private Protocols() {}

  static class Echo implements Protocol {
    private @Nullable Transport transport;

    @Override
    public void connectionMade(Transport transport) {
      this.transport = transport;
    }

    @Override
    public void dataReceived(byte[] data) {
      transport.write(data);
    }

    @Override
    public void pauseWriting() {
      transport.pauseReading();
    }

    @Override
    public void resumeWriting() {
      transport.resumeReading();
    }
  }

  static void serve() throws IOException {
    try (Server server = Asyncio.createServer(Echo::new, "127.0.0.1", 8888)) {
      server.serveForever();
    }
  }

  static class Asking implements Protocol {
    final Future<String> answer = Asyncio.runningLoop().createFuture();
    private final StringBuilder received = new StringBuilder();

    @Override
    public void connectionMade(Transport transport) {
      transport.write("hello".getBytes(UTF_8));
      transport.writeEof();
    }

    @Override
    public void dataReceived(byte[] data) {
      received.append(new String(data, UTF_8));
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      if (cause == null) {
        answer.setResult(received.toString());
      } else {
        answer.setException(cause);
      }
    }
  }

  static String ask(String host, int port) throws IOException {
    Asking asking = Asyncio.createConnection(Asking::new, host, port).protocol();
    return asking.answer.await(IOException.class);
  }

  static void greetMasked(String host, int port) throws IOException {
    StreamReaderProtocol streams = new StreamReaderProtocol(StreamOptions.defaults());
    Asyncio.createConnection(() -> new Masking(streams, 0x2A), host, port);
    streams.writer().writeLine("hello");
    String answer = streams.reader().readLine(UTF_8);
    streams.writer().close();
    System.out.println(answer);
  }
}
