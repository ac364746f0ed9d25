package dev.weir.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.IntStream;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two engines of the JDK's, one of which does not like the other's certificate, and says why. */
@Tag("once")
class ExplainingTrustManagerTest {
  private static final String HOST = "example.org";
  private static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
  private static final Instant NOW = Instant.now().truncatedTo(ChronoUnit.SECONDS);
  private static final Instant YESTERDAY = NOW.minus(1, ChronoUnit.DAYS);
  private static final Instant TOMORROW = NOW.plus(1, ChronoUnit.DAYS);

  private static final ClientTls CLIENT =
      ClientTls.defaults().withTrusted(List.of(Certificates.AUTHORITY.getCertificate()));

  private static final ServerTls SERVER =
      ServerTls.of(Certificates.identity(Certificates.server(HOST)))
          .withClientsTrusted(List.of(Certificates.AUTHORITY.getCertificate()));

  private static final String LEAD =
      ", which is not trusted: trust it, or have the peer send the certificates that lead to a"
          + " trusted one";

  // --- Names

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.org",
        "EXAMPLE.org",
        "a.example.net",
        "127.0.0.1",
        "::1",
        "0:0:0:0:0:0:0:1"
      })
  void theNamesAndAddressesOfACertificateAreAccepted(String host) {
    assertAccepted(host, Certificates.identity(Certificates.issued(manyNames())));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.com",
        "www.example.org",
        "a.b.example.net",
        "127.0.0.2",
        "::2",
        "example.net"
      })
  void anotherNameIsRefused(String host) {
    assertRefused(
        host,
        Certificates.identity(Certificates.issued(manyNames())),
        "The certificate is for example.org, *.example.net, 127.0.0.1 and 0:0:0:0:0:0:0:1, not for "
            + host);
  }

  private static CertificateBuilder manyNames() {
    return Certificates.builder("CN=server")
        .addExtendedKeyUsageServerAuth()
        .addExtensionOctetString(SUBJECT_ALTERNATIVE_NAME, false, encodedNames());
  }

  /** By hand, as the builder refuses a wildcard. */
  private static byte[] encodedNames() {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    for (String name : List.of(HOST, "*.example.net")) {
      names.write(0x82);
      names.write(name.length());
      names.writeBytes(name.getBytes(US_ASCII));
    }
    names.writeBytes(new byte[] {(byte) 0x87, 4, 127, 0, 0, 1});
    names.writeBytes(new byte[] {(byte) 0x87, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    ByteArrayOutputStream sequence = new ByteArrayOutputStream();
    sequence.write(0x30);
    sequence.write(names.size());
    sequence.writeBytes(names.toByteArray());
    return sequence.toByteArray();
  }

  @ParameterizedTest
  @NullAndEmptySource
  void noNameAtAllIsRefusedWhateverTheCertificate(@Nullable String host) {
    assertRefused(
        host,
        Certificates.identity(Certificates.server(HOST)),
        "There is no host name to check the server's certificate for");
  }

  @ParameterizedTest
  @NullAndEmptySource
  @ValueSource(strings = "example.com")
  void anyNameIsAcceptedWhereNoneIsChecked(@Nullable String host) {
    TlsIdentity server = Certificates.identity(Certificates.server(HOST));

    assertThatNoException().isThrownBy(() -> shake(CLIENT.withoutHostnameCheck(), host, server));
  }

  @Test
  void anIssuerIsCheckedWhereNoNameIs() {
    TlsIdentity server = Certificates.identity(stranger(Certificates.serverBuilder(HOST)));

    assertFails(
        () -> shake(CLIENT.withoutHostnameCheck(), "example.com", server),
        "The certificate for example.org was issued by CN=Stranger" + LEAD);
  }

  @Test
  void nothingIsCheckedByThoseWhoAskForThat() {
    TlsIdentity server = Certificates.identity(stranger(Certificates.serverBuilder("localhost")));

    assertThatNoException()
        .isThrownBy(() -> shake(ClientTls.defaults().withoutCertificateCheck(), null, server));
  }

  /** The JDK's rule; with a name of a host beside it, the common name counts for nothing. */
  @Test
  void aCommonNameIsAHostsNameIfThereIsNoOther() {
    CertificateBuilder builder =
        Certificates.builder("CN=example.org").addExtendedKeyUsageServerAuth();

    assertAccepted(HOST, issued(builder));
    assertRefused(
        "example.com",
        issued(builder),
        "The certificate is for CN=example.org, not for example.com");
    assertRefused(
        HOST,
        issued(builder.addSanDnsName("example.net")),
        "The certificate is for example.net, not for example.org");
  }

  // --- Issuers

  @Test
  void anIssuerNobodyTrustsIsNamed() {
    assertRefused(
        HOST,
        Certificates.identity(stranger(Certificates.serverBuilder(HOST))),
        "The certificate for example.org was issued by CN=Stranger"
            + LEAD
            + " (asked for:"
            + " example.org)");
  }

  @Test
  void anIssuerThatHasTheNameOfATrustedOneIsNotTakenForIt() throws Exception {
    X509Bundle namesake =
        new CertificateBuilder()
            .ecp256()
            .subject(Certificates.AUTHORITY.getCertificate().getSubjectX500Principal())
            .setIsCertificateAuthority(true)
            .buildSelfSigned();

    assertRefused(
        HOST,
        Certificates.identity(Certificates.serverBuilder(HOST).buildIssuedBy(namesake)),
        "The certificate for example.org has a signature that is not its issuer's: somebody else"
            + " has the name of a trusted one (asked for: example.org)");
  }

  @Test
  void aSelfSignedCertificateIsSaidToBeOne() {
    X509Bundle server =
        Certificates.selfSigned(Certificates.serverBuilder(HOST).setIsCertificateAuthority(true));

    assertRefused(
        HOST,
        Certificates.identity(server),
        "The certificate for example.org is self-signed, and none of the trusted ones (asked for:"
            + " example.org)");
  }

  @Test
  void aSelfSignedCertificateIsAcceptedByWhoTrustsIt() throws Exception {
    X509Bundle server =
        Certificates.selfSigned(Certificates.serverBuilder(HOST).setIsCertificateAuthority(true));
    ClientTls client = ClientTls.defaults().withTrusted(List.of(server.getCertificate()));

    shake(client, HOST, Certificates.identity(server));
    assertFails(
        () -> shake(client, "example.com", Certificates.identity(server)),
        "The certificate is for example.org, not for example.com");
  }

  @Test
  void anIssuerThatWasNotSentIsNamed() {
    X509Bundle intermediate = Certificates.issued(Certificates.authority("CN=Weir intermediate"));
    X509Bundle server = Certificates.issued(Certificates.serverBuilder(HOST), intermediate);

    assertAccepted(HOST, Certificates.identity(server));
    assertRefused(
        HOST,
        Certificates.identity(server, server.getCertificate()),
        "The certificate for example.org was issued by CN=Weir intermediate"
            + LEAD
            + " (asked for:"
            + " example.org)");
  }

  /** Somebody with a certificate of his own signs for others, as if that were an issuer's. */
  @Test
  void whoMayNotSignIsNoIssuer() {
    X509Bundle mallory = Certificates.server("mallory.example");
    X509Bundle server = Certificates.issued(Certificates.serverBuilder(HOST), mallory);

    assertRefused(
        HOST,
        Certificates.identity(server),
        "The certificate for example.org was refused: basic constraints check failed: this is not a"
            + " CA certificate (asked for: example.org)");
  }

  // --- Times

  @Test
  void anExpiredCertificateIsSaidToBe() {
    assertRefused(
        HOST,
        issued(
            Certificates.serverBuilder(HOST)
                .notBefore(YESTERDAY.minusSeconds(9))
                .notAfter(YESTERDAY)),
        "The certificate for example.org expired on " + YESTERDAY + " (asked for: example.org)");
  }

  @Test
  void aCertificateOfTheFutureIsSaidToBe() {
    assertRefused(
        HOST,
        issued(Certificates.serverBuilder(HOST).notBefore(TOMORROW)),
        "The certificate for example.org is not valid before "
            + TOMORROW
            + " (asked for: example.org)");
  }

  @Test
  void anIssuerThatExpiredIsNamed() {
    X509Bundle intermediate =
        Certificates.issued(
            Certificates.authority("CN=Weir intermediate")
                .notBefore(YESTERDAY.minusSeconds(9))
                .notAfter(YESTERDAY));

    assertRefused(
        HOST,
        Certificates.identity(Certificates.issued(Certificates.serverBuilder(HOST), intermediate)),
        "The certificate for example.org has an issuer, CN=Weir intermediate, that expired on "
            + YESTERDAY
            + " (asked for: example.org)");
  }

  // --- Use and strength

  @Test
  void aClientsCertificateIsNoServers() {
    assertRefused(
        HOST,
        issued(
            Certificates.builder("CN=client").addSanDnsName(HOST).addExtendedKeyUsageClientAuth()),
        "The certificate for example.org is not meant for servers (asked for: example.org)");
  }

  @Test
  void aKeyThatWouldDoForTheJdkIsWeakAllTheSame() {
    TlsIdentity weak = issued(Certificates.serverBuilder(HOST).rsa2048().keyPair(rsa(1024)));

    assertRefused(
        HOST,
        weak,
        "The certificate for example.org has a weak key: RSA with 1024 bits instead of 2048 (asked"
            + " for: example.org)");
    assertFails(
        () -> shake(CLIENT.withoutHostnameCheck(), HOST, weak),
        "The certificate for example.org has a weak key: RSA with 1024 bits instead of 2048");
  }

  @Test
  void anIssuerWithAWeakKeyIsNamed() {
    X509Bundle weak =
        Certificates.issued(Certificates.authority("CN=Weak").rsa2048().keyPair(rsa(1024)));

    assertRefused(
        HOST,
        Certificates.identity(Certificates.issued(Certificates.serverBuilder(HOST), weak)),
        "The certificate for example.org has an issuer, CN=Weak, with a weak key: RSA with 1024"
            + " bits instead of 2048 (asked for: example.org)");
  }

  @Test
  void aKeyThatTheJdkFindsWeakIsSaidToBeWeak() {
    X509Bundle weak =
        Certificates.issued(Certificates.authority("CN=Weak").rsa2048().keyPair(rsa(768)));

    assertRefused(
        HOST,
        Certificates.identity(Certificates.issued(Certificates.serverBuilder(HOST), weak)),
        "The certificate for example.org has a weak key or algorithm: Algorithm constraints check"
            + " failed on keysize limits: RSA 768 bit key used with certificate: CN=Weak (asked"
            + " for: example.org)");
  }

  private static KeyPair rsa(int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(bits);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  // --- Clients

  @Test
  void aClientsCertificateIsAccepted() throws Exception {
    shakeWithClient(issued(Certificates.builder("CN=client").addExtendedKeyUsageClientAuth()));
  }

  @Test
  void aClientOfAnIssuerNobodyTrustsIsRefused() {
    assertClientRefused(
        Certificates.identity(
            stranger(Certificates.builder("CN=client").addExtendedKeyUsageClientAuth())),
        "The client's certificate, of CN=client, was issued by CN=Stranger" + LEAD);
  }

  @Test
  void aClientWithASelfSignedCertificateIsRefused() {
    assertClientRefused(
        Certificates.identity(Certificates.selfSigned(Certificates.authority("CN=client"))),
        "The client's certificate, of CN=client, is self-signed, and none of the trusted ones");
  }

  @Test
  void aClientWhoseCertificateExpiredIsRefused() {
    assertClientRefused(
        issued(
            Certificates.builder("CN=client")
                .addExtendedKeyUsageClientAuth()
                .notBefore(YESTERDAY.minusSeconds(9))
                .notAfter(YESTERDAY)),
        "The client's certificate, of CN=client, expired on " + YESTERDAY);
  }

  @Test
  void aServersCertificateIsNoClients() {
    assertClientRefused(
        issued(Certificates.serverBuilder(HOST)),
        "The client's certificate, of CN=server, is not meant for clients");
  }

  @Test
  void aClientWithoutANameIsNobodyInParticular() {
    assertClientRefused(
        Certificates.identity(stranger(Certificates.builder("").addSanDnsName("a.example"))),
        "The client's certificate, of nobody in particular, was issued by CN=Stranger" + LEAD);
  }

  // --- What a peer may put into a message

  @ParameterizedTest
  @CsvSource({"\\u000a", "\\u000d", "\\u001b", "\\u0085", "\\u202e", "\\u00e9"})
  void aCharacterThatDoesNotPrintIsEscaped(String code) {
    String evil = "CN=a" + (char) Integer.parseInt(code.substring(2), 16) + "SEVERE: forged";

    String message = refusalOf(Certificates.identity(stranger(Certificates.builder(evil))));

    assertThat(message)
        .isEqualTo(
            "The client's certificate, of CN=a"
                + code
                + "SEVERE: forged, was issued by CN=Stranger"
                + LEAD);
  }

  @Test
  void oneHundredNamesAreCountedNotListed() {
    String[] names =
        IntStream.range(0, 100).mapToObj(i -> "n" + i + ".example").toArray(String[]::new);

    assertRefused(
        HOST,
        Certificates.identity(Certificates.server(names)),
        "The certificate is for n0.example, n1.example, n2.example, n3.example, n4.example,"
            + " n5.example, n6.example, n7.example and 92 more, not for example.org");
  }

  @Test
  void aLongSubjectIsCut() {
    String subject = "CN=" + "x".repeat(10_000);

    assertThat(refusalOf(Certificates.identity(stranger(Certificates.builder(subject)))))
        .isEqualTo(
            "The client's certificate, of CN="
                + "x".repeat(117)
                + "..., was issued by CN=Stranger"
                + LEAD);
  }

  @Test
  void aLongNameThatWasAskedForIsCut() {
    String host = "y".repeat(10_000);

    assertRefused(
        host,
        Certificates.identity(Certificates.server(HOST)),
        "The certificate is for example.org, not for " + "y".repeat(120) + "...");
  }

  // --- What carries the assertions

  private static TlsIdentity issued(CertificateBuilder builder) {
    return Certificates.identity(Certificates.issued(builder));
  }

  private static X509Bundle stranger(CertificateBuilder builder) {
    return Certificates.issued(
        builder, Certificates.selfSigned(Certificates.authority("CN=Stranger")));
  }

  private interface Handshake {
    void shake() throws Exception;
  }

  private static void shake(ClientTls client, @Nullable String host, TlsIdentity server)
      throws Exception {
    EnginePair pair = new EnginePair(client, host, server, null, null);
    pair.handshake();
    assertThat(pair.serverCertificates()).isEqualTo(server.certificates());
  }

  private static void shakeWithClient(TlsIdentity client) throws Exception {
    TlsIdentity server = SERVER.identity();
    assertThat(server).isNotNull();
    new EnginePair(CLIENT, HOST, server, client, SERVER.trustManager()).handshake();
  }

  private static void assertAccepted(@Nullable String host, TlsIdentity server) {
    assertThatNoException().isThrownBy(() -> shake(CLIENT, host, server));
  }

  private static void assertRefused(@Nullable String host, TlsIdentity server, String message) {
    assertFails(() -> shake(CLIENT, host, server), message);
  }

  private static void assertClientRefused(TlsIdentity client, String message) {
    assertFails(() -> shakeWithClient(client), message);
  }

  private static String refusalOf(TlsIdentity client) {
    try {
      shakeWithClient(client);
      throw new AssertionError("accepted " + client);
    } catch (Exception e) {
      return String.valueOf(rejection(e).getMessage());
    }
  }

  private static void assertFails(Handshake handshake, String message) {
    assertThatExceptionOfType(SSLHandshakeException.class)
        .isThrownBy(handshake::shake)
        .satisfies(failure -> assertThat(rejection(failure)).hasMessage(message));
  }

  private static Throwable rejection(Throwable failure) {
    Throwable cause = failure.getCause();
    assertThat(cause).as("cause of %s", failure).isInstanceOf(CertificateException.class);
    return cause;
  }
}
