package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
class ServerTlsTest {
  private static final TlsIdentity IDENTITY = Certificates.identity(Certificates.server("a"));
  private static final TlsIdentity OTHER = Certificates.identity(Certificates.server("b"));
  private static final X509Certificate AUTHORITY = Certificates.AUTHORITY.getCertificate();
  private static final ServerTls DEFAULTS = ServerTls.of(IDENTITY);
  private static final ServerTls MUTUAL = DEFAULTS.withClientsTrusted(List.of(AUTHORITY));

  /** What each wither changes, by the accessor that tells; for options that trust clients. */
  private static final Map<String, UnaryOperator<ServerTls>> WITHERS = new LinkedHashMap<>();

  static {
    WITHERS.put(
        "trustManager", tls -> tls.withClientsTrusted(List.of(OTHER.certificates().get(0))));
    WITHERS.put(
        "clientAuthentication", tls -> tls.withClientAuthentication(ClientAuthentication.OPTIONAL));
    WITHERS.put("named", tls -> tls.withNamed("b.example", OTHER));
    WITHERS.put("provider", tls -> tls.withProvider(TlsProvider.JDK));
    WITHERS.put("protocols", tls -> tls.withProtocols("TLSv1.2"));
    WITHERS.put("cipherSuites", tls -> tls.withCipherSuites("TLS_AES_128_GCM_SHA256"));
    WITHERS.put("applicationProtocols", tls -> tls.withApplicationProtocols("h2", "http/1.1"));
    WITHERS.put("applicationProtocolRequired", tls -> tls.withApplicationProtocolRequired(true));
    WITHERS.put("handshakeTimeout", tls -> tls.withHandshakeTimeout(Duration.ofSeconds(1)));
    WITHERS.put("shutdownTimeout", tls -> tls.withShutdownTimeout(Duration.ofSeconds(2)));
    WITHERS.put("truncationAllowed", tls -> tls.withTruncationAllowed(true));
  }

  @Test
  void theDefaultsAreThoseOfTheDocumentation() throws Exception {
    SharedTlsOptions.assertDefaults(DEFAULTS);
    assertThat(DEFAULTS.identity()).isSameAs(IDENTITY);
    assertThat(DEFAULTS.named()).isEmpty();
    assertThat(DEFAULTS.clientAuthentication()).isEqualTo(ClientAuthentication.NONE);
    assertThat(DEFAULTS.trustManager()).isNull();
    assertThat(DEFAULTS).hasToString("ServerTls[TlsIdentity[CN=server], AUTO, [TLSv1.3, TLSv1.2]]");
  }

  @Test
  void eachWitherChangesOneOptionOfACopy() throws Exception {
    SharedTlsOptions.assertWithersChangeOneOption(MUTUAL, WITHERS);
  }

  @Test
  void eachWitherKeepsWhatTheOthersHaveSet() throws Exception {
    Map<String, UnaryOperator<ServerTls>> rest = new LinkedHashMap<>(WITHERS);
    // It asks for certificates again, which is tested below.
    rest.put(
        "trustManager",
        tls ->
            tls.withClientsTrusted(List.of(OTHER.certificates().getFirst()))
                .withClientAuthentication(tls.clientAuthentication()));

    SharedTlsOptions.assertWithersKeepTheRest(MUTUAL, rest);
  }

  // --- Names

  @Test
  void aNameIsServedWithItsOwnIdentityAndTheRestWithThatForAll() {
    ServerTls tls = DEFAULTS.withNamed("b.example", OTHER);

    assertThat(tls.identityFor("b.example")).isSameAs(OTHER);
    assertThat(tls.identityFor("B.EXAMPLE.")).isSameAs(OTHER);
    assertThat(tls.identityFor("c.example")).isSameAs(IDENTITY);
    assertThat(tls.identityFor(null)).isSameAs(IDENTITY);
    assertThat(tls)
        .hasToString(
            "ServerTls[TlsIdentity[CN=server], names [b.example], AUTO, [TLSv1.3, TLSv1.2]]");
  }

