package dev.weir.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * How a client secures connections. As {@code ssl.create_default_context()}: the server's
 * certificate has to be for the host, and from an issuer that is trusted. Each {@code with} returns
 * a copy.
 *
 * <pre>{@code
 * ConnectOptions options = ConnectOptions.defaults().withTls(ClientTls.defaults());
 * try (Connection connection = Asyncio.openConnection("example.org", 443, options)) {
 *   connection.writer().write("GET / HTTP/1.0\r\nHost: example.org\r\n\r\n");
 *   System.out.print(new String(connection.reader().readAll(), UTF_8));
 * }
 * }</pre>
 */
public final class ClientTls implements TlsOptions {
  private static final ClientTls DEFAULTS =
      new ClientTls(TlsSettings.DEFAULTS, null, null, Trust.ofSystem(), true);

  private final TlsSettings settings;
  private final @Nullable SSLContext context;
  private final @Nullable TlsIdentity identity;

  /** Null if the context does it. */
  private final @Nullable Trust trust;

  private final boolean hostnameChecked;

  private ClientTls(
      TlsSettings settings,
      @Nullable SSLContext context,
      @Nullable TlsIdentity identity,
      @Nullable Trust trust,
      boolean hostnameChecked) {
    this.settings = settings;
    this.context = context;
    this.identity = identity;
    this.trust = trust;
    this.hostnameChecked = hostnameChecked;
  }

  /** {@return the defaults: the system's trusted certificates, and the host name checked} */
  public static ClientTls defaults() {
    return DEFAULTS;
  }

  /**
   * {@return options that leave identity and trust to a context of the JDK's} The host name is
   * checked all the same. The {@linkplain #provider() provider} is the JDK then.
   */
  public static ClientTls of(SSLContext context) {
    Objects.requireNonNull(context, "context");
    return new ClientTls(TlsSettings.DEFAULTS, context, null, null, true);
  }

  private ClientTls with(TlsSettings settings) {
    return new ClientTls(settings, context, identity, trust, hostnameChecked);
  }

  private ClientTls with(Trust trust) {
    ensureNoContext("whom this side trusts");
    // Whoever trusts somebody again, after anybody was to do, means it of the name as well.
    return new ClientTls(settings, null, identity, trust, hostnameChecked || !certificateChecked());
  }

  private void ensureNoContext(String what) {
    if (context != null) {
      throw new IllegalStateException(
          what + " is the SSLContext's to say: begin with ClientTls.defaults()");
    }
  }

  // --- Whom to trust

  /**
   * {@return these options with certificates that are trusted instead of the system's: those of
   * issuers, or of servers themselves} As {@code load_verify_locations}.
   *
   * @throws IllegalArgumentException if there is none
   * @throws IllegalStateException if these options have a {@linkplain #context() context}
   */
  public ClientTls withTrusted(List<X509Certificate> trusted) {
    return with(Trust.of(trusted));
  }

  /**
   * The same with the certificates of a file, in PEM. Reads it: before the loop runs, or off it.
   *
   * @throws IOException if it cannot be read, or has none
   */
  public ClientTls withTrustedPem(Path certificates) throws IOException {
    return withTrusted(PemFile.read(certificates).certificates());
  }

  /**
   * The same with the trusted certificates of a key store.
   *
   * @throws IllegalArgumentException if it has none, or was not loaded
   */
  public ClientTls withTrustStore(KeyStore trusted) {
    return withTrusted(Trust.certificates(trusted));
  }

  /** {@return whether the certificate has to be for the host, on by default} */
  public boolean hostnameChecked() {
    return hostnameChecked;
  }

  /**
   * {@return these options without a check of the host name} As {@code check_hostname = False}:
   * whoever has a certificate of a trusted issuer can pass for the server, whatever it is for.
   */
  public ClientTls withoutHostnameCheck() {
    return new ClientTls(settings, context, identity, trust, false);
  }

  /** {@return whether the certificate is checked, on by default} */
  public boolean certificateChecked() {
    return trust == null || trust.checks();
  }

  /**
   * {@return these options with any certificate accepted, for any host} As {@code verify_mode =
   * CERT_NONE}. Whoever is on the way can pass for the server, read everything and change it. For
   * tests. Saying afterwards whom to trust brings both checks back.
   *
   * @throws IllegalStateException if these options have a {@linkplain #context() context}
   */
  public ClientTls withoutCertificateCheck() {
    ensureNoContext("whom this side trusts");
    return new ClientTls(settings, null, identity, Trust.ofAnybody(), false);
  }

