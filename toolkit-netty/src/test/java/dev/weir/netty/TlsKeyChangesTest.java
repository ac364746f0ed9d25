package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** What is sent while an engine changes its keys, as TLS 1.3 has it do after so many bytes. */
class TlsKeyChangesTest {
  @TempDir Path directory;

  @EachTransport
  void theJdksEngineChangesKeysInTheMiddleOfWhatIsWritten(String transport) throws IOException {
    OnLoop.assumeAvailable(transport);
    Path limits = directory.resolve("limits");
    Files.writeString(limits, "jdk.tls.keyLimits=AES/GCM/NoPadding KeyUpdate 2^18\n");

    List<String> said =
        ChildJvm.run(
            List.of("-Djava.security.properties=" + limits, "-Djavax.net.debug=ssl:handshake"),
            EchoOverTls.class,
            transport);

    assertThat(said).contains("echoed");
    assertThat(said).filteredOn(line -> line.contains("KeyUpdate")).hasSizeGreaterThan(40);
  }
}
