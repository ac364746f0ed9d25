package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.datagram.DatagramEndpoint;
import dev.weir.task.TimeoutException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;

/** Looks names up at a DNS server, by datagrams. */
final class DnsClient {
  private static final int TRIES_MAX = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Who can guess the number of a query can answer it in the server's stead. */
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String server;
  private final int port;

  DnsClient(String server, int port) {
    this.server = server;
    this.port = port;
  }

  /**
   * Suspends until the server has answered. Each lookup has a socket of its own: its port is hard
   * to guess, too, and the system drops what others than the server send there.
   *
   * @return the addresses of that type; none if the name has only others
   * @throws java.net.UnknownHostException if there is no such name
   * @throws java.net.PortUnreachableException if there is no server
   * @throws SocketTimeoutException if it has not answered for 3 s
   */
  List<InetAddress> lookUp(String name, DnsMessage.Type type) throws IOException {
    byte[] query = DnsMessage.query(RANDOM.nextInt(), name, type);
    try (DatagramEndpoint endpoint = Asyncio.connectDatagramEndpoint(server, port)) {
      for (int tries = 0; tries < TRIES_MAX; tries++) {
        endpoint.send(query);
        try {
          byte[] answer =
              Asyncio.timeout(PATIENCE)
                  .<byte[], IOException>call(timeout -> receiveAnswer(endpoint, query));
          return DnsMessage.addresses(answer, query, name, type);
        } catch (TimeoutException e) {
          // One of the two was lost, perhaps, so it is asked again.
        }
      }
    }
    throw new SocketTimeoutException(
        "No answer from " + TcpEndpoint.format(server, port) + " within 3 s");
  }

  private static byte[] receiveAnswer(DatagramEndpoint endpoint, byte[] query) throws IOException {
    byte[] received;
    do {
      received = endpoint.receive().data();
    } while (!DnsMessage.isAnswer(received, query));
    return received;
  }
}