  @Override
  public @Nullable X509ExtendedTrustManager trustManager() throws TlsException {
    return trust == null ? null : trust.manager();
  }

  // --- Who this side is

  @Override
  public @Nullable SSLContext context() {
    return context;
  }

  @Override
  public @Nullable TlsIdentity identity() {
    return identity;
  }

  /**
   * {@return these options with a certificate to show to servers that ask for one, or without if it
   * is null}
   *
   * @throws IllegalStateException if these options have a {@linkplain #context() context}
   */
  public ClientTls withIdentity(@Nullable TlsIdentity identity) {
    ensureNoContext("who this side is");
    return new ClientTls(settings, null, identity, trust, hostnameChecked);
  }

  // --- What both sides can be told

  @Override
  public TlsProvider provider() {
    return settings.provider();
  }

  /** {@return these options with another {@linkplain #provider() provider}} */
  public ClientTls withProvider(TlsProvider provider) {
    Objects.requireNonNull(provider, "provider");
    return with(settings.withProvider(provider));
  }

  @Override
  public List<String> protocols() {
    return settings.protocols();
  }

  /**
   * {@return these options with {@code TLSv1.3} or {@code TLSv1.2} only}
   *
   * @throws IllegalArgumentException for none, or any other
   */
  public ClientTls withProtocols(String... protocols) {
    return with(settings.withProtocols(protocols));
  }

  @Override
  public List<String> cipherSuites() {
    return settings.cipherSuites();
  }

  /**
   * {@return these options with other cipher suites, most wanted first} By their standard names.
   * Whether the provider has them turns out when the options are first used; BoringSSL has the
   * three of TLS 1.3 always and in its own order, and refuses options without one of them.
   *
   * @throws IllegalArgumentException if there is none
   */
  public ClientTls withCipherSuites(String... cipherSuites) {
    return with(settings.withCipherSuites(cipherSuites));
  }

  @Override
  public List<String> applicationProtocols() {
    return settings.applicationProtocols();
  }

  /**
   * {@return these options with application protocols, most wanted first} As {@code
   * set_alpn_protocols}: {@code "h2"}, {@code "http/1.1"}.
   *
   * @throws IllegalArgumentException if one is empty, or longer than 255 characters, or has any
   *     that are not of ASCII or do not print
   */
  public ClientTls withApplicationProtocols(String... applicationProtocols) {
    return with(settings.withApplicationProtocols(applicationProtocols));
  }

  @Override
  public boolean applicationProtocolRequired() {
    return settings.applicationProtocolRequired();
  }

  /** {@return these options with a common application protocol required or not} */
  public ClientTls withApplicationProtocolRequired(boolean required) {
    return with(settings.withApplicationProtocolRequired(required));
  }

  @Override
  public Duration handshakeTimeout() {
    return settings.handshakeTimeout();
  }

  /**
   * {@return these options with another time for starting TLS} As {@code ssl_handshake_timeout}.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ClientTls withHandshakeTimeout(Duration handshakeTimeout) {
    return with(settings.withHandshakeTimeout(handshakeTimeout));
  }

  @Override
  public Duration shutdownTimeout() {
    return settings.shutdownTimeout();
  }

  /**
   * {@return these options with another time for the peer's end} As {@code ssl_shutdown_timeout}.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ClientTls withShutdownTimeout(Duration shutdownTimeout) {
    return with(settings.withShutdownTimeout(shutdownTimeout));
  }

  @Override
  public boolean truncationAllowed() {
    return settings.truncationAllowed();
  }

  /** {@return these options with {@linkplain #truncationAllowed() truncation} allowed or not} */
  public ClientTls withTruncationAllowed(boolean truncationAllowed) {
    return with(settings.withTruncationAllowed(truncationAllowed));
  }

  @Override
  public String toString() {
    return "ClientTls["
        + (context != null ? "with an SSLContext" : "trusts " + trust)
        + (hostnameChecked ? "" : ", host name not checked")
        + (identity == null ? "" : ", " + identity)
        + ", "
        + settings
        + "]";
  }
}