  @Test
  void whoAsksForNoneOfTheNamesGetsNothing() {
    ServerTls tls = ServerTls.named("b.example", OTHER).withNamed("*.c.example", IDENTITY);

    assertThat(tls.identity()).isNull();
    assertThat(tls.identityFor("b.example")).isSameAs(OTHER);
    assertThat(tls.identityFor("a.c.example")).isSameAs(IDENTITY);
    assertThat(tls.identityFor("a.example")).isNull();
    assertThat(tls.identityFor("*.c.example")).isNull();
    assertThat(tls.identityFor(null)).isNull();
    assertThat(tls)
        .hasToString(
            "ServerTls[named only, names [b.example, *.c.example], AUTO, [TLSv1.3, TLSv1.2]]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ServerTls.named("127.0.0.1", OTHER))
        .withMessageStartingWith("no host name: '127.0.0.1'; ");
  }

  // --- Clients

  @Test
  void clientsThatAreTrustedAreRequired() throws Exception {
    assertThat(MUTUAL.clientAuthentication()).isEqualTo(ClientAuthentication.REQUIRED);
    assertThat(MUTUAL.trustManager()).isInstanceOf(ExplainingTrustManager.class);
    assertThat(MUTUAL)
        .hasToString(
            "ServerTls[TlsIdentity[CN=server], client certificates REQUIRED, AUTO, [TLSv1.3,"
                + " TLSv1.2]]");
    assertThat(
            MUTUAL
                .withClientAuthentication(ClientAuthentication.OPTIONAL)
                .withClientsTrusted(List.of(AUTHORITY))
                .clientAuthentication())
        .isEqualTo(ClientAuthentication.REQUIRED);
  }

  @Test
  void clientsWhoAreNotAskedAreNotChecked() throws Exception {
    ServerTls tls = MUTUAL.withClientAuthentication(ClientAuthentication.NONE);

    assertThat(tls.trustManager()).isNull();
    assertThat(tls.withClientAuthentication(ClientAuthentication.REQUIRED).trustManager())
        .isSameAs(MUTUAL.trustManager());
  }

  @Test
  void askingClientsWithoutTrustingAnyIsRefused() {
    assertThatIllegalStateException()
        .isThrownBy(() -> DEFAULTS.withClientAuthentication(ClientAuthentication.OPTIONAL))
        .withMessage("nothing says which clients are trusted: use withClientsTrusted() before");
    assertThat(DEFAULTS.withClientAuthentication(ClientAuthentication.NONE).clientAuthentication())
        .isEqualTo(ClientAuthentication.NONE);
  }

  @Test
  void trustedClientsComeFromAFileOrAKeyStoreAsWell(@TempDir Path directory) throws Exception {
    Path pem = directory.resolve("trusted.pem");
    Files.writeString(pem, Certificates.AUTHORITY.getCertificatePEM());
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withClientTrustStore(store))
        .withMessage("no trusted certificate: nobody could be trusted");
    store.setCertificateEntry("a", AUTHORITY);

    assertThat(DEFAULTS.withClientsTrustedPem(pem).trustManager().getAcceptedIssuers())
        .containsExactly(AUTHORITY);
    assertThat(DEFAULTS.withClientTrustStore(store).trustManager().getAcceptedIssuers())
        .containsExactly(AUTHORITY);
  }

  // --- A context of the user's own

  @Test
  void aContextDecidesAboutTrustAndIdentity() throws Exception {
    SSLContext context = SSLContext.getDefault();
    ServerTls tls = ServerTls.of(context);

    assertThat(tls.context()).isSameAs(context);
    assertThat(tls.identity()).isNull();
    assertThat(tls.trustManager()).isNull();
    assertThat(tls).hasToString("ServerTls[with an SSLContext, AUTO, [TLSv1.3, TLSv1.2]]");
    ServerTls required = tls.withClientAuthentication(ClientAuthentication.REQUIRED);
    assertThat(required.context()).isSameAs(context);
    assertThat(required.trustManager()).isNull();
    assertThatIllegalStateException()
        .isThrownBy(() -> tls.withNamed("a.example", IDENTITY))
        .withMessage(
            "The certificate for a name is the SSLContext's to say: begin with"
                + " ServerTls.of(TlsIdentity)");
    assertThatIllegalStateException()
        .isThrownBy(() -> tls.withClientsTrusted(List.of(AUTHORITY)))
        .withMessage(
            "Which clients are trusted is the SSLContext's to say: begin with"
                + " ServerTls.of(TlsIdentity)");
  }

  @Test
  void wrongValuesAreRefused() {
    SharedTlsOptions.assertRefusesWrongValues(
        DEFAULTS::withProtocols,
        DEFAULTS::withCipherSuites,
        DEFAULTS::withApplicationProtocols,
        DEFAULTS::withHandshakeTimeout,
        DEFAULTS::withShutdownTimeout);
    assertThatNullPointerException().isThrownBy(() -> DEFAULTS.withProvider(null));
    assertThatNullPointerException().isThrownBy(() -> ServerTls.of((TlsIdentity) null));
    assertThatNullPointerException().isThrownBy(() -> ServerTls.of((SSLContext) null));
    assertThatNullPointerException()
        .isThrownBy(() -> DEFAULTS.withClientAuthentication(null))
        .withMessage("clientAuthentication");
  }
}
