package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.datagram.Datagram;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.datagram.DatagramOptions;
import dev.weir.protocol.Attached;
import dev.weir.protocol.DatagramProtocol;
import dev.weir.protocol.DatagramTransport;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.time.Duration;

/** What docs/datagrams.md shows. */
final class DatagramExamples {
  private DatagramExamples() {}

  static void echo(String host, int port) throws IOException {
    try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint(host, port)) {
      for (Datagram datagram : endpoint) {
        try {
          endpoint.send(datagram.data(), datagram.sender());
        } catch (IOException e) {
          // Nobody can answer this one; the others wait.
        }
      }
    }
  }

  /** Asks until there is an answer: either of the two may be lost. */
  static String ask(String host, int port, String question) throws IOException {
    try (DatagramEndpoint endpoint = Asyncio.connectDatagramEndpoint(host, port)) {
      while (true) {
        endpoint.send(question.getBytes(UTF_8));
        try {
          Datagram answer = Asyncio.waitFor(endpoint::receive, Duration.ofSeconds(1));
          return new String(answer.data(), UTF_8);
        } catch (TimeoutException e) {
          // Once more.
        }
      }
    }
  }

  static String hearFromGroup(String group, int port, NetworkInterface on) throws IOException {
    try (DatagramEndpoint endpoint = Asyncio.bindDatagramEndpoint("0.0.0.0", port)) {
      endpoint.join(InetAddress.ofLiteral(group), on);
      return new String(endpoint.receive().data(), UTF_8);
    }
  }

  static final class EchoProtocol implements DatagramProtocol {
    private DatagramTransport transport;

    @Override
    public void connectionMade(DatagramTransport transport) {
      this.transport = transport;
    }

    @Override
    public void datagramReceived(byte[] data, InetSocketAddress sender) {
      transport.sendTo(data, sender);
    }
  }

  static Attached<DatagramTransport, EchoProtocol> echoByCallbacks(int port) throws IOException {
    return Asyncio.createDatagramEndpoint(
        EchoProtocol::new,
        new InetSocketAddress("127.0.0.1", port),
        null,
        DatagramOptions.defaults());
  }
}
