package dev.weir.demo.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.demo.echo.EchoServer;
import dev.weir.stream.Connection;
import dev.weir.stream.Server;
import dev.weir.tls.CertificateRejectedException;
import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/tls.md shows works. */
class SecuringTest {
  @TempDir Path directory;
  private X509Bundle authority;
  private ClientTls client;

  @BeforeEach
  void writeFiles() throws Exception {
    authority =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=authority")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    X509Bundle server =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=server")
            .addSanDnsName("localhost")
            .buildIssuedBy(authority);
    Files.writeString(directory.resolve("cert.pem"), server.getCertificatePathPEM());
    Files.writeString(directory.resolve("key.pem"), server.getPrivateKeyPEM());
    Files.writeString(directory.resolve("authority.pem"), authority.getCertificatePEM());
    client = ClientTls.defaults().withTrustedPem(directory.resolve("authority.pem"));
  }

  @Test
  void theClientIsGreetedByTheServerItTrusts() throws Exception {
    ServerTls tls = Securing.fromFiles(directory);

    Asyncio.run(() -> {
      try (Server server = Securing.startSecured(EchoServer::echo, 0, tls)) {
        int port = server.addresses().getFirst().getPort();
        assertThat(Securing.greetSecurely("localhost", port, client)).isEqualTo("hello");
        assertThatExceptionOfType(CertificateRejectedException.class)
            .isThrownBy(() -> Securing.greetSecurely("127.0.0.1", port, client))
            .withMessage("The certificate is for localhost, not for 127.0.0.1");
      }
    });
  }

  @Test
  void theNamesHaveTheirIdentities() throws Exception {
    TlsIdentity one = identity("CN=one");
    TlsIdentity two = identity("CN=two");
    TlsIdentity three = identity("CN=three");
    ServerTls tls = Securing.forSeveralNames(one, two, three);

    assertThat(tls.identityFor("example.org")).isSameAs(one);
    assertThat(tls.identityFor("www.example.org")).isSameAs(two);
    assertThat(tls.identityFor(null)).isSameAs(three);
  }

  @Test
  void theStaffIsGreetedByName() throws Exception {
    TlsIdentity own = Securing.fromFiles(directory).identity();
    ServerTls tls = Securing.forStaff(own, directory.resolve("authority.pem"));
    ClientTls staff = client.withIdentity(identity("CN=ann"));

    Asyncio.run(() -> {
      try (Server server = Securing.startSecured(Securing::greetByName, 0, tls)) {
        int port = server.addresses().getFirst().getPort();
        assertThat(Securing.greetSecurely("localhost", port, staff)).isEqualTo("hello CN=ann");
      }
    });
  }

  @Test
  void theMailServerSecuresTheConnectionInTheMiddle() throws Exception {
    ServerTls tls = Securing.fromFiles(directory);

    Asyncio.run(() -> {
      try (Server server =
          Asyncio.startServer(
              (reader, writer) -> Securing.serveMail(reader, writer, tls), "127.0.0.1", 0)) {
        int port = server.addresses().getFirst().getPort();
        try (Connection connection = Asyncio.openConnection("127.0.0.1", port)) {
          assertThat(Securing.greetMail(connection, client)).isEqualTo("250 TLSv1.3");
        }
      }
    });
  }

  private TlsIdentity identity(String subject) throws Exception {
    X509Bundle bundle = new CertificateBuilder().ecp256().subject(subject).buildIssuedBy(authority);
    return TlsIdentity.of(bundle.getKeyPair().getPrivate(), List.of(bundle.getCertificatePath()));
  }
}
