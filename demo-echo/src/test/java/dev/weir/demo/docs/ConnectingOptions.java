package dev.weir.demo.docs;

import dev.weir.Asyncio;
import dev.weir.netty.DnsOptions;
import dev.weir.netty.DnsResolver;
import dev.weir.stream.ConnectOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.ProxyServer;
import dev.weir.stream.TcpSocketOptions;
import dev.weir.task.Resolver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.List;
import jdk.net.ExtendedSocketOptions;

/** The options of docs/connecting.md, which shows the methods as they stand here. */
final class ConnectingOptions {
  private ConnectingOptions() {}

  static ConnectOptions watchful() {
    return ConnectOptions.defaults()
        // Sent, and not acknowledged for 20 s: the connection is given up. On Linux, with epoll.
        .withSocketOption(TcpSocketOptions.TCP_USER_TIMEOUT, Duration.ofSeconds(20))
        // Nothing to send: ask after 30 s of silence, and then every 10 s.
        .withSocketOption(StandardSocketOptions.SO_KEEPALIVE, true)
        .withSocketOption(ExtendedSocketOptions.TCP_KEEPIDLE, 30)
        .withSocketOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 10);
  }

  static Connection throughTheOffice(String host, int port) throws IOException {
    ProxyServer proxy =
        ProxyServer.httpConnect("proxy.example", 3128).withCredentials("user", "password");
    return Asyncio.openConnection(host, port, ConnectOptions.defaults().withProxy(proxy));
  }

  static void lookNamesUpByDns() {
    DnsOptions options = DnsOptions.defaults().withTimeout(Duration.ofSeconds(5));
    Asyncio.runningLoop().setResolver(DnsResolver.open(options));
  }

  static void knowTheDatabase(InetAddress database, Resolver others) {
    Asyncio.runningLoop()
        .setResolver(host -> host.equals("db") ? List.of(database) : others.resolve(host));
  }
}
