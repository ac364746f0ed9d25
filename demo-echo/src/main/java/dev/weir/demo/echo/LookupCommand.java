package dev.weir.demo.echo;

import dev.weir.Asyncio;
import dev.weir.task.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code echo lookup}: asks a DNS server for the addresses of a name. */
@Command(
    name = "lookup",
    description = "Asks a DNS server for the addresses of a name, and prints each on a line.")
final class LookupCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The name, weir.example say.")
  private String name = "";

  @Option(
      names = "--server",
      paramLabel = "HOST[:PORT]",
      required = true,
      converter = DnsClientConverter.class,
      description = "Whom to ask; the port is 53 by default. An IPv6 address is in brackets.")
  private DnsClient server = new DnsClient("127.0.0.1", 53);

  @Override
  public Integer call() {
    Asyncio.run(() -> {
      for (InetAddress address : addresses()) {
        IO.println(address.getHostAddress());
      }
    });
    return CommandLine.ExitCode.OK;
  }

  private List<InetAddress> addresses() throws IOException {
    Future<List<List<InetAddress>>> both =
        Asyncio.gather(
            () -> server.lookUp(name, DnsMessage.Type.A),
            () -> server.lookUp(name, DnsMessage.Type.AAAA));
    List<InetAddress> addresses =
        both.await(IOException.class).stream().flatMap(List::stream).toList();
    if (addresses.isEmpty()) {
      throw new UnknownHostException(name + " has no address");
    }
    return addresses;
  }
}
