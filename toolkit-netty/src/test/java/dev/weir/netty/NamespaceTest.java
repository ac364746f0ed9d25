package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.netty.Namespace.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of connections whose packets are dropped, in the kernel's own hands. */
@Tag("slow")
class NamespaceTest {
  private static void assumeAvailable(String transport) throws Exception {
    OnLoop.assumeAvailable(transport);
    Namespace.assumeAvailable();
  }

  private static String[] lastWords(Outcome outcome) {
    assertThat(outcome.status()).as(outcome.output()).isZero();
    return outcome.output().strip().lines().reduce((one, last) -> last).orElse("").split(" ");
  }

  @EachTransport
  void aDeadAddressOfIpv6BesideALivingOneOfIpv4CostsLittle(String transport, @TempDir Path folder)
      throws Exception {
    assumeAvailable(transport);
    Path hosts = folder.resolve("hosts");
    Files.writeString(hosts, "2001:db8::1 both.example\n10.0.0.1 both.example\n");

    String[] words =
        lastWords(
            Namespace.runMain(
                NamespacePrograms.BothFamilies.class,
                List.of("-Djdk.net.hosts.file=" + hosts, "-Djava.net.preferIPv6Addresses=true"),
                transport));

    assertThat(words[0]).as("connected to").isEqualTo("10.0.0.1");
    assertThat(Integer.parseInt(words[1])).as("ms").isBetween(250, 599);
  }

  @EachTransport
  void whatAPeerDoesNotAcknowledgeEndsTheConnectionWithinTheUserTimeout(String transport)
      throws Exception {
    assumeAvailable(transport);
    Assumptions.assumeTrue(transport.equals("epoll"), "NIO has no TCP_USER_TIMEOUT");

    // Linux counts from when it first sends again, which was about 0.43 s after the first time.
    assertThat(millisToTheEnd(transport, "writing")).isBetween(1800, 2200 + 450);
  }

  @EachTransport
  void aPeerThatIsGoneEndsAnIdleConnectionWithinTheTimeOfKeepAlive(String transport)
      throws Exception {
    assumeAvailable(transport);

    assertThat(millisToTheEnd(transport, "idle")).isBetween(1800, 2200);
  }

  /** {@return after how long a connection that may be silent for 2 s was given up} */
  private static int millisToTheEnd(String transport, String what) throws Exception {
    String[] words =
        lastWords(Namespace.runMain(NamespacePrograms.Silenced.class, List.of(), transport, what));

    assertThat(words[0]).as("the reader got").isEqualTo("SocketTimeoutException");
    assertThat(words[1]).as("the writer got").isEqualTo("SocketTimeoutException");
    return Integer.parseInt(words[2]);
  }
}
