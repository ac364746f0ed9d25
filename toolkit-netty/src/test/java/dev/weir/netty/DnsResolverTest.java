package dev.weir.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.task.Action;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.testing.VirtualLoop;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Netty's DNS client against dnsmasq, and against a server that never answers. */
@ExtendWith(LeakCheck.class)
class DnsResolverTest {
  private static final String DB = "--address=/db.example/10.0.0.1";
  private static final String WEB = "--address=/web.example/10.0.0.2";

  /** Long enough for an answer of this machine's; what waits for it in vain waits no longer. */
  private static final Duration SOON = Duration.ofMillis(500);

  private static DnsOptions asking(InetSocketAddress... servers) {
    return DnsOptions.defaults().withServers(List.of(servers)).withSearchDomains(List.of());
  }

  private static void use(DnsOptions options) {
    Loop.running().setResolver(DnsResolver.open(options));
  }

  private static List<String> addressesOf(String host) throws IOException {
    return Asyncio.getaddrinfo(host, 0, StandardProtocolFamily.INET).stream()
        .map(address -> address.getAddress().getHostAddress())
        .toList();
  }

  private static List<Task<?>> lookUpTwenty(DnsResolver resolver) {
    return IntStream.range(0, 20)
        .<Task<?>>mapToObj(i -> Asyncio.createTask(() -> resolver.resolve("db" + i + ".example")))
        .toList();
  }

  /** A server to which questions go, and that says nothing. */
  private static final class SilentServer implements AutoCloseable {
    private final DatagramSocket socket;

    SilentServer() throws IOException {
      socket = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
    }

    /** {@return whether a question about a name with this label has come} */
    boolean wasAskedFor(String label) throws IOException {
      socket.setSoTimeout(1);
      DatagramPacket question = new DatagramPacket(new byte[512], 512);
      while (true) {
        try {
          socket.receive(question);
        } catch (SocketTimeoutException e) {
          return false;
        }
        String bytes = new String(question.getData(), 0, question.getLength(), ISO_8859_1);
        if (bytes.contains(label)) {
          return true;
        }
      }
    }

    InetSocketAddress address() {
      return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    @Override
    public void close() {
      socket.close();
    }
  }

  // --- What the server says

  @EachTransportAndIoUring
  void aNameIsLookedUpAndConnectedTo(String transport) throws Exception {
    try (Dnsmasq dns = Dnsmasq.start(DB, "--address=/me.example/127.0.0.1")) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(dns.address()));

