package dev.weir.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * How a server secures connections. As {@code ssl.create_default_context(Purpose.CLIENT_AUTH)} with
 * a certificate loaded. Each {@code with} returns a copy.
 *
 * <pre>{@code
 * TlsIdentity identity = TlsIdentity.fromPem(Path.of("cert.pem"), Path.of("key.pem"));
 * ServerOptions options = ServerOptions.defaults().withTls(ServerTls.of(identity));
 * Server server = Asyncio.startServer(handler, "0.0.0.0", 8443, options);
 * }</pre>
 */
public final class ServerTls implements TlsOptions {
  private final TlsSettings settings;
  private final @Nullable SSLContext context;
  private final @Nullable TlsIdentity identity;
  private final ServerNames named;
  private final @Nullable Trust clientTrust;
  private final ClientAuthentication clientAuthentication;

  private ServerTls(
      TlsSettings settings,
      @Nullable SSLContext context,
      @Nullable TlsIdentity identity,
      ServerNames named,
      @Nullable Trust clientTrust,
      ClientAuthentication clientAuthentication) {
    this.settings = settings;
    this.context = context;
    this.identity = identity;
    this.named = named;
    this.clientTrust = clientTrust;
    this.clientAuthentication = clientAuthentication;
  }

  /** {@return options with one certificate, whatever server a client asks for} */
  public static ServerTls of(TlsIdentity identity) {
    Objects.requireNonNull(identity, "identity");
    return new ServerTls(
        TlsSettings.DEFAULTS, null, identity, ServerNames.NONE, null, ClientAuthentication.NONE);
  }

  /**
   * {@return options that leave certificates to a context of the JDK's, also which clients are
   * trusted} The {@linkplain #provider() provider} is the JDK then.
   */
  public static ServerTls of(SSLContext context) {
    Objects.requireNonNull(context, "context");
    return new ServerTls(
        TlsSettings.DEFAULTS, context, null, ServerNames.NONE, null, ClientAuthentication.NONE);
  }

  /**
   * {@return options with a certificate for clients that ask for a name} Whoever asks for another,
   * or for none, is refused with the alert {@code unrecognized_name}, unless there are {@linkplain
   * #withNamed more}.
   *
   * @param name see {@link #withNamed}
   */
  public static ServerTls named(String name, TlsIdentity identity) {
    return new ServerTls(
        TlsSettings.DEFAULTS,
        null,
        null,
        ServerNames.NONE.with(name, identity),
        null,
        ClientAuthentication.NONE);
  }

  private ServerTls with(TlsSettings settings) {
    return new ServerTls(settings, context, identity, named, clientTrust, clientAuthentication);
  }

