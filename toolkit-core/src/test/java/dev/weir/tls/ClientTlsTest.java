package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class ClientTlsTest {
  private static final ClientTls DEFAULTS = ClientTls.defaults();
  private static final TlsIdentity IDENTITY = Certificates.identity(Certificates.server("a"));
  private static final X509Certificate AUTHORITY = Certificates.AUTHORITY.getCertificate();

  /** What each wither changes, by the accessor that tells. */
  private static final Map<String, UnaryOperator<ClientTls>> WITHERS = new LinkedHashMap<>();

  static {
    WITHERS.put("trustManager", tls -> tls.withTrusted(List.of(AUTHORITY)));
    WITHERS.put("hostnameChecked", ClientTls::withoutHostnameCheck);
    WITHERS.put("identity", tls -> tls.withIdentity(IDENTITY));
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
    assertThat(DEFAULTS.hostnameChecked()).isTrue();
    assertThat(DEFAULTS.certificateChecked()).isTrue();
    assertThat(DEFAULTS.identity()).isNull();
    assertThat(DEFAULTS.trustManager()).isInstanceOf(ExplainingTrustManager.class);
    assertThat(DEFAULTS.trustManager()).isSameAs(ClientTls.defaults().trustManager());
    assertThat(DEFAULTS)
        .hasToString("ClientTls[trusts the system's certificates, AUTO, [TLSv1.3, TLSv1.2]]");
  }

  @Test
  void eachWitherChangesOneOptionOfACopy() throws Exception {
    SharedTlsOptions.assertWithersChangeOneOption(DEFAULTS, WITHERS);
  }

  @Test
  void eachWitherKeepsWhatTheOthersHaveSet() throws Exception {
    SharedTlsOptions.assertWithersKeepTheRest(DEFAULTS, WITHERS);
  }

  @Test
  void withoutAnyCheckTheNameIsNotCheckedEither() throws Exception {
    ClientTls unchecked = DEFAULTS.withIdentity(IDENTITY).withoutCertificateCheck();

    assertThat(unchecked.certificateChecked()).isFalse();
    assertThat(unchecked.hostnameChecked()).isFalse();
    assertThat(unchecked.identity()).isSameAs(IDENTITY);
    assertThat(unchecked.trustManager()).isInstanceOf(UncheckedTrustManager.class);
    assertThat(unchecked)
        .hasToString(
            "ClientTls[trusts anybody, host name not checked, TlsIdentity[CN=server], AUTO,"
                + " [TLSv1.3, TLSv1.2]]");
  }

  /** Whoever says whom to trust again wants checks again, that of the name as well. */
  @Test
  void trustAfterNoCheckChecksAll() {
    ClientTls again = DEFAULTS.withoutCertificateCheck().withTrusted(List.of(AUTHORITY));

    assertThat(again.certificateChecked()).isTrue();
    assertThat(again.hostnameChecked()).isTrue();
    assertThat(DEFAULTS.withoutHostnameCheck().withTrusted(List.of(AUTHORITY)).hostnameChecked())
        .isFalse();
  }

  @Test
  void anIdentityCanBeTakenBack() {
    assertThat(DEFAULTS.withIdentity(IDENTITY).withIdentity(null).identity()).isNull();
  }

  // --- Whom to trust

  @Test
  void trustedCertificatesComeFromAFileOrAKeyStoreAsWell(@TempDir Path directory) throws Exception {
    Path pem = directory.resolve("trusted.pem");
    Files.writeString(pem, Certificates.AUTHORITY.getCertificatePEM());
    KeyStore store = emptyStore();
    store.setCertificateEntry("a", AUTHORITY);

    assertThat(DEFAULTS.withTrustedPem(pem).trustManager().getAcceptedIssuers())
        .containsExactly(AUTHORITY);
    assertThat(DEFAULTS.withTrustStore(store).trustManager().getAcceptedIssuers())
        .containsExactly(AUTHORITY);
    assertThat(DEFAULTS.withTrustStore(store).toString())
        .startsWith("ClientTls[trusts 1 certificate, ");
  }

  @Test
  void nobodyToTrustIsRefused(@TempDir Path directory) throws Exception {
    Path empty = Files.createFile(directory.resolve("empty.pem"));
    KeyStore store = emptyStore();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withTrusted(List.of()))
        .withMessage("no trusted certificate: nobody could be trusted");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withTrustStore(store))
        .withMessage("no trusted certificate: nobody could be trusted");
    assertThatIOException()
        .isThrownBy(() -> DEFAULTS.withTrustedPem(empty))
        .withMessageStartingWith("There is no certificate in " + empty);
    KeyStore unloaded = KeyStore.getInstance("PKCS12");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withTrustStore(unloaded))
        .withMessage("the key store was not loaded: call load() before");
  }

  private static KeyStore emptyStore() throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  // --- A context of the user's own

  @Test
  void aContextDecidesAboutTrustAndIdentity() throws Exception {
    SSLContext context = SSLContext.getDefault();
    ClientTls tls = ClientTls.of(context);

    assertThat(tls.context()).isSameAs(context);
    assertThat(tls.hostnameChecked()).isTrue();
    assertThat(tls.certificateChecked()).isTrue();
    assertThat(tls.trustManager()).isNull();
    assertThat(tls).hasToString("ClientTls[with an SSLContext, AUTO, [TLSv1.3, TLSv1.2]]");
    assertThat(tls.withoutHostnameCheck().context()).isSameAs(context);
    assertThat(tls.withProtocols("TLSv1.3").context()).isSameAs(context);
    assertThatIllegalStateException()
        .isThrownBy(() -> tls.withTrusted(List.of(AUTHORITY)))
        .withMessage(
            "whom this side trusts is the SSLContext's to say: begin with ClientTls.defaults()");
    assertThatIllegalStateException()
        .isThrownBy(tls::withoutCertificateCheck)
        .withMessage(
            "whom this side trusts is the SSLContext's to say: begin with ClientTls.defaults()");
    assertThatIllegalStateException()
        .isThrownBy(() -> tls.withIdentity(IDENTITY))
        .withMessage(
            "who this side is is the SSLContext's to say: begin with ClientTls.defaults()");
  }

  // --- Wrong values

  @ParameterizedTest
  @ValueSource(
      strings = {"", "TLSv1", "TLSv1.1", "SSLv3", "tlsv1.3", "DTLSv1.2", "TLSv1.3,TLSv1.2"})
  void anyOtherProtocolIsRefused(String protocol) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withProtocols("TLSv1.3", protocol))
        .withMessage(
            "protocols are not TLSv1.3, TLSv1.2 or both: [TLSv1.3, %s]; older ones are broken",
            protocol);
  }

  @Test
  void wrongValuesAreRefused() {
    SharedTlsOptions.assertRefusesWrongValues(
        DEFAULTS::withProtocols,
        DEFAULTS::withCipherSuites,
        DEFAULTS::withApplicationProtocols,
        DEFAULTS::withHandshakeTimeout,
        DEFAULTS::withShutdownTimeout);
    assertThatNullPointerException()
        .isThrownBy(() -> DEFAULTS.withProvider(null))
        .withMessage("provider");
    assertThatNullPointerException().isThrownBy(() -> ClientTls.of(null)).withMessage("context");
  }

  @Test
  void aFileThatIsNotThereIsNamed(@TempDir Path directory) throws IOException {
    Path missing = directory.resolve("missing.pem");

    assertThatIOException()
        .isThrownBy(() -> DEFAULTS.withTrustedPem(missing))
        .withMessage(missing.toString());
  }
}