            assertThat(addressesOf("db.example")).containsExactly("10.0.0.1");
            try (Server server =
                    Asyncio.startServer(
                        (reader, writer) -> writer.writeLine("hello"), "127.0.0.1", 0);
                Connection connection =
                    Asyncio.openConnection("me.example", server.addresses().getFirst().getPort())) {
              assertThat(connection.reader().readLine()).asString().isEqualTo("hello\n");
            }
          });
    }
  }

  @EachTransport
  void noLookupTakesAThread(String transport) throws Exception {
    try (Dnsmasq dns = Dnsmasq.start(DB);
        ExecutorService refusing = Executors.newSingleThreadExecutor()) {
      refusing.shutdown();
      OnLoop.run(
          transport,
          () -> {
            use(asking(dns.address()));
            Loop.running().setDefaultExecutor(refusing);

            assertThat(addressesOf("db.example")).containsExactly("10.0.0.1");
          });
    }
  }

  @EachTransport
  void aNameThatIsNotThereIsUnknownAtOnce(String transport) throws Exception {
    try (Dnsmasq dns = Dnsmasq.start()) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(dns.address()).withTimeout(Duration.ofHours(1)));

            assertThatThrownBy(() -> Asyncio.getaddrinfo("nowhere.example", 80))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("nowhere.example")
                .hasMessageContaining("NXDOMAIN");
          });
    }
  }

  @EachTransport
  void aShortNameIsLookedUpInTheSearchDomains(String transport) throws Exception {
    try (Dnsmasq dns = Dnsmasq.start("--local=/db/", "--address=/db.second.example/10.0.0.3")) {
      OnLoop.run(
          transport,
          () -> {
            use(
                asking(dns.address())
                    .withSearchDomains(List.of("first.example", "second.example")));

            assertThat(addressesOf("db")).containsExactly("10.0.0.3");
          });
    }
  }

  @EachTransportAndIoUring
  void anAnswerThatIsCutOffIsAskedForAgainByTcp(String transport, @TempDir Path folder)
      throws Exception {
    List<String> many = IntStream.range(0, 100).mapToObj(i -> "10.0.1." + i).toList();
    Path hosts = folder.resolve("hosts");
    Files.write(hosts, many.stream().map(address -> address + " many.example").toList());
    try (Dnsmasq dns = Dnsmasq.start("--edns-packet-max=512", Dnsmasq.hosts(hosts))) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(dns.address()));

            assertThat(addressesOf("many.example")).containsExactlyInAnyOrderElementsOf(many);
          });
    }
  }

  // --- Who does not answer

  @EachTransportAndIoUring
  void aServerThatDoesNotAnswerHasSoLongForAQuestion(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(silent.address()).withQueryTimeout(Duration.ofMillis(20)));

            assertThatThrownBy(() -> Asyncio.getaddrinfo("db.example", 80))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("db.example")
                .hasMessageContaining("timed out after 20 milliseconds");
          });
    }
  }

  @EachTransport
  void theNextServerIsAskedThen(String transport) throws Exception {
    try (SilentServer silent = new SilentServer();
        Dnsmasq dns = Dnsmasq.start(DB)) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(silent.address(), dns.address()).withQueryTimeout(SOON));

            assertThat(addressesOf("db.example")).containsExactly("10.0.0.1");
          });
    }
  }

  @EachTransport
  void theWholeLookupHasATimeAsWell(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            use(
                asking(silent.address())
                    .withQueryTimeout(Duration.ofHours(1))
                    .withTimeout(Duration.ofMillis(20)));

            assertThatThrownBy(() -> Asyncio.getaddrinfo("db.example", 80))
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("db.example was not looked up within PT0.02S");
          });
    }
  }

  @EachTransport
  void aTaskThatIsCancelledWaitsNoLonger(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(silent.address()).withQueryTimeout(Duration.ofHours(1)));
            Task<?> asking = Asyncio.createTask(() -> Asyncio.getaddrinfo("db.example", 80));
            OnLoop.passRounds(3);
            asking.cancel();
            Asyncio.wait(List.of(asking));

            assertThat(asking.cancelled()).isTrue();
          });
    }
  }

  @EachTransportAndIoUring
  void aLookupThatIsCancelledOrLateLeavesNoSocket(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            DnsOptions patient = asking(silent.address()).withQueryTimeout(Duration.ofHours(1));
            DnsResolver waiting = DnsResolver.open(patient.withTimeout(Duration.ofHours(1)));
            DnsResolver hasty = DnsResolver.open(patient.withTimeout(Duration.ofMillis(20)));
            long before = Descriptors.open();
            List<Task<?>> asking = lookUpTwenty(waiting);
            OnLoop.passRoundsUntil(() -> Descriptors.open() >= before + asking.size());
            asking.forEach(Task::cancel);
            Asyncio.wait(asking);
            assertThatThrownBy(() -> hasty.resolve("web.example"))
                .isInstanceOf(UnknownHostException.class);

            OnLoop.passRoundsUntil(() -> Descriptors.open() == before);
          });
    }
  }

  @EachTransportAndIoUring
  void noMoreLookupsAskAtATimeThanTheyMay(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            DnsResolver resolver =
                DnsResolver.open(
                    asking(silent.address())
                        .withQueryTimeout(Duration.ofHours(1))
                        .withTimeout(Duration.ofHours(1))
                        .withMaxLookups(2));
            long before = Descriptors.open();
            List<Task<?>> asking = lookUpTwenty(resolver);
            OnLoop.passRoundsUntil(() -> Descriptors.open() >= before + 2);
            OnLoop.passRounds(20);
            assertThat(Descriptors.open()).isEqualTo(before + 2);

            asking.subList(0, 2).forEach(Task::cancel);
            Asyncio.wait(asking.subList(0, 2));
            OnLoop.passRounds(20);
            OnLoop.passRoundsUntil(() -> Descriptors.open() == before + 2); // The next two.

            asking.forEach(Task::cancel);
            Asyncio.wait(asking);
            OnLoop.passRoundsUntil(() -> Descriptors.open() == before);
          });
    }
  }

  @EachTransport
  void whoWaitsForATurnHasNoMoreTimeForIt(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            use(
                asking(silent.address())
                    .withQueryTimeout(Duration.ofHours(1))
                    .withTimeout(Duration.ofMillis(20))
                    .withMaxLookups(1));
            Task<?> first = Asyncio.createTask(() -> Asyncio.getaddrinfo("db.example", 80));
            Task<?> second = Asyncio.createTask(() -> Asyncio.getaddrinfo("web.example", 80));
            Asyncio.wait(List.of(first, second));

            assertThat(second.exception())
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("web.example was not looked up within PT0.02S");
            assertThat(first.exception()).isInstanceOf(UnknownHostException.class);
            assertThat(silent.wasAskedFor("web")).isFalse();
          });
    }
  }

  // --- Without a server

  @EachTransport
  void whatTheHostsFileHasIsNotAskedFor(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(silent.address()));

            assertThat(addressesOf("localhost")).contains("127.0.0.1");
          });
    }
  }

  @EachTransport
  void whatWasAskedForIsRememberedUpToANumberOfNames(String transport) throws Exception {
    try (Dnsmasq dns = Dnsmasq.start(DB, WEB, "--address=/mail.example/10.0.0.3")) {
      OnLoop.run(
          transport,
          () -> {
            use(asking(dns.address()).withCacheSize(2).withQueryTimeout(SOON));
            addressesOf("db.example");
            addressesOf("web.example");
            addressesOf("DB.example");
            addressesOf("mail.example"); // Takes the place of web.example.
            dns.kill();

            assertThat(addressesOf("db.example")).containsExactly("10.0.0.1");
            assertThat(addressesOf("mail.example")).containsExactly("10.0.0.3");
            assertThatThrownBy(() -> addressesOf("web.example"))
                .isInstanceOf(UnknownHostException.class);
          });
    }
  }

  // --- Its end

  @EachTransport
  void nothingIsLeftOpenAfterTheLoopAlsoOfALookupUnderWay(String transport) throws Exception {
    try (Dnsmasq dns = Dnsmasq.start(DB);
        SilentServer silent = new SilentServer()) {
      Action lookUp =
          () -> {
            DnsResolver waiting = DnsResolver.open(asking(silent.address()));
            use(asking(dns.address()));
            addressesOf("db.example");
            Asyncio.background(() -> waiting.resolve("web.example"));
            OnLoop.passRounds(3);
          };
      OnLoop.run(transport, lookUp); // What the JVM opens once is open from here on.
      long before = Descriptors.open();
      OnLoop.run(transport, lookUp);

      assertThat(Descriptors.open()).isEqualTo(before);
    }
  }

  @EachTransport
  void closedItFailsWhatIsUnderWayAndIsAskedNoMore(String transport) throws Exception {
    try (SilentServer silent = new SilentServer()) {
      OnLoop.run(
          transport,
          () -> {
            DnsResolver resolver =
                DnsResolver.open(
                    asking(silent.address())
                        .withQueryTimeout(Duration.ofHours(1))
                        .withTimeout(Duration.ofHours(1))
                        .withMaxLookups(1));
            long before = Descriptors.open();
            Task<?> asking = Asyncio.createTask(() -> resolver.resolve("db.example"));
            Task<?> waiting = Asyncio.createTask(() -> resolver.resolve("web.example"));
            OnLoop.passRounds(3);
            resolver.close();
            resolver.close();

            assertThatThrownBy(asking::await)
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("db.example: the resolver was closed meanwhile");
            assertThatThrownBy(waiting::await)
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("web.example: the resolver was closed meanwhile");
            assertThat(Descriptors.open()).isEqualTo(before);
            assertThatThrownBy(() -> resolver.resolve("db.example"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed]")
                .hasMessageContaining("setResolver()");
          });
    }
  }

  // --- What it refuses

  @Test
  void aNetworkInMemoryHasNoUseForIt() {
    VirtualLoop.run(() ->
        assertThatThrownBy(() -> DnsResolver.open(DnsOptions.defaults()))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("DnsResolver.open()")
            .hasMessageContaining("not Netty's"));
  }

  @Test
  void optionsThatCannotBeAreRefused() {
    DnsOptions options = DnsOptions.defaults();
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            options.withServers(List.of(InetSocketAddress.createUnresolved("dns.example", 53))))
        .withMessageContaining("dns.example");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> options.withTimeout(Duration.ZERO))
        .withMessage("timeout is not positive: PT0S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> options.withQueryTimeout(Duration.ofSeconds(-1)))
        .withMessageContaining("queryTimeout");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> options.withCacheSize(0))
        .withMessage("cacheSize < 1: 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> options.withMaxLookups(0))
        .withMessage("maxLookups < 1: 0");
  }
}