  private void ensureNoContext(String what) {
    if (context != null) {
      throw new IllegalStateException(
          what + " is the SSLContext's to say: begin with ServerTls.of(TlsIdentity)");
    }
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

  /** {@return the certificates for names, by name} */
  public Map<String, TlsIdentity> named() {
    return named.all();
  }

  /**
   * {@return these options with another certificate for clients that ask for a name (SNI)} The
   * exact name counts before a wildcard; a wildcard stands for one label.
   *
   * @param name a host name, or one that begins with {@code *.}
   * @throws IllegalArgumentException if it is neither
   * @throws IllegalStateException if these options have a {@linkplain #context() context}
   */
  public ServerTls withNamed(String name, TlsIdentity identity) {
    ensureNoContext("The certificate for a name");
    return new ServerTls(
        settings,
        null,
        this.identity,
        named.with(name, identity),
        clientTrust,
        clientAuthentication);
  }

  /**
   * {@return the certificate for a client that asks for a name, or for none if it is null} The one
   * for all, if there is none for the name; null if there is neither, and the client is to be
   * refused.
   */
  public @Nullable TlsIdentity identityFor(@Nullable String serverName) {
    TlsIdentity found = serverName == null ? null : named.find(serverName);
    return found != null ? found : identity;
  }

  // --- Clients that say who they are

  /** {@return whether clients show certificates, {@link ClientAuthentication#NONE} by default} */
  public ClientAuthentication clientAuthentication() {
    return clientAuthentication;
  }

  /**
   * {@return these options with clients required to show a certificate from one of these issuers,
   * or one of these itself} Handlers find it in {@link TlsSession#peerCertificates}.
   *
   * @throws IllegalArgumentException if there is none
   * @throws IllegalStateException if these options have a {@linkplain #context() context}
   */
  public ServerTls withClientsTrusted(List<X509Certificate> trusted) {
    ensureNoContext("Which clients are trusted");
    return new ServerTls(
        settings, null, identity, named, Trust.of(trusted), ClientAuthentication.REQUIRED);
  }

  /**
   * The same with the certificates of a file, in PEM. Reads it: before the loop runs, or off it.
   *
   * @throws IOException if it cannot be read, or has none
   */
  public ServerTls withClientsTrustedPem(Path certificates) throws IOException {
    return withClientsTrusted(PemFile.read(certificates).certificates());
  }

  /**
   * The same with the trusted certificates of a key store.
   *
   * @throws IllegalArgumentException if it has none, or was not loaded
   */
  public ServerTls withClientTrustStore(KeyStore trusted) {
    return withClientsTrusted(Trust.certificates(trusted));
  }

  /**
   * {@return these options with clients asked for certificates in another way}
   *
   * @throws IllegalStateException if it is not {@link ClientAuthentication#NONE}, and nothing says
   *     which clients are trusted
   */
  public ServerTls withClientAuthentication(ClientAuthentication clientAuthentication) {
    Objects.requireNonNull(clientAuthentication, "clientAuthentication");
    if (clientAuthentication != ClientAuthentication.NONE
        && clientTrust == null
        && context == null) {
      throw new IllegalStateException(
          "nothing says which clients are trusted: use withClientsTrusted() before");
    }
    return new ServerTls(settings, context, identity, named, clientTrust, clientAuthentication);
  }

  @Override
  public @Nullable X509ExtendedTrustManager trustManager() throws TlsException {
    return clientTrust == null || clientAuthentication == ClientAuthentication.NONE
        ? null
        : clientTrust.manager();
  }

  // --- What both sides can be told

  @Override
  public TlsProvider provider() {
    return settings.provider();
  }

  /** {@return these options with another {@linkplain #provider() provider}} */
  public ServerTls withProvider(TlsProvider provider) {
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
  public ServerTls withProtocols(String... protocols) {
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
  public ServerTls withCipherSuites(String... cipherSuites) {
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
  public ServerTls withApplicationProtocols(String... applicationProtocols) {
    return with(settings.withApplicationProtocols(applicationProtocols));
  }

  @Override
  public boolean applicationProtocolRequired() {
    return settings.applicationProtocolRequired();
  }

  /** {@return these options with a common application protocol required or not} */
  public ServerTls withApplicationProtocolRequired(boolean required) {
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
  public ServerTls withHandshakeTimeout(Duration handshakeTimeout) {
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
  public ServerTls withShutdownTimeout(Duration shutdownTimeout) {
    return with(settings.withShutdownTimeout(shutdownTimeout));
  }

  @Override
  public boolean truncationAllowed() {
    return settings.truncationAllowed();
  }

  /** {@return these options with {@linkplain #truncationAllowed() truncation} allowed or not} */
  public ServerTls withTruncationAllowed(boolean truncationAllowed) {
    return with(settings.withTruncationAllowed(truncationAllowed));
  }

  @Override
  public String toString() {
    return "ServerTls["
        + (context != null ? "with an SSLContext" : identity != null ? identity : "named only")
        + (named.all().isEmpty() ? "" : ", names " + named.all().keySet())
        + (clientAuthentication == ClientAuthentication.NONE
            ? ""
            : ", client certificates " + clientAuthentication)
        + ", "
        + settings
        + "]";
  }
}
